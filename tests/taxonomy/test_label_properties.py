"""Whatever a label holds: reading it never fails, and never gives a name that no table holds."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from seston.taxonomy import RANKS, TaxonTree, resolve
from seston.taxonomy.fact_files import Fact
from seston.taxonomy.knowledge import known_facts

_WORDS = st.sampled_from(
    """
    Copepoda copepod nauplii egg eggs like cf. sp. mix part tail Acartia tonsa Tripos Ceratium Ctenophora house dead
    non with on or inter t001 X XX Pseudo-nitzschia chain dark sphere unknown other detritus G. delicatula f. DactFrag
    Xyzella imaginaria 12 Sp._unk Or._unk Bidulphia
    """.split()  # noqa: SIM905
)
_SIGNS = st.sampled_from(["_", " ", "-", "+", "/", "<", ",", ".", "", "__", ">", ":", "(", ")"])
_BUILT = st.lists(st.tuples(_WORDS, _SIGNS), max_size=7).map(lambda parts: "".join(a + b for a, b in parts))
_SOURCES = st.sampled_from(["", "uvp5", "whoi", "zoolake", "planktoscope"])


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), _BUILT), _SOURCES)
def test_no_label_breaks_it_or_makes_it_invent(label: str, source: str) -> None:
    [taxon] = resolve([label], source=source)
    assert taxon.raw_label == label
    assert taxon.name is None or known_facts().find(taxon.name)[0].name == taxon.name
    assert (taxon.name is None) == (taxon.how == "none") == (taxon.rank is None)
    assert 0.0 <= taxon.confidence <= 1.0
    assert set(taxon.lineage) <= set(RANKS)
    assert all(part in known_facts() for part in taxon.parts)


_FEW = TaxonTree(
    [Fact("Animalia", "kingdom"), Fact("Acartia", "genus", "Animalia"), Fact("Old", "genus", "", None, "synonym")]
)


@settings(deadline=None)
@given(_BUILT, _SOURCES)
def test_a_tree_of_few_taxa_is_enough(label: str, source: str) -> None:
    [taxon] = resolve([label], source=source, tree=_FEW)
    assert taxon.name in (None, "Animalia", "Acartia")


@settings(deadline=None)
@given(st.lists(_BUILT, max_size=6))
def test_each_label_is_read_by_itself(labels: list[str]) -> None:
    assert resolve(labels) == [resolve([label])[0] for label in labels]


@settings(deadline=None)
@given(st.text(alphabet="bcdfghjklmnpqrstvwxz", min_size=4, max_size=24))
def test_letters_without_sense_name_nothing(word: str) -> None:
    assert resolve([word.capitalize()])[0].name is None or word in known_facts()


def test_a_hundred_thousand_labels_take_seconds() -> None:
    labels = [f"{fact.name.replace(' ', '_')} {number}" for fact in known_facts() for number in range(12)][:100_000]
    resolve(labels[:1])
    begun = time.process_time()
    resolve(labels, source="some cruise")
    assert time.process_time() - begun < 5.0


def test_labels_that_all_differ_in_words_and_spelling_take_no_longer() -> None:
    """A search through all names for each would take several times as long."""
    single = [fact.name for fact in known_facts() if len(fact.name) > 8 and " " not in fact.name]
    labels = [f"{name[:at]}{name[at + 1 :]}_larva" for name in single for at in (3, 5, 7)][:12_000]
    assert len(set(labels)) > 10_000
    resolve(labels[:1])
    begun = time.process_time()
    taxa = resolve(labels, source="some cruise")
    assert time.process_time() - begun < 5.0
    assert sum(taxon.how == "spelling" for taxon in taxa) > 8_000
