"""What a label means."""

from __future__ import annotations

from seston.taxonomy import resolve


def test_a_name_of_the_table_is_found_whatever_its_case() -> None:
    [taxon] = resolve(["ACARTIIDAE"])
    assert (taxon.name, taxon.rank, taxon.aphia_id, taxon.how) == ("Acartiidae", "family", 104074, "exact")
    assert taxon.lineage["class"] == "Copepoda"


def test_a_name_outside_the_table_gives_none() -> None:
    [taxon] = resolve(["Inventedella imaginaria"])
    assert (taxon.name, taxon.how) == (None, "none")
    assert taxon.confidence < 0.5
