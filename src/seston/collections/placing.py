"""Where the files of a collection lie on this computer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from seston.collections.cards import Card
from seston.collections.walking import is_archive_name
from seston.errors import NotFoundError, UsageError

__all__ = ["Placed", "place_files", "read_places"]


@dataclass(frozen=True, slots=True)
class Placed:
    """The files of one collection."""

    archives: tuple[Path, ...]
    """Archives of pictures in their order, or one folder of unpacked ones."""
    folder: Path
    """Where its tables are looked for."""


def read_places(given: Sequence[str]) -> tuple[dict[str, Path], list[Path]]:
    """Read ``NAME=PATH`` and plain folders that hold the files of several collections.

    Raises
    ------
    NotFoundError
        A path that does not exist.
    UsageError
        A plain path that is no folder.
    """
    named: dict[str, Path] = {}
    folders: list[Path] = []
    for text in given:
        name, equals, where = text.partition("=")
        path = Path(where if equals and not Path(text).exists() else text)
        if not path.exists():
            raise NotFoundError(f"{path}: no such file or folder")
        if path != Path(text):
            named[name] = path
        elif path.is_dir():
            folders.append(path)
        else:
            raise UsageError(f"{text}: say which collection it is: --from NAME={text}")
    return named, folders


def place_files(card: Card, named: Mapping[str, Path], folders: Sequence[Path]) -> Placed:
    """Find the files of a collection: where the user says, else in the folders, in its own folder below them first.

    Raises
    ------
    NotFoundError
        They are nowhere, with what to do.
    """
    if card.name in named:
        path = named[card.name]
        return _in_folder(card, path) if path.is_dir() else Placed((path,), path.parent)
    for folder in folders:
        if (folder / card.name).is_dir():
            return _in_folder(card, folder / card.name)
        if found := _by_name(card, folder, patterns=False):
            return Placed(tuple(found), folder)
    names = ", ".join(file.name for file in card.files if file.holds == "pictures")
    fetch = "  ".join(("fetch it with", f"seston collections fetch {card.name} --to FOLDER"))
    by_hand = card.instructions or fetch
    raise NotFoundError(
        f"the files of {card.name} ({names or 'a folder'}) are not there: {by_hand.rstrip('.')}; "
        f"then say --from {card.name}=PATH"
    )


def _in_folder(card: Card, folder: Path) -> Placed:
    archives = _by_name(card, folder, patterns=True)
    if not archives and not card.layout.reader:
        archives = sorted(path for path in folder.iterdir() if path.is_file() and is_archive_name(path.name))
    return Placed(tuple(archives) or (folder,), folder)


def _by_name(card: Card, folder: Path, *, patterns: bool) -> list[Path]:
    found: list[Path] = []
    for file in card.files:
        if file.holds == "pictures" and (patterns or "*" not in file.name):
            names = sorted(path for path in folder.iterdir() if fnmatchcase(path.name, file.name) and path.is_file())
            found.extend(path for path in names if path not in found)
    return found
