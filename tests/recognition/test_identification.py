"""Every particle of some files gets a name; names go into a file and come back; and names are counted."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from recognition_world import World, make_world

from seston.errors import InputError, NotFoundError, UsageError
from seston.particle import Particle
from seston.recognition import Gallery, count, identify
from seston.recognition.encoder import stream_particles
from seston.recognition.names_file import NamesWriter, read_names, read_samples
from seston.recognition.naming import Identification
from seston.store import open_data_set


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def test_every_particle_of_new_files_gets_a_name(world: World) -> None:
    result = identify(world.fresh, gallery=world.gallery)
    assert result.count == len(result.particles) == 72
    assert all(one.label in world.gallery.classes for one in result.particles)
    assert {one.modality for one in result.particles} == {"image+profile"}
    assert all(Path(one.path).exists() and one.sample in one.id for one in result.particles)
    assert result.simulated == "simulated"
    assert result.skipped == []


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
def test_names_written_to_a_file_come_back_as_they_were(world: World, tmp_path: Path, suffix: str) -> None:
    held = identify(world.fresh, gallery=world.gallery).particles
    result = identify(world.fresh, gallery=world.gallery, to=tmp_path / f"names{suffix}")
    assert result.held == ()
    for before, after in zip(held, result.particles, strict=True):
        assert replace(after, score=None, margin=None) == replace(before, score=None, margin=None)
        assert after.score == pytest.approx(before.score, abs=1e-5)
    (sample,) = read_samples(tmp_path / f"names{suffix}").values()
    assert sample.volume_analysed_ml is not None
    assert sample.flags == ("simulated",)


def test_a_data_set_is_named_and_its_annotations_gain_predictions(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.data.path, tmp_path / "data")
    data = open_data_set(tmp_path / "data")
    result = identify(data, gallery=world.gallery, annotate=True)
    assert result.count == data.count_rows()
    (event,) = data.history(result.particles[0].id)
    assert (event.status, event.author) == ("predicted", world.model.model_id)
    assert event.label == result.particles[0].label


def test_a_particle_with_listmode_alone_is_named_by_it_and_says_so(world: World) -> None:
    bare = [replace(one, image=None, profile=None, profile_channels=()) for one in stream_particles(world.data)]
    names = world.gallery.identify(world.model.encode(bare), bare)
    assert {one.modality for one in names} == {"listmode"}
    assert all(one.label for one in names)


def test_a_particle_that_cannot_be_named_is_reported_with_the_reason(world: World) -> None:
    strange = [Particle(id="s/1", sample_id="s", listmode={"Unheard Of": 1.0})]
    (one,) = world.gallery.identify(world.model.encode(strange), strange)
    assert one.label is None
    assert one.reason


def test_with_a_model_that_has_no_names_and_no_gallery_one_is_told_to_make_one(world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="seston gallery DATA"):
        identify(world.fresh, model=world.model)
    with pytest.raises(NotFoundError, match="not a run"):
        identify(world.fresh, model=tmp_path)


def test_files_cannot_be_annotated(world: World) -> None:
    with pytest.raises(UsageError, match="import them first"):
        identify(world.fresh, gallery=world.gallery, annotate=True)


def test_a_folder_with_nothing_readable_says_so(world: World, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(InputError, match="nothing that Seston can read"):
        identify(tmp_path, gallery=world.gallery)


def test_a_broken_off_run_leaves_no_file_that_looks_whole(world: World, tmp_path: Path) -> None:
    class Stopping(type(world.model)):  # type: ignore[misc]
        def encode(self, particles, skipped=None):  # type: ignore[no-untyped-def]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        identify(world.fresh, gallery=world.gallery, model=Stopping(world.model.run), to=tmp_path / "names.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_replaced_unasked_and_needs_a_known_suffix(world: World, tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text("mine")
    with pytest.raises(UsageError, match="already there"):
        identify(world.fresh, gallery=world.gallery, to=tmp_path / "names.csv")
    with pytest.raises(UsageError, match=r"\.csv, \.parquet or \.json"):
        identify(world.fresh, gallery=world.gallery, to=tmp_path / "names.xlsx")
    assert (tmp_path / "names.csv").read_text() == "mine"


def test_names_are_written_as_plain_csv(tmp_path: Path) -> None:
    one = Identification(
        id="s/1",
        sample="s",
        label="Œ, quoted",
        score=0.5,
        margin=0.25,
        familiarity=0.125,
        modality="image",
        nearest=("a", "b"),
        nearest_labels=("Œ, quoted", "c"),
        nearest_likeness=(0.75, 0.5),
    )
    with NamesWriter(tmp_path / "names.csv") as writer:
        writer.write([one])
    text = (tmp_path / "names.csv").read_text(encoding="utf-8")
    assert text.splitlines()[1] == 's/1,,s,"Œ, quoted",,0.5,0.25,0.125,image,a | b,"Œ, quoted | c",0.75 | 0.5,,,,,,'
    assert list(read_names(tmp_path / "names.csv")) == [one]


def test_a_table_that_identify_did_not_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("x,y\n1,2\n")
    with pytest.raises(InputError, match="row 1 has no id"):
        list(read_names(tmp_path / "other.csv"))
    (tmp_path / "other.json").write_text("[")
    with pytest.raises(InputError, match="cannot be read as a table of names"):
        list(read_names(tmp_path / "other.json"))
    with pytest.raises(NotFoundError, match="seston identify"):
        list(read_names(tmp_path / "nothing.csv"))


def test_names_in_a_file_are_counted_per_millilitre_of_the_analysed_volume(world: World, tmp_path: Path) -> None:
    identify(world.fresh, gallery=world.gallery, to=tmp_path / "names.csv")
    (sample,) = read_samples(tmp_path / "names.csv").values()
    rows = count(tmp_path / "names.csv")
    assert sum(row.n for row in rows) == 72
    for row in rows:
        assert row.volume_column == "volume_analysed_ml"
        assert row.per_ml == pytest.approx(row.n / (sample.volume_analysed_ml or 0))
        assert row.simulated == "simulated"


def test_labels_of_a_data_set_are_counted_sample_by_sample(world: World) -> None:
    rows = count(world.data)
    assert {row.sample for row in rows} == {sample.id for sample in world.data.samples()}
    assert sum(row.n for row in rows) == world.data.count_rows()
    assert {row.n for row in rows} == {12}
    assert all(row.per_ml for row in rows)


def test_counting_what_is_neither_a_data_set_nor_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no data set"):
        count(tmp_path)


def test_a_gallery_can_be_named_by_its_folder(world: World, tmp_path: Path) -> None:
    world.gallery.save(tmp_path / "gallery")
    by_folder = identify(world.fresh, gallery=tmp_path / "gallery")
    by_object = identify(world.fresh, gallery=world.gallery)
    assert [one.label for one in by_folder.particles] == [one.label for one in by_object.particles]
    card = json.loads((tmp_path / "gallery" / "gallery.json").read_text())
    assert set(card["classes"]) == set(Gallery.load(tmp_path / "gallery").classes)
