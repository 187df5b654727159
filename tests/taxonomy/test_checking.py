"""Doubtful labels are found, each kind of doubt by its sign."""

from __future__ import annotations

from pathlib import Path

import pytest

from seston.errors import InputError
from seston.taxonomy import check
from seston.taxonomy.checking import check_labels
from seston.taxonomy.fact_files import Fact, user_facts_path, write_facts
from seston.taxonomy.label_counts import LabelCount


def _found(*counts: tuple[str, str, int]) -> set[tuple[str, str]]:
    report = check_labels(LabelCount(*count) for count in counts)
    return {(finding.problem, finding.subject) for finding in report.findings}


def test_a_label_that_says_nothing_known_is_unresolved() -> None:
    assert _found(("uvp5", "t001", 3), ("uvp5", "detritus", 2)) == {("unresolved", "t001")}


def test_one_label_with_two_meanings_is_a_contradiction() -> None:
    assert ("contradiction", "ceratium") in _found(("zoolake", "ceratium", 3), ("whoi", "Ceratium", 2))
    assert _found(("zoolake", "daphnia", 3), ("frepj", "Daphnia", 2)) == set()


def test_a_composite_is_named_with_its_parts() -> None:
    report = check_labels([LabelCount("vliz", "Synedra/Thalassionema", 4)])
    [finding] = report.findings
    assert (finding.problem, finding.particles) == ("composite", 4)
    assert "Synedra, Thalassionema" in finding.detail


def test_a_name_that_stands_for_another_taxon_is_misapplied() -> None:
    assert _found(("whoi", "Ceratium", 1)) == {("misapplied", "Ceratium")}


def test_holes_and_shared_identifiers_of_taxa_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESTON_HOME", str(tmp_path))
    write_facts(
        user_facts_path(),
        [Fact("Strangella", "genus", "Animalia", 9_000_001), Fact("Otherella", "genus", "Copepoda", 9_000_001)],
    )
    found = _found(("lab", "Strangella", 1), ("lab", "Otherella", 1))
    assert ("rank hole", "Strangella") in found
    assert ("identifier twice", "Strangella, Otherella") in found


def test_overrides_settle_a_doubt(tmp_path: Path) -> None:
    labels = tmp_path / "labels.tsv"
    labels.write_text("raw_label\tn\nt001\t5\n", encoding="utf-8")
    own = tmp_path / "own.tsv"
    own.write_text("raw_label\tkind\nt001\tartefact\n", encoding="utf-8")
    assert [finding.problem for finding in check(labels).findings] == ["unresolved"]
    assert check(labels, overrides=own).findings == ()
    own.write_text("raw_label\tkind\nt001\tartefact\nt001\tliving\n", encoding="utf-8")
    with pytest.raises(InputError, match="contradicts"):
        check(labels, overrides=own)
