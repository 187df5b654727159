"""Recipes side by side: what they share, the figures against slow ones, pairing, and going on where it stood."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from sklearn.metrics import balanced_accuracy_score, f1_score

from seston.errors import UsageError
from seston.evaluation.recipe_comparison import compare_recipes
from seston.evaluation.recipe_figures import Answers, recipe_rows
from seston.models.torchvision_shim import mend_torchvision
from seston.particle import Annotation
from seston.simulate import simulate
from seston.store import open_data_set
from seston.training.classes import Classes
from seston.training.shared import shared_recipes

CLASSES = Classes(
    by="label",
    names=("Acartia", "Bubble", "Calanus", "Noctiluca"),
    counts=(5, 5, 5, 5),
    paths=(
        ("Animalia", "Arthropoda", "Copepoda", "Calanoida", "Acartiidae", "Acartia", None),
        (None,) * 7,
        ("Animalia", "Arthropoda", "Copepoda", "Calanoida", "Calanidae", "Calanus", None),
        ("Chromista", "Myzozoa", "Dinophyceae", "Noctilucales", "Noctilucaceae", "Noctiluca", None),
    ),
    kinds=("living", "artefact", "living", "living"),
    stages=(None,) * 4,
    parts=(None,) * 4,
)


def _answers(truth: NDArray[np.int64], right: float, recipe: str, seed: int) -> Answers:
    chance = np.random.default_rng((seed, int(100 * right)))
    wrong = chance.integers(0, 4, len(truth))
    return Answers(recipe, seed, "head", np.where(chance.random(len(truth)) < right, truth, wrong), 1.0)


def test_figures_are_those_of_scikit_learn_and_at_ranks_only_labels_that_have_one_count() -> None:
    truth = np.repeat(np.arange(4), [40, 10, 30, 20])
    answers = [_answers(truth, 0.7, "one", seed) for seed in (0, 1)]
    rows = {row.rank: row for row in recipe_rows(answers, truth, CLASSES, np.arange(100), 20)}
    assert list(rows) == ["label", "kingdom", "phylum", "class", "order", "family", "genus"]
    one = rows["genus"]
    assert (one.particles, one.taxa, one.seeds) == (90, 3, 2)
    expected = [
        f1_score(truth[truth != 1], answer.named[truth != 1], average=None, labels=[0, 2, 3]).mean()
        for answer in answers
    ]
    assert one.macro_f1 == pytest.approx(np.mean(expected))
    of_kingdom = np.array([0, -1, 0, 1])
    balanced = [
        np.mean([(of_kingdom[answer.named[of_kingdom[truth] == k]] == k).mean() for k in (0, 1)]) for answer in answers
    ]
    assert rows["kingdom"].balanced_accuracy == pytest.approx(np.mean(balanced))


def test_at_the_labels_balanced_accuracy_is_that_of_scikit_learn() -> None:
    truth = np.repeat(np.arange(4), 25)
    answer = _answers(truth, 0.6, "one", 0)
    first = recipe_rows([answer], truth, CLASSES, np.arange(100), 20)[0]
    assert first.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth, answer.named))
    assert first.accuracy == pytest.approx((truth == answer.named).mean())


def test_a_clear_difference_is_claimed_and_that_of_a_recipe_to_its_equal_is_not() -> None:
    truth = np.repeat(np.arange(4), 50)
    same = [_answers(truth, 0.6, "one", 0), Answers("two", 0, "head", _answers(truth, 0.6, "one", 0).named, 1.0)]
    better = _answers(truth, 0.95, "three", 0)
    rows = [row for row in recipe_rows([*same, better], truth, CLASSES, np.arange(200), 100) if row.taxa == 4]
    one, two, three = rows
    assert (two.difference, two.difference_low, two.difference_high, two.claimed) == (0, 0, 0, False)
    assert three.claimed
    assert three.difference_low > 0.1
    assert one.macro_f1_low < one.macro_f1 < one.macro_f1_high


def test_whole_samples_are_resampled_where_there_are_any() -> None:
    truth = np.tile(np.arange(4), 50)
    named = np.where(np.arange(200) < 100, truth, (truth + 1) % 4)  # the first half right, the second wrong
    answer = Answers("one", 0, "head", named, 1.0)
    by_particle = recipe_rows([answer], truth, CLASSES, np.arange(200), 60)[0]
    by_sample = recipe_rows([answer], truth, CLASSES, np.arange(200) // 100, 60)[0]
    assert by_sample.macro_f1_high - by_sample.macro_f1_low > 3 * (by_particle.macro_f1_high - by_particle.macro_f1_low)


def test_recipes_share_pictures_tower_augmentation_classes_and_budget_of_the_first() -> None:
    first, second = shared_recipes(["supervised", "clip-text"], ["seed=3"], None, 5)
    for name in ("pictures", "sizes", "labels", "augmentation"):
        assert getattr(first, name) == getattr(second, name)
    assert first.model.image == second.model.image
    assert (second.training.epochs, second.training.batch, second.training.minutes) == (5, first.training.batch, 0)
    assert second.supervised is None


@pytest.mark.parametrize("recipes", [["supervised"], ["supervised", "supervised"], []])
def test_fewer_than_two_recipes_are_refused(recipes: list[str]) -> None:
    with pytest.raises(UsageError, match="compare two recipes or more, each once"):
        shared_recipes(recipes, [], None, None)


def test_a_comparison_names_by_head_or_gallery_and_is_only_read_when_it_is_called_again(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    simulate(tmp_path / "files", particles=40, runs=2, seed=5)
    data = open_data_set(tmp_path / "data", create=True)
    data.import_([tmp_path / "files"])
    data.split("halves", by="image")
    changes = ("pictures.size=32", 'model.image={tower="conv", weights="random", width=8, blocks=[1, 1]}',
               "model.embedding=16", "training.batch=20", "training.device=cpu")  # fmt: skip

    def again() -> list[object]:
        found = compare_recipes(
            data, ["supervised", "image-only"], split="halves", to=tmp_path / "to", seeds=1, epochs=1,
            changes=changes, resamples=20,
        )  # fmt: skip
        assert found.evaluation.report is not None
        assert found.evaluation.report.is_file()
        return list(found.rows)

    first = again()
    assert [(row.recipe, row.by) for row in first if row.rank == "label"][:2] == [  # type: ignore[attr-defined]
        ("supervised", "head"), ("image-only", "gallery"),
    ]  # fmt: skip
    weights = {path: path.stat().st_mtime_ns for path in (tmp_path / "to").rglob("model.safetensors")}
    assert len(weights) == 2
    time.sleep(0.01)
    assert again() == first
    assert {path: path.stat().st_mtime_ns for path in weights} == weights


def test_frozen_towers_look_once_for_all_recipes_and_seeds_and_texts_name_too(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    simulate(tmp_path / "files", particles=20, runs=2, seed=5)
    data = open_data_set(tmp_path / "data", create=True)
    data.import_([tmp_path / "files"])
    names = ["Calanus finmarchicus", "Oithona", "Noctiluca"]
    data.annotate(
        Annotation(particle_id=one, label=names[row % 3], status="validated", author="A. Person",
                   time=datetime(2100, 1, 1, tzinfo=UTC))
        for row, one in enumerate(data.ids())
    )  # fmt: skip
    data.split("halves", by="image")
    tower = tmp_path / "tower.safetensors"
    mend_torchvision()
    network = pytest.importorskip("timm").create_model("test_efficientnet", num_classes=0, in_chans=1)
    save_file(network.state_dict(), tower)
    changes = ("pictures.size=32", "model.embedding=16", "training.batch=10", "training.device=cpu",
               f'model.image={{tower="timm:test_efficientnet", weights="{tower}", frozen=true}}')  # fmt: skip
    found = compare_recipes(
        data, ["supervised-frozen", "clip-text-frozen"], split="halves", to=tmp_path / "to", seeds=2, epochs=1,
        changes=changes, resamples=5,
    )  # fmt: skip
    assert {(row.recipe, row.by) for row in found.rows} == {("supervised-frozen", "head"), ("clip-text-frozen", "text")}
    shared = tmp_path / "to" / "shared"
    assert len(list(shared.glob("features/*/complete"))) == 1
    assert len(list(shared.glob("prepared/train-*/complete.json"))) == 1
