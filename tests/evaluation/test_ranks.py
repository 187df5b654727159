"""Names of files and galleries judged rank by rank: by slow counting, the parts, the report, the command."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from seston.errors import UsageError
from seston.evaluation import Evaluation, ranks
from seston.evaluation.lineages import lineage_of
from seston.particle import Particle
from seston.recognition import ClassicalModel, Gallery
from seston.recognition.encoder import stream_particles
from seston.store import DataSet, open_data_set
from seston.taxonomy import resolve

_SCHEMA = Path(__file__).parents[1] / "cli" / "schemas" / "evaluate-ranks.json"
_LABELS = (
    "Acartia clausi",
    "Acartia",
    "Temora longicornis",
    "Calanoida",
    "Navicula",
    "Noctiluca scintillans",
    "Bubbles",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Two collections of folders, eight pictures a class; pictures of a class have one brightness and size."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0)
    for source in ("North", "South"):
        for number, label in enumerate(_LABELS):
            (folder / source / label).mkdir(parents=True)
            for picture in range(8):
                grey = np.full((40, 40), 220, np.uint8)
                grey[8 : 14 + 3 * number, 8:30] = 20 + 20 * number + noise.integers(0, 30)
                grey[0, 0] = picture + 100 * (source == "North")
                Image.fromarray(grey).save(folder / source / label / f"{picture}.png")
    made = open_data_set(folder / "data", create=True)
    for source in ("North", "South"):
        made.import_(folder / source, source=source)
    made.split("half", by="image", folds=2, seed=1)
    return made


@pytest.fixture(scope="module")
def predictions(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Names for all particles but the last ten, a third of them of another class."""
    path = tmp_path_factory.mktemp("names") / "names.csv"
    draw = random.Random(3)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label"])
        for name, label in list(data.labels().items())[:-10]:
            writer.writerow([name, draw.choice(["unknown", *_LABELS]) if draw.random() < 0.34 else label])
    return path


