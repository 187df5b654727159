"""Learning by DINO: cards, teacher, loss, resuming, and vectors of pictures alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from seston.errors import MissingExtraError, UsageError
from seston.models.dino import ImageModel
from seston.particle import Silence
from seston.recognition import Model, embed
from seston.store import DataSet
from seston.training import load_recipe, load_run, train, untrained_run
from seston.training.checkpoint import last_checkpoint

CARDS = {
    "paper-dino-convnext-femto": ("timm:convnext_femto", 1e-4),
    "paper-dino-efficientnet-b0": ("timm:efficientnet_b0", 5e-3),
    "paper-dino-vit-tiny": ("timm:vit_tiny_patch16_224", 1e-4),
}
TINY = (
    "pictures.size=32", "model.embedding=32", 'model.image={width=8, blocks=[1, 1]}', "training.batch=25",
    "dino.views.small=1", "dino.prototypes=64", "dino.head_hidden=32", "dino.head_narrow=16", "training.device=cpu",
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", CARDS)
def test_the_cards_hold_the_papers_numbers(name: str) -> None:
    recipe = load_recipe(name)
    dino, optimiser, training = recipe.dino, recipe.optimiser, recipe.training
    assert dino is not None
    tower, rate = CARDS[name]
    assert (recipe.model.image.tower, recipe.model.image.weights, recipe.model.embedding) == (tower, "hub", 512)
    assert (optimiser.name, optimiser.learning_rate, optimiser.weight_decay) == ("adamw", rate, 0.04)
    assert optimiser.learning_rate * optimiser.final_share == pytest.approx(1e-5)
    assert optimiser.warmup * 300 == pytest.approx(10)
    assert (training.epochs, training.batch, training.patience) == (300, 512, 30)
    assert (dino.head_hidden, dino.head_narrow, dino.prototypes, dino.head_batch_norm) == (256, 64, 512, False)
    assert (dino.student_temperature, dino.teacher_temperature, dino.centre_momentum) == (0.1, (0.04, 0.07), 0.9)
    assert dino.teacher_warmup * 300 == pytest.approx(30)
    assert dino.frozen_epochs == 1
    assert (dino.momentum, dino.final_weight_decay, dino.schedule) == ((0.996, 1.0), 0.4, "epoch")
    assert (dino.teacher_mode, dino.teacher_head, dino.keep, dino.drop_path) == (
        "training",
        "own",
        "training-loss",
        0.1,
    )
    views = dino.views
    assert (recipe.pictures.size, round(views.small_share * 224), views.small) == (224, 96, 6)
    assert (views.large_area, views.small_area) == ((0.4, 1.0), (0.1, 0.4))
    assert views.ratio == pytest.approx(4 / 3)
    assert (views.mirror, views.turn_over, views.jitter, views.brightness, views.contrast) == (0.5, 0.0, 0.8, 0.4, 0.4)
    assert (views.blur, views.small_blur, views.blur_width, views.solarise) == ((1.0, 0.1), 0.5, (0.1, 2.0), 0.2)
    assert (recipe.sizes, recipe.pictures.centre, recipe.needs) == ("none", "range", (True, False))


def test_the_recipe_for_a_cpu_mends_what_the_paper_does_by_mistake() -> None:
    recipe = load_recipe("dino")
    dino = recipe.dino
    assert dino is not None
    assert (dino.teacher_mode, dino.teacher_head, dino.schedule, dino.keep) == ("evaluation", "copy", "step", "last")
    assert recipe.model.image.tower == "conv"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("dino.momentm=[0.9, 1]", "unknown key 'dino.momentm'; did you mean 'dino.momentum'?"),
        ("dino.views.smal=3", "unknown key 'dino.views.smal'; did you mean 'dino.views.small'?"),
        ("dino.keep=lst", "keep 'lst' is unknown; did you mean 'last'?"),
        ("dino.views.small_area=[0.4, 0.1]", "the lesser first"),
        ("dino.teacher_temperature=[0.0, 0.1]", "a temperature must lie above 0"),
    ],
)
def test_a_wrong_key_or_value_is_refused(override: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe("paper-dino-vit-tiny", [override])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_misspelt_key_is_refused_by_the_command_line_before_torch_loads(tmp_path: Path) -> None:
    code = (
        "import sys; from seston.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: code = end.code\n"
        "print(code, 'torch' in sys.modules)"
    )
    words = ["train", str(tmp_path), "--to", str(tmp_path / "run"), "--recipe", "paper-dino-vit-tiny"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--set", "dino.moment=1"], capture_output=True, text=True, timeout=100
    )
    assert done.stdout.split()[-2:] == ["2", "False"], done.stderr
    assert "did you mean 'dino.momentum'?" in done.stderr


def test_without_lightly_one_line_says_what_to_install(
    small_data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'seston\[dino\]'") as caught:
        train(small_data, recipe="dino", to=tmp_path / "run", epochs=1, overrides=TINY)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def numbers(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_the_loss_falls_the_teacher_moves_and_the_vectors_do_not_collapse(small_data: DataSet, tmp_path: Path) -> None:
    overrides = [*TINY, "dino.final_weight_decay=0.4"]
    run = train(small_data, recipe="dino", to=tmp_path / "run", epochs=15, overrides=overrides)
    assert isinstance(run.model, ImageModel)
    logged = [line for line in numbers(tmp_path / "run") if "loss" in line]
    assert run.steps == 60
    assert logged[-1]["loss"] < logged[0]["loss"] - 0.4
    assert logged[-1]["spread"] > 0.1
    assert logged[-1]["weight_decay"] > 0.35 > 0.05 > logged[0]["weight_decay"]
    assert logged[0]["momentum"] < 0.999 < logged[-1]["momentum"]
    start = untrained_run(small_data, run.recipe).model.state_dict()
    moved = {name: not torch.equal(start[name], tensor) for name, tensor in run.model.state_dict().items()}
    assert all(moved.values()), moved
    vectors = embed(small_data, Model(run))
    assert vectors.has_image.all()
    assert not vectors.has_profile.any()
    assert vectors.profile.shape[1] == vectors.shared_profile.shape[1] == 0
    assert np.isfinite(vectors.image).all()
    assert np.linalg.norm(vectors.shared_image, axis=1) == pytest.approx(1, abs=1e-5)
    alike = vectors.shared_image @ vectors.shared_image.T
    assert alike[~np.eye(len(alike), dtype=bool)].mean() < 0.97
    again = load_run(tmp_path / "run")
    assert again.model_id == run.model_id
    assert embed(small_data, Model(again)).shared_image == pytest.approx(vectors.shared_image)


class Stop(Silence):
    """Interrupts a training at a step, as Ctrl-C does."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def advance(self, amount: float = 1, detail: str = "") -> None:
        if detail.startswith("loss"):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["dino", "paper-dino-convnext-femto"])
