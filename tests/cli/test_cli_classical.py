"""Measured features in place of a trained model, in every command that takes a model."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from seston.cli.call import call
from seston.simulate import simulate, species_table


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a data set of two simulated runs, and give it with a third run that it does not hold."""
    folder = tmp_path_factory.mktemp("classical")
    names = [species.name for species in species_table()][:5]
    report = simulate(folder / "files", particles=60, runs=3, seed=5, species=names)
    runs = [folder / "files" / sample for sample in report.samples]
    assert call(["import", str(runs[0]), str(runs[1]), "--to", str(folder / "data")]) == 0
    return folder / "data", runs[2]


def _json(capsys: pytest.CaptureFixture[str], *tokens: str) -> dict[str, Any]:
    capsys.readouterr()
    assert call([*tokens, "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_names_come_from_two_commands_without_any_training(
    world: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, fresh = world
    gallery, names = tmp_path / "gallery", tmp_path / "names.csv"
    made = _json(capsys, "gallery", str(data), "--model", "classical", "--to", str(gallery))
    assert len(made["classes"]) == 5
    named = _json(capsys, "identify", str(fresh), "--gallery", str(gallery), "--to", str(names))
    with names.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(named["particles"]) == 60
    assert Counter(row["modality"] for row in rows).most_common(1)[0][0] == "image+profile"
    again = _json(capsys, "identify", str(fresh), "--gallery", str(gallery), "--model", "classical")
    assert [one["label"] for one in again["particles"]] == [row["label"] for row in rows]


def test_features_are_measured_once_and_kept_with_the_data_set(
    world: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    first = _json(capsys, "embed", str(world[0]), "--model", "classical")
    assert first["vectors"] == 120
    assert first["model"].startswith("classical-")


@pytest.mark.parametrize("protocol", ["gallery-knn", "retrieval"])
def test_measured_features_are_judged_as_a_model_is(
    world: tuple[Path, Path], protocol: str, capsys: pytest.CaptureFixture[str]
) -> None:
    size = ("-n", "4") if protocol == "gallery-knn" else ()
    found = _json(capsys, "evaluate", protocol, str(world[0]), "--model", "classical", *size)
    assert {row["method"].partition(",")[0] for row in found["rows"]} >= {"classical"}
    assert not {row["method"] for row in found["rows"]} & {"model", "untrained encoder"}


def test_a_slip_in_the_word_is_answered_with_the_word(
    world: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["gallery", str(world[0]), "--model", "clasical", "--to", str(tmp_path / "g")]) != 0
    assert "did you mean 'classical'" in capsys.readouterr().err
    assert call(["gallery", str(world[0]), "--model", "runn", "--to", str(tmp_path / "g")]) != 0
    assert "classical" in capsys.readouterr().err
