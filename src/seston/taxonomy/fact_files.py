"""The tables of facts on disk: the one that comes with Seston, and the user's own beside it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from seston.taxonomy.facts import COLUMNS, Fact, Facts, built_in_facts, read_facts
from seston.taxonomy.user_folder import user_folder
from seston.taxonomy.whole_files import written_whole

__all__ = ["facts_paths", "known_facts", "same_taxon", "shipped_facts_path", "user_facts_path", "write_facts"]


def known_facts() -> Facts:
    """Read the table that comes with Seston and the user's own.

    Where a row of the user's is about the same taxon as one that comes with Seston (see `same_taxon`), the user's is
    taken in its place.
    """
    own = user_facts_path()
    if not own.is_file():
        return built_in_facts()
    state = own.stat()
    return _merged(own, state.st_mtime_ns, state.st_size)


def same_taxon(first: Fact, second: Fact) -> bool:
    """Say whether two facts are about one taxon: the same AphiaID; or the same name and rank, and not two AphiaIDs."""
    if first.aphia_id is not None and second.aphia_id is not None:
        return first.aphia_id == second.aphia_id
    return first.name.lower() == second.name.lower() and first.rank == second.rank


def shipped_facts_path() -> Path:
    """Name the table that comes with Seston."""
    return Path(__file__).with_name("facts.tsv")


def user_facts_path() -> Path:
    """Name the user's own table of facts; it need not exist yet."""
    return user_folder() / "facts.tsv"


def facts_paths() -> list[Path]:
    """Name the tables of facts that exist, the one that comes with Seston first."""
    return [path for path in (shipped_facts_path(), user_facts_path()) if path.is_file()]


def write_facts(path: Path, facts: Iterable[Fact]) -> None:
    """Write a table of facts, so that it is there whole or not at all."""
    with written_whole(path) as file:
        file.write("\t".join(COLUMNS) + "\n")
        file.writelines(_line(fact) for fact in facts)


@lru_cache(maxsize=2)
def _merged(own: Path, _changed: int, _size: int) -> Facts:
    by_id: set[int] = set()
    by_name: dict[tuple[str, str], list[Fact]] = {}
    mine = list(read_facts(own))
    for fact in mine:
        by_name.setdefault((fact.name.lower(), fact.rank), []).append(fact)
        if fact.aphia_id is not None:
            by_id.add(fact.aphia_id)
    kept = [
        fact
        for fact in built_in_facts()
        if fact.aphia_id not in by_id
        and not any(same_taxon(fact, one) for one in by_name.get((fact.name.lower(), fact.rank), ()))
    ]
    return Facts([*mine, *kept])


def _line(fact: Fact) -> str:
    aphia_id = "" if fact.aphia_id is None else str(fact.aphia_id)
    fields = (fact.name, fact.rank, fact.parent, aphia_id, fact.status, fact.accepted_name, fact.source)
    return "\t".join(" ".join(field.split()) for field in fields) + "\n"
