"""Protocols on a data set: who takes part, what is compared, and what stands in the report."""

from __future__ import annotations

import csv
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch

from seston.errors import NotFoundError, UsageError
from seston.evaluation import Evaluation, gallery_knn, retrieval, write_report
from seston.evaluation.draws import paper_draws
from seston.evaluation.overview import overview
from seston.recognition import ClassicalModel, Model, embed
from seston.simulate import simulate, species_table
from seston.store import DataSet, open_data_set
from seston.training import untrained_run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Three simulated runs of five species, 12 particles of each a run."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("world")
    names = [species.name for species in species_table()][:5]
    simulate(folder / "files", particles=60, runs=3, seed=1, species=names)
    made = open_data_set(folder / "data", create=True)
    made.import_(folder / "files")
    return made


@pytest.fixture(scope="module")
def model(data: DataSet) -> Model:
    return Model(untrained_run(data, "tiny", seed=7))


@pytest.fixture(scope="module")
def measured(data: DataSet, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return gallery_knn(data, model=model, n=(1, 4), repeats=2, to=tmp_path_factory.mktemp("report"))


def _methods(evaluation: Evaluation) -> set[tuple[str, str]]:
    return {(row.method, row.classifier) for row in evaluation.rows}


def test_every_table_has_its_baselines(measured: Evaluation) -> None:
    assert _methods(measured) == {
        ("model", "soft-lda"),
        ("model", "knn"),
        ("untrained encoder", "soft-lda"),
        ("untrained encoder", "knn"),
        ("classical", "soft-lda"),
        ("classical", "shrinkage-lda"),
        ("classical", "random-forest"),
        ("chance", "chance"),
    }


def test_all_rows_ask_the_same_queries_and_lie_in_their_intervals(measured: Evaluation) -> None:
    assert {row.queries for row in measured.rows} == {len(measured.classes) * 12}
    assert {row.repeats for row in measured.rows} == {2}
    assert all(row.low <= row.accuracy <= row.high for row in measured.rows)
    assert measured.grouped
    assert measured.simulated == "simulated"


def test_more_gallery_particles_name_better_and_chance_stays_chance(measured: Evaluation) -> None:
    accuracy = {(row.method, row.classifier, row.gallery + row.query, row.n): row.accuracy for row in measured.rows}
    assert accuracy["classical", "soft-lda", "IPIP", 4] > accuracy["classical", "soft-lda", "IPIP", 1]
    assert accuracy["classical", "soft-lda", "IPIP", 4] > 0.5
    assert accuracy["chance", "chance", "IPIP", 4] == pytest.approx(0.2, abs=0.15)


def test_accuracy_is_given_by_combination_at_the_largest_gallery(measured: Evaluation) -> None:
    assert set(measured.accuracy()) == {"I-I", "P-P", "IP-IP", "I-P", "P-I"}
    (row,) = (
        row
        for row in measured.rows
        if (row.method, row.classifier, row.gallery, row.query, row.n) == ("model", "soft-lda", "IP", "IP", 4)
    )
    assert measured.accuracy()["IP-IP"] == row.accuracy


def test_shuffled_pairs_find_nothing(measured: Evaluation) -> None:
    shuffled = [row for row in measured.retrieval if "shuffled" in row.method]
    assert len(shuffled) == 6
    assert all(row.chance_low <= row.recall <= row.chance_high for row in shuffled)


def test_examples_show_queries_with_their_evidence(measured: Evaluation) -> None:
    assert measured.examples
    for one in measured.examples:
        assert one.picture is not None
        assert one.picture.startswith(b"\x89PNG")
        assert one.profile is not None
        assert len(one.nearest) == 3


def test_a_saved_split_gives_both_sides(data: DataSet, model: Model, tmp_path: Path) -> None:
    shutil.copytree(data.path, tmp_path / "data")
    copy = open_data_set(tmp_path / "data")
    copy.split("thirds", folds=3)
    found = gallery_knn(copy, model=model, n=(2,), repeats=1, baselines=False, examples=0)
    assert "split 'thirds', fold 0" in found.notes[0]
    assert _methods(found) == {("model", "soft-lda"), ("model", "knn")}


def test_the_papers_protocol_draws_from_one_pool_and_asks_about_the_rest(data: DataSet, model: Model) -> None:
    found = gallery_knn(data, model=model, protocol="paper", n=(2,), k=3, repeats=3, baselines=False, examples=0)
    own = [row for row in found.rows if row.classifier == "knn"]
    assert len(own) == 9
    assert found.main == "model (knn)"
    assert {row.queries for row in own} == {180 - 2 * 5}
    vectors = embed(data, model)
    labels = np.array([data.labels()[name] for name in vectors.ids])
    rows = np.random.RandomState(42).permutation(180).tolist()
    right = []
    for draw in paper_draws(labels.tolist(), rows, None, 2, 3, 0):
        gallery, queries = vectors.shared_profile[draw.gallery], vectors.shared_profile[draw.queries]
        for query, truth in zip(queries, labels[draw.queries], strict=True):
            distance = np.maximum(1 - gallery @ query, 0)
            votes: dict[str, float] = {}
            for place in np.argsort(distance, kind="stable")[:3]:
                name = str(labels[draw.gallery[place]])
                votes[name] = votes.get(name, 0) + 1 / max(float(distance[place]), 1e-12)
            right.append(max(sorted(votes), key=lambda name: votes[name]) == truth)
    (row,) = (row for row in own if (row.gallery, row.query) == ("P", "P"))
    assert row.accuracy == pytest.approx(float(np.mean(right)), abs=0.004)


def test_one_model_a_fold_is_measured_over_all_folds(data: DataSet, model: Model, tmp_path: Path) -> None:
    shutil.copytree(data.path, tmp_path / "data")
    copy = open_data_set(tmp_path / "data")
    copy.split("thirds", folds=3, by="image")
    found = gallery_knn(
        copy, model=[model, model, model], protocol="paper", n=(2,), repeats=2, baselines=False, examples=0
    )
    assert {row.repeats for row in found.rows} == {6}
    with pytest.raises(UsageError, match="4 models for 3 folds"):
        gallery_knn(copy, model=[model] * 4, protocol="paper", n=(2,), repeats=1)


def test_sizes_that_hardly_any_class_can_fill_are_dropped_and_named(data: DataSet) -> None:
    found = gallery_knn(data, n=(2, 500), repeats=1, examples=0)
    assert {row.n for row in found.rows} == {2}
    assert any("n = 500" in note for note in found.notes)


def test_classical_features_alone_can_be_measured(data: DataSet) -> None:
    found = gallery_knn(data, model="classical", n=(4,), repeats=1, examples=2)
    assert found.main == "classical (soft-lda)"
    assert {row.method for row in found.retrieval} == {"classical, aligned"}
    assert _methods(found) == {
        ("classical", "soft-lda"),
        ("classical", "shrinkage-lda"),
        ("classical", "random-forest"),
        ("chance", "chance"),
    }


def test_real_labelled_listmode_goes_through_the_classical_row(real_data: Path, tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "data", create=True)
    data.import_(real_data / "cytosense" / "eawag_cultures")
    found = gallery_knn(data, model=ClassicalModel.of(data), n=(4, 16), repeats=2, examples=4)
    assert {(row.gallery, row.query) for row in found.rows} == {("P", "P")}
    assert len(found.classes) == 12
    assert found.accuracy()["P-P"] > 0.7
    assert not found.grouped
    assert "image-level, optimistic" in found.notes[0]
    assert found.simulated == ""


def test_retrieval_needs_no_labels(data: DataSet, model: Model, tmp_path: Path) -> None:
    found = retrieval(data, model=model, to=tmp_path)
    assert {row.method for row in found.retrieval} == {
        "model",
        "model, pairs shuffled",
        "untrained encoder",
        "model, aligned",
        "untrained encoder, aligned",
        "classical, aligned",
    }
    first = {row.method: row.recall for row in found.retrieval if row.depth == 10 and row.direction == "image→profile"}
    assert first["classical, aligned"] > 2 * first["untrained encoder"]
    assert found.retrieval[0].candidates == 180
    assert found.report is not None
    assert found.report.is_file()


def test_particles_without_labels_are_shown_by_likeness(data: DataSet, model: Model, tmp_path: Path) -> None:
    found = write_report(overview(data, model), tmp_path)
    assert len(found.figures) == 1
    assert found.figures[0].svg.count("<circle") >= 180
    assert "seston annotate" in found.notes[0]
    assert found.report is not None
    assert "<image" in found.report.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protocol": "papers"}, "did you mean 'paper'"),
        ({"n": (0,)}, "have to be 1 or more"),
        ({"n": ()}, "have to be 1 or more"),
        ({"split": "nothing"}, "there is no split 'nothing'"),
        ({"model": "no/such/run"}, "there is no run"),
        ({"classifier": "lda"}, "there is no classifier 'lda'"),
    ],
)
def test_a_wrong_call_is_one_plain_line(data: DataSet, settings: dict[str, object], message: str) -> None:
    with pytest.raises((UsageError, NotFoundError), match=message):
        gallery_knn(data, **settings)  # type: ignore[arg-type]


