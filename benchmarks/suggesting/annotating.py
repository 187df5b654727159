"""A simulated annotator: it labels what it is asked, and the gallery that comes of it names particles of other runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.metrics import score
from seston.recognition import Embeddings
from seston.recognition.classifiers import DEFAULT_CLASSIFIER, fit_rule
from seston.recognition.views import fit_spaces, views_of
from suggesting.strategies import STRATEGIES, Pool

__all__ = ["Subjects", "World", "annotate", "draw_world"]

_LARGEST_POOL, _MOST_QUERIES = 1500, 2000
_FEWEST_OF_A_CLASS = 3


@dataclass(frozen=True)
class Subjects:
    """Particles with picture and profile, their true classes and their runs."""

    embeddings: Embeddings
    truth: NDArray[np.int64]
    runs: NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """One draw: particles to choose from, and particles of other runs to be named."""

    pool: NDArray[np.float32]
    pool_truth: NDArray[np.int64]
    queries: NDArray[np.float32]
    query_truth: NDArray[np.int64]
    classes: int


def draw_world(subjects: Subjects, seed: int, *, long_tailed: bool) -> World:
    """Part runs into two thirds to choose from and a third to be named; the space is learnt from the former.

    Long-tailed: of the class of rank r (at random) there are 1/r as many particles as of the first, but 3 at least.
    """
    random = np.random.default_rng([seed, 1])
    runs = random.permutation(np.unique(subjects.runs))
    asked_runs = runs[: len(runs) // 3]
    is_query = np.isin(subjects.runs, asked_runs)
    pool, queries = np.flatnonzero(~is_query), random.permutation(np.flatnonzero(is_query))[:_MOST_QUERIES]
    classes = int(subjects.truth.max()) + 1
    if long_tailed:
        most = int(np.bincount(subjects.truth[pool]).min())
        parts = [
            random.permutation(pool[subjects.truth[pool] == number])[: max(_FEWEST_OF_A_CLASS, most // (rank + 1))]
            for rank, number in enumerate(random.permutation(classes).tolist())
        ]
        pool = np.concatenate(parts)
    pool = np.sort(random.permutation(pool)[:_LARGEST_POOL])
    of_pool = subjects.embeddings.take(pool)
    spaces = fit_spaces(of_pool)
    return World(
        views_of(of_pool, spaces)["IP"][0],
        subjects.truth[pool],
        views_of(subjects.embeddings.take(queries), spaces)["IP"][0],
        subjects.truth[queries],
        classes,
    )


def annotate(world: World, strategy: str, seed: int, *, rounds: int, labels: int) -> list[tuple[float, int]]:
    """Let a strategy ask so many rounds of so many labels, from nothing; give macro-F1 and known classes after each."""
    random = np.random.default_rng([seed, 2])
    labelled = np.zeros(0, np.int64)
    after = []
    for _ in range(rounds):
        chosen = STRATEGIES[strategy](Pool(world.pool, labelled, world.pool_truth[labelled], random), labels)
        labelled = np.concatenate([labelled, chosen])
        assert len(np.unique(labelled)) == len(labelled)
        after.append((_macro_f1(world, labelled), len(np.unique(world.pool_truth[labelled]))))
    return after


def _macro_f1(world: World, labelled: NDArray[np.int64]) -> float:
    there, numbers = np.unique(world.pool_truth[labelled], return_inverse=True)
    named = np.full(len(world.queries), there[0])
    if len(there) > 1:
        rule = fit_rule(DEFAULT_CLASSIFIER, world.pool[labelled], numbers.astype(np.int64), len(there))
        named = there[rule(world.queries).argmax(axis=1)]
    return score(world.query_truth, named, world.classes).macro_f1
