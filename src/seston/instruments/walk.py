"""The files below a path that a reader may be asked about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from seston.errors import NotFoundError, nearest_word
from seston.instruments.image_sets import is_litter
from seston.instruments.source import Listing

__all__ = ["listing_of", "siblings_of"]


def listing_of(path: Path) -> tuple[Listing, list[tuple[Path, str]]]:
    """List the files below a folder, or one file.

    Dot files and what macOS leaves behind are not listed. Links are followed only to files inside the folder.

    Returns
    -------
    (listing, outside)
        And the links that lead elsewhere, each with the reason why it is left out.

    Raises
    ------
    NotFoundError
        Where there is nothing of that name; says the nearest name in its folder.
    """
    if not path.exists():
        raise NotFoundError(f"{path}: there is no such file or folder{_nearest(path)}")
    if not path.is_dir():
        return Listing(path.parent, (path,)), []
    files: list[Path] = []
    outside: list[tuple[Path, str]] = []
    inside_of = path.resolve()
    for file in _walk(path):
        if file.is_dir():
            outside.append((file, "a link to a folder, which is not followed: name the folder itself to read it"))
        elif file.is_symlink() and inside_of not in file.resolve().parents:
            outside.append((file, "a link that leads out of the folder: name the file itself to read it"))
        elif file.is_file():
            files.append(file)
        else:
            outside.append((file, "no regular file: a link that leads nowhere, or a device"))
    return Listing(path, tuple(sorted(files))), outside


def siblings_of(file: Path) -> Listing:
    """List what lies beside a file, two folders deep: the other parts of the export that it may belong to."""
    files = [path for path in _walk(file.parent, deepest=2) if path.is_file()]
    return Listing(file.parent, tuple(sorted(files)))


def _walk(folder: Path, deepest: int | None = None) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        depth = len(Path(where).relative_to(folder).parts)
        folders[:] = [] if depth == deepest else sorted(name for name in folders if not is_litter(name))
        for name in sorted([*names, *(name for name in folders if (Path(where) / name).is_symlink())]):
            if not is_litter(name):
                yield Path(where) / name


def _nearest(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f" (nor the folder {folder})"
    names = sorted(entry.name for entry in folder.iterdir() if not is_litter(entry.name))
    near = nearest_word(path.name, names)
    return near if "did you mean" in near else f" in {folder}"
