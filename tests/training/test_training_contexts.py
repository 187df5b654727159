"""Learning from place and season, end to end on tiny pictures."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from seston.errors import UsageError
from seston.models import CrossModalModel
from seston.particle import Particle, Silence
from seston.store import DataSet, open_data_set
from seston.store.filling import Found
from seston.training import load_recipe, load_run, train, untrained_run
from seston.training.context_settings import ContextPreparation
from seston.training.particle_contexts import chosen_contexts, contexts_of
from seston.training.particles import choose_particles

_PLACES = {"north": (60.0, datetime(2024, 1, 10, 9, tzinfo=UTC)), "south": (-40.0, datetime(2024, 7, 1, tzinfo=UTC))}
_SMALL = (
    "pictures.size=16", "profiles.length=32", "model.image={width=8,blocks=[1]}", "model.embedding=16",
    "model.profile={width=8,blocks=[1]}", "model.hidden=16", "model.within=8", "model.text.width=16",
    "model.context.width=16", "training.batch=25", "measured=false",
)  # fmt: skip
_CONTEXT_ALONE = (
    "loss={cross=0,within_image=0,within_profile=0,fused=0,context=1.0,partial=true}", "model.context={width=16}",
    "training.ema=0.5", *(one for one in _SMALL if ".text" not in one),
)  # fmt: skip


class _Notes(Silence):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def _look_up(ids: Sequence[str]) -> list[Found | None]:
    """Place the samples of two of three folders, and tell the season of one run of the simulated pairs."""
    found: list[Found | None] = []
    for name in ids:
        place = next((place for word, place in _PLACES.items() if word in name and "/" not in name), None)
        found.append(None if place is None else Found(source="a test", latitude=place[0], longitude=8.0, time=place[1]))
    return found


@pytest.fixture(scope="module")
def placed_data(tmp_path_factory: pytest.TempPathFactory, small_data: DataSet) -> DataSet:
    """Give 40 tiny pictures of two places with dark and with bright particles, 20 of no place, and 50 pairs."""
    folder = tmp_path_factory.mktemp("placed")
    chance = np.random.default_rng(0)
    data = open_data_set(folder / "data", create=True)
    for number, name in enumerate((*_PLACES, "nowhere")):
        (folder / name / "Acartia").mkdir(parents=True)
        for copy in range(20):
            pixels = np.full((20, 20), 230.0)
            pixels[4 : 6 + 3 * number, 4:16] = 30 + 60 * number
            pixels += chance.normal(0, 4, pixels.shape)
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name / "Acartia" / f"{copy}.png")
        data.import_([folder / name], source=name)
    run = sorted(path for path in (small_data.path.parent / "files").iterdir() if path.is_dir())[0]
    data.import_([run])
    data.fill_in(_look_up, _look_up)
    return data


def test_contexts_are_those_of_the_samples(placed_data: DataSet) -> None:
    chosen = choose_particles(placed_data, (False, False))
    (rows,) = chosen_contexts(placed_data, chosen)
    north = np.array(["north" in name for name in chosen.ids])
    assert rows[north][:, 2] == pytest.approx(np.sin(np.radians(60.0)))
    assert np.isnan(rows[["nowhere" in name for name in chosen.ids]]).all()
    pairs = rows[["Simulated" in name for name in chosen.ids]]
    assert np.isnan(pairs[:, :3]).all()
    assert pairs[:, 3] == pytest.approx(59 / 365, abs=0.01)  # its file tells the day, the first of March
    when = datetime(2024, 1, 10, tzinfo=UTC)
    wrong = Particle(id="a/1", sample_id="a", latitude=0.0, longitude=0.0, time=when, flags=("position", "clock"))
    assert np.isnan(contexts_of([wrong])).all()


def test_particles_that_lack_a_place_a_profile_or_a_picture_teach_what_they_can(
    placed_data: DataSet, small_data: DataSet, tmp_path: Path
) -> None:
    notes = _Notes()
    recipe = ("loss.text=0", "loss.text_profile=0")
    with pytest.raises(UsageError, match="both tables"):  # a text tower without a weight
        train(placed_data, recipe="joint", to=tmp_path / "wrong", epochs=1, overrides=(*_SMALL, *recipe))
    options = (
        *(one for one in _SMALL if ".text" not in one), "model.context={width=16}", "loss.context=0.5",
        "loss.context_profile=0.5", "loss.partial=true", "neighbours.start=1.0",
    )  # fmt: skip
    made = train(placed_data, to=tmp_path / "run", epochs=2, overrides=options, progress=notes)
    first = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[0])
    assert first["context"] > 0
    assert np.isfinite(first["context_profile"])
    assert not notes.notes
    said = made.preparation.context
    assert isinstance(said, ContextPreparation)
    assert (said.parts, said.samples) == (("position", "season", "hour"), 3)
    card = (tmp_path / "run" / "README.md").read_text()
    assert "| contexts | position, season, hour of " in card
    assert "from 3 samples" in card
    again = load_run(tmp_path / "run")
    assert again.model_id == made.model_id
    assert isinstance(again.model, CrossModalModel)
    assert again.model.context is not None
    bare = train(small_data, to=tmp_path / "bare", epochs=1, overrides=options, progress=notes)
    assert isinstance(bare.model, CrossModalModel)
    assert bare.model.context is None
    assert "nearly the same place" in notes.notes[0]


def test_a_model_learns_which_particle_is_from_which_place(placed_data: DataSet, tmp_path: Path) -> None:
    options = (*_CONTEXT_ALONE, "context.hide=0.0", "training.validation_share=0.0")
    train(placed_data, to=tmp_path / "run", epochs=8, overrides=options)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    losses = [line["context"] for line in lines if "context" in line]
    assert losses[-1] < 0.8 * losses[0]


def test_one_place_alone_is_refused_where_nothing_else_is_learnt(small_data: DataSet, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contexts are all that this recipe learns from"):
        train(small_data, to=tmp_path / "run", epochs=1, overrides=_CONTEXT_ALONE)


def test_a_training_that_was_interrupted_ends_as_an_unbroken_one(placed_data: DataSet, tmp_path: Path) -> None:
    class Interrupt(Silence):
        left = 4

        def advance(self, amount: float = 1, detail: str = "") -> None:
            self.left -= detail.startswith("loss")
            if self.left == 0:
                self.left = -1
                os.kill(os.getpid(), signal.SIGINT)

    whole = train(placed_data, to=tmp_path / "whole", epochs=2, overrides=_CONTEXT_ALONE)
    with pytest.raises(KeyboardInterrupt):
        train(placed_data, to=tmp_path / "cut", epochs=2, overrides=_CONTEXT_ALONE, progress=Interrupt())
    resumed = train(placed_data, to=tmp_path / "cut", resume=True)
    assert resumed.model_id == whole.model_id
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_an_untrained_run_has_the_same_tower_with_other_weights(placed_data: DataSet) -> None:
    recipe = load_recipe("default", _CONTEXT_ALONE)
    one, other = untrained_run(placed_data, recipe, 0), untrained_run(placed_data, recipe, 1)
    assert one.preparation == other.preparation
    assert isinstance(one.model, CrossModalModel)
    assert isinstance(other.model, CrossModalModel)
    features = torch.ones(1, 22)
    assert not torch.allclose(one.model.encode_contexts(features), other.model.encode_contexts(features))


def test_a_weight_without_a_tower_is_refused() -> None:
    with pytest.raises(UsageError, match=r"model\.context"):
        load_recipe("default", ["loss.context=1.0"])