@pytest.fixture(scope="module")
def judged(data: DataSet, predictions: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    split = data.load_split("half")
    assert not split.grouped
    return ranks(data, predictions=predictions, to=tmp_path_factory.mktemp("report"))


def _asked(data: DataSet, predictions: Path) -> list[tuple[str, str, str]]:
    """List source, true label and name of the test part's particles that have a name."""
    inside, labels = set(data.load_split("half").ids_of(0, "test")), data.labels()
    with predictions.open(encoding="utf-8") as file:
        named = {row["id"]: row["label"] for row in csv.DictReader(file)}
    return [(name.partition(":")[0], labels[name], named[name]) for name in sorted(inside & set(named))]


def test_figures_are_those_of_slow_counting(judged: Evaluation, data: DataSet, predictions: Path) -> None:
    meant = {taxon.raw_label: lineage_of(taxon) for taxon in resolve([*_LABELS, "unknown"])}
    asked = _asked(data, predictions)
    for part in ("all", "source North", "source South"):
        pairs = [(meant[one], meant[other]) for source, one, other in asked if part in ("all", f"source {source}")]
        rows = {row.rank: row for row in judged.ranks if row.part == part and row.method == "names.csv"}
        assert list(rows) == ["kingdom", "phylum", "class", "order", "family", "genus", "species"]
        for place, row in enumerate(rows.values()):
            there = [(one[place], other[place]) for one, other in pairs if one[place]]
            assert row.particles == len(there)
            assert row.accuracy == pytest.approx(sum(one == other for one, other in there) / len(there))
            assert row.abstained == pytest.approx(sum(not other for _, other in there) / len(there))
            assert row.macro_f1_low <= row.macro_f1 <= row.macro_f1_high


def test_what_has_to_be_beaten_stands_beside(judged: Evaluation) -> None:
    at_genus = {row.method: row for row in judged.ranks if row.part == "all" and row.rank == "genus"}
    assert set(at_genus) == {"names.csv", "most frequent taxon", "names at random"}
    assert at_genus["names.csv"].macro_f1 > 0.5
    assert at_genus["names.csv"].macro_f1 > 1.5 * at_genus["names at random"].macro_f1
    assert at_genus["most frequent taxon"].balanced_accuracy == pytest.approx(1 / at_genus["names.csv"].taxa)


def test_without_samples_figures_are_called_image_level(judged: Evaluation) -> None:
    assert not judged.grouped
    assert {row.samples for row in judged.ranks} == {0}
    assert any("image-level" in note for note in judged.notes)
    assert any("have no line in names.csv" in note for note in judged.notes)


def test_the_report_holds_tables_and_the_drawing(judged: Evaluation) -> None:
    assert judged.report is not None
    page = judged.report.read_text(encoding="utf-8")
    for words in ("Rank by rank", "By source and instrument", "From kingdom to species", "image-level"):
        assert words in page
    document = json.loads(judged.report.with_suffix(".json").read_bytes())
    assert len(document["ranks"]) == len(judged.ranks)
    with judged.report.with_suffix(".csv").open(encoding="utf-8") as file:
        assert [row["rank"] for row in csv.DictReader(file)] == [row.rank for row in judged.ranks]


def test_a_gallery_is_not_asked_about_its_own_particles(data: DataSet) -> None:
    gallery = Gallery.from_dataset(data, ClassicalModel.of(data), per_class=3, split="half")
    found = ranks(data, gallery=gallery, split="half")
    test = data.load_split("half").ids_of(0, "test")
    kingdom = next(row for row in found.ranks if row.rank == "kingdom")
    assert kingdom.particles + kingdom.without == len(test)
    assert kingdom.method == "gallery (soft-lda)"
    assert f"names by gallery (soft-lda) of {3 * len(_LABELS)} particles" in found.notes
    genus = {row.method: row for row in found.ranks if row.rank == "genus" and row.part == "all"}
    assert genus[found.main].macro_f1 > 2 * genus["names at random"].macro_f1


def test_a_run_names_by_a_gallery_of_the_training_part(data: DataSet) -> None:
    gallery = Gallery.from_dataset(data, ClassicalModel.of(data), per_class=3, split="half", seed=5)
    by_hand = ranks(data, gallery=gallery, split="half", seed=5)
    assert ranks(data, model="classical", per_class=3, split="half", seed=5).ranks == by_hand.ranks


def test_the_command_prints_rows_and_wrong_calls_fail_early(
    data: DataSet, predictions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from seston.cli.call import call

    line = ["evaluate", "ranks", str(data.path), "--predictions", str(predictions), "--rule", "first-words", "--json"]
    assert call(line) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(_SCHEMA.read_text(encoding="utf-8")))
    assert {row["rule"] for row in document["rows"]} == {"first-words"}
    assert call(["evaluate", "ranks", str(data.path)]) == 2
    assert "give one of predictions, gallery and model" in capsys.readouterr().err


def test_names_of_other_particles_are_refused(data: DataSet, tmp_path: Path) -> None:
    names = tmp_path / "others.csv"
    names.write_text("id,label\nsomewhere/1,Acartia\n")
    with pytest.raises(UsageError, match="names no particle that is asked about"):
        ranks(data, predictions=names)


def test_a_map_shows_taxa_of_a_rank_and_only_what_is_asked_about(data: DataSet, tmp_path: Path) -> None:
    found = ranks(data, model="classical", per_class=3, split="half", map_by="genus", to=tmp_path)
    drawn = next(figure for figure in found.figures if figure.title == "Map of the particles, by genus")
    test = data.load_split("half").ids_of(0, "test")
    assert f"{len(test)} particles as the model sees them" in drawn.lead
    assert drawn.svg.count("<circle") >= len(test)
    assert "Temora" in drawn.svg
    with pytest.raises(UsageError, match="did you mean 'genus'"):
        ranks(data, model="classical", split="half", map_by="genuss")


def test_a_supervised_run_names_by_its_head_and_no_probability_is_kept(data: DataSet, tmp_path: Path) -> None:
    from seston.recognition import Model
    from seston.training import load_recipe, untrained_run
    from seston.training.particles import take_particles

    tower = 'model.image={tower="conv", weights="random", width=8, blocks=[1, 1]}'
    run = untrained_run(data, load_recipe("supervised", overrides=(tower, "pictures.size=32")), split="half")
    Model(run).save(tmp_path / "run")
    found = ranks(data, model=tmp_path / "run", split="half")
    test, labels = sorted(data.load_split("half").ids_of(0, "test")), data.labels()
    assert run.classes is not None
    probabilities = run.classify(take_particles(data, data.rows_of(test)))
    paths = [tuple(name or "" for name in path) for path in run.classes.paths]
    meant = {taxon.raw_label: lineage_of(taxon) for taxon in resolve(_LABELS)}
    rows = {(row.method, row.rank): row for row in found.ranks if row.part == "all"}
    for place, rank in enumerate(("kingdom", "phylum", "class", "order", "family", "genus", "species")):
        there = [row for row, name in enumerate(test) if meant[labels[name]][place]]
        taxa = sorted({path[place] for path in paths})
        together = np.stack(
            [probabilities[:, [path[place] == taxon for path in paths]].sum(axis=1) for taxon in taxa], axis=1
        )
        for method, named in (
            ("head of run", [paths[best][place] for best in probabilities.argmax(axis=1)]),
            ("head of run, summed up", [taxa[best] for best in together.argmax(axis=1)]),
        ):
            right = [named[row] == meant[labels[test[row]]][place] for row in there]
            assert rows[method, rank].particles == len(there)
            assert rows[method, rank].accuracy == pytest.approx(np.mean(right)), (method, rank)
    first = found.tables["Is the class among the first?"][1]
    number = [run.classes.names.index(labels[name]) for name in test]
    assert first[0][2] == pytest.approx(100 * np.mean(probabilities.argmax(axis=1) == number), abs=0.06)
    with pytest.raises(UsageError, match="no vectors to draw a map of"):
        ranks(data, model=tmp_path / "run", split="half", map_by="genus")


def test_a_picture_that_cannot_be_used_counts_as_not_named(data: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    from seston.evaluation import head_naming
    from seston.evaluation.rank_truth import read_truth
    from seston.training import load_recipe, untrained_run

    def first_one_broken(data: DataSet, ids: Sequence[str]) -> Iterator[Particle]:
        for particle in stream_particles(data, ids):
            yield replace(particle, image=b"no picture") if particle.id == ids[0] else particle

    monkeypatch.setattr(head_naming, "stream_particles", first_one_broken)
    tower = 'model.image={tower="conv", weights="random", width=8, blocks=[1, 1]}'
    run = untrained_run(data, load_recipe("supervised", overrides=(tower, "pictures.size=32")))
    names = head_naming.HeadNames(data, run, read_truth(data, None, 0), "known-ranks", "head")
    given = list(names.named().names)
    assert [one.id for one in given] == data.ids()
    assert [one.label is None for one in given] == [True] + [False] * (len(given) - 1)
    assert "1 particles have no picture that can be used; they count as not named" in names.notes()
    assert sum(row.particles for row in names.rows(0) if row.rank == "kingdom") == 95
