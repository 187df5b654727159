"""What servers said about objects, kept on disk: every answer once, whole or not at all, and with where it is from."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Self, TypeVar

from seston.errors import DataSetError, NetworkError
from seston.store.folder import locked

__all__ = ["MetadataStore", "ObjectFacts"]

_Read = TypeVar("_Read")
_FILE = "metadata.sqlite"
_ANSWERS = "answers"
_ASKED_AT_ONCE = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TABLES = """
CREATE TABLE IF NOT EXISTS sources (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS requests (
    request TEXT PRIMARY KEY, source INTEGER NOT NULL, answered TEXT NOT NULL, objects INTEGER NOT NULL, total INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    source INTEGER NOT NULL, key TEXT NOT NULL, name TEXT, latitude REAL, longitude REAL, depth_min_m REAL,
    depth_max_m REAL, time INTEGER, status TEXT, label TEXT, PRIMARY KEY (key, source)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_name ON objects (name) WHERE name IS NOT NULL;
"""
_COLUMNS = "key, name, latitude, longitude, depth_min_m, depth_max_m, time, status, label, sources.text"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFacts:
    """What a server says about one object: a particle of EcoTaxa, or a bin of an IFCB."""

    key: str
    """The server's own number or name of it."""
    name: str | None = None
    """The name that its instrument or its owner gave it."""
    latitude: float | None = None
    longitude: float | None = None
    depth_min_m: float | None = None
    depth_max_m: float | None = None
    time: datetime | None = None
    status: str | None = None
    """``predicted``, ``validated``, ``dubious`` or ``discarded``: of the label that the server has now."""
    label: str | None = None
    source: str = ""
    """The server and what it was asked."""


class MetadataStore:
    """A folder with one SQLite file; use it as a context manager, one process at a time.

    Parameters
    ----------
    folder
        Is made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answers = folder / _ANSWERS

    def __enter__(self) -> Self:
        try:
            self._answers.mkdir(parents=True, exist_ok=True)
            self._lock = locked(self._folder / "metadata.lock")
            self._lock.__enter__()
            self._base = sqlite3.connect(self._folder / _FILE)
            self._base.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _TABLES)
        except (OSError, sqlite3.Error) as error:
            raise DataSetError(f"{self._folder / _FILE}: cannot be opened ({error}); delete it to ask again") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()
        self._lock.__exit__(None, None, None)

    def answer(self, request: str, ask: Callable[[], bytes], read: Callable[[bytes], _Read]) -> _Read:
        """Read the answer to a request that is not answered yet: from disk where it had arrived before a kill.

        The answer is on disk before anyone reads it, so that no kill later on makes the server work again. One that
        cannot be read (`NetworkError`) is dropped.
        """
        place = self._place(request)
        if not place.is_file():
            arriving = place.with_suffix(".part")
            arriving.write_bytes(ask())
            arriving.replace(place)  # a disk that loses it in a power cut gives an answer that cannot be read
        try:
            return read(place.read_bytes())
        except NetworkError:
            place.unlink()
            raise

    def is_answered(self, request: str) -> bool:
        """Tell whether the objects of a request are here."""
        return self._base.execute("SELECT 1 FROM requests WHERE request = ?", (request,)).fetchone() is not None

    def total_of(self, request: str) -> int | None:
        """How many objects the server said that there are, when it answered this request."""
        row = self._base.execute("SELECT total FROM requests WHERE request = ?", (request,)).fetchone()
        return None if row is None else row[0]

    def add(self, request: str, source: str, objects: Iterable[ObjectFacts], *, total: int | None = None) -> int:
        """Keep the objects of an answered request, all or none, and forget its raw answer; tell how many."""
        with self._writing():
            self._base.execute("INSERT OR IGNORE INTO sources (text) VALUES (?)", (source,))
            [number] = self._base.execute("SELECT id FROM sources WHERE text = ?", (source,)).fetchone()
            rows = [_row(number, one) for one in objects]
            self._base.executemany("INSERT OR REPLACE INTO objects VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
            answered = datetime.now(UTC).isoformat(timespec="seconds")
            entry = (request, number, answered, len(rows), total)
            self._base.execute("INSERT OR REPLACE INTO requests VALUES (?,?,?,?,?)", entry)
        self._place(request).unlink(missing_ok=True)
        return len(rows)

    def count(self, source: str | None = None) -> int:
        """Count objects: all, or those of one source."""
        where = "" if source is None else " WHERE source = (SELECT id FROM sources WHERE text = ?)"
        [number] = self._base.execute(
            f"SELECT count(*) FROM objects{where}", () if source is None else (source,)
        ).fetchone()
        return int(number)

    def find(self, words: Sequence[str]) -> dict[str, list[ObjectFacts]]:
        """Give the objects whose key or name each word is."""
        found: dict[str, list[ObjectFacts]] = {}
        different = iter(dict.fromkeys(words))
        while some := list(islice(different, _ASKED_AT_ONCE)):
            marks = ",".join("?" * len(some))
            for column, place in (("key", 0), ("name", 1)):
                question = f"SELECT {_COLUMNS} FROM objects JOIN sources ON id = source WHERE {column} IN ({marks})"
                for row in self._base.execute(question, some):
                    facts = _facts(row)
                    if facts not in found.setdefault(row[place], []):
                        found[row[place]].append(facts)
        return found

    def _place(self, request: str) -> Path:
        return self._answers / hashlib.sha256(request.encode()).hexdigest()[:32]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._base:
                yield
        except sqlite3.Error as error:
            raise DataSetError(
                f"{self._folder / _FILE}: cannot be written ({error}); make room and run it again"
            ) from error


def _row(source: int, facts: ObjectFacts) -> tuple[object, ...]:
    time = None if facts.time is None else (facts.time - _EPOCH) // timedelta(microseconds=1)
    places = (facts.latitude, facts.longitude, facts.depth_min_m, facts.depth_max_m)
    return (source, facts.key, facts.name, *places, time, facts.status, facts.label)


def _facts(row: tuple[object, ...]) -> ObjectFacts:
    key, name, latitude, longitude, depth_min, depth_max, time, status, label, source = row
    return ObjectFacts(
        key=key,  # type: ignore[arg-type]
        name=name,  # type: ignore[arg-type]
        latitude=latitude,  # type: ignore[arg-type]
        longitude=longitude,  # type: ignore[arg-type]
        depth_min_m=depth_min,  # type: ignore[arg-type]
        depth_max_m=depth_max,  # type: ignore[arg-type]
        time=None if time is None else _EPOCH + timedelta(microseconds=time),  # type: ignore[arg-type]
        status=status,  # type: ignore[arg-type]
        label=label,  # type: ignore[arg-type]
        source=source,  # type: ignore[arg-type]
    )
