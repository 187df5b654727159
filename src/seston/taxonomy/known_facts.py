"""What is known of taxa: the facts that come with Seston, and the user's own in place of those that they are about."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from seston.taxonomy.fact_files import Fact as StoredFact
from seston.taxonomy.fact_files import read_facts, same_taxon, shipped_facts_path, user_facts_path
from seston.taxonomy.facts import Fact, Facts, built_in_facts

__all__ = ["known_facts"]


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


@lru_cache(maxsize=2)
def _merged(own: Path, _changed: int, _size: int) -> Facts:
    by_id: set[int] = set()
    by_name: dict[tuple[str, str], list[StoredFact]] = {}
    mine = list(read_facts(own))
    for fact in mine:
        by_name.setdefault((fact.name.lower(), fact.rank), []).append(fact)
        if fact.aphia_id is not None:
            by_id.add(fact.aphia_id)
    kept = [
        fact
        for fact in read_facts(shipped_facts_path())
        if fact.aphia_id not in by_id
        and not any(same_taxon(fact, one) for one in by_name.get((fact.name.lower(), fact.rank), ()))
    ]
    return Facts(_plain(fact) for fact in (*mine, *kept))


def _plain(fact: StoredFact) -> Fact:
    status = "accepted" if fact.status == "accepted" else "unaccepted"
    return Fact(fact.name, fact.rank, fact.parent, fact.aphia_id, status, fact.accepted_name, fact.source)
