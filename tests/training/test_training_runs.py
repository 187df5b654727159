"""Whole trainings on a small simulated data set."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seston.errors import NotFoundError, TrainingError, UsageError
from seston.models.torchvision_shim import mend_torchvision
from seston.particle import Annotation, Silence
from seston.store import DataSet
from seston.training import Run, load_recipe, load_run, make_batch, train, untrained_run
from seston.training.particles import choose_particles, take_particles


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def run(small_data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(small_data, recipe="tiny", to=tmp_path_factory.mktemp("run") / "run")


def _weights(run: Run) -> dict[str, torch.Tensor]:
    return dict(run.model.state_dict())


def _same_weights(one: Run, other: Run) -> bool:
    return all(torch.equal(tensor, _weights(other)[name]) for name, tensor in _weights(one).items())


def test_a_run_folder_holds_all_that_is_needed_and_nothing_to_unpickle(run: Run) -> None:
    assert run.path is not None
    names = {path.name for path in run.path.iterdir()}
    assert names >= {"model.safetensors", "recipe.toml", "preparation.json", "metrics.jsonl", "README.md", "state"}
    assert not [path for path in run.path.rglob("*") if path.suffix in (".pt", ".pth", ".pkl")]
    assert not (run.path / "state" / "prepared").exists()
    assert load_recipe(run.path / "recipe.toml") == run.recipe


def test_a_loaded_run_gives_the_same_vectors_under_the_same_id(run: Run, small_data: DataSet) -> None:
    assert run.path is not None
    loaded = load_run(run.path)
    assert (loaded.model_id, loaded.steps, loaded.best) == (run.model_id, run.steps, run.best)
    batch = make_batch(take_particles(small_data, np.arange(5)), loaded.preparation)
    with torch.no_grad():
        one, other = run.model(batch), loaded.model(batch)
    assert torch.equal(one.image, other.image)
    assert torch.equal(one.profile_features, other.profile_features)
    assert one.fused is not None
    norms = torch.stack([one.image.norm(dim=1), one.profile.norm(dim=1), one.fused.norm(dim=1)])
    torch.testing.assert_close(norms, torch.ones_like(norms))


def test_the_loss_falls(run: Run) -> None:
    assert run.path is not None
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[-1] < losses[0]
    assert run.best is not None


def test_the_model_card_says_simulated_and_names_data_and_recipe(run: Run) -> None:
    assert run.path is not None
    card = (run.path / "README.md").read_text(encoding="utf-8")
    for words in ("simulated data", "`tiny`", run.model_id, "licences", "for training", "[training]"):
        assert words in card


def test_the_same_call_gives_the_same_weights(run: Run, small_data: DataSet, tmp_path: Path) -> None:
    assert _same_weights(run, train(small_data, recipe="tiny", to=tmp_path / "again"))


def test_labels_change_nothing(run: Run, small_data: DataSet, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    small_data.annotate(
        [Annotation(particle_id=small_data.ids()[0], label="x", status="validated", author="y", time=datetime.now(UTC))]
    )
    assert _same_weights(run, train(small_data, recipe="tiny", to=tmp_path / "labelled"))


def test_number_of_workers_and_the_cache_change_nothing(run: Run, small_data: DataSet, tmp_path: Path) -> None:
    other = train(
        small_data, recipe="tiny", to=tmp_path / "other", overrides=["training.workers=3", "training.cache=false"]
    )
    assert _same_weights(run, other)


def test_the_generator_of_the_caller_is_left_alone(small_data: DataSet, tmp_path: Path) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    train(small_data, recipe="tiny", to=tmp_path / "run", epochs=1)
    assert torch.equal(before, torch.get_rng_state())


def test_an_existing_run_is_refused_resumed_or_replaced(small_data: DataSet, tmp_path: Path) -> None:
    to = tmp_path / "run"
    first = train(small_data, recipe="tiny", to=to, epochs=1)
    with pytest.raises(UsageError, match="a run is there already"):
        train(small_data, recipe="tiny", to=to, epochs=1)
    assert train(small_data, to=to, resume=True).model_id == first.model_id
    with pytest.raises(UsageError, match=r"was begun with training\.batch = 32, and is now to be resumed with 16"):
        train(small_data, recipe="tiny", to=to, epochs=1, overrides=["training.batch=16"], resume=True)
    other = train(small_data, recipe="tiny", to=to, epochs=1, overrides=["seed=5"], overwrite=True)
    assert other.model_id != first.model_id
    assert load_run(to).model_id == other.model_id


def test_a_folder_that_is_no_run_is_never_touched(small_data: DataSet, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match="holds no run"):
        train(small_data, recipe="tiny", to=tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_a_run_that_is_not_there_or_has_not_ended_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not a run"):
        load_run(tmp_path)
    (tmp_path / "recipe.toml").write_text(load_recipe("tiny").to_toml())
    with pytest.raises(NotFoundError, match="has not ended"):
        load_run(tmp_path)


def test_minutes_end_the_training_and_its_schedule(small_data: DataSet, tmp_path: Path) -> None:
    run = train(small_data, recipe="tiny", to=tmp_path / "run", minutes=0.05)
    assert 3 <= run.seconds < 9
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    rates = [line["learning_rate"] for line in map(json.loads, lines) if "learning_rate" in line]
    assert rates[-1] < 0.3 * max(rates)


def test_patience_ends_a_training_that_gets_no_better(small_data: DataSet, tmp_path: Path) -> None:
    overrides = ["training.patience=2", "training.validation_steps=1", "optimiser.learning_rate=1e-12"]
    run = train(small_data, recipe="tiny", to=tmp_path / "run", epochs=40, overrides=overrides)
    assert run.steps < 60


def test_shuffled_pairs_have_the_pictures_of_one_and_the_profiles_of_another(
    run: Run, small_data: DataSet, tmp_path: Path
) -> None:
    control = train(small_data, recipe="tiny", to=tmp_path / "run", shuffle_pairs=True)
    assert control.preparation == run.preparation
    assert not _same_weights(control, run)
    assert "A control" in (tmp_path / "run" / "README.md").read_text()


def test_only_the_training_part_of_a_split_is_learnt_from(small_data: DataSet, tmp_path: Path) -> None:
    small_data.split("parts", by="image", mode="single")
    run = train(small_data, recipe="tiny", to=tmp_path / "run", split="parts", epochs=1)
    saved = small_data.load_split("parts")
    card = (tmp_path / "run" / "README.md").read_text()
    assert f"{len(saved.ids_of(0, 'train'))} for training" in card
    assert f"{len(saved.ids_of(0, 'validation'))} held out" in card
    assert run.steps == -(-len(saved.ids_of(0, "train")) // 32)


@pytest.mark.parametrize("recipe", ["image-only", "profile-only"])
def test_one_modality_alone_can_be_learnt_from(recipe: str, small_data: DataSet, tmp_path: Path) -> None:
    tiny = load_recipe("tiny")
    loss = load_recipe(recipe).loss
    from msgspec.structs import replace as changed

    run = train(small_data, recipe=changed(tiny, loss=loss), to=tmp_path / "run", epochs=1)
    assert run.best is not None


def test_pictures_without_a_single_profile_can_be_learnt_from(tmp_path: Path) -> None:
    from msgspec.structs import replace as changed
    from PIL import Image

    from seston.store import open_data_set

    noise = np.random.default_rng(0)
    for number in range(40):
        picture = tmp_path / "pictures" / "Ceratium" / f"{number}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise.integers(0, 255, (40, 50), np.uint8)).save(picture)
    data = open_data_set(tmp_path / "data", create=True)
    data.import_([tmp_path / "pictures"])
    recipe = changed(load_recipe("tiny"), loss=load_recipe("image-only").loss)
    assert train(data, recipe=recipe, to=tmp_path / "run", epochs=1).steps > 0


def test_a_budget_that_ends_before_the_first_step_still_gives_a_run(small_data: DataSet, tmp_path: Path) -> None:
    run = train(small_data, recipe="tiny", to=tmp_path / "run", minutes=1e-6)
    assert run.steps == 0
    assert run.best is not None


def test_without_pairs_the_error_says_what_to_do(tmp_path: Path) -> None:
    from seston.store import open_data_set

    data = open_data_set(tmp_path / "empty", create=True)
    with pytest.raises(UsageError, match="both a picture and a profile"):
        train(data, recipe="tiny", to=tmp_path / "run")


def test_an_untrained_run_has_the_first_weights_and_the_same_preparation(run: Run, small_data: DataSet) -> None:
    untrained = untrained_run(small_data, load_recipe("tiny"), seed=0)
    assert untrained.path is None
    assert untrained.steps == 0
    assert untrained.preparation.channels == run.preparation.channels
    assert untrained.model_id != run.model_id
    assert untrained_run(small_data, "tiny", seed=1).model_id != untrained.model_id


def test_a_loss_that_is_no_number_stops_with_the_particles(small_data: DataSet, tmp_path: Path) -> None:
    overrides = [f"optimiser.{key}" for key in ("name=sgd", "learning_rate=1e30", "warmup=0", "clip_norm=0")]
    with pytest.raises(TrainingError, match=r"step \d+: .*particles of the batch: .*/\d+") as caught:
        train(small_data, recipe="tiny", to=tmp_path / "run", epochs=30, overrides=overrides)
    assert any(name in str(caught.value) for name in small_data.ids())
    assert not (tmp_path / "run" / "run.json").exists()


class _Interrupt(Silence):
    """Press Ctrl-C after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def advance(self, amount: float = 1, detail: str = "") -> None:
        if detail.startswith("loss"):
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_saves_and_a_resumed_training_ends_as_an_unbroken_one(
    run: Run, small_data: DataSet, tmp_path: Path
) -> None:
    assert threading.current_thread() is threading.main_thread()
    with pytest.raises(KeyboardInterrupt):
        train(small_data, recipe="tiny", to=tmp_path / "run", progress=_Interrupt(3))
    assert [path.name for path in (tmp_path / "run" / "state").glob("checkpoint-*")] == ["checkpoint-000000003"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    resumed = train(small_data, recipe="tiny", to=tmp_path / "run", resume=True)
    assert _same_weights(run, resumed)


def test_a_run_begun_with_other_particles_is_not_resumed(small_data: DataSet, tmp_path: Path) -> None:
    small_data.split("halves", by="image", mode="kfold", folds=2)
    with pytest.raises(KeyboardInterrupt):
        train(small_data, recipe="tiny", to=tmp_path / "run", progress=_Interrupt(2))
    with pytest.raises(UsageError, match="begun with other particles"):
        train(small_data, recipe="tiny", to=tmp_path / "run", split="halves", resume=True)


def test_tensorboard_files_are_written_where_the_recipe_wants_them(small_data: DataSet, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    train(small_data, recipe="tiny", to=tmp_path / "run", epochs=1, overrides=["training.tensorboard=true"])
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))


