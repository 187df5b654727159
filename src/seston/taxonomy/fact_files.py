"""Tables of taxonomic facts: the one that comes with Seston, and the user's own beside it.

A table is UTF-8 text, one fact a line, parted by tabs, without quotes, under the header ``name rank parent aphia_id
status accepted_name source``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from seston.errors import InputError, NotFoundError
from seston.taxonomy.user_places import user_folder
from seston.taxonomy.whole_files import written_whole

__all__ = [
    "FACT_COLUMNS",
    "Fact",
    "facts_paths",
    "read_facts",
    "same_taxon",
    "shipped_facts_path",
    "user_facts_path",
    "write_facts",
]

FACT_COLUMNS = ("name", "rank", "parent", "aphia_id", "status", "accepted_name", "source")
"""Columns of a table of facts, in their order."""

_LONGEST_LINE = 10_000


@dataclass(frozen=True, slots=True)
class Fact:
    """What a register says about one name."""

    name: str
    """Scientific name without its author."""
    rank: str
    """In lower case; may lie between the seven ranks."""
    parent: str = ""
    """Name of the taxon above, or empty."""
    aphia_id: int | None = None
    """Identifier of this name (not of the accepted one) in WoRMS."""
    status: str = "accepted"
    """``accepted``; ``synonym``; ``misapplied``; or ``uncertain``: neither accepted nor with a name in its place."""
    accepted_name: str = ""
    """The name to use in its place; empty where this is the accepted one or where there is none."""
    source: str = ""
    """Register or file that says so."""

    def __hash__(self) -> int:
        """Hash by the name alone: a tree looks its facts up often, and few share a name."""
        return hash(self.name)


def shipped_facts_path() -> Path:
    """Name the table of facts that comes with Seston."""
    return Path(__file__).with_name("facts.tsv")


def user_facts_path() -> Path:
    """Name the user's own table of facts; it need not exist yet."""
    return user_folder() / "facts.tsv"


def facts_paths() -> list[Path]:
    """Name the tables of facts that exist, the shipped one first: where two contradict each other, the later wins."""
    return [path for path in (shipped_facts_path(), user_facts_path()) if path.is_file()]


def read_facts(path: Path) -> Iterator[Fact]:
    """Read a table of facts, line by line.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        It is no table of facts, or one of its lines cannot be read.
    """
    if not path.is_file():
        raise NotFoundError(f"there is no table of facts {path}")
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            if tuple(file.readline(_LONGEST_LINE).rstrip("\r\n").split("\t")) != FACT_COLUMNS:
                raise InputError(f"{path} is no table of facts: its first line should be {' '.join(FACT_COLUMNS)}")
            for number, line in enumerate(file, start=2):
                if line.strip():
                    yield _fact(path, number, line.rstrip("\r\n").split("\t"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 text ({error.reason}); save it again as UTF-8") from None


def write_facts(path: Path, facts: Iterable[Fact]) -> None:
    """Write a table of facts, so that it is there whole or not at all."""
    with written_whole(path) as file:
        file.write("\t".join(FACT_COLUMNS) + "\n")
        file.writelines(_line(fact) for fact in facts)


def same_taxon(first: Fact, second: Fact) -> bool:
    """Say whether two facts are about one taxon: the same AphiaID; or the same name and rank, and not two AphiaIDs."""
    if first.aphia_id is not None and second.aphia_id is not None:
        return first.aphia_id == second.aphia_id
    return first.name.lower() == second.name.lower() and first.rank == second.rank


def _fact(path: Path, number: int, fields: list[str]) -> Fact:
    if len(fields) != len(FACT_COLUMNS):
        raise InputError(f"{path}: line {number} has {len(fields)} fields where {len(FACT_COLUMNS)} belong")
    name, rank, parent, aphia_id, status, accepted_name, source = fields
    if not name or (aphia_id and not (aphia_id.isascii() and aphia_id.isdigit())):
        raise InputError(f"{path}: line {number} has no name, or an aphia_id that is no number: {name!r}, {aphia_id!r}")
    return Fact(name, rank, parent, int(aphia_id) if aphia_id else None, status, accepted_name, source)


def _line(fact: Fact) -> str:
    aphia_id = "" if fact.aphia_id is None else str(fact.aphia_id)
    fields = (fact.name, fact.rank, fact.parent, aphia_id, fact.status, fact.accepted_name, fact.source)
    return "\t".join(" ".join(field.split()) for field in fields) + "\n"
