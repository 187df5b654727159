"""Embedding a data set, and galleries that are kept and brought back."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from recognition_world import World, make_world
from safetensors.numpy import load_file, save_file

from seston.errors import InputError, NotFoundError, UsageError
from seston.particle import Annotation, Particle, Skipped
from seston.recognition import ClassicalModel, Gallery, Model, embed, load
from seston.recognition.encoder import stream_particles
from seston.recognition.gallery_making import pick
from seston.recognition.views import views_of
from seston.store import DataSet, open_data_set
from seston.training import untrained_run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def _copy(data: DataSet, to: Path) -> DataSet:
    shutil.copytree(data.path, to)
    return open_data_set(to)


def test_vectors_stand_in_the_order_of_the_data_set(world: World) -> None:
    found = embed(world.data, world.model)
    assert list(found.ids) == world.data.ids()
    (one,) = (particle for particle in stream_particles(world.data, [found.ids[50]]))
    assert world.model.encode([one]).image[0] == pytest.approx(found.image[50], abs=1e-4)


def test_saved_vectors_are_used_again_until_a_particle_changes(world: World, tmp_path: Path) -> None:
    data = _copy(world.data, tmp_path / "data")

    class Counting(Model):
        seen = 0

        def encode(self, particles, skipped=None):  # type: ignore[no-untyped-def]
            Counting.seen += len(particles)
            return super().encode(particles, skipped)

    model = Counting(world.model.run)
    first = embed(data, model)
    assert Counting.seen == 0  # the gallery of this world was made from the same model
    data.import_(world.fresh)
    second = embed(data, model)
    assert Counting.seen == 72
    assert list(second.ids) == data.ids()
    assert (second.of(first.ids).profile == first.profile).all()


def test_a_picture_that_does_not_decode_counts_as_absent_and_is_reported(world: World) -> None:
    (good,) = stream_particles(world.data, world.data.ids()[:1])
    bad = Particle(
        id="s/1", sample_id="s", image=b"no picture", profile=good.profile, profile_channels=good.profile_channels
    )
    skipped: list[Skipped] = []
    found = world.model.encode([bad, good], skipped)
    assert found.has_image.tolist() == [False, True]
    assert found.has_profile.tolist() == [True, True]
    assert [one.item for one in skipped] == ["s/1"]


def test_no_particle_gives_an_empty_table_of_the_right_width(world: World) -> None:
    nothing = world.model.encode([])
    assert len(nothing) == 0
    assert nothing.image.shape[1] == embed(world.data, world.model).image.shape[1]


def test_a_gallery_works_without_its_data_set_and_its_run(world: World, tmp_path: Path) -> None:
    world.gallery.save(tmp_path / "gallery")
    again = Gallery.load(tmp_path / "gallery")
    asked = embed(world.data, world.model)
    assert again.model is not None
    for before, after in zip(world.gallery.identify(asked), again.identify(asked), strict=True):
        assert (before.label, before.nearest, before.modality) == (after.label, after.nearest, after.modality)
        assert before.score == pytest.approx(after.score, abs=1e-5)


def _as_the_first_format(folder: Path) -> None:
    """Write a gallery as it was before spaces voted: the blocks of each space by themselves, one space a route."""
    card = json.loads((folder / "gallery.json").read_text())
    tensors = load_file(folder / "vectors.safetensors")
    blocks = {name: tensors.pop(name) for name in list(tensors) if name.startswith("block.")}
    card["format"] = 1
    card["blocks"] = {view: numbers for view, numbers in card["blocks"].items() if "-" not in view}
    for view, numbers in card["blocks"].items():
        for place, number in enumerate(numbers):
            for name, array in blocks.items():
                if name.startswith(f"block.{number}."):
                    tensors[f"space.{view}.{place}.{name.split('.')[2]}"] = array
        card["blocks"][view] = len(numbers)
    for calibration in card["calibrations"].values():
        del calibration["votes"]
    (folder / "gallery.json").write_text(json.dumps(card))
    save_file({name: array for name, array in tensors.items() if "-" not in name}, folder / "vectors.safetensors")


def test_a_gallery_of_an_earlier_version_names_by_one_space_as_it_did(world: World, tmp_path: Path) -> None:
    world.gallery.save(tmp_path / "gallery")
    _as_the_first_format(tmp_path / "gallery")
    again, asked = Gallery.load(tmp_path / "gallery"), embed(world.data, world.model)
    assert len(world.gallery.routes["IP-IP"].rule.views) > 1
    assert again.routes["IP-IP"].rule.views == ("IP",)
    for view, (vectors, _) in views_of(asked, again.spaces).items():
        np.testing.assert_array_equal(vectors, views_of(asked, world.gallery.spaces)[view][0])
    assert all(one.label for one in again.identify(asked) if one.modality == "image+profile")


def test_spaces_with_a_block_in_common_share_it_after_loading(world: World, tmp_path: Path) -> None:
    world.gallery.save(tmp_path / "gallery")
    spaces = Gallery.load(tmp_path / "gallery").spaces
    kept = load_file(tmp_path / "gallery" / "vectors.safetensors")
    different = {id(block) for space in spaces.values() for block in space.blocks}
    assert len(different) == sum(name.endswith(".directions") and name.startswith("block.") for name in kept)
    assert len(different) < sum(len(space.blocks) for space in spaces.values())


def test_a_gallery_is_made_of_plain_files_without_pickles(world: World, tmp_path: Path) -> None:
    world.gallery.save(tmp_path / "gallery")
    names = {
        str(path.relative_to(tmp_path / "gallery")) for path in (tmp_path / "gallery").rglob("*") if path.is_file()
    }
    assert {"gallery.json", "vectors.safetensors", "particles.parquet", "model/model.safetensors"} <= names
    card = json.loads((tmp_path / "gallery" / "gallery.json").read_text())
    assert card["model_id"] == world.model.model_id
    assert card["flags"] == ["simulated"]
    assert all(levels for levels in card["detector_levels"].values())
    assert card["calibrations"]["IP-IP"]["particles"] == 48


def test_a_model_that_was_exchanged_is_refused(world: World, tmp_path: Path) -> None:
    world.gallery.save(tmp_path / "gallery")
    other = Model(untrained_run(world.data, "tiny", seed=1))
    shutil.rmtree(tmp_path / "gallery" / "model")
    other.save(tmp_path / "gallery" / "model")
    with pytest.raises(InputError, match="but the gallery was made with"):
        Gallery.load(tmp_path / "gallery")


def test_vectors_of_another_model_are_refused(world: World) -> None:
    other = Model(untrained_run(world.data, "tiny", seed=1))
    with pytest.raises(UsageError, match="the gallery was made with model"):
        world.gallery.identify(other.encode(list(stream_particles(world.data))[:2]))


@pytest.mark.parametrize("name", ["gallery.json", "vectors.safetensors", "particles.parquet"])
def test_a_damaged_gallery_is_one_plain_line(world: World, tmp_path: Path, name: str) -> None:
    world.gallery.save(tmp_path / "gallery")
    (tmp_path / "gallery" / name).write_bytes(b"{damaged")
    with pytest.raises(InputError, match="damaged") as raised:
        Gallery.load(tmp_path / "gallery")
    assert "\n" not in str(raised.value).strip()


def test_nothing_is_overwritten_unasked(world: World, tmp_path: Path) -> None:
    world.gallery.save(tmp_path / "gallery")
    with pytest.raises(UsageError, match="already there"):
        world.gallery.save(tmp_path / "gallery")
    world.gallery.save(tmp_path / "gallery", overwrite=True)
    (tmp_path / "other").mkdir()
    with pytest.raises(UsageError, match="is no gallery"):
        world.gallery.save(tmp_path / "other", overwrite=True)


def test_there_being_no_gallery_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="seston gallery DATA"):
        Gallery.load(tmp_path / "gallery")
    with pytest.raises(NotFoundError, match="seston train DATA"):
        load(tmp_path / "run")


def test_a_smaller_gallery_is_part_of_a_larger_one() -> None:
    labels = {f"s/{number}": "ab"[number % 2] for number in range(40)}
    everything = set(labels)
    small, _ = pick(labels, everything, everything, 3, seed=5)
    large, _ = pick(labels, everything, everything, 9, seed=5)
    assert set(small) < set(large)
    assert len(large) == 18
    assert pick(labels, everything, everything, None, seed=5)[0] == pick(labels, everything, everything, 99, seed=1)[0]


def test_labels_without_a_usable_particle_are_left_out_and_named() -> None:
    labels = {"s/1": "ant", "s/2": "bee", "s/3": "cat"}
    chosen, left_out = pick(labels, {"s/1", "s/2"}, {"s/1"}, None, seed=0)
    assert chosen == ["s/1"]
    assert "1 particles has a picture" in left_out["bee"]
    assert "training part" in left_out["cat"]


def test_a_gallery_rests_on_people_and_sources_never_on_guesses(world: World, tmp_path: Path) -> None:
    data = _copy(world.data, tmp_path / "data")
    first, second, third, *_ = data.ids()
    now = datetime.now(UTC)
    data.annotate(Annotation(particle_id=first, label="a guess", status="predicted", author="model", time=now))
    data.annotate(Annotation(particle_id=second, label="a person's", status="validated", author="me", time=now))
    data.annotate(Annotation(particle_id=third, label="a doubt", status="dubious", author="me", time=now))
    gallery = Gallery.from_dataset(data, world.model)
    labels = dict(zip(gallery.embeddings.ids, gallery.labels, strict=True))
    assert labels[first] == data.labels()[first] != "a guess"
    assert labels[second] == "a person's"
    assert third not in labels


def test_a_data_set_without_labels_says_how_to_give_some(world: World, tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "data", create=True)
    with pytest.raises(UsageError, match="seston annotate"):
        Gallery.from_dataset(data, world.model)


def test_the_training_part_of_a_split_can_be_taken_alone(world: World, tmp_path: Path) -> None:
    data = _copy(world.data, tmp_path / "data")
    split = data.split("by-picture", by="image")
    gallery = Gallery.from_dataset(data, world.model, split="by-picture")
    assert set(gallery.embeddings.ids) == set(split.ids_of(0, "train"))


def test_classical_features_make_a_gallery_that_is_kept_and_brought_back(world: World, tmp_path: Path) -> None:
    model = ClassicalModel.of(world.data)
    gallery = Gallery.from_dataset(world.data, model, per_class=8)
    gallery.save(tmp_path / "gallery")
    again = Gallery.load(tmp_path / "gallery")
    asked = embed(world.data, model)
    names = [one.label for one in again.identify(asked)]
    assert names == [one.label for one in gallery.identify(asked)]
    truth = world.data.labels(trusted=True)
    assert np.mean([truth[name] == label for name, label in zip(asked.ids, names, strict=True)]) > 0.6


def test_a_gallery_brings_the_taxa_of_its_labels(world: World, tmp_path: Path) -> None:
    first = world.gallery.class_names[0]
    replace(world.gallery, taxa={first: "Tripos fusus"}).save(tmp_path / "gallery")
    loaded = Gallery.load(tmp_path / "gallery")
    assert loaded.taxa == {first: "Tripos fusus"}
    named = loaded.identify(loaded.embeddings)
    assert {one.label for one in named if one.taxon == "Tripos fusus"} == {first}
    assert {one.taxon for one in named if one.label != first} == {None}


def test_labels_of_a_data_set_mean_taxa_in_its_gallery(world: World) -> None:
    assert world.gallery.taxa == {}, "the species of simulated particles are made up"
    label = world.gallery.class_names[0]
    table = world.data.path / "taxonomy.tsv"
    table.write_text(f"raw_label\tname\n{label}\tTripos fusus\n", encoding="utf-8")
    try:
        gallery = Gallery.from_dataset(world.data, world.model, per_class=8)
    finally:
        table.unlink()
    assert gallery.taxa == {label: "Tripos fusus"}
