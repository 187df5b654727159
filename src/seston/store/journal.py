"""A journal of annotation events: one fsynced line an event, so that a single annotation costs no new table version.

Every so many events the journal is folded into the Lance table. An event's number says whether the table has it
already, so a kill between the fold and the emptying of the journal neither loses nor doubles one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from seston.errors import DataSetError
from seston.particle import Annotation

__all__ = ["Event", "append_events", "empty_journal", "last_number", "read_events"]


class Event(NamedTuple):
    """An annotation and its number."""

    number: int
    annotation: Annotation


def read_events(path: Path) -> list[Event]:
    """Read a journal; a last line that a kill cut short was never confirmed and does not count."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    lines = content[: content.rfind(b"\n") + 1].splitlines()
    try:
        return [_event(line) for line in lines]
    except (ValueError, KeyError, TypeError) as error:
        raise DataSetError(f"{path}: a line is damaged and cannot be read: {error}; restore it from a copy") from error


def last_number(path: Path) -> int | None:
    """Give the number of the last event, None where the journal holds none."""
    try:
        with path.open("rb", buffering=0) as file:
            end = _end_of_last_line(file)
            if not end:
                return None
            start = _end_of_last_line(file, end - 1)
            file.seek(start)
            return _event(file.read(end - start)).number
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DataSetError(f"{path}: its last line is damaged ({error}); restore it from a copy") from error


def append_events(path: Path, events: Iterable[Event]) -> None:
    """Write events at the end and wait until the disk has them. The caller holds the lock."""
    lines = b"".join(_line(event) for event in events)
    try:
        path.touch()
        with path.open("r+b", buffering=0) as file:
            whole = _end_of_last_line(file)
            file.truncate(whole)
            file.seek(whole)
            try:
                _write_all(file, lines)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(whole)
                raise
    except OSError as error:
        raise DataSetError(f"{path}: the annotation cannot be written: {error.strerror or error}") from error


def empty_journal(path: Path) -> None:
    """Forget all events: the table has them. The caller holds the lock."""
    path.write_bytes(b"")


def _end_of_last_line(file: FileIO, before: int | None = None) -> int:
    """Position after the last line end, or after the last one before a position."""
    end = file.seek(0, os.SEEK_END) if before is None else before
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _write_all(file: FileIO, content: bytes) -> None:
    while content:
        content = content[file.write(content) :]


def _line(event: Event) -> bytes:
    number, said = event
    values = [number, said.particle_id, said.label, said.status, said.author, said.score, said.time.isoformat()]
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def _event(line: bytes) -> Event:
    number, particle_id, label, status, author, score, time = json.loads(line)
    annotation = Annotation(
        particle_id=particle_id,
        label=label,
        status=status,
        author=author,
        score=score,
        time=datetime.fromisoformat(time),
    )
    return Event(int(number), annotation)
