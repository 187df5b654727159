"""Labels of VLIZ with AphiaIDs: the same identifiers, or another one for a written reason."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from seston.taxonomy import resolve

_DIFFERENCES = Path(__file__).with_name("vliz_differences.tsv")


@pytest.mark.parametrize("table", ["vliz_flowcam_classes.tsv", "vliz_flowcam_classes_earlier.tsv"])
def test_identifiers_agree_or_differ_for_a_reason(real_data: Path, table: str) -> None:
    path = real_data / "collections" / table
    if not path.is_file():
        pytest.skip("no class list of VLIZ")
    with path.open(encoding="utf-8", newline="") as file:
        ids = {row["label"]: row["id_in_origin"] for row in csv.DictReader(file, delimiter="\t")}
    with _DIFFERENCES.open(encoding="utf-8", newline="") as file:
        reasons = {row["label"]: row["reason"] for row in csv.DictReader(file, delimiter="\t")}
    different = {
        label
        for label, taxon in zip(ids, resolve(ids, source="VLIZ FlowCam"), strict=True)
        if ids[label].isdigit() and str(taxon.aphia_id) != ids[label]
    }
    assert different <= reasons.keys()
    assert all(reasons.values())


def test_a_label_without_an_identifier_gets_none(real_data: Path) -> None:
    path = real_data / "collections" / "vliz_flowcam_classes.tsv"
    if not path.is_file():
        pytest.skip("no class list of VLIZ")
    with path.open(encoding="utf-8", newline="") as file:
        labels = [row["label"] for row in csv.DictReader(file, delimiter="\t") if not row["id_in_origin"].isdigit()]
    assert len(labels) > 5
    assert [taxon.raw_label for taxon in resolve(labels, source="VLIZ FlowCam") if taxon.name is not None] == []