def test_chosen_particles_are_those_that_have_what_is_needed(small_data: DataSet) -> None:
    chosen = choose_particles(small_data, (True, True), wanted=set(small_data.ids()[3:6]))
    assert chosen.rows.tolist() == [3, 4, 5]
    assert chosen.ids == small_data.ids()[3:6]
    assert replace(chosen).fingerprint() == chosen.fingerprint()


@pytest.mark.parametrize("precision", ["bfloat16"])
def test_half_precision_trains_too(precision: str, small_data: DataSet, tmp_path: Path) -> None:
    run = train(small_data, recipe="tiny", to=tmp_path / "run", epochs=1, overrides=[f"training.precision={precision}"])
    assert run.best is not None
    assert np.isfinite(run.best)


def test_the_papers_recipe_trains_with_small_towers_from_random_weights(small_data: DataSet, tmp_path: Path) -> None:
    mend_torchvision()
    pytest.importorskip("timm")
    overrides = [
        "model.image.tower=timm:test_convnext", "model.image.weights=random", "pictures.size=32",
        "profiles.length=32", "training.batch=50",
    ]  # fmt: skip
    run = train(small_data, recipe="paper-convnext-femto-cnn", to=tmp_path / "run", epochs=1, overrides=overrides)
    assert load_run(tmp_path / "run").model_id == run.model_id
