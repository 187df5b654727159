"""What labels mean is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from seston.errors import UsageError
from seston.recognition import count
from seston.recognition.names_file import NamesWriter
from seston.recognition.naming import Identification


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names.csv"
    labels = ["Ceratium fusus", "Ceratium fusus", "Tripos fusus", "Skeletonema", "blob 7"]
    with NamesWriter(path) as writer:
        writer.write([Identification(id=f"s/{n}", label=label, modality="image") for n, label in enumerate(labels)])
        writer.write_samples({})
    return path


def test_labels_that_mean_the_same_taxon_are_counted_as_one(names: Path) -> None:
    assert [(row.label, row.n) for row in count(names)] == [
        ("Ceratium fusus", 2),
        ("Skeletonema", 1),
        ("Tripos fusus", 1),
        ("blob 7", 1),
    ]
    assert [(row.label, row.taxon, row.rank, row.n) for row in count(names, by="taxon")] == [
        ("Tripos fusus", "Tripos fusus", "species", 3),
        ("Skeletonema", "Skeletonema", "genus", 1),
        ("blob 7", None, None, 1),
    ]


def test_a_rank_gathers_what_lies_below_it(names: Path) -> None:
    counted = {row.label: (row.rank, row.aphia_id, row.n) for row in count(names, by="genus")}
    assert counted["Tripos"] == ("genus", 494057, 3)
    assert counted["Skeletonema"][2] == 1


def test_counting_by_something_unknown_names_what_there_is(names: Path) -> None:
    with pytest.raises(UsageError, match="genus"):
        count(names, by="genes")
