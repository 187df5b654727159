"""Suggestions from a data set: what is never suggested, the table that comes back filled in, and the contact sheet."""

from __future__ import annotations

import csv
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import seston
from seston.errors import UsageError
from seston.particle import Annotation, Status
from seston.recognition import ClassicalModel, Gallery, embed, suggest, suggestion
from seston.recognition.suggestion import KINDS
from seston.simulate import simulate, species_table
from seston.store import DataSet, open_data_set

_NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make two simulated runs of five species, the tables of labels put aside."""
    folder = tmp_path_factory.mktemp("suggestion")
    simulate(folder / "files", particles=70, runs=2, seed=5, species=[one.name for one in species_table()][:5])
    named = open_data_set(folder / "named", create=True)
    named.import_(folder / "files")
    with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(named.labels().items())
    for table in (folder / "files").rglob("*_labels.csv"):
        table.unlink()
    return folder


@pytest.fixture(scope="module")
def unlabelled(files: Path) -> DataSet:
    data = open_data_set(files / "data", create=True)
    data.import_(files / "files")
    assert not data.labels()
    embed(data, ClassicalModel.of(data))  # kept, so that copies need not measure again
    return data


@pytest.fixture(scope="module")
def model(unlabelled: DataSet) -> ClassicalModel:
    return ClassicalModel.of(unlabelled)


@pytest.fixture
def data(unlabelled: DataSet, tmp_path: Path) -> DataSet:
    """Give a copy of the unlabelled data set that a test may change."""
    shutil.copytree(unlabelled.path, tmp_path / "data")
    return open_data_set(tmp_path / "data")


def _truth(files: Path) -> dict[str, str]:
    with (files / "truth.csv").open(newline="", encoding="utf-8") as file:
        return {row[0]: row[1] for row in csv.reader(file)}


def _say(data: DataSet, labels: dict[str, str], status: Status = "validated") -> None:
    data.annotate(
        [
            Annotation(particle_id=name, label=label, status=status, author="me", time=_NOW)
            for name, label in labels.items()
        ]
    )


def _fill_in(table: Path, truth: dict[str, str], *, leave: int = 0) -> list[str]:
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    for row in rows[leave:]:
        row["label"] = truth[row["id"]]
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return [row["id"] for row in rows]


def test_without_labels_nor_model_the_first_suggestions_show_every_species(unlabelled: DataSet, files: Path) -> None:
    result = suggest(unlabelled, n=12)
    truth = _truth(files)
    assert {truth[one.id] for one in result.particles} == set(truth.values())
    assert {one.kind for one in result.particles} == {"new"}
    assert all(one.suggested is None and one.why.startswith("typical of a cluster") for one in result.particles)
    assert result.candidates == 140
    assert result.simulated == "simulated"


def test_the_table_comes_back_filled_in_and_what_it_named_is_not_suggested_again(
    data: DataSet, files: Path, tmp_path: Path, model: ClassicalModel
) -> None:
    table = tmp_path / "to-label.csv"
    first = suggest(data, model=model, n=20, to=table)
    ids = _fill_in(table, _truth(files), leave=2)
    assert ids == [one.id for one in first.particles]
    report = data.annotate_file(table)
    assert (report.added, report.unknown_particles, report.skipped) == (18, [], [])
    assert data.labels(trusted=True) == {name: _truth(files)[name] for name in data.ids() if name in ids[2:]}
    second = suggest(data, model=model, n=20)
    assert not {one.id for one in second.particles} & set(ids[2:])
    assert sum(second.labels.values()) == 18
    assert all(one.suggested in second.labels for one in second.particles)


def test_those_that_a_person_could_not_name_are_not_asked_about_again_and_predictions_are(
    data: DataSet, model: ClassicalModel
) -> None:
    asked = [one.id for one in suggest(data, model=model, n=10).particles]
    _say(data, {asked[0]: "cannot tell"}, "dubious")
    _say(data, dict.fromkeys(asked[1:], "a guess"), "predicted")
    again = suggest(data, model=model, n=140)
    found = {one.id for one in again.particles}
    assert asked[0] not in found
    assert set(asked[1:]) <= found
    assert any("could not name" in note for note in again.notes)


def test_the_same_call_writes_the_same_files(unlabelled: DataSet, tmp_path: Path, model: ClassicalModel) -> None:
    written = []
    for name in ("one", "two"):
        result = suggest(unlabelled, model=model, n=15, to=tmp_path / name / "to-label.csv")
        assert result.to is not None
        assert result.sheet is not None
        written.append((result.to.read_bytes(), result.sheet.read_bytes()))
    assert written[0] == written[1]
    assert {path.name for path in (tmp_path / "two").iterdir()} == {"to-label.csv", "to-label.html"}


def test_a_gallery_made_long_ago_counts_together_with_the_labels_since(
    data: DataSet, files: Path, model: ClassicalModel
) -> None:
    truth = _truth(files)
    names = sorted(set(truth.values()))
    of = {label: [name for name in data.ids() if truth[name] == label] for label in names}
    _say(data, {name: truth[name] for label in names[:2] for name in of[label][:4]})
    gallery = Gallery.from_dataset(data, model)
    _say(data, {name: truth[name] for name in of[names[2]][:4]})
    result = gallery.suggest(data, n=10)
    assert dict(result.labels) == dict.fromkeys(names[:3], 4)
    assert any("not in the gallery" in note for note in result.notes)
    unknown = [truth[one.id] not in names[:3] for one in result.particles]
    assert sum(unknown) >= 5


def test_a_gallery_of_other_particles_needs_none_of_the_data_sets_own(
    data: DataSet, files: Path, tmp_path: Path, model: ClassicalModel
) -> None:
    truth = _truth(files)
    _say(data, {name: truth[name] for name in data.ids()[:70:3]})
    Gallery.from_dataset(data, model).save(tmp_path / "gallery")
    fresh = open_data_set(tmp_path / "fresh", create=True)
    fresh.import_([path for path in sorted((files / "files").iterdir()) if path.is_dir()][1])
    result = seston.suggest(fresh.path, gallery=tmp_path / "gallery", n=5)
    assert set(result.labels) == set(truth.values())
    assert all(one.id in fresh.ids() for one in result.particles)


def test_what_repeats_another_byte_for_byte_is_suggested_once(
    data: DataSet, files: Path, model: ClassicalModel
) -> None:
    data.import_(files / "files", source="again")
    result = suggest(data, model=model, n=200)
    numbers = [one.id.removeprefix("again:") for one in result.particles]
    assert len(set(numbers)) == len(numbers)
    assert any("140 unlabelled particles show exactly what another shows" in note for note in result.notes)


def test_of_very_many_particles_some_are_drawn_and_the_result_says_so(
    unlabelled: DataSet, monkeypatch: pytest.MonkeyPatch, model: ClassicalModel
) -> None:
    monkeypatch.setattr(suggestion, "_MOST_CANDIDATES", 40)
    monkeypatch.setattr(suggestion, "_MOST_LABELLED", 10)
    first, again, other = (suggest(unlabelled, model=model, n=10, seed=seed) for seed in (0, 0, 1))
    assert first.candidates == 40
    assert "of 140 unlabelled particles 40 were drawn at random and compared" in first.notes
    assert first.particles == again.particles
    assert {one.id for one in first.particles} != {one.id for one in other.particles}


def test_the_contact_sheet_shows_each_suggestion_in_the_order_of_the_table_and_needs_nothing_beside_it(
    data: DataSet, files: Path, tmp_path: Path, model: ClassicalModel
) -> None:
    _say(data, dict(list(_truth(files).items())[:30]))
    result = suggest(data, model=model, n=12, to=tmp_path / "to-label.csv")
    assert result.sheet is not None
    page = result.sheet.read_text(encoding="utf-8")
    assert re.findall(r'data-id="([^"]*)"', page) == [one.id for one in result.particles]
    assert page.count("data:image/png;base64,") == page.count('<svg class="profile"') == 12
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert [title for kind, title in KINDS.items() if any(one.kind == kind for one in result.particles)] == re.findall(
        r"<h2>(.*?) <small>", page
    )


def test_particles_without_picture_or_profile_stand_on_the_sheet_too(
    tmp_path: Path, files: Path, model: ClassicalModel
) -> None:
    whole = open_data_set(files / "named")
    ids = whole.ids()
    # Pictures of one run and profiles of the other, by taking the files of one kind away.
    for kind, place in (("Images", 0), ("Pulses", 1)):
        folder = sorted(path for path in (files / "files").iterdir() if path.is_dir())[place]
        shutil.copytree(folder, tmp_path / "less" / folder.name)
        for path in list((tmp_path / "less" / folder.name).glob(f"*_{kind}*")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    less = open_data_set(tmp_path / "less-data", create=True)
    less.import_(tmp_path / "less")
    info = less.info()
    assert (info.particles, info.images, info.profiles) == (140, 70, 70)
    assert set(less.ids()) == set(ids)
    result = suggest(less, model=model, n=16, to=tmp_path / "to-label.csv")
    assert result.sheet is not None
    page = result.sheet.read_text(encoding="utf-8")
    assert 0 < page.count("<span>no picture</span>") < 16
    assert page.count("<span>no picture</span>") == page.count('<svg class="profile"')


def test_a_label_with_odd_letters_is_shown_as_text(data: DataSet, tmp_path: Path, model: ClassicalModel) -> None:
    _say(data, dict.fromkeys(data.ids()[:4], "<script>alert(1)</script>") | dict.fromkeys(data.ids()[4:8], "Ceratium"))
    result = suggest(data, model=model, n=6, to=tmp_path / "to-label.csv")
    assert result.sheet is not None
    assert "<script>alert" not in result.sheet.read_text(encoding="utf-8")


def test_what_is_wrong_with_a_call_is_one_plain_line(
    data: DataSet, files: Path, tmp_path: Path, model: ClassicalModel
) -> None:
    with pytest.raises(UsageError, match="1 or more"):
        suggest(data, model=model, n=0)
    with pytest.raises(UsageError, match=r"ends in \.csv"):
        suggest(data, model=model, to=tmp_path / "to-label.xlsx")
    (tmp_path / "to-label.html").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="already there"):
        suggest(data, model=model, n=5, to=tmp_path / "to-label.csv")
    assert suggest(data, model=model, n=5, to=tmp_path / "to-label.csv", overwrite=True).to is not None


def test_where_all_have_labels_nothing_is_suggested_and_that_is_no_error(
    data: DataSet, files: Path, tmp_path: Path, model: ClassicalModel
) -> None:
    _say(data, _truth(files))
    result = suggest(data, model=model, to=tmp_path / "to-label.csv")
    assert result.particles == ()
    assert any("nothing is left to ask" in note for note in result.notes)
    assert data.annotate_file(tmp_path / "to-label.csv").added == 0
