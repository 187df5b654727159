"""The comparison on somebody's own pairs: instrument files or a data set, with its own split and gallery sizes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from seston.simulate import simulate, species_table
from seston.store import open_data_set

_SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "compare.py"


def _compare(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(_SCRIPT), "--seeds", "1", "--methods", "classical", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_it_compares_on_instrument_files_and_on_a_data_set_with_a_split_of_its_own(tmp_path: Path) -> None:
    files, data = tmp_path / "mine", tmp_path / "singly"
    simulate(files, particles=80, runs=3, seed=5, species=_species(4))
    opened = open_data_set(data, create=True)
    opened.import_([files], source=None)
    opened.split("comparison", by="image", folds=2)
    to = tmp_path / "results"

    done = _compare("--to", to, "--data", files, data, "--n", "1", "3")

    assert done.returncode == 0, done.stderr
    document = json.loads((to / "results.json").read_bytes())
    assert {row["set"] for row in document["runs"]} == {"mine", "singly"}
    assert {row["n"] for row in document["rows"]} == {1, 3}
    best = max(row["accuracy"] for row in document["rows"] if row["what"] == "IP-IP" and row["n"] == 3)
    assert best > 0.5
    assert open_data_set(to / "sets" / "mine").splits() == ["comparison"]
    assert "made up" not in (to / "results.md").read_text("utf-8")


def test_other_files_of_the_same_name_are_not_taken_for_those_imported_before(tmp_path: Path) -> None:
    to = tmp_path / "results"
    for number, place in enumerate(("here", "there")):
        simulate(tmp_path / place / "mine", particles=60, runs=3, seed=number, species=_species(3))
    assert _compare("--to", to, "--data", tmp_path / "here" / "mine", "--n", "1").returncode == 0
    refused = _compare("--to", to, "--data", tmp_path / "there" / "mine", "--n", "1")
    assert refused.returncode == 2
    assert "was imported from another place" in refused.stderr


def test_pairs_of_one_sample_are_refused_with_what_to_do(tmp_path: Path) -> None:
    simulate(tmp_path / "mine", particles=60, runs=1, seed=5, species=_species(3))
    done = _compare("--to", tmp_path / "results", "--data", tmp_path / "mine")
    assert done.returncode == 2
    assert "one sample" in done.stderr
    assert "--name comparison" in done.stderr


def _species(count: int) -> list[str]:
    return [one.name for one in species_table()][:count]
