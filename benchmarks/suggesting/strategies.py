"""Ways to choose which particles an annotator labels next: chance, those of the literature, and ``seston suggest``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.recognition.asking import Known, ask
from seston.recognition.calibration import probabilities
from seston.recognition.classifiers import DEFAULT_CLASSIFIER, fit_rule

__all__ = ["OURS", "RANDOM", "STRATEGIES", "Pool"]

Rows = NDArray[np.int64]
RANDOM, OURS = "random", "seston suggest"
_TYPICAL_NEIGHBOURS = 20
_MOST_CLUSTERS = 500


@dataclass(frozen=True)
class Pool:
    """Unlabelled particles, and those of them that have been labelled so far."""

    vectors: NDArray[np.float32]
    """Unit vectors of all."""
    labelled: Rows
    numbers: Rows
    """Class numbers of the labelled ones."""
    random: np.random.Generator

    @property
    def rest(self) -> Rows:
        return np.setdiff1d(np.arange(len(self.vectors)), self.labelled)

    def shares(self) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
        """Probabilities of the labelled classes for every particle, and the labels of each; None for fewer than two."""
        there, numbers = np.unique(self.numbers, return_inverse=True)
        if len(there) < 2:
            return None
        rule = fit_rule(DEFAULT_CLASSIFIER, self.vectors[self.labelled], numbers.astype(np.int64), len(there))
        return probabilities(rule(self.vectors), 1.0), np.bincount(numbers)


def random(pool: Pool, n: int) -> Rows:
    return pool.random.choice(pool.rest, n, replace=False)


def margin(pool: Pool, n: int) -> Rows:
    """Those whose two likeliest classes are nearest; at random while fewer than two classes are known."""
    named = pool.shares()
    if named is None:
        return random(pool, n)
    two = np.sort(named[0][pool.rest], axis=1)[:, -2:]
    return pool.rest[np.argsort(two[:, 1] - two[:, 0], kind="stable")[:n]]


def balanced(pool: Pool, n: int) -> Rows:
    """At random among those predicted to be of the class with the fewest labels."""
    named = pool.shares()
    if named is None:
        return random(pool, n)
    best, have = named[0].argmax(axis=1), named[1].astype(np.float64)
    waiting = pool.random.permutation(pool.rest).tolist()
    chosen = []
    while len(chosen) < n:
        for number in np.argsort(have, kind="stable").tolist():
            row = next((row for row in waiting if best[row] == number), None)
            if row is not None:
                break
        assert row is not None
        waiting.remove(row)
        chosen.append(row)
        have[best[row]] += 1
    return np.array(chosen)


def k_center(pool: Pool, n: int) -> Rows:
    """Each time the one farthest from all labelled ones (Sener & Savarese 2018); the very first at random."""
    chosen = [] if len(pool.labelled) else [int(pool.random.integers(len(pool.vectors)))]
    anchors = np.concatenate([pool.labelled, np.array(chosen, np.int64)])
    near = (pool.vectors @ pool.vectors[anchors].T).max(axis=1)
    while len(chosen) < n:
        chosen.append(int(near.argmin()))
        near = np.maximum(near, pool.vectors @ pool.vectors[chosen[-1]])
    return np.array(chosen)


def typiclust(pool: Pool, n: int) -> Rows:
    """The most typical of the largest clusters without a label (TypiClust, Hacohen et al. 2022)."""
    from sklearn.cluster import KMeans, MiniBatchKMeans

    clusters = min(len(pool.labelled) + n, _MOST_CLUSTERS)
    kind, more = (KMeans, {}) if clusters <= 50 else (MiniBatchKMeans, {"batch_size": 1024})
    made = kind(clusters, n_init=1, random_state=int(pool.random.integers(1 << 31)), **more).fit(pool.vectors)
    of = made.labels_
    have = np.bincount(of[pool.labelled], minlength=clusters)
    size = np.bincount(of, minlength=clusters)
    taken = set(pool.labelled.tolist())
    chosen: list[int] = []
    while len(chosen) < n:
        for cluster in sorted(range(clusters), key=lambda one: (have[one], -size[one])):
            members = np.flatnonzero(of == cluster)
            free = [row for row in members.tolist() if row not in taken]
            if free and len(chosen) < n:
                chosen.append(_most_typical(pool.vectors, members, free))
                taken.add(chosen[-1])
                have[cluster] += 1
                break
    return np.array(chosen)


def _most_typical(vectors: NDArray[np.float32], members: Rows, free: list[int]) -> int:
    k = min(_TYPICAL_NEIGHBOURS, len(members) - 1)
    if k < 1:
        return free[0]
    likeness = vectors[free] @ vectors[members].T
    return free[int(np.partition(likeness, -k - 1, axis=1)[:, -k - 1 :].sum(axis=1).argmax())]


def badge(pool: Pool, n: int) -> Rows:
    """k-means++ over the gradients of the last layer (BADGE, Ash et al. 2020); k-centre while there are no classes."""
    named = pool.shares()
    if named is None:
        return k_center(pool, n)
    rows = pool.rest
    errors = named[0][rows].copy()
    errors[np.arange(len(rows)), errors.argmax(axis=1)] -= 1
    square = (errors**2).sum(axis=1)
    chosen = [int(square.argmax())]
    apart = np.full(len(rows), np.inf)
    while True:
        last = chosen[-1]
        cross = (errors @ errors[last]) * (pool.vectors[rows] @ pool.vectors[rows[last]])
        apart = np.minimum(apart, np.maximum(square + square[last] - 2 * cross, 0))
        apart[chosen] = 0
        if len(chosen) == n:
            return rows[chosen]
        chosen.append(int(pool.random.choice(len(rows), p=apart / apart.sum())))


def prob_cover(pool: Pool, n: int) -> Rows:
    """Each time the one with the most particles around it that no label covers (ProbCover, Yehuda et al. 2022)."""
    likeness = pool.vectors @ pool.vectors.T
    # Of a ball's size the paper asks that it holds one class; without labels: as wide as ten neighbours, at the median.
    tenth = np.partition(likeness, -11, axis=1)[:, -11:].mean(axis=1)
    inside = likeness >= np.median(tenth)
    open_ = ~inside[pool.labelled].any(axis=0)
    taken = np.zeros(len(inside), np.bool_)
    taken[pool.labelled] = True
    chosen = []
    for _ in range(n):
        gain = inside[:, open_].sum(axis=1)
        gain[taken] = -1
        chosen.append(int(gain.argmax()))
        taken[chosen[-1]] = True
        open_ &= ~inside[chosen[-1]]
    return np.array(chosen)


def seston_suggest(pool: Pool, n: int) -> Rows:
    """What ``seston suggest`` does."""
    rest, everything = pool.rest, np.ones(len(pool.vectors), np.bool_)
    there, numbers = np.unique(pool.numbers, return_inverse=True)
    vectors = pool.vectors[pool.labelled]
    known = Known({"IP": (vectors, everything[: len(vectors)])}, numbers.astype(np.int64), there.astype(str).tolist())
    asked = ask({"IP": (pool.vectors[rest], everything[: len(rest)])}, len(rest), known, n)
    return rest[[one.row for one in asked]]


STRATEGIES: dict[str, Callable[[Pool, int], Rows]] = {
    RANDOM: random,
    "random, balanced by predicted class": balanced,
    "margin": margin,
    "k-centre": k_center,
    "TypiClust": typiclust,
    "BADGE": badge,
    "ProbCover": prob_cover,
    OURS: seston_suggest,
}
