"""All methods on all draws: one row a method, combination and gallery size, with intervals and paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.draws import Draw
from seston.evaluation.methods import Combination, Method
from seston.evaluation.metrics import Scores, bootstrap, bootstrap_runs, confusion, interval, score
from seston.particle.progress import Progress

__all__ = ["Difference", "Row", "Trial", "differences", "join_trials", "run_grid", "to_rows"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result table; figures are fractions of 1."""

    method: str
    classifier: str
    gallery: str
    query: str
    n: int
    k: int
    """Neighbours that vote; 0 where the rule has none."""
    accuracy: float
    accuracy_sd: float
    """Spread (population standard deviation) over gallery draws."""
    macro_precision: float
    macro_recall: float
    macro_f1: float
    queries: int
    repeats: int
    low: float
    """Lower end of the 95 % bootstrap interval of the accuracy."""
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """What one row has over another, in accuracy, on the same galleries and queries."""

    first: str
    second: str
    n: int
    difference: float
    low: float
    high: float

    @property
    def claimed(self) -> bool:
        """Whether the paired 95 % interval excludes 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Trial:
    """All draws of one method, combination and gallery size."""

    method: str
    classifier: str
    combination: Combination
    n: int
    k: int
    scores: tuple[Scores, ...]
    right: tuple[NDArray[np.bool_], ...]
    """Whether each query was named rightly, one array a draw."""
    confusion: NDArray[np.int64]
    """Summed over draws: true class (rows), name (columns)."""


def run_grid(
    methods: Sequence[Method], draws: Sequence[Draw], classes: NDArray[np.int64], progress: Progress
) -> list[Trial]:
    """Let every method name the queries of every draw."""
    progress.start("evaluating", len(methods) * len(draws))
    count = int(classes.max()) + 1
    trials = []
    for method in methods:
        scores: dict[tuple[Combination, int], list[Scores]] = {}
        right: dict[tuple[Combination, int], list[NDArray[np.bool_]]] = {}
        tables: dict[tuple[Combination, int], NDArray[np.int64]] = {}
        for draw in draws:
            truth = classes[draw.queries]
            for combination, named in method.names(draw):
                key = combination, draw.n
                scores.setdefault(key, []).append(score(truth, named, count))
                right.setdefault(key, []).append(named == truth)
                tables[key] = tables.get(key, 0) + confusion(truth, named, count)
            progress.advance(1, method.name)
        trials += [
            Trial(
                method.name, method.classifier, pair, n, method.k, tuple(scores[pair, n]), tuple(right[pair, n]), table
            )
            for (pair, n), table in tables.items()
        ]
    progress.finish()
    return trials


def join_trials(first: Sequence[Trial], second: Sequence[Trial]) -> list[Trial]:
    """Put trials of the same method, combination and size (of several folds) together."""
    joined = {(trial.method, trial.classifier, trial.combination, trial.n): trial for trial in first}
    for trial in second:
        key = trial.method, trial.classifier, trial.combination, trial.n
        old = joined.get(key)
        if old is not None:
            trial = replace(
                trial,
                scores=old.scores + trial.scores,
                right=old.right + trial.right,
                confusion=old.confusion + trial.confusion,
            )
        joined[key] = trial
    return list(joined.values())


def to_rows(trials: Sequence[Trial], seed: int = 0) -> list[Row]:
    """Turn trials into the lines of the result table."""
    return [_row(trial, means) for trial, means in zip(trials, _resampled(trials, seed), strict=True)]


def _row(trial: Trial, means: NDArray[np.float64]) -> Row:
    accuracies = [one.accuracy for one in trial.scores]
    low, high = interval(means)
    return Row(
        method=trial.method,
        classifier=trial.classifier,
        gallery=trial.combination[0],
        query=trial.combination[1],
        n=trial.n,
        k=trial.k,
        accuracy=float(np.mean(accuracies)),
        accuracy_sd=float(np.std(accuracies)),
        macro_precision=float(np.mean([one.macro_precision for one in trial.scores])),
        macro_recall=float(np.mean([one.macro_recall for one in trial.scores])),
        macro_f1=float(np.mean([one.macro_f1 for one in trial.scores])),
        queries=round(float(np.mean([len(one) for one in trial.right]))),
        repeats=len(trial.scores),
        low=low,
        high=high,
    )


def _resampled(trials: Sequence[Trial], seed: int) -> list[NDArray[np.float64]]:
    """Bootstrap the accuracy of each trial, paired between trials of one shape.

    Where every draw asks the same number of queries (a fixed query set), draws and queries are resampled; where the
    query set changes with the draw (the paper's one pool), draws alone are.
    """
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for number, trial in enumerate(trials):
        by_shape.setdefault(tuple(len(one) for one in trial.right), []).append(number)
    means: list[NDArray[np.float64]] = [np.zeros(0)] * len(trials)
    for shape, numbers in by_shape.items():
        if len(set(shape)) == 1:
            drawn = bootstrap(np.stack([np.stack(trials[number].right) for number in numbers]), seed=seed)
        else:
            drawn = np.stack(
                [bootstrap_runs([one.mean() for one in trials[number].right], seed=seed) for number in numbers]
            )
        for number, values in zip(numbers, drawn, strict=True):
            means[number] = values
    return means


def differences(trials: Sequence[Trial], main: str, seed: int = 0) -> list[Difference]:
    """Compare the method `main` with every other on the same combination, and its combinations with each other.

    `main` is ``method (classifier)``. Only trials of the same draws are compared.
    """
    own = [trial for trial in trials if _name(trial) == main]
    pairs = []
    for trial in own:
        for other in trials:
            same_draws = trial.n == other.n and [len(one) for one in trial.right] == [len(one) for one in other.right]
            of_other_method = _name(other) != main and other.combination == trial.combination
            of_part = trial.combination == ("IP", "IP") and _name(other) == main and other.combination != ("IP", "IP")
            if same_draws and (of_other_method or of_part):
                pairs.append((trial, other))
    used = list({id(trial): trial for pair in pairs for trial in pair}.values())
    means = {id(trial): values for trial, values in zip(used, _resampled(used, seed), strict=True)}
    return [_difference(first, second, means[id(first)] - means[id(second)]) for first, second in pairs]


def _difference(first: Trial, second: Trial, means: NDArray[np.float64]) -> Difference:
    low, high = interval(means)
    gap = float(np.mean([one.accuracy for one in first.scores]) - np.mean([one.accuracy for one in second.scores]))
    return Difference(_full_name(first), _full_name(second), first.n, gap, low, high)


def _name(trial: Trial) -> str:
    return f"{trial.method} ({trial.classifier})"


def _full_name(trial: Trial) -> str:
    return f"{_name(trial)} {'-'.join(trial.combination)}"
