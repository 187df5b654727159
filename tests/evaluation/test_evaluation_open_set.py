"""Leaving species out of the gallery: the figures by slow counting, the rows, and the report."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seston.errors import UsageError
from seston.evaluation import Evaluation, ood
from seston.evaluation.detectors import DETECTORS
from seston.evaluation.strangers import Outcome, calibration_error, coverage_curve, false_positive_rate, limits
from seston.simulate import simulate, species_table
from seston.store import DataSet, open_data_set


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Three simulated runs of six species, 15 particles of each a run."""
    folder = tmp_path_factory.mktemp("world")
    names = [species.name for species in species_table()][:6]
    simulate(folder / "files", particles=90, runs=3, seed=2, species=names)
    made = open_data_set(folder / "data", create=True)
    made.import_(folder / "files")
    return made


@pytest.fixture(scope="module")
def measured(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    to = tmp_path_factory.mktemp("report")
    return ood(data, model="classical", leave_out=2, n=6, repeats=2, to=to)


def test_every_score_stands_beside_chance(measured: Evaluation) -> None:
    scores = {row.score for row in measured.open_set if row.method != "classical, logistic head"}
    assert scores == {
        "familiarity", "probability", "probability × familiarity", "energy", "nearest particle", "chance",
        "familiarity, strangers new to the data set",
    }  # fmt: skip
    assert {row.gallery for row in measured.open_set} == {"IP", "I", "P"}
    for row in measured.open_set:
        assert (row.left_out, row.repeats, row.n) == (2, 2, 6)
        assert row.low <= row.auroc <= row.high
        assert (row.turned_away is None) == (row.score != "familiarity")
        assert (row.calibration_error is None) == (row.score not in ("probability", "MSP"))


def test_the_usual_detectors_stand_beside_them(measured: Evaluation) -> None:
    rows = [row for row in measured.open_set if row.method == "classical, logistic head"]
    assert {(row.score, row.gallery) for row in rows} == {
        (score, view) for score in DETECTORS for view in ("IP", "I", "P")
    }
    assert {row.accuracy for row in rows if row.gallery == "IP"} != {0}
    assert max(row.auroc for row in rows if row.gallery == "IP") > 0.6


def test_chance_is_chance_and_familiarity_is_not(measured: Evaluation) -> None:
    of = {row.score: row for row in measured.open_set if row.gallery == "IP"}
    assert 0.3 < of["chance"].auroc < 0.7
    assert of["familiarity"].auroc > 0.8
    assert of["familiarity"].fpr95 < of["chance"].fpr95


def test_strangers_are_asked_about_but_never_in_the_gallery(measured: Evaluation, data: DataSet) -> None:
    of_species = np.unique(list(data.labels().values()), return_counts=True)[1]
    for row in measured.open_set:
        assert 0 < row.strangers < row.known
        assert row.strangers <= np.sort(of_species)[-2:].sum()


def test_the_report_holds_curve_and_rows(measured: Evaluation) -> None:
    assert measured.report is not None
    page = measured.report.read_text(encoding="utf-8")
    assert "Accuracy over coverage, IP-IP" in page
    assert "Strangers told from known particles" in page
    document = json.loads(measured.report.with_suffix(".json").read_bytes())
    assert len(document["open_set"]) == len(measured.open_set)
    with measured.report.with_suffix(".csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["auroc"]) for row in rows] == [row.auroc for row in measured.open_set]


def test_the_same_seed_gives_the_same_figures(measured: Evaluation, data: DataSet) -> None:
    again = ood(data, model="classical", leave_out=2, n=6, repeats=2)
    assert again.open_set == measured.open_set


def test_leaving_out_nearly_all_is_refused(data: DataSet) -> None:
    with pytest.raises(UsageError, match="leave out from 1 to 3"):
        ood(data, model="classical", leave_out=4, n=6, repeats=1)


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_false_positive_rate_is_that_of_the_highest_cut_that_keeps_95_percent(
    known: list[int], strangers: list[int]
) -> None:
    cut = max(level for level in known if sum(one >= level for one in known) >= 0.95 * len(known))
    expected = sum(one >= cut for one in strangers) / len(strangers)
    assert false_positive_rate(np.array(known, float), np.array(strangers, float)) == pytest.approx(expected)


def test_calibration_error_is_the_gap_within_bins() -> None:
    score = np.array([0.05, 0.05, 0.99, 0.99, 0.99, 0.99])
    right = np.array([False, True, True, True, True, False])
    assert calibration_error(score, right) == pytest.approx((2 * 0.45 + 4 * 0.24) / 6)
    assert calibration_error(np.ones(4), np.ones(4, np.bool_)) == 0


def test_accuracy_over_coverage_counts_every_name_of_a_stranger_as_wrong() -> None:
    known = np.array([True, True, True, False])
    one = Outcome(np.array([0.9, 0.8, 0.2, 0.5]), known, np.array([True, False, True, False]))
    assert coverage_curve([one], points=4) == [(0.25, 1.0), (0.5, 0.5), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]


def test_the_command_prints_rows_of_the_open_set(
    data: DataSet, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from seston.cli.call import call

    capsys.readouterr()
    line = ["evaluate", "ood", str(data.path), "--model", "classical", "-n", "6", "--repeats", "1", "--no-baselines"]
    line.append("--no-detectors")
    assert call([*line, "--to", str(tmp_path / "r"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {(row["score"], row["gallery"]) for row in document["rows"]} == {
        (score, view)
        for score in ("familiarity", "probability", "probability × familiarity")
        for view in ("IP", "I", "P")
    }
    assert Path(document["report"]).is_file()


def test_a_gallery_says_of_each_route_what_it_promises(data: DataSet) -> None:
    from seston.recognition import ClassicalModel, Gallery

    gallery = Gallery.from_dataset(data, ClassicalModel.of(data))
    columns, rows = limits(gallery.routes)
    assert [row[0] for row in rows] == list(gallery.routes)
    assert all(len(row) == len(columns) for row in rows)
    promised = gallery.promises(0.95)
    for name, *_, lowest in rows:
        expected = promised[str(name)]
        assert lowest == ("none" if expected is None else round(expected, 3))
