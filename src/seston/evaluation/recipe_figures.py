"""Figures of recipes side by side: rows with paired intervals, tables and a drawing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.metrics import interval
from seston.evaluation.plots import COLOURS, range_plot
from seston.evaluation.results import Figure
from seston.taxonomy import RANKS

if TYPE_CHECKING:
    from seston.training.classes import Classes

__all__ = ["Answers", "RecipeRow", "recipe_page", "recipe_rows"]

Tables = Mapping[str, tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]]


@dataclass(frozen=True)
class Answers:
    """What one run says of the particles that all are asked about."""

    recipe: str
    seed: int
    by: str
    """``head``, ``text`` or ``gallery``."""
    named: NDArray[np.int64]
    """(N,) classes, -1 for none."""
    seconds: float
    """That the training took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeRow:
    """How one recipe names, at one rank; figures are fractions of 1 and means over seeds, with 95 % intervals."""

    recipe: str
    by: str
    rank: str
    """``label``, for the classes as they stand, or one of the seven ranks, over the particles whose label has it."""
    seeds: int
    particles: int
    taxa: int
    accuracy: float
    balanced_accuracy: float
    balanced_accuracy_low: float
    balanced_accuracy_high: float
    macro_f1: float
    macro_f1_low: float
    macro_f1_high: float
    difference: float
    """Macro-F1 less that of the first recipe, on the same resamples."""
    difference_low: float
    difference_high: float
    claimed: bool
    """Whether the interval of the difference leaves 0 out."""
    seconds: float
    """Mean time of a training."""


def recipe_rows(
    answers: Sequence[Answers], truth: NDArray[np.int64], classes: Classes, units: NDArray[np.int64], resamples: int
) -> list[RecipeRow]:
    """Score answers at the classes and at each rank that has two taxa or more.

    Intervals come from resampling units and, where a recipe was trained several times, its seeds; units are drawn once
    for all recipes, so that differences are paired.

    Parameters
    ----------
    answers
        Of all recipes and seeds; the first one's recipe is what the others are compared with.
    truth
        (N,) classes.
    classes
        Of which `truth` and the answers are numbers.
    units
        (N,) what is resampled.
    resamples
        How often.
    """
    by_recipe: dict[str, list[Answers]] = {}
    for one in answers:
        by_recipe.setdefault(one.recipe, []).append(one)
    rows = []
    for rank, of_class in _levels(classes):
        true = of_class[truth]
        asked = true >= 0
        if len(np.unique(true[asked])) < 2:
            continue
        scored: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        for recipe, runs in by_recipe.items():
            said = [np.where(run.named >= 0, of_class[run.named], -1)[asked] for run in runs]
            scored[recipe] = _scored(said, true[asked], units[asked], resamples)
        first = next(iter(scored.values()))
        for recipe, (whole, drawn) in scored.items():
            runs = by_recipe[recipe]
            low, high = interval(drawn[2])
            apart = interval(drawn[2] - first[1][2])
            balanced = interval(drawn[1])
            rows.append(
                RecipeRow(
                    recipe=recipe,
                    by=runs[0].by,
                    rank=rank,
                    seeds=len(runs),
                    particles=int(asked.sum()),
                    taxa=len(np.unique(true[asked])),
                    accuracy=float(whole[0]),
                    balanced_accuracy=float(whole[1]),
                    balanced_accuracy_low=balanced[0],
                    balanced_accuracy_high=balanced[1],
                    macro_f1=float(whole[2]),
                    macro_f1_low=low,
                    macro_f1_high=high,
                    difference=float(whole[2] - first[0][2]),
                    difference_low=apart[0],
                    difference_high=apart[1],
                    claimed=apart[0] > 0 or apart[1] < 0,
                    seconds=float(np.mean([run.seconds for run in runs])),
                )
            )
    return rows


def recipe_page(rows: Sequence[RecipeRow]) -> tuple[Tables, tuple[Figure, ...]]:
    """Give the tables and drawings of a report."""
    columns = (
        "recipe", "names by", "rank", "seeds", "particles", "taxa", "macro-F1, %", "95 % interval",
        "balanced accuracy, %", "its interval", "accuracy, %", "difference of macro-F1", "its interval", "seconds",
    )  # fmt: skip
    lines = tuple(
        (
            row.recipe,
            row.by,
            row.rank,
            row.seeds,
            row.particles,
            row.taxa,
            round(100 * row.macro_f1, 1),
            f"{100 * row.macro_f1_low:.1f} – {100 * row.macro_f1_high:.1f}",
            round(100 * row.balanced_accuracy, 1),
            f"{100 * row.balanced_accuracy_low:.1f} – {100 * row.balanced_accuracy_high:.1f}",
            round(100 * row.accuracy, 1),
            f"{100 * row.difference:+.1f}",
            f"{100 * row.difference_low:+.1f} – {100 * row.difference_high:+.1f}",
            round(row.seconds),
        )
        for row in rows
    )
    first = rows[0].recipe if rows else ""
    recipes = list(dict.fromkeys(row.recipe for row in rows))
    shown = {
        f"{row.recipe}, {row.rank}": (
            row.difference,
            row.difference_low,
            row.difference_high,
            COLOURS[recipes.index(row.recipe) % len(COLOURS)],
        )
        for row in rows
        if row.recipe != first
    }
    lead = (
        f"Macro-F1 in percent points above that of {first}, with 95 % paired bootstrap intervals; a difference is "
        "claimed only where its interval leaves 0 out."
    )
    figures = (Figure(f"Compared with {first}", lead, range_plot(shown)),) if shown else ()
    return {"Recipes": (columns, lines)}, figures


def _levels(classes: Classes) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Give the number of each class's taxon, at the classes themselves and at each rank."""
    from seston.training.class_tree import class_tree

    yield "label", np.arange(len(classes))
    yield from zip(RANKS, class_tree(classes).members, strict=True)


def _scored(
    said: Sequence[NDArray[np.int64]], truth: NDArray[np.int64], units: NDArray[np.int64], resamples: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give (3,) accuracy, balanced accuracy and macro-F1, means over runs, and (3, resamples) of the same."""
    whole = np.mean([_scores(one, truth, np.ones(len(truth))) for one in said], axis=0)
    random = np.random.default_rng(0)  # the same units for every recipe
    _, unit = np.unique(units, return_inverse=True)
    drawn = np.empty((3, resamples))
    of_seeds = np.random.default_rng(1)
    for number in range(resamples):
        chosen = random.integers(0, unit.max() + 1, unit.max() + 1)
        weights = np.bincount(chosen, minlength=unit.max() + 1)[unit].astype(np.float64)
        seeds = of_seeds.integers(0, len(said), len(said))
        scores = {seed: _scores(said[seed], truth, weights) for seed in np.unique(seeds)}
        drawn[:, number] = np.mean([scores[seed] for seed in seeds], axis=0)
    return whole, drawn


def _scores(said: NDArray[np.int64], truth: NDArray[np.int64], weights: NDArray[np.float64]) -> tuple[float, ...]:
    """Score answers over the taxa that occur in the truth; particles count by their weights."""
    size = int(max(truth.max(), said.max())) + 1
    there = np.bincount(truth, weights, size)
    named = said >= 0
    of_names = np.bincount(said[named], weights[named], size)
    hit = said == truth
    right = np.bincount(truth[hit], weights[hit], size)
    held = there > 0
    return (
        float(right.sum() / there.sum()),
        float((right[held] / there[held]).mean()),
        float((2 * right[held] / (there[held] + of_names[held])).mean()),
    )
