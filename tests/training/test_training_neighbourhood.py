"""Neighbours as second views: who is chosen, who is spared, and that a broken training goes on exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from seston.features import Measures
from seston.particle import Silence
from seston.store import DataSet
from seston.training import load_run, train
from seston.training.batches import gather
from seston.training.neighbourhood import Neighbourhood, searched_rows
from seston.training.particles import choose_particles, common_channels
from seston.training.preparation import read_preparation
from seston.training.recipe import load_recipe
from seston.training.run import new_model
from seston.training.settings import NeighbourSettings
from seston.training.sources import direct_source
from seston.training.statistics import blank_preparation, measured_preparation

_NEIGHBOURS = ("neighbours.start=0.3", "neighbours.every=0.3", "training.batch=25")


def _neighbourhood(data: DataSet, **settings: Any) -> tuple[Neighbourhood, torch.nn.Module]:
    recipe = load_recipe("tiny")
    chosen = choose_particles(data, (True, True))
    source = direct_source(data, chosen, blank_preparation(recipe, common_channels(chosen)), [])
    preparation = measured_preparation(blank_preparation(recipe, common_channels(chosen)), source, 0)
    model = new_model(recipe, preparation, 0)
    known = Neighbourhood(NeighbourSettings(start=0.5, **settings), source, searched_rows(len(source), 0))
    known.search_if_due(model, preparation, 0.6, torch.device("cpu"))  # type: ignore[arg-type]  # a model of both
    return known, model


def test_before_the_first_search_each_particle_is_its_own_partner(small_data: DataSet) -> None:
    known, _ = _neighbourhood(small_data)
    known.near = None
    batch = gather(known.source, np.arange(10), 0)
    assert known.second(batch, (0, 0)) is batch


def test_partners_are_near_particles_of_other_samples_and_the_same_each_time(small_data: DataSet) -> None:
    known, _ = _neighbourhood(small_data, nearest=3)
    sample = known.source.chosen.sample
    batch = gather(known.source, np.arange(len(sample)), 0)
    partners = known.second(batch, (0, 7)).rows
    assert known.near is not None
    assert (sample[partners] != sample).all()
    assert all(partner in known.near[row, :3] for row, partner in enumerate(partners))
    assert (known.second(batch, (0, 7)).rows == partners).all()
    assert (known.second(batch, (0, 8)).rows != partners).any()


def test_with_a_share_of_nothing_nobody_stands_in(small_data: DataSet) -> None:
    known, _ = _neighbourhood(small_data, share=0.0)
    batch = gather(known.source, np.arange(20), 0)
    assert (known.second(batch, (0, 0)).rows == batch.rows).all()


def test_neighbours_and_the_particle_itself_are_spared_both_ways(small_data: DataSet) -> None:
    known, _ = _neighbourhood(small_data, spared=2)
    assert known.near is not None
    rows = torch.tensor([0, int(known.near[0, 1]), 0, int(known.near[0, 2])])
    alike = known.alike(rows)
    near = known.near[:, :2]
    for one in range(4):
        for other in range(4):
            first, second = int(rows[one]), int(rows[other])
            wanted = first == second or second in near[first] or first in near[second]
            assert bool(alike[one, other]) == wanted


def test_searches_happen_when_they_are_due_and_not_again_before_the_next(small_data: DataSet) -> None:
    known, model = _neighbourhood(small_data, every=0.2)
    before = known.near
    preparation = measured_preparation(
        blank_preparation(load_recipe("tiny"), common_channels(known.source.chosen)), known.source, 0
    )
    known.search_if_due(model, preparation, 0.69, torch.device("cpu"))  # type: ignore[arg-type]  # a model of both
    assert known.near is before
    assert known.searches == 1
    known.search_if_due(model, preparation, 0.71, torch.device("cpu"))  # type: ignore[arg-type]  # a model of both
    assert known.near is not before
    assert known.searches == 2


def test_of_many_particles_a_fixed_part_is_searched() -> None:
    rows = searched_rows(20_000, 3)
    assert len(rows) == 8000
    assert len(np.unique(rows)) == 8000
    assert (rows == searched_rows(20_000, 3)).all()
    assert (searched_rows(500, 3) == np.arange(500)).all()


def test_a_training_with_neighbours_that_is_broken_off_ends_as_an_unbroken_one(
    small_data: DataSet, tmp_path: Path
) -> None:
    class Interrupted(Silence):
        left = 9

        def advance(self, amount: float = 1, detail: str = "") -> None:
            if detail.startswith("loss"):
                self.left -= 1
                if not self.left:
                    raise RuntimeError("lights out")

    options = (*_NEIGHBOURS, "training.checkpoint_steps=4")
    torch.set_num_threads(1)
    train(small_data, recipe="tiny", to=tmp_path / "whole", epochs=4, overrides=options)
    with pytest.raises(RuntimeError, match="lights out"):
        train(small_data, recipe="tiny", to=tmp_path / "broken", epochs=4, overrides=options, progress=Interrupted())
    train(small_data, recipe="tiny", to=tmp_path / "broken", epochs=4, overrides=options, resume=True)
    whole, broken = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "broken"))
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    plain = train(small_data, recipe="tiny", to=tmp_path / "plain", epochs=4, overrides=("training.batch=25",))
    assert any(not torch.equal(whole[name], tensor) for name, tensor in plain.model.state_dict().items())


def test_measured_features_are_kept_with_the_run_and_change_its_name(small_data: DataSet, tmp_path: Path) -> None:
    run = train(small_data, recipe="tiny", to=tmp_path / "run", epochs=1, overrides=("measured=true",))
    measures = read_preparation(tmp_path / "run" / "preparation.json").measures
    assert isinstance(measures, Measures)
    assert any(name.startswith("picture: ") for name in measures.picture)
    assert any(name.startswith("pulse: ") for name in measures.signal)
    assert load_run(tmp_path / "run").model_id == run.model_id
    without = train(small_data, recipe="tiny", to=tmp_path / "without", epochs=1)
    assert without.model_id != run.model_id
    assert "measures" not in (tmp_path / "without" / "preparation.json").read_text()


def test_neighbours_need_a_loss_between_views() -> None:
    words = ("loss.within_image=0", "loss.within_profile=0", "loss.fused=0", "neighbours.start=0.2")
    assert load_recipe("default").uses_neighbours
    assert not load_recipe("default", words).uses_neighbours
    assert not load_recipe("default", ("neighbours.start=1.0",)).uses_neighbours
