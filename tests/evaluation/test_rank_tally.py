"""Names judged rank by rank: against scikit-learn on whole lists, and intervals against what is known of them."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support

from seston.errors import UsageError
from seston.evaluation.lineages import NO_LINEAGE, Lineage, lineage_of
from seston.evaluation.rank_tally import RankTally, by_rank
from seston.taxonomy import RANKS, resolve

_ARTHROPODS = ("Animalia", "Arthropoda", "Copepoda", "Calanoida")
_TREE: list[Lineage] = [
    NO_LINEAGE,
    ("Animalia", *[""] * 6),
    (*_ARTHROPODS, "", "", ""),
    (*_ARTHROPODS, "Acartiidae", "Acartia", ""),
    (*_ARTHROPODS, "Acartiidae", "Acartia", "Acartia clausi"),
    (*_ARTHROPODS, "Acartiidae", "Acartia", "Acartia tonsa"),
    (*_ARTHROPODS, "Temoridae", "Temora", "Temora longicornis"),
    ("Animalia", "Mollusca", "Gastropoda", "", "", "Navicula", ""),
    ("Chromista", "Ochrophyta", "Bacillariophyceae", "Naviculales", "Naviculaceae", "Navicula", ""),
]
_PAIRS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=40)


def _check(truth: list[str], named: list[str], labels: list[str], row: object) -> None:
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, named, labels=labels, average="macro", zero_division=0
    )
    found = [getattr(row, f"macro_{name}") for name in ("precision", "recall", "f1")]
    assert found == pytest.approx([precision, recall, f1])


@settings(deadline=None, max_examples=20)
@given(pairs=_PAIRS)
def test_a_particle_counts_at_the_ranks_that_its_truth_has(pairs: list[tuple[int, int]]) -> None:
    truth, named = [_TREE[one] for one, _ in pairs], [_TREE[other] for _, other in pairs]
    rows = {row.rank: row for row in by_rank(truth, named, resamples=20)}
    for place, rank in enumerate(RANKS):
        there = [
            (f"{one[0]} {one[place]}", f"{other[0]} {other[place]}" if other[place] else "abstains")
            for one, other in zip(truth, named, strict=True)
            if one[place]
        ]
        assert (rank in rows) == bool(there)
        if there:
            of_truth, of_names = map(list, zip(*there, strict=True))
            labels = sorted({*of_truth, *of_names} - {"abstains"})
            row = rows[rank]
            _check(of_truth, of_names, labels, row)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("warnings.warn", lambda *_, **__: None)  # of names that no truth has
                assert row.balanced_accuracy == pytest.approx(balanced_accuracy_score(of_truth, of_names))
            assert row.abstained == pytest.approx(of_names.count("abstains") / len(there))
            assert (row.particles, row.without, row.taxa) == (len(there), len(pairs) - len(there), len(set(of_truth)))


@settings(deadline=None, max_examples=20)
@given(pairs=_PAIRS)
def test_the_papers_rule_cuts_strings_to_their_first_words(pairs: list[tuple[int, int]]) -> None:
    def cut(lineage: Lineage, words: int) -> str:
        return " ".join([name.replace(" ", "_") for name in lineage if name][:words])

    truth, named = [_TREE[one] for one, _ in pairs], [_TREE[other] for _, other in pairs]
    rows = by_rank(truth, named, rule="first-words", resamples=20)
    for words, row in enumerate(rows, start=1):
        of_truth, of_names = ([cut(one, words) for one in side] for side in (truth, named))
        _check(of_truth, of_names, sorted({*of_truth, *of_names}), row)
        assert row.particles == len(pairs)
        assert row.abstained == 0


def test_a_coarser_name_is_wrong_below_its_rank_and_a_homonym_everywhere() -> None:
    rows = {row.rank: row for row in by_rank([_TREE[4], _TREE[8]], [_TREE[2], _TREE[7]], resamples=20)}
    assert rows["order"].accuracy == 0.5
    assert (rows["family"].accuracy, rows["family"].abstained) == (0, 1)
    assert (rows["genus"].accuracy, rows["genus"].abstained) == (0, 0.5)


def test_no_name_abstains_at_every_rank() -> None:
    assert [(row.accuracy, row.abstained) for row in by_rank([_TREE[4]], [None], resamples=20)] == [(0.0, 1.0)] * 7


def test_blocks_give_what_the_whole_gives() -> None:
    draw = random.Random(0)
    truth, named = (draw.choices(_TREE, k=500) for _ in range(2))
    samples = [f"s{draw.randrange(9)}" for _ in range(500)]
    tally = RankTally()
    for start in range(0, 500, 70):
        part = slice(start, start + 70)
        tally.add(truth[part], named[part], samples[part])
    assert tally.rows() == by_rank(truth, named, samples)


def test_the_interval_of_particles_has_the_width_that_theory_gives() -> None:
    hits = np.random.default_rng(0).random(2000) < 0.7
    row = by_rank([_TREE[4]] * 2000, [_TREE[4] if hit else _TREE[6] for hit in hits])[-1]
    assert row.accuracy_high - row.accuracy_low == pytest.approx(2 * 1.96 * np.sqrt(0.7 * 0.3 / 2000), rel=0.1)
    assert row.accuracy_low < hits.mean() < row.accuracy_high
    assert row.samples == 0


def test_samples_that_differ_widen_the_interval() -> None:
    rows = []
    for shares in ([0.7] * 20, [0.4, 1.0] * 10):
        hits = [share * 100 > number for share in shares for number in range(100)]
        samples = [f"s{number // 100}" for number in range(2000)]
        rows.append(by_rank([_TREE[4]] * 2000, [_TREE[4] if hit else _TREE[6] for hit in hits], samples)[-1])
    alike, apart = rows
    assert alike.samples == apart.samples == 20
    assert alike.accuracy_high == alike.accuracy_low == pytest.approx(0.7)
    assert apart.accuracy_high - apart.accuracy_low == pytest.approx(2 * 1.96 * 0.3 / np.sqrt(20), rel=0.2)


def test_one_sample_cannot_be_resampled() -> None:
    assert {row.samples for row in by_rank(_TREE, _TREE, ["only"] * len(_TREE), resamples=20)} == {0}


def test_memory_does_not_grow_with_repeats() -> None:
    tally = RankTally()
    numbers = np.array([tally.number(one) for one in _TREE])
    drawn = np.random.default_rng(0).integers(0, len(_TREE), (2, 1_000_000))
    tally.add_numbers(numbers[drawn[0]], numbers[drawn[1]])
    tally.rows(resamples=5)
    assert len(tally._keys) <= len(_TREE) ** 2


def test_only_some_samples_are_refused() -> None:
    tally = RankTally()
    tally.add(_TREE, _TREE)
    with pytest.raises(UsageError, match="either all particles have a sample or none"):
        tally.add(_TREE, _TREE, ["one"] * len(_TREE))
    with pytest.raises(UsageError, match="did you mean 'known-ranks'"):
        RankTally("known-rank")


def test_nothing_gives_no_rows() -> None:
    assert by_rank([], []) == []
    assert by_rank([NO_LINEAGE], [_TREE[4]]) == []


def test_a_lineage_is_that_of_the_label() -> None:
    taxa = resolve(["Acartia clausi", "Calanoida nauplii", "bubbles"])
    assert [lineage_of(taxon) for taxon in taxa] == [_TREE[4], _TREE[2], NO_LINEAGE]
    assert lineage_of(None) == NO_LINEAGE
