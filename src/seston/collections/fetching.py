"""Fetch the archives of collections into a folder: checked for room first, resumed, verified, each only once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seston.collections.download import Downloaded, download, look_at
from seston.collections.partial_file import split_checksum
from seston.errors import DataSetError, NetworkError, UsageError
from seston.network import PATIENCE, Patience, host_of
from seston.particle import Progress, Silence
from seston.store.folder import locked, write_whole

if TYPE_CHECKING:
    from seston.collections.cards import Card

__all__ = ["FetchReport", "FetchedFile", "RemoteFile", "State", "fetch", "fetch_files"]

State = Literal["there already", "fetched", "to fetch", "by hand", "failed"]
"""What became of a file, or with a dry run what would."""

_RECORD = "fetched.json"
_SPARE_BYTES = 64 * 1024 * 1024
"""Room that a fetch leaves on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file of a collection and where it comes from."""

    collection: str
    """Its key: the folder that the file goes into."""
    name: str
    """What it is to be called; where a person puts several of unknown names, a pattern (``*.zip``)."""
    url: str | None = None
    """None where a person has to fetch it."""
    size: int | None = None
    """Exact number of bytes; None where it is not published."""
    checksum: str | None = None
    """``algorithm:digits`` as published."""
    instructions: str = ""
    """What a person has to do where a program cannot."""
    optional: bool = False
    """The collection can do without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """What became of one file."""

    collection: str
    name: str
    path: Path
    url: str | None
    state: State
    size: int | None = None
    """Bytes of the whole file."""
    have: int = 0
    """Bytes that are on the disk."""
    sha256: str | None = None
    reason: str = ""
    """Why it failed, or what is to be done by hand."""
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchReport:
    """What a fetch did, or with a dry run would do."""

    files: list[FetchedFile] = field(default_factory=list)
    needed: int = 0
    """Bytes that were missing at the start, as far as sizes are known."""
    free: int = 0
    """Bytes free on the disk at the start."""

    @property
    def unfinished(self) -> list[FetchedFile]:
        """The files that are not there and should be, or of which that is not known."""
        return [
            file for file in self.files if file.state == "failed" or (file.state == "by hand" and not file.optional)
        ]


def fetch(
    names: Sequence[str | Path],
    *,
    to: str | Path,
    dry_run: bool = False,
    patience: Patience = PATIENCE,
    progress: Progress | None = None,
) -> FetchReport:
    """Fetch the archives of collections, each into its own folder below `to`; see `fetch_files`.

    Parameters
    ----------
    names
        Names of collections, or paths of cards of your own.
    to
        The folder of the collections.

    Raises
    ------
    NotFoundError
        There is no such collection.
    """
    from seston.collections.cards import load_card

    files = [file for name in dict.fromkeys(names) for file in _files_of(load_card(name))]
    return fetch_files(files, to, dry_run=dry_run, patience=patience, progress=progress)


def fetch_files(
    files: Sequence[RemoteFile],
    to: str | Path,
    *,
    dry_run: bool = False,
    patience: Patience = PATIENCE,
    progress: Progress | None = None,
) -> FetchReport:
    """Fetch files into one folder a collection below `to`; archives stay as they are.

    A file that is there and has the published size and checksum, or that an earlier fetch has recorded, is not
    fetched again, whoever put it there. One that fails costs only itself.

    Parameters
    ----------
    files
        What to fetch.
    to
        The folder of the collections.
    dry_run
        Only ask for sizes and compare them with the room on the disk.
    patience
        With each server.

    Raises
    ------
    DataSetError
        The disk has not enough room for what is missing; nothing was fetched.
    UsageError
        A collection or a file with a name that is no plain name.
    """
    progress = progress or Silence()
    places = [_place(Path(to), file) for file in files]
    found = [_look(file, place, patience) for file, place in zip(files, places, strict=True)]
    needed = sum(max(0, one.size - one.have) for one in found if one.state == "to fetch" and one.size is not None)
    free = _free_bytes(Path(to))
    if not dry_run:
        if needed and needed + _SPARE_BYTES > free:
            raise DataSetError(
                f"{to}: {needed:,} bytes are to be fetched and only {free:,} are free; make room, or name fewer "
                "collections (--dry-run shows their sizes)"
            )
        progress.start("fetching", needed or None)
        found = [
            _fetch(file, one, patience, progress) if one.state == "to fetch" else one
            for file, one in zip(files, found, strict=True)
        ]
        progress.finish()
    return FetchReport(files=found, needed=needed, free=free)


def _files_of(card: Card) -> list[RemoteFile]:
    where = f"doi.org/{card.doi}" if card.doi else card.page
    if not card.files:
        return [RemoteFile(collection=card.name, name="*", instructions=card.instructions or f"get it from {where}")]
    return [
        RemoteFile(
            collection=card.name,
            name=one.name,
            url=one.url or None,
            size=one.bytes,
            checksum=f"sha256:{one.sha256}" if one.sha256 else f"md5:{one.md5}" if one.md5 else None,
            instructions=card.instructions or (f"get {one.name} by hand from {where}" if where else ""),
            optional=one.optional,
        )
        for one in card.files
    ]


def _place(to: Path, file: RemoteFile) -> Path:
    for name in (file.collection, file.name):
        if not name or name in (".", "..") or any(letter in name for letter in "/\\:\0"):
            raise UsageError(f"{name!r} cannot be the name of a file or folder")
    if file.checksum:
        split_checksum(file.checksum)
    return to / file.collection / file.name


