"""What stands above a taxon, whatever was asked before, in tables with and without faults."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from seston.taxonomy.fact_files import Fact
from seston.taxonomy.tree import TaxonTree

_NAMES = st.sampled_from("ABCDEF")
_FACTS = st.builds(Fact, name=_NAMES, rank=st.just("order"), parent=_NAMES)


def _slow_path(name: str, parents: dict[str, str]) -> list[str]:
    path = [name]
    while (name := parents[name]) in parents and name not in path:
        path.insert(0, name)
    return path


@settings(deadline=None)
@given(st.lists(_FACTS, min_size=1, unique_by=lambda fact: fact.name).flatmap(st.permutations))
def test_paths_are_the_same_in_any_order_even_where_parents_make_a_ring(facts: list[Fact]) -> None:
    tree = TaxonTree(facts)
    parents = {fact.name: fact.parent for fact in facts}
    for fact in facts + facts[::-1]:
        assert [one.name for one in tree.path(fact)] == _slow_path(fact.name, parents)
