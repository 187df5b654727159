"""Classes: what labels distinguish, where each stands in the tree of taxa, and which particle belongs to which."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from seston.errors import InputError, NotFoundError
from seston.particle import Annotation, Status
from seston.store import DataSet, open_data_set
from seston.training.classes import (
    class_numbers,
    find_classes,
    read_classes,
    write_classes,
)
from seston.training.label_settings import LabelSettings
from seston.training.particles import choose_particles


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory, small_data: DataSet) -> DataSet:
    """Give a copy of the small data set in which some particles have other labels, by a person or by a model."""
    folder = tmp_path_factory.mktemp("classes") / "data"
    shutil.copytree(small_data.path, folder)
    data = open_data_set(folder)
    ids = data.ids()
    words = ["Calanoida", "calanoida", "Copepoda nauplii", "Oithona_head", "Bubble", "bubble"]
    data.annotate([_said(name, word, "validated") for name, word in zip(ids, words, strict=False)])
    data.annotate([_said(ids[6], "Noctiluca", "predicted"), _said(ids[7], "Noctiluca", "dubious")])
    return data


def _said(name: str, label: str, status: Status) -> Annotation:
    return Annotation(
        particle_id=name, label=label, status=status, author="A. Person", time=datetime(2100, 5, 1, tzinfo=UTC)
    )


def test_names_stand_in_alphabetical_order_and_counts_are_those_of_the_particles(labelled: DataSet) -> None:
    chosen = choose_particles(labelled, (True, False))
    classes, numbers = find_classes(labelled, chosen)
    assert list(classes.names) == sorted(classes.names)
    assert list(classes.counts) == np.bincount(numbers[numbers >= 0], minlength=len(classes)).tolist()
    labels = labelled.labels(trusted=True)
    told = [classes.names[number] if number >= 0 else None for number in numbers]
    assert told == [labels.get(name) for name in chosen.ids]


def test_a_person_wins_over_the_source_a_prediction_does_not_and_a_doubt_takes_the_label_away(
    labelled: DataSet,
) -> None:
    chosen = choose_particles(labelled, (True, False))
    classes, numbers = find_classes(labelled, chosen)
    ids = labelled.ids()
    number_of = dict(zip(chosen.ids, numbers.tolist(), strict=True))
    assert classes.names[number_of[ids[0]]] == "Calanoida"
    assert "Noctiluca" not in classes.names
    assert number_of[ids[6]] >= 0
    assert number_of[ids[7]] == -1


def test_labels_of_one_taxon_kind_stage_and_part_are_one_class(labelled: DataSet) -> None:
    chosen = choose_particles(labelled, (True, False), set(labelled.ids()[:6]))
    classes, numbers = find_classes(labelled, chosen, LabelSettings(by="taxon"))
    assert dict(zip(classes.names, classes.counts, strict=True)) == {
        "Calanoida": 2,
        "Copepoda nauplius": 1,
        "Oithona head (detritus)": 1,
        "bubble": 2,
    }
    calanoida, nauplius, head, bubble = range(4)
    assert classes.paths[calanoida] == ("Animalia", "Arthropoda", "Copepoda", "Calanoida", None, None, None)
    assert classes.stages[nauplius] == "nauplius"
    assert (classes.parts[head], classes.kinds[head]) == ("head", "detritus")
    assert classes.paths[bubble] == (None,) * 7
    assert numbers.tolist() == [calanoida, calanoida, nauplius, head, bubble, bubble]


def test_rare_labels_are_no_class_where_the_settings_say_so(labelled: DataSet) -> None:
    chosen = choose_particles(labelled, (True, False), set(labelled.ids()[:6]))
    classes, numbers = find_classes(labelled, chosen, LabelSettings(by="taxon", fewest=2))
    assert classes.names == ("Calanoida", "bubble")
    assert numbers.tolist() == [0, 0, -1, -1, 1, 1]


@pytest.mark.parametrize("by", ["label", "taxon"])
def test_other_particles_are_numbered_by_the_same_classes(labelled: DataSet, by: str) -> None:
    few = choose_particles(labelled, (True, False), set(labelled.ids()[2:5]))
    every = choose_particles(labelled, (True, False))
    classes, numbers = find_classes(labelled, few, LabelSettings(by=by))
    again = dict(zip(every.ids, class_numbers(labelled, every, classes).tolist(), strict=True))
    assert [again[name] for name in few.ids] == numbers.tolist()
    bubble = labelled.ids()[5]
    assert again[bubble] == (-1 if by == "label" else classes.names.index("bubble"))


def test_what_is_written_is_read_back_without_torch(labelled: DataSet, tmp_path: Path) -> None:
    classes, _ = find_classes(labelled, choose_particles(labelled, (True, False)))
    write_classes(classes, tmp_path)
    assert read_classes(tmp_path) == classes
    told = "import sys; from pathlib import Path; from seston.training.classes import read_classes; "
    told += f"read_classes(Path({str(tmp_path)!r})); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", told], check=True)


def test_a_damaged_file_and_a_run_without_labels_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="learnt without labels"):
        read_classes(tmp_path)
    (tmp_path / "classes.json").write_text('{"by": "label"}')
    with pytest.raises(InputError, match="cannot be read"):
        read_classes(tmp_path)
