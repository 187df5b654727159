"""What is known of taxa: the facts that come with Seston, and the user's own in place of those that they are about."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from seston.taxonomy.fact_files import Fact, read_facts, same_taxon, shipped_facts_path, user_facts_path
from seston.taxonomy.tree import TaxonTree

__all__ = ["known_facts"]


def known_facts() -> TaxonTree:
    """Read the table that comes with Seston and the user's own.

    Where a row of the user's is about the same taxon as one that comes with Seston (see `same_taxon`), the user's is
    taken in its place.
    """
    own = user_facts_path()
    if not own.is_file():
        return _built_in()
    state = own.stat()
    return _merged(own, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=2)
def _merged(own: Path, _changed: int, _size: int) -> TaxonTree:
    by_id: set[int] = set()
    by_name: dict[tuple[str, str], list[Fact]] = {}
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
    return TaxonTree([*mine, *kept])


@lru_cache(maxsize=1)
def _built_in() -> TaxonTree:
    return TaxonTree(read_facts(shipped_facts_path()))
