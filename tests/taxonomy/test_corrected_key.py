"""Labels of ten public collections against their key, put right; the resolver was not made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from label_keys import Meaning, corrected_key, corrections, raw_key

from seston.taxonomy import Taxon, resolve
from seston.taxonomy.knowledge import known_facts

Key = Mapping[tuple[str, str], Meaning]
_HELD_OUT = ("whoi", "medplanktonset")
"""Sources whose labels were read by the grammar for the first time after it was written."""


@pytest.fixture(scope="module")
def table(real_data: Path) -> Path:
    """Name the label table, or skip the test where it is not there."""
    path = real_data / "taxonomy" / "planktonzilla_labels.csv"
    if not path.is_file():
        pytest.skip("no label table of Planktonzilla")
    return path


@pytest.fixture(scope="module")
def taxa(table: Path) -> dict[tuple[str, str], Taxon]:
    """Resolve every label of the table."""
    return {(source, label): resolve([label], source=source)[0] for source, label in raw_key(table)}


def test_the_accepted_taxon_is_right_in_97_percent(table: Path, taxa: dict[tuple[str, str], Taxon]) -> None:
    assert _share(corrected_key(table), taxa, _same_taxon) >= 0.97


def test_the_kind_is_right_in_98_percent(table: Path, taxa: dict[tuple[str, str], Taxon]) -> None:
    assert _share(corrected_key(table), taxa, _same_kind) >= 0.98


def test_stages_and_parts_are_right_as_a_mean_over_them(table: Path, taxa: dict[tuple[str, str], Taxon]) -> None:
    key = corrected_key(table)
    scores = [
        *_f1({at: meaning.stage for at, meaning in key.items()}, {at: taxon.stage for at, taxon in taxa.items()}),
        *_f1({at: meaning.part for at, meaning in key.items()}, {at: taxon.part for at, taxon in taxa.items()}),
    ]
    assert len(scores) > 30
    assert sum(scores) / len(scores) >= 0.90


def test_the_table_as_it_is_agrees_as_far_as_it_is_right(
    table: Path, taxa: dict[tuple[str, str], Taxon], capsys: pytest.CaptureFixture[str]
) -> None:
    raw, right = raw_key(table), corrected_key(table)
    with capsys.disabled():
        print()
        for name, key in (("the table as it is", raw), ("put right", right)):
            for what, sources in (("all", None), ("held out", _HELD_OUT)):
                some = {at: meaning for at, meaning in key.items() if sources is None or at[0] in sources}
                print(
                    f"{name}, {what}: {len(some)} labels, taxon {_share(some, taxa, _same_taxon):.1%}, "
                    f"kind {_share(some, taxa, _same_kind):.1%}"
                )
    assert _share(raw, taxa, _same_taxon) >= 0.85


def test_every_correction_is_of_the_table_and_says_why(table: Path) -> None:
    key = raw_key(table)
    rows = corrections()
    assert len({(row["source"], row["raw_label"]) for row in rows}) == len(rows)
    assert [row for row in rows if (row["source"], row["raw_label"]) not in key or not row["reason"]] == []
    assert [row["name"] for row in rows if row["name"] and row["name"] not in known_facts()] == []


def _same_taxon(meaning: Meaning, taxon: Taxon) -> bool:
    tree = known_facts()
    if taxon.name != meaning.name:
        return False
    return (
        not meaning.within
        or meaning.within in taxon.lineage.values()
        or any(
            above.name == meaning.within
            for fact in tree.find(taxon.name or "")
            for above in tree.path(fact)
            if tree.lineage(fact) == taxon.lineage
        )
    )


def _same_kind(meaning: Meaning, taxon: Taxon) -> bool:
    return taxon.kind == meaning.kind


def _share(key: Key, taxa: Mapping[tuple[str, str], Taxon], same: object) -> float:
    assert callable(same)
    return sum(bool(same(meaning, taxa[at])) for at, meaning in key.items()) / len(key)


def _f1(right: Mapping[tuple[str, str], str | None], read: Mapping[tuple[str, str], str | None]) -> Iterable[float]:
    """Give the F1 of each value that is either right or read somewhere."""
    for value in sorted({one for one in (*right.values(), *read.values()) if one is not None}):
        both = sum(right[at] == value == read[at] for at in right)
        either = sum(one == value for one in right.values()) + sum(one == value for one in read.values())
        yield 2 * both / either