def test_an_interrupted_training_ends_bit_for_bit_as_an_unbroken_one(
    small_data: DataSet, tmp_path: Path, name: str
) -> None:
    hard = [*TINY, "training.checkpoint_steps=3", "training.accumulation=2", "training.validation_steps=2"]
    hard += ["model.image={tower='conv', weights='random', width=8, blocks=[1, 1]}", "dino.teacher_warmup=0.5"]
    unbroken = train(small_data, recipe=name, to=tmp_path / "unbroken", epochs=5, overrides=hard)
    assert unbroken.steps == 10
    for steps in (4, 4):
        with pytest.raises(KeyboardInterrupt):
            train(
                small_data, recipe=name, to=tmp_path / "broken", epochs=5, overrides=hard, resume=True,
                progress=Stop(steps),
            )  # fmt: skip
        assert last_checkpoint(tmp_path / "broken" / "state") is not None
    broken = train(small_data, recipe=name, to=tmp_path / "broken", epochs=5, overrides=hard, resume=True)
    assert broken.steps == 10
    whole, pieces = (load_file(tmp_path / which / "model.safetensors") for which in ("unbroken", "broken"))
    assert whole.keys() == pieces.keys()
    assert all(torch.equal(whole[key], pieces[key]) for key in whole)
    assert numbers(tmp_path / "unbroken") == numbers(tmp_path / "broken")
    judged = [line for line in numbers(tmp_path / "broken") if "epoch_loss" in line]
    assert bool(judged) == (name != "dino")
    assert (broken.best is None) == (name == "dino")


def test_a_noisy_teacher_of_a_timm_tower_learns_too(small_data: DataSet, tmp_path: Path) -> None:
    overrides = [
        *TINY, "model.image={tower='timm:tf_efficientnet_lite0', weights='random'}", "training.batch=50",
        "training.precision=float32",
    ]  # fmt: skip
    run = train(small_data, recipe="paper-dino-efficientnet-b0", to=tmp_path / "run", epochs=1, overrides=overrides)
    assert run.best is not None
    statistics = [tensor for key, tensor in run.model.state_dict().items() if key.endswith("running_mean")]
    assert all(tensor.abs().max() > 0 for tensor in statistics)  # the teacher's own
    vectors = embed(small_data, Model(run))
    assert np.isfinite(vectors.shared_image).all()
    assert vectors.shared_image.std(axis=0).max() > 1e-3


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(small_data: DataSet, tmp_path: Path) -> None:
    # two plain steps down the gradient: a wrong share of it shows, and rounding does not build up
    options = [
        *TINY, "training.batch=50", "dino.head_batch_norm=false", "dino.momentum=[0.5, 0.5]", "optimiser.name=sgd",
        "optimiser.learning_rate=1e-2", "optimiser.clip_norm=0", "optimiser.momentum=0.0",
    ]  # fmt: skip
    run = train(small_data, recipe="dino", to=tmp_path / "one", epochs=1, overrides=options)
    code = (
        "import sys, torch; torch.set_num_threads(1)\n"
        "from seston.store import open_data_set\n"
        "from seston.training import train\n"
        "train(open_data_set(sys.argv[1]), recipe='dino', to=sys.argv[2], epochs=1, overrides=sys.argv[3:])"
    )
    meeting = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(small_data.path), str(tmp_path / "two"), *options],
            env=os.environ | meeting | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    for worker in workers:
        _, words = worker.communicate(timeout=200)
        assert worker.returncode == 0, words
    one, two = numbers(tmp_path / "one"), numbers(tmp_path / "two")
    assert [line["loss"] for line in two] == pytest.approx([line["loss"] for line in one], abs=1e-4)
    first, second = (load_file(tmp_path / which / "model.safetensors") for which in ("one", "two"))
    start = untrained_run(small_data, run.recipe).model.state_dict()
    for key in first:
        moved = (first[key] - start[key]).abs().max().item()
        assert (first[key] - second[key]).abs().max().item() < 0.02 * moved + 1e-7, key


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
