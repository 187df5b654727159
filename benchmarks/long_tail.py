"""Losses for classes of unequal size, on a long tail that is made of even classes: macro-F1 of the rare ones.

    python benchmarks/long_tail.py DATA --to FOLDER [--classes 40] [--seeds 3]

Of each of some classes with enough pictures, 15 are kept for the test. Of the rest, class k of K gives
100 · 0.02^(k / (K - 1)) for training, and each seed puts the classes into another order. Heads are trained on what an
ImageNet tower finds (EfficientNet-Lite0, kept as it is); all losses see the same particles in the same order, and the
last weights are used, so nothing is chosen by the test. The table gives macro-F1 over all classes and over the rare
ones (fewer than 10 training pictures), means over seeds, and the difference to cross-entropy with a paired bootstrap
interval over test pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from seston.models.classifier import ClassifierModel
from seston.particle import Silence
from seston.store import open_data_set
from seston.training.classes import Classes, find_classes
from seston.training.frozen_features import FrozenFeatures, frozen_features
from seston.training.labelled import Labelled
from seston.training.particles import Chosen, choose_particles, part_of
from seston.training.prepared import empty_prepared
from seston.training.processes import Processes
from seston.training.recipe import asked_recipe, load_recipe
from seston.training.run import new_model
from seston.training.run_files import kept_config
from seston.training.session import Session
from seston.training.settings import Recipe
from seston.training.sources import PreparedSource, direct_source
from seston.training.statistics import blank_preparation, measured_preparation
from seston.training.supervised_learner import make_supervised_learner, sampling_weights

METHODS = {
    "cross-entropy": (),
    "cross-entropy, square-root sampling": ("supervised.sampling=square-root",),
    "cross-entropy, balanced sampling": ("supervised.sampling=balanced",),
    "focal": ("supervised.loss.kind=focal",),
    "cross-entropy, cosine head": ("supervised.head=cosine",),
    "LDAM, deferred re-weighting": (
        "supervised.head=cosine", "supervised.loss.kind=ldam", "supervised.loss.reweight_from=0.8",
    ),
    "maximum margin, deferred re-weighting": (
        "supervised.head=cosine", "supervised.loss.kind=maximum-margin", "supervised.loss.reweight_from=0.8",
    ),
    "asymmetric": ("supervised.loss.kind=asymmetric", "supervised.loss.smoothing=0.1"),
    "robust asymmetric": ("supervised.loss.kind=robust-asymmetric",),
    "balanced softmax": ("supervised.loss.kind=balanced-softmax",),
    "logit adjustment, τ = 1.5": ("supervised.loss.kind=logit-adjustment", "supervised.loss.strength=1.5"),
}  # fmt: skip
"""Name → what differs from a linear head with cross-entropy."""

TEST, MOST, RATIO, RARE = 15, 100, 0.02, 10
PLAIN = ("supervised.sampling=plain", "supervised.loss.smoothing=0", "supervised.keep=last", "model.dropout=0")


def main() -> None:
    """Measure, and print a table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("data", type=Path)
    words.add_argument("--to", type=Path, required=True)
    words.add_argument("--classes", type=int, default=40)
    words.add_argument("--seeds", type=int, default=3)
    words.add_argument("--epochs", type=int, default=40)
    asked = words.parse_args()
    recipe = load_recipe(
        "supervised-frozen",
        [*PLAIN, "training.frozen_views=1", f"training.epochs={asked.epochs}", "training.batch=64"],
    )
    pool, held, classes, found, numbers = _features(asked.data, asked.to, recipe, asked.classes)
    answers: dict[str, list[NDArray[np.int64]]] = {}
    tails = [_tail(numbers[0], len(classes), seed) for seed in range(asked.seeds)]
    for name, changes in METHODS.items():
        for seed, (rows, counts) in enumerate(tails):
            said = _learn(recipe, changes, seed, (pool, held), classes, counts, found, (rows, *numbers), asked.to)
            answers.setdefault(name, []).append(said)
            print(name, seed, flush=True)
    table = _table(answers, numbers[1], [counts for _, counts in tails])
    (asked.to / "long_tail.json").write_text(json.dumps(table, indent=1))
    for row in table:
        print(" | ".join(str(value) for value in row.values()))


