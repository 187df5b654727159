"""A frozen picture tower beside a profile tower that learns: looked at once, in a few views, neighbours included."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from seston.errors import UsageError
from seston.models import CrossModalModel, ModelConfig
from seston.models.config import ImageTowerConfig, Inputs
from seston.models.crossmodal import image_tower
from seston.models.timm_tower import TimmTower
from seston.particle import Silence
from seston.store import DataSet
from seston.training import train, untrained_run
from seston.training.batches import gather
from seston.training.frozen_features import FrozenFeatures, frozen_features
from seston.training.job import Job, prepare_job
from seston.training.learner import Learner, make_learner
from seston.training.learning_state import copied_weights
from seston.training.neighbourhood import Neighbourhood, searched_rows
from seston.training.new_learner import new_learner
from seston.training.processes import Processes, joined_processes
from seston.training.recipe import load_recipe
from seston.training.run import new_model

_FROZEN = ("model.image.frozen=true", "training.frozen_views=3", "training.batch=25")
_NEIGHBOURS = ("neighbours.start=0.3", "neighbours.every=0.3")


def _looked_at(data: DataSet, kept: Path, processes: Processes) -> tuple[Job, CrossModalModel, FrozenFeatures]:
    recipe = load_recipe("tiny", _FROZEN)
    job = prepare_job(data, recipe, (None, 0), kept, processes, Silence())
    model = new_model(recipe, job.preparation, 0)
    assert isinstance(model, CrossModalModel)
    found = frozen_features(
        model, model.tower_features, 3, recipe, job.preparation, job.train, job.validation, kept / "features",
        processes, Silence(),
    )  # fmt: skip
    return job, model, found


def test_the_tower_stays_and_everything_else_learns(small_data: DataSet, tmp_path: Path) -> None:
    recipe = load_recipe("tiny", (*_FROZEN, *_NEIGHBOURS))
    run = train(small_data, recipe=recipe, to=tmp_path / "run", epochs=4)
    before, after = untrained_run(small_data, recipe).model.state_dict(), run.model.state_dict()
    still = {name for name in after if torch.equal(before[name], after[name])}
    assert {name for name in after if name.startswith("image_tower.")} <= still
    for part in ("profile_tower.", "image_head.", "profile_head.", "fused_head.", "image_within_head."):
        assert any(name.startswith(part) and name not in still for name in after), part
    assert not (tmp_path / "run" / "state" / "features").exists()


def test_neighbours_are_those_that_the_tower_itself_would_find(small_data: DataSet, tmp_path: Path) -> None:
    with joined_processes("cpu") as processes:
        job, model, found = _looked_at(small_data, tmp_path, processes)
        rows = searched_rows(len(job.train), 0)
        near = []
        for frozen in (None, found):
            one = Neighbourhood(job.recipe.neighbours, job.train, rows, (), frozen)
            one.search_if_due(model, job.preparation, 1.0, processes.device)
            assert one.near is not None
            near.append(one.near[:, 0])
    assert np.mean(near[0] == near[1]) > 0.95  # what is kept has half the digits


def test_a_step_sees_the_views_that_were_kept(small_data: DataSet, tmp_path: Path) -> None:
    with joined_processes("cpu") as processes:
        job, model, found = _looked_at(small_data, tmp_path, processes)
        learner = make_learner(job.recipe, job.preparation, model, processes, frozen=found)
        rows = np.arange(20)
        seen = learner._view(gather(job.train, rows, 0), (0, 0, 0), held_out=False).image
    kept = torch.from_numpy(np.asarray(found.train[:, rows], np.float32))
    which = [[bool(torch.equal(view[row], seen[row])) for view in kept] for row in range(len(rows))]
    assert all(any(row) for row in which)
    assert len({row.index(True) for row in which}) == 3
    assert not torch.equal(kept[0], kept[1])


@pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed (extra towers)")
def test_blocks_behind_frozen_ones_learn(small_data: DataSet, tmp_path: Path) -> None:
    tower = 'model.image={tower="timm:tf_efficientnet_lite0", frozen_blocks=5}'
    recipe = load_recipe("tiny", (tower, *_FROZEN[1:], *_NEIGHBOURS, "pictures.size=32"))
    run = train(small_data, recipe=recipe, to=tmp_path / "run", epochs=1)
    before, after = untrained_run(small_data, recipe).model.state_dict(), run.model.state_dict()
    moved = {name.removeprefix("image_tower.network.") for name in after if not torch.equal(before[name], after[name])}
    assert not [name for name in moved if name.startswith(("conv_stem", "bn1", "blocks.0.", "blocks.4."))]
    assert all(any(name.startswith(part) for name in moved) for part in ("blocks.5.", "blocks.6.", "conv_head"))


@pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed (extra towers)")
def test_blocks_behind_frozen_ones_stay_too_until_they_thaw(small_data: DataSet, tmp_path: Path) -> None:
    tower = 'model.image={tower="timm:tf_efficientnet_lite0", frozen_blocks=5, fixed=["norms"]}'
    recipe = load_recipe("tiny", (tower, *_FROZEN[1:], *_NEIGHBOURS, "pictures.size=32", "training.thaw=0.5"))
    with joined_processes("cpu") as processes:
        job = prepare_job(small_data, recipe, (None, 0), tmp_path, processes, Silence())
        learner, _ = new_learner(small_data, job, tmp_path / "features", processes, Silence())
        assert isinstance(learner, Learner)
        assert learner.frozen is not None
        before = copied_weights(learner.model)
        batch = gather(job.train, np.arange(20), 0)
        seen = {}
        for number, used in enumerate((0.1, 0.6)):
            learner.step([batch], 0, number, used)
            after = copied_weights(learner.model)
            seen[used] = {name for name in after if not torch.equal(before[name], after[name])}
    assert not any(name.startswith("image_tower.") for name in seen[0.1])
    assert any(name.startswith("profile_tower.") for name in seen[0.1])
    assert any(name.startswith("image_tower.network.blocks.6.") for name in seen[0.6])


@pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed (extra towers)")
def test_a_tower_says_the_same_of_pictures_and_of_what_its_frozen_blocks_found() -> None:
    config = ImageTowerConfig(tower="timm:tf_efficientnet_lite0", frozen_blocks=3)
    inputs = Inputs(
        picture_size=48, picture_channels=1, picture_sizes=0, profile_channels=2, profile_length=16, profile_sizes=0
    )
    model = CrossModalModel(ModelConfig(image=config), inputs).eval()
    tower = model.image_tower
    pictures = torch.rand(2, 1, 48, 48) * 2 - 1
    assert isinstance(tower, TimmTower)
    with torch.no_grad():
        found = tower.before(pictures)
        assert found.shape == (2, model.frozen_numbers)
        torch.testing.assert_close(tower.behind(found), tower(pictures), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(tower.behind(found[:, None]), tower(pictures), rtol=1e-4, atol=1e-5)


def test_what_blocks_found_is_not_taken_for_what_the_tower_found() -> None:
    kept = np.arange(2 * 3 * 8, dtype=np.float16).reshape(2, 3, 8)
    found = FrozenFeatures(kept, kept[0], blocks=4)  # as many numbers of the blocks as of the tower
    rows = np.array([2, 0])
    assert torch.equal(found.as_measured(rows), torch.from_numpy(kept[0, rows, None, :4]).float())
    assert torch.equal(found.of_validation(rows, whole=True), torch.from_numpy(kept[0, rows, 4:]).float())
    assert found.of_train(rows, np.array([0.9, 0.1])).shape == (2, 1, 4)
    assert torch.equal(found.of_train(rows, np.array([0.9, 0.1]), whole=True)[0], torch.arange(44.0, 48.0))


def test_towers_that_cannot_be_cut_there_are_refused() -> None:
    pytest.importorskip("timm")
    inputs = Inputs(
        picture_size=48, picture_channels=1, picture_sizes=0, profile_channels=2, profile_length=16, profile_sizes=0
    )
    with pytest.raises(UsageError, match="frozen_blocks is 7; the tower has 7 blocks"):
        image_tower(ImageTowerConfig(tower="timm:tf_efficientnet_lite0", frozen_blocks=7), inputs)
    with pytest.raises(UsageError, match="is not of the EfficientNet family"):
        image_tower(ImageTowerConfig(tower="timm:test_vit", frozen_blocks=1), inputs)


def test_blocks_are_not_frozen_where_nobody_keeps_what_they_find() -> None:
    with pytest.raises(UsageError, match="frozen_blocks is for recipes of pictures and profiles or texts"):
        load_recipe("supervised", ("model.image.frozen_blocks=2",))
    with pytest.raises(UsageError, match="frozen blocks are for towers of timm"):
        load_recipe("default", ("model.image.frozen_blocks=2",))
    with pytest.raises(UsageError, match="set both or neither"):
        load_recipe("default", ("training.thaw=0.3",))


@pytest.mark.parametrize("views", [0, -1])
def test_a_particle_is_kept_at_least_as_it_was_measured(views: int) -> None:
    with pytest.raises(UsageError, match=f"frozen_views is {views}; it must be 1 or more"):
        load_recipe("default", (f"training.frozen_views={views}",))
