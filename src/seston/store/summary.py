"""What is in a data set, kept beside it, so that it need not be counted again as long as nothing changed.

What was counted is kept with the state of the folder that it was counted in: the names of all versions and tags of its
tables, the length of the journal, the splits, and the bytes of everything. Any change changes one of them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from seston.errors import DataSetError
from seston.store.folder import Folder, write_whole
from seston.store.reports import Info

__all__ = ["info_of", "keep_info", "state_of"]


class _Kept(msgspec.Struct):
    state: str
    info: Info


def info_of(path: str | Path) -> Info:
    """Say what is in a data set: from what was kept if nothing changed since, else by counting.

    Raises
    ------
    NotFoundError
        There is no data set.
    """
    folder = Folder.open(Path(path), create=False)
    try:
        kept = msgspec.json.decode(folder.summary.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        kept = None
    if kept is not None and kept.state == state_of(folder):
        return kept.info
    from seston.store.dataset import open_data_set

    return open_data_set(path).info()


def keep_info(folder: Folder, state: str, info: Info) -> None:
    """Keep what was counted, with the state of the folder before the counting; where nothing can be written, do not."""
    try:
        write_whole(folder.summary, msgspec.json.encode(_Kept(state, info)) + b"\n")
    except (DataSetError, OSError):
        return


def state_of(folder: Folder) -> str:
    """Give a text that changes with everything that `Info` counts."""
    digest = hashlib.sha256()
    for table in (folder.particles, folder.samples, folder.annotations):
        for part in ("_versions", "_refs/tags"):
            digest.update(f"{table.name}/{part}: {_names(table / part)}\n".encode())
    journal = folder.journal.stat().st_size if folder.journal.exists() else 0
    digest.update(f"{journal} {_names(folder.splits)} {folder.bytes_on_disk()}".encode())
    return digest.hexdigest()


def _names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []
