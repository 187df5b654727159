"""Facts of several tables side by side, kept in a temporary file and found by name, rank or identifier."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from enum import IntEnum
from operator import attrgetter

from seston.taxonomy.fact_files import FACT_COLUMNS, Fact

__all__ = ["FactShelf", "Place"]

_AT_ONCE = 2_000
_HIGHEST_CLIMB = 60
_FIELDS = ", ".join(FACT_COLUMNS)
_values = attrgetter(*FACT_COLUMNS)
_TABLE = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE facts (
        name TEXT, rank TEXT, parent TEXT, aphia_id INTEGER, status TEXT, accepted_name TEXT, source TEXT,
        folded TEXT, place INTEGER
    );
    CREATE INDEX by_name ON facts (folded, rank);
    CREATE INDEX by_id ON facts (aphia_id) WHERE aphia_id IS NOT NULL;
"""


class Place(IntEnum):
    """Which table a fact is in."""

    SHIPPED = 0
    OWN = 1
    """In the user's table."""
    NEW = 2
    """Just read."""
    TAKEN = 3
    """New, and taken into the user's table."""
    LEFT = 4
    """New, and not taken."""


class FactShelf:
    """Facts by number; ``""`` as a path keeps them in a temporary file of SQLite's own."""

    def __init__(self, path: str = "") -> None:
        self._base = sqlite3.connect(path)
        self._base.executescript(_TABLE)

    def close(self) -> None:
        """Throw the shelf away."""
        self._base.close()

    def put(self, facts: Iterable[Fact], place: Place) -> int:
        """Put facts into a place and count them."""
        rows = ((*_values(fact), fact.name.lower(), place) for fact in facts)
        return self._base.executemany("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows).rowcount

    def new(self) -> Iterator[tuple[int, Fact]]:
        """Give the new facts in the order in which they came; their places may change meanwhile."""
        last = 0
        while True:
            query = f"SELECT rowid, {_FIELDS} FROM facts WHERE rowid > ? AND place = ? ORDER BY rowid LIMIT ?"
            rows = self._base.execute(query, (last, Place.NEW, _AT_ONCE)).fetchall()
            if not rows:
                return
            for number, *fields in rows:
                yield number, Fact(*fields)
            last = rows[-1][0]

    def same(self, fact: Fact) -> tuple[int, Place, Fact] | None:
        """Find what is known of the taxon: in the user's table, else among what is taken, else in the shipped table.

        By AphiaID; else by name and rank, as long as there are not two AphiaIDs (see `same_taxon`).
        """
        query = (
            f"SELECT rowid, place, {_FIELDS} FROM facts WHERE place IN (0, 1, 3) AND (aphia_id = :aphia_id OR "
            "(folded = :folded AND rank = :rank AND (aphia_id IS NULL OR :aphia_id IS NULL))) "
            "ORDER BY place = 0, aphia_id IS NOT :aphia_id, parent != :parent, rowid LIMIT 1"
        )
        given = {"aphia_id": fact.aphia_id, "folded": fact.name.lower(), "rank": fact.rank, "parent": fact.parent}
        found = self._base.execute(query, given).fetchone()
        return (found[0], Place(found[1]), Fact(*found[2:])) if found else None

    def move(self, number: int, place: Place) -> None:
        """Put a fact into another place."""
        self._base.execute("UPDATE facts SET place = ? WHERE rowid = ?", (place, number))

    def replace(self, number: int, fact: Fact) -> None:
        """Write another fact over one."""
        query = (
            "UPDATE facts SET name = ?, rank = ?, parent = ?, aphia_id = ?, status = ?, accepted_name = ?, "
            "source = ?, folded = ? WHERE rowid = ?"
        )
        self._base.execute(query, (*_values(fact), fact.name.lower(), number))

    def is_above(self, name: str, fact: Fact, places: tuple[Place, ...]) -> bool:
        """Say whether a taxon of that name is somewhere above a fact, as far as these tables know."""
        marks = ", ".join("?" for _ in places)
        query = f"SELECT parent FROM facts WHERE folded = ? AND place IN ({marks}) AND status = 'accepted' LIMIT 1"
        above = fact.parent.lower()
        for _ in range(_HIGHEST_CLIMB):
            if not above or above == name.lower():
                return above != ""
            with closing(self._base.execute(query, (above, *places))) as asked:
                found = asked.fetchone()
            above = found[0].lower() if found else ""
        return False

    def of(self, *places: Place) -> Iterator[Fact]:
        """Give the facts of some places, in the order in which they came."""
        marks = ", ".join("?" for _ in places)
        for fields in self._base.execute(
            f"SELECT {_FIELDS} FROM facts WHERE place IN ({marks}) ORDER BY rowid", places
        ):
            yield Fact(*fields)
