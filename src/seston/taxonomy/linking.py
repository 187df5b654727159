"""From the names of a checklist to facts: parents and accepted names are looked up by the checklist's own keys."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from seston.particle import Skipped
from seston.taxonomy.checklist_names import ChecklistName
from seston.taxonomy.fact_files import Fact
from seston.taxonomy.ranks import RANK_ORDER

__all__ = ["link_names"]

_KNOWN_RANKS = frozenset(RANK_ORDER)
_AT_ONCE = 5_000
_HIGHEST_CLIMB = 60
_TABLES = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE names (
        name TEXT, rank TEXT, key TEXT, parent_key TEXT, parent TEXT, accepted_key TEXT, accepted TEXT, in_use INTEGER,
        aphia_id INTEGER
    );
    CREATE TABLE above (rank TEXT, name TEXT, parent TEXT, PRIMARY KEY (rank, name)) WITHOUT ROWID;
"""
_INDICES = """
    CREATE INDEX by_key ON names (key) WHERE key != '';
    CREATE INDEX by_name ON names (name, rank) WHERE in_use;
"""
_INSERT = "INSERT INTO names VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class _Row(NamedTuple):
    name: str
    rank: str
    key: str
    parent_key: str
    parent: str
    accepted_key: str
    accepted: str
    in_use: bool
    aphia_id: int | None


def link_names(names: Iterable[ChecklistName | Skipped], *, source: str) -> Iterator[Fact | Skipped]:
    """Make facts of names; what was skipped before is passed on first.

    Taxa of ranks that Seston does not know (superdomain, epifamily, …) are left out, and what is below them is hung
    under the next taxon above. The names wait in a temporary file, so that memory does not grow with the checklist.

    Parameters
    ----------
    names
        Names in any order.
    source
        What to write as the source of each fact.
    """
    with tempfile.TemporaryDirectory(prefix="seston-") as folder:
        base = sqlite3.connect(Path(folder) / "names.sqlite")
        try:
            base.executescript(_TABLES)
            yield from _keep(base, names)
            base.executescript(_INDICES)
            yield from _facts(base, source)
            yield from _implied(base, source)
        finally:
            base.close()


def _keep(base: sqlite3.Connection, names: Iterable[ChecklistName | Skipped]) -> Iterator[Skipped]:
    rows: list[_Row] = []
    last: tuple[tuple[str, str], ...] = ()
    for name in names:
        if isinstance(name, Skipped):
            yield name
            continue
        above = [(rank, taxon) for rank, taxon in name.above if rank in _KNOWN_RANKS]
        rows.append(_row(name, above))
        if name.above != last:
            last = name.above
            parents = ["", *(taxon for _, taxon in above)]
            steps = [(*step, parent) for step, parent in zip(above, parents, strict=False)]
            base.executemany("INSERT OR IGNORE INTO above VALUES (?, ?, ?)", steps)
        if len(rows) == _AT_ONCE:
            base.executemany(_INSERT, rows)
            rows.clear()
    base.executemany(_INSERT, rows)


def _row(name: ChecklistName, above: list[tuple[str, str]]) -> _Row:
    parent = name.parent or (above[-1][1] if above else "")
    return _Row(
        name.name,
        name.rank,
        name.key,
        name.parent_key,
        parent,
        name.accepted_key,
        name.accepted,
        name.in_use,
        name.aphia_id,
    )


def _facts(base: sqlite3.Connection, source: str) -> Iterator[Fact | Skipped]:
    for fields in base.execute("SELECT * FROM names ORDER BY rowid"):
        row = _Row(*fields)
        accepted = None if row.in_use else _accepted(base, row)
        rank = row.rank or (accepted.rank if accepted else "")
        if rank not in _KNOWN_RANKS:
            yield Skipped("", row.name, f"its rank {rank!r} has no place here" if rank else "has no rank")
        elif row.in_use:
            yield Fact(row.name, rank, _parent(base, row), row.aphia_id, "accepted", "", source)
        else:
            name = accepted.name if accepted else row.accepted
            if name == row.name:
                continue
            if _is_in_use(base, row.name, rank):
                yield Skipped("", row.name, f"is given as a taxon, and as a synonym of {name or 'another'} as well")
                continue
            parent = "" if name else _parent(base, row)
            status = "synonym" if name else "uncertain"
            yield Fact(row.name, rank, parent, row.aphia_id, status, name, source)


def _implied(base: sqlite3.Connection, source: str) -> Iterator[Fact]:
    """Make facts of taxa that only the rows below them name."""
    for rank, name, parent in base.execute("SELECT rank, name, parent FROM above ORDER BY rank, name"):
        if not _is_in_use(base, name, rank):
            yield Fact(name, rank, parent, None, "accepted", "", source)


def _by_key(base: sqlite3.Connection, key: str) -> _Row | None:
    found = base.execute("SELECT * FROM names WHERE key = ? AND key != '' LIMIT 1", (key,)).fetchone() if key else None
    return _Row(*found) if found else None


def _is_in_use(base: sqlite3.Connection, name: str, rank: str) -> bool:
    asked = base.execute("SELECT 1 FROM names WHERE in_use AND name = ? AND rank = ? LIMIT 1", (name, rank))
    return asked.fetchone() is not None


def _accepted(base: sqlite3.Connection, row: _Row) -> _Row | None:
    """Follow the keys of accepted names until one is in use."""
    one: _Row | None = row
    for _ in range(_HIGHEST_CLIMB):
        if one is None or one.in_use:
            return one
        one = _by_key(base, one.accepted_key)
    return None


def _parent(base: sqlite3.Connection, row: _Row) -> str:
    """Climb to the first taxon above whose rank is known here."""
    key, given = row.parent_key, row.parent
    for _ in range(_HIGHEST_CLIMB):
        above = _by_key(base, key)
        if above is not None and not above.in_use:
            above = _accepted(base, above)
        if above is None:
            return given
        if above.rank in _KNOWN_RANKS:
            return above.name
        key, given = above.parent_key, above.parent
    return ""