def _features(
    path: Path, folder: Path, recipe: Recipe, wanted: int
) -> tuple[PreparedSource, PreparedSource, Classes, FrozenFeatures, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Choose the pool that tails are drawn from and the test, and look at their pictures once."""
    data = open_data_set(path)
    every = choose_particles(data, (True, False))
    classes, numbers = find_classes(data, every)
    large = [k for k, count in enumerate(classes.counts) if count >= MOST + TEST]
    chosen = np.random.default_rng(0).permutation(large)[:wanted]
    names = sorted(chosen.tolist())
    chance = np.random.default_rng(1)
    place = np.zeros(len(numbers), np.int64)
    for k in names:
        drawn = chance.permutation(np.flatnonzero(numbers == k))[: MOST + TEST]
        place[drawn[:TEST]], place[drawn[TEST:]] = 2, 1
    kept = Classes(
        by=classes.by,
        names=tuple(classes.names[k] for k in names),
        counts=tuple(classes.counts[k] for k in names),
        paths=tuple(classes.paths[k] for k in names),
        kinds=tuple(classes.kinds[k] for k in names),
        stages=tuple(classes.stages[k] for k in names),
        parts=tuple(classes.parts[k] for k in names),
    )
    renumbered = np.searchsorted(names, numbers)
    train, test = part_of(every, place == 1), part_of(every, place == 2)
    blank = blank_preparation(recipe, ())
    pool, held = direct_source(data, train, blank, []), direct_source(data, test, blank, [])
    preparation = measured_preparation(blank, pool, recipe.seed)
    model = new_model(recipe, preparation, 0, kept)
    assert isinstance(model, ClassifierModel)
    kept_in = folder / "features"
    found = frozen_features(
        model, model.features, 1, recipe, preparation, pool, held, kept_in, _alone(), Silence()
    )  # fmt: skip
    return pool, held, kept, found, (renumbered[place == 1], renumbered[place == 2])


def _tail(numbers: NDArray[np.int64], classes: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the training particles of a seed, as rows of the pool, and how many each class has."""
    chance = np.random.default_rng((2, seed))
    place = chance.permutation(classes)
    counts = np.round(MOST * RATIO ** (place / (classes - 1))).astype(np.int64)
    rows = [chance.permutation(np.flatnonzero(numbers == k))[: counts[k]] for k in range(classes)]
    return np.sort(np.concatenate(rows)), counts


def _learn(
    recipe: Recipe,
    changes: tuple[str, ...],
    seed: int,
    sources: tuple[PreparedSource, PreparedSource],
    classes: Classes,
    counts: NDArray[np.int64],
    found: FrozenFeatures,
    rows: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    folder: Path,
) -> NDArray[np.int64]:
    """Train one head, and give what it says of the test."""
    place = folder / "runs" / hashlib.sha256(repr((changes, seed, recipe)).encode()).hexdigest()[:12]
    done = place / "said.npy"
    if done.is_file():
        kept: NDArray[np.int64] = np.load(done)
        return kept
    place.mkdir(exist_ok=True, parents=True)
    recipe = _changed(recipe, [*changes, f"seed={seed}"])
    drawn, pool, test = rows
    mine = Labelled(msgspec.structs.replace(classes, counts=tuple(counts.tolist())), pool[drawn], test)
    own = replace(found, train=found.train[:, drawn])
    preparation = measured_preparation(blank_preparation(recipe, ()), sources[1], 0)
    train = PreparedSource(
        _rows(sources[0], drawn), lambda numbers: empty_prepared(len(numbers), preparation.inputs)
    )  # heads see features: no picture is needed any more
    bare = msgspec.structs.replace(recipe, model=kept_config(recipe.model))
    model = new_model(bare, preparation, seed, mine.classes)
    assert isinstance(model, ClassifierModel)
    model.image_tower = torch.nn.Identity()  # it has said what it finds
    values = own.train[0].astype(np.float64)
    deviation = values.std(axis=0)
    model.feature_mean.copy_(torch.from_numpy(values.mean(axis=0)))
    model.feature_scale.copy_(torch.from_numpy(np.where(deviation < 1e-3, 1, deviation)))
    learner = make_supervised_learner(recipe, preparation, model, _alone(), mine, own)
    assert recipe.supervised is not None
    weights = sampling_weights(recipe.supervised, mine)
    Session(learner, train, None, place, 0.0, Silence(), lambda: 0.0, weights).learn()
    with torch.no_grad():
        logits = learner.average.eval().logits(found.of_validation(np.arange(len(test))))
    said: NDArray[np.int64] = logits.argmax(dim=1).numpy()
    np.save(done, said)
    return said


def _changed(recipe: Recipe, changes: list[str]) -> Recipe:
    """Change keys of a recipe."""
    limits = recipe.training
    changed = asked_recipe(recipe, changes, None, None)
    return msgspec.structs.replace(changed, training=limits)


def _rows(source: PreparedSource, rows: NDArray[np.int64]) -> Chosen:
    mask = np.zeros(len(source), np.bool_)
    mask[rows] = True
    return part_of(source.chosen, mask)


def _alone() -> Processes:
    return Processes(0, 1, torch.device("cpu"))


def _f1(answers: NDArray[np.int64], targets: NDArray[np.int64], which: NDArray[np.bool_]) -> float:
    """Give macro-F1 over some classes."""
    size = len(which)
    right = np.bincount(targets[answers == targets], minlength=size)
    total = np.bincount(targets, minlength=size) + np.bincount(answers, minlength=size)
    return float((2 * right / np.maximum(total, 1))[which].mean())


def _table(
    answers: dict[str, list[NDArray[np.int64]]], targets: NDArray[np.int64], counts: list[NDArray[np.int64]]
) -> list[dict[str, object]]:
    chance = np.random.default_rng(3)
    by_class = [np.flatnonzero(targets == k) for k in range(targets.max() + 1)]
    draws = [np.concatenate([chance.choice(rows, len(rows)) for rows in by_class]) for _ in range(1000)]
    rare, every = [one < RARE for one in counts], [np.ones(len(one), np.bool_) for one in counts]
    base = answers["cross-entropy"]
    table = []
    for name, said in answers.items():
        row: dict[str, object] = {"method": name}
        for what, which in (("all", every), ("rare", rare)):
            mean = np.mean([_f1(one, targets, mask) for one, mask in zip(said, which, strict=True)])
            gains = [
                np.mean([_f1(one[d], targets[d], mask) - _f1(ce[d], targets[d], mask)
                         for one, ce, mask in zip(said, base, which, strict=True)])
                for d in draws
            ]  # fmt: skip
            low, high = np.percentile(gains, [2.5, 97.5])
            row |= {f"macro-F1 {what}": round(float(mean), 4), f"gain {what}": f"{low:+.4f} to {high:+.4f}"}
        table.append(row)
    return table


if __name__ == "__main__":
    main()
