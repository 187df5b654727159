"""The tables that come with Seston hold together: every name that one of them uses is there."""

from __future__ import annotations

import csv
from collections import Counter
from importlib import resources

from seston.taxonomy.fact_files import read_facts, shipped_facts_path
from seston.taxonomy.ranks import RANK_ORDER
from seston.taxonomy.tree import TaxonTree, width

_FACTS = list(read_facts(shipped_facts_path()))
_TREE = TaxonTree(_FACTS)


def test_the_table_is_wide() -> None:
    assert len(_FACTS) > 8_000
    assert sum(fact.rank == "species" for fact in _FACTS) > 3_000


def test_ranks_and_statuses_are_known() -> None:
    assert [fact for fact in _FACTS if fact.rank not in RANK_ORDER] == []
    assert {fact.status for fact in _FACTS} == {"accepted", "synonym"}


def test_every_taxon_hangs_on_the_root() -> None:
    assert [fact.name for fact in _FACTS if _TREE.path(fact)[0].name != "Biota"] == []


def test_ranks_never_widen_on_the_way_down() -> None:
    paths = [[width(one) for one in _TREE.path(fact)] for fact in _FACTS]
    assert [path for path in paths if path != sorted(path)] == []


def test_every_synonym_leads_to_an_accepted_name() -> None:
    synonyms = [fact for fact in _FACTS if fact.status == "synonym"]
    assert [fact.name for fact in synonyms if _TREE.accepted(fact).status != "accepted"] == []
    assert [fact.name for fact in synonyms if fact.parent] == []


def test_a_species_is_named_after_its_genus() -> None:
    species = [fact for fact in _FACTS if fact.rank == "species" and fact.status == "accepted"]
    assert [fact.name for fact in species if fact.parent != fact.name.split(" ")[0]] == []


def test_no_identifier_is_used_twice() -> None:
    used = Counter(fact.aphia_id for fact in _FACTS if fact.aphia_id is not None)
    assert [aphia_id for aphia_id, times in used.items() if times > 1] == []


def test_no_name_is_there_twice_without_being_a_homonym() -> None:
    used = Counter((fact.name, fact.rank, fact.parent) for fact in _FACTS)
    assert [key for key, times in used.items() if times > 1] == []


def test_every_taxon_of_the_word_lists_is_known() -> None:
    for table, column in (
        ("vocabulary.tsv", "taxon"),
        ("context.tsv", "taxon"),
        ("context.tsv", "within"),
        ("common_names.tsv", "name"),
    ):
        text = resources.files("seston.taxonomy").joinpath(table).read_text(encoding="utf-8")
        names = {row[column] for row in csv.DictReader(text.splitlines(), delimiter="\t")} - {""}
        assert [name for name in sorted(names) if name not in _TREE] == [], table


def test_the_identifiers_of_homonyms_and_in_between_ranks() -> None:
    found = {(fact.name, fact.rank): fact.aphia_id for fact in _FACTS}
    assert found["Ctenophora", "phylum"] == 1248
    assert found["Ctenophora", "genus"] == 163921
    assert found["Crustacea", "subphylum"] == 1066
    assert found["Tripos", "genus"] == 494057


def test_no_word_of_the_vocabulary_is_there_twice() -> None:
    text = resources.files("seston.taxonomy").joinpath("vocabulary.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    used = Counter(word for row in rows for word in row["words"].split("|"))
    assert [word for word, times in used.items() if times > 1] == []