def _look(file: RemoteFile, place: Path, patience: Patience) -> FetchedFile:
    """Say of one file whether it is there, how large it is, and whether it can be fetched."""
    seen = FetchedFile(
        collection=file.collection,
        name=file.name,
        path=place,
        url=file.url,
        state="to fetch",
        size=file.size,
        optional=file.optional,
    )
    if place.is_file():
        return _judge_present(file, seen)
    if "*" in file.name and (several := list(place.parent.glob(file.name))):
        size = sum(_bytes_of(one) for one in several)
        return replace(seen, state="there already", size=size, have=size)
    if file.url is None:
        return replace(seen, state="by hand", reason=_by_hand(file, place))
    if (unverified := place.with_name(f"{place.name}.unverified")).is_file():
        reason = f"was fetched with a wrong checksum; look at {unverified}, and delete it to fetch it again"
        return replace(seen, state="failed", reason=reason)
    try:
        offer = look_at(file.url, patience=patience)
    except NetworkError as error:
        return replace(seen, state="failed", reason=_failure(file, place, error))
    if file.size is not None and offer.size not in (None, file.size):
        reason = (
            f"{host_of(file.url)}: offers {offer.size:,} bytes where {file.size:,} are expected; the file has changed"
        )
        return replace(seen, state="failed", reason=f"{reason} ({file.url})")
    return replace(seen, size=offer.size or file.size, have=_bytes_of(place.with_name(f"{place.name}.part")))


def _judge_present(file: RemoteFile, seen: FetchedFile) -> FetchedFile:
    """Accept a file that stands there: recorded by an earlier fetch, or put there by a person and right."""
    size = _bytes_of(seen.path)
    seen = replace(seen, state="there already", size=size, have=size)
    recorded = _read_record(seen.path.parent).get(file.name, {})
    stamp = seen.path.stat().st_mtime_ns
    if recorded.get("size") == size and recorded.get("mtime_ns") == stamp and not _differs(file, recorded):
        return replace(seen, sha256=recorded.get("sha256"))
    if file.size is not None and size != file.size:
        reason = f"{seen.path} has {size:,} bytes where {file.size:,} are expected; move it away to fetch it again"
        return replace(seen, state="failed", reason=reason)
    digests = _hash_file(seen.path, file.checksum)
    if file.checksum:
        algorithm, digits = split_checksum(file.checksum)
        if digests[algorithm] != digits:
            reason = f"{seen.path} has the {algorithm} {digests[algorithm]} where {digits} is published; move it away"
            return replace(seen, state="failed", reason=f"{reason} to fetch it again")
    entry = {"url": None, "size": size, "sha256": digests["sha256"], "checksum": file.checksum, "mtime_ns": stamp}
    _record(seen.path, entry)
    return replace(seen, sha256=digests["sha256"])


def _differs(file: RemoteFile, recorded: dict[str, Any]) -> bool:
    return bool(file.checksum and recorded.get("checksum") != file.checksum)


def _fetch(file: RemoteFile, seen: FetchedFile, patience: Patience, progress: Progress) -> FetchedFile:
    assert file.url is not None
    try:
        seen.path.parent.mkdir(parents=True, exist_ok=True)
        waiting = f"another fetch is writing to {seen.path.parent}: waiting for it"
        with locked(seen.path.parent / "fetch.lock", progress, waiting):
            if seen.path.is_file():  # the other fetch has brought it
                return _judge_present(file, seen)
            got = download(
                file.url, seen.path, size=file.size, checksum=file.checksum, patience=patience, progress=progress
            )
            _record(seen.path, _entry(file, got))
    except NetworkError as error:
        have = _bytes_of(seen.path.with_name(f"{seen.path.name}.part"))
        return replace(seen, state="failed", have=have, reason=_failure(file, seen.path, error))
    except OSError as error:
        raise DataSetError(f"{seen.path.parent}: cannot be made: {error.strerror or error}") from error
    return replace(seen, state="fetched", size=got.size, have=got.size, sha256=got.sha256)


def _entry(file: RemoteFile, got: Downloaded) -> dict[str, Any]:
    return {
        "url": file.url,
        "size": got.size,
        "sha256": got.sha256,
        "checksum": file.checksum,
        "etag": got.etag,
        "last_modified": got.last_modified,
        "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        "mtime_ns": got.path.stat().st_mtime_ns,
    }


def _failure(file: RemoteFile, place: Path, error: NetworkError) -> str:
    return f"{error}. Or {_by_hand(file, place)}" if file.instructions else str(error)


def _by_hand(file: RemoteFile, place: Path) -> str:
    how = file.instructions.strip().rstrip(".") or f"get {file.name}"
    where = f"into {place.parent}" if "*" in file.name else f"at {place}"
    return f"{how}; put it {where} and run this again"


def _read_record(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        record = json.loads((folder / _RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _record(path: Path, entry: dict[str, Any]) -> None:
    record = _read_record(path.parent) | {path.name: entry}
    write_whole(path.parent / _RECORD, json.dumps(record, indent=2).encode() + b"\n")


def _hash_file(path: Path, checksum: str | None) -> dict[str, str]:
    import hashlib

    names = {"sha256", split_checksum(checksum)[0]} if checksum else {"sha256"}
    hashes = {name: hashlib.new(name) for name in names}
    with path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            for one in hashes.values():
                one.update(chunk)
    return {name: one.hexdigest() for name, one in hashes.items()}


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _free_bytes(folder: Path) -> int:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
