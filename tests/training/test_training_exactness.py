"""Interrupted equals unbroken, and two processes equal one."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from seston.store import DataSet
from seston.training import train

_HARD = (
    "training.workers=2", "model.dropout=0.2", "training.accumulation=2", "training.ema=0.9",
    "training.batch=24", "training.checkpoint_steps=3", "training.validation_steps=4",
)  # fmt: skip

_CHILD = """
import os, signal, sys
import torch
torch.set_num_threads(1)
from seston.particle import Silence
from seston.store import open_data_set
from seston.training import train

class Kill(Silence):
    left = int(sys.argv[3])
    def advance(self, amount=1, detail=""):
        if detail.startswith("loss"):
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)

train(open_data_set(sys.argv[1]), recipe=os.environ.get("RECIPE", "tiny"), to=sys.argv[2], epochs=int(sys.argv[4]),
      resume=True, overrides=sys.argv[5:], progress=Kill())
"""


def _child(*arguments: object, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", _CHILD, *map(str, arguments)]
    return subprocess.Popen(words, env=os.environ | (environment or {}), stderr=subprocess.PIPE, text=True)


def _steps(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.mark.slow
def test_a_training_killed_at_three_random_steps_ends_bit_for_bit_as_an_unbroken_one(
    small_data: DataSet, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    unbroken = train(small_data, recipe="tiny", to=tmp_path / "unbroken", epochs=8, overrides=_HARD)
    assert unbroken.steps == 16
    chance = random.Random(os.urandom(8))
    kills = [chance.randint(2, 5) for _ in range(3)]
    for steps in (*kills, 10**9):
        done = _child(small_data.path, tmp_path / "killed", steps, 8, *_HARD)
        _, words = done.communicate(timeout=200)
        assert done.returncode == (0 if steps == 10**9 else -9), (kills, words)
    whole, broken = (load_file(tmp_path / name / "model.safetensors") for name in ("unbroken", "killed"))
    assert whole.keys() == broken.keys()
    assert all(torch.equal(whole[name], broken[name]) for name in whole), kills
    assert _steps(tmp_path / "unbroken") == _steps(tmp_path / "killed"), kills


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(small_data: DataSet, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    options = ("training.batch=20", "training.validation_steps=5", "training.ema=0", "training.precision=float32")
    train(small_data, recipe="tiny", to=tmp_path / "one", epochs=4, overrides=options)
    _train_in_two(small_data, "tiny", tmp_path / "two", 4, options)
    _check_alike(tmp_path, ("loss", "cross", "within_image", "within_profile", "fused"), steps=20, tolerance=1e-5)


@pytest.mark.slow
def test_two_processes_learn_names_as_one_does(small_data: DataSet, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    options = (
        "training.batch=20", "training.validation_steps=5", "training.precision=float32", "pictures.size=32",
        'model.image={tower="conv", weights="random", width=8, blocks=[1, 1]}',
        "model.dropout=0", "training.device=cpu",
        "supervised.sampling=square-root", "supervised.loss.kind=ldam", "supervised.loss.reweight_from=0.5",
        "supervised.head=cosine", "optimiser.name=sgd", "optimiser.learning_rate=0.05", "training.validation_share=0.2",
    )  # fmt: skip
    train(small_data, recipe="supervised", to=tmp_path / "one", epochs=2, overrides=options)
    _train_in_two(small_data, "supervised", tmp_path / "two", 2, options)
    _check_alike(tmp_path, ("loss", "training_loss", "macro_f1", "accuracy"), steps=10, tolerance=1e-5)


def _train_in_two(data: DataSet, recipe: str, run: Path, epochs: int, options: tuple[str, ...]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    together = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RECIPE": recipe}
    workers = [
        _child(
            data.path, run, 10**9, epochs, *options,
            environment=together | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in (0, 1)
    ]  # fmt: skip
    for worker in workers:
        _, words = worker.communicate(timeout=200)
        assert worker.returncode == 0, words


def _check_alike(folder: Path, terms: tuple[str, ...], *, steps: int, tolerance: float) -> None:
    one, two = _steps(folder / "one"), _steps(folder / "two")
    assert [line["step"] for line in one] == [line["step"] for line in two]
    assert one[-1]["step"] == steps
    for alone, both in zip(one, two, strict=True):
        for name in alone:
            if name.removeprefix("validation_") in terms:
                assert both[name] == pytest.approx(alone[name], abs=tolerance), (name, alone["step"])
    first, second = (load_file(folder / name / "model.safetensors") for name in ("one", "two"))
    worst = max((first[name].float() - second[name].float()).abs().max().item() for name in first)
    assert worst < tolerance
