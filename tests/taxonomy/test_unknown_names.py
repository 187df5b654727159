"""Names that the tables do not hold: a tenth of the genera is taken out, and their labels are read all the same."""

from __future__ import annotations

import random

import pytest

from seston.taxonomy import Taxon, TaxonTree, resolve
from seston.taxonomy.fact_files import read_facts, shipped_facts_path

_LEFT_OUT = 250


@pytest.fixture(scope="module")
def read() -> list[tuple[str, Taxon]]:
    """Read the names of genera and species that are left out of the table."""
    facts = list(read_facts(shipped_facts_path()))  # not a table that another test leaves behind
    genera = sorted(fact.name for fact in facts if fact.rank == "genus" and fact.status == "accepted")
    gone = set(random.Random(0).sample(genera, _LEFT_OUT))
    kept = [fact for fact in facts if not {fact.name.split(" ")[0], fact.accepted_name.split(" ")[0]} & gone]
    names = [fact.name for fact in facts if fact.name.split(" ")[0] in gone and fact.status == "accepted"]
    return list(zip(names, resolve(names, tree=TaxonTree(kept)), strict=True))


def test_hardly_any_of_them_is_taken_for_another(read: list[tuple[str, Taxon]]) -> None:
    assert len(read) > 400
    named = [(name, taxon.name) for name, taxon in read if taxon.name is not None]
    assert len(named) <= 0.02 * len(read), named


def test_a_name_taken_for_another_is_never_trusted(read: list[tuple[str, Taxon]]) -> None:
    assert [name for name, taxon in read if taxon.name is not None and taxon.confidence > 0.8] == []


def test_most_are_still_known_to_live(read: list[tuple[str, Taxon]]) -> None:
    assert sum(taxon.kind == "living" for _, taxon in read) >= 0.9 * len(read)


def test_a_parent_beside_them_is_taken() -> None:
    [taxon] = resolve(["Nondescriptella_Tintinnidae"])
    assert taxon.name == "Tintinnidae"
    assert "Nondescriptella" in taxon.note