class _Reading(HTMLParser):
    """Collects what a page would load, and the text of its tables."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.cells += tag == "td"
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]


def test_the_report_is_one_file_that_loads_nothing(measured: Evaluation) -> None:
    assert measured.report is not None
    page = _Reading()
    text = measured.report.read_text(encoding="utf-8")
    page.feed(text)
    assert page.addresses
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    assert page.cells > 10 * len(measured.rows)
    assert "Simulated data" in text
    assert measured.provenance.machine in text
    for row in measured.classes:
        assert row.label in text


def test_the_report_has_the_same_figures_as_json_and_csv(measured: Evaluation) -> None:
    assert measured.report is not None
    document = json.loads(measured.report.with_suffix(".json").read_text(encoding="utf-8"))
    assert len(document["rows"]) == len(measured.rows)
    assert document["rows"][0]["accuracy"] == measured.rows[0].accuracy
    assert document["simulated"] == "simulated"
    assert document["provenance"]["command"]
    with measured.report.with_suffix(".csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["accuracy"]) for row in rows] == [row.accuracy for row in measured.rows]


def test_labels_cannot_break_the_report(measured: Evaluation, tmp_path: Path) -> None:
    from dataclasses import replace

    evil = '<script>alert("x")</script>'
    classes = tuple(replace(row, label=evil) for row in measured.classes)
    assert measured.confusion is not None
    confusion = replace(measured.confusion, labels=(evil,) * len(measured.confusion.labels))
    written = write_report(replace(measured, classes=classes, confusion=confusion, title=evil), tmp_path / "page.html")
    assert written.report == tmp_path / "page.html"
    assert evil not in written.report.read_text(encoding="utf-8")


def test_a_report_is_not_replaced_unasked(measured: Evaluation, tmp_path: Path) -> None:
    write_report(measured, tmp_path)
    with pytest.raises(UsageError, match="already there"):
        write_report(measured, tmp_path, overwrite=False)
