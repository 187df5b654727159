"""How far the names of a head can be trusted: what its answers on held-out particles, and on strangers, taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seston.recognition.calibration import Calibration, probabilities
from seston.recognition.class_groups import LABEL, Groups

__all__ = ["HeadTrust", "Steps", "evidence", "known_steps", "learn_trust", "right_steps"]

Steps = tuple[tuple[float, float], ...]
"""(from here on, this value), from low to high."""

_TEMPERATURES = np.geomspace(0.1, 20, 24)
_STEPS = 100
_LEAST_FAMILIAR = 0.2
_FEWEST_A_STEP, _MOST_STEPS = 20, 10
_FAMILIARITIES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class HeadTrust:
    """What is known of the answers of a head; without held-out particles, nothing."""

    temperature: float = 1.0
    """Answers are divided by it before they become probabilities."""
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """``label`` and each rank → how often names were right among held-out particles, from which score on."""
    familiarity: tuple[float, ...] = ()
    """Likeness that the least familiar hundredth of held-out particles stays below, then two hundredths, …"""
    strange_right: Mapping[str, Steps] = field(default_factory=dict)
    """``label`` and each rank → which share of the names of *strange* particles was right, by score."""
    known_share: Steps = ()
    """By familiarity: which share is of what was learnt, where as many strangers are among them. Empty: not known."""

    @property
    def is_known(self) -> bool:
        """Whether there were held-out particles to learn from."""
        return bool(self.calibrations)

    def familiar_share(self, likeness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the share of held-out particles that are less like what was learnt than each; NaN where unknown."""
        if not self.familiarity:
            return np.full(len(likeness), np.nan)
        steps = np.linspace(0, 1, len(self.familiarity))
        return np.interp(likeness, self.familiarity, steps, left=0.0, right=1.0)

    def known(self, familiarity: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the factor of the scores of particles that may be strangers; 1 where nothing is known of strangers."""
        if not self.known_share:
            return np.ones(len(familiarity))
        return _at(self.known_share, familiarity)

    def strange_score(self, rank: str, score: float) -> float:
        """Give the score that the name of a strange particle deserves, no more than it has; 0 if nothing speaks for it.

        Parameters
        ----------
        rank, score
            Of the name, as if the particle were of what was learnt.
        """
        steps = self.strange_right.get(rank, ())
        return min(score, float(_at(steps, np.array([score]))[0])) if steps else 0.0


def evidence(answers: NDArray[np.float32]) -> NDArray[np.float64]:
    """Say how much speaks for any class at all: ln Σ exp(answer), the negative energy of Liu et al. (2020), eq. 4.

    Parameters
    ----------
    answers
        (N, classes); −∞ for a class that is no answer.
    """
    highest = answers.max(axis=1, initial=-np.inf).astype(np.float64)
    return np.asarray(highest + np.log(np.exp(answers - highest[:, None]).sum(axis=1)))


def learn_trust(
    answers: NDArray[np.float32],
    truth: NDArray[np.int64],
    groups: Sequence[Groups],
    *,
    answered: NDArray[np.bool_] | None = None,
    likeness: NDArray[np.float64] | None = None,
) -> HeadTrust:
    """Learn from a head's answers on particles that its training did not see.

    What is said of strange particles is learnt from the least familiar fifth of them: an upper bound for strangers.

    Parameters
    ----------
    answers
        (N, classes); −∞ for classes that are no answer.
    truth
        (N,) class of each.
    groups
        Of the classes, from the label to the kingdom.
    answered
        (classes,) which classes the head can answer at all. A particle of another one (a coarse name whose finer names
        are the answers) is judged only at the ranks that its name has.
    likeness
        (N,) how like what was learnt each is; by itself the `evidence`.
    """
    if not len(truth):
        return HeadTrust()
    can = np.ones(answers.shape[1], np.bool_) if answered is None else answered
    temperature = _coolest(answers[can[truth]], truth[can[truth]])
    shares = probabilities(answers.astype(np.float64), temperature)
    alike = evidence(answers) if likeness is None else likeness
    strange = alike <= np.quantile(alike, _LEAST_FAMILIAR)
    calibrations, strange_right = {}, {}
    for each in groups:
        group_of = each.of_classes()[truth]
        judged = can[truth] if each.rank == LABEL else can[truth] | (group_of >= 0)
        if judged.any():
            named, score = each.best(shares)
            right = named == group_of
            calibrations[each.rank] = _calibrate(score[judged], right[judged])
            strange_right[each.rank] = right_steps(score[judged & strange], right[judged & strange])
    return HeadTrust(
        temperature=temperature,
        calibrations=calibrations,
        familiarity=tuple(np.quantile(alike, np.linspace(0, 1, _STEPS + 1)).round(6).tolist()),
        strange_right=strange_right,
    )


def right_steps(score: NDArray[np.float64], right: NDArray[np.bool_]) -> Steps:
    """Say which share of names was right from which score on, in up to ten steps of twenty names or more.

    Each share is lowered by its standard error, and by that of any higher score that has less.
    """
    steps = min(len(score) // _FEWEST_A_STEP, _MOST_STEPS)
    if not steps:
        return ()
    order = np.argsort(score, kind="stable")
    table = []
    for rows in np.array_split(order, steps):
        share = float(right[rows].mean())
        lowered = share - np.sqrt(max(share * (1 - share), 0.25 / len(rows)) / len(rows))
        table.append((float(np.floor(score[rows[0]] * 1e6) / 1e6), max(lowered, 0.0)))
    least = np.minimum.accumulate([share for _, share in table][::-1])[::-1]
    starts = [0.0, *(start for start, _ in table[1:])]
    return tuple((start, round(float(share), 4)) for start, share in zip(starts, least, strict=True))


def known_steps(familiarity: Sequence[NDArray[np.float64]]) -> Steps:
    """Say which share of particles of some familiarity is of what was learnt, where every second one is a stranger.

    Parameters
    ----------
    familiarity
        Of strangers, one array for each kind; all kinds count alike.
    """
    edges = np.array(_FAMILIARITIES)
    strangers = np.mean([np.histogram(one, edges)[0] / len(one) for one in familiarity], axis=0)
    known = np.diff(edges)
    shares = np.maximum.accumulate(known / (known + strangers))
    return tuple((float(start), round(float(share), 4)) for start, share in zip(edges[:-1], shares, strict=True))


def _at(steps: Steps, values: NDArray[np.float64]) -> NDArray[np.float64]:
    starts, shares = (np.array(column) for column in zip(*steps, strict=True))
    return np.asarray(shares[np.clip(np.searchsorted(starts, values, side="right") - 1, 0, None)], np.float64)


def _coolest(answers: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Give the temperature under which the right classes are likeliest (Guo et al. 2017, On Calibration…)."""
    if not len(truth):
        return 1.0
    exact, rows = answers.astype(np.float64), np.arange(len(truth))

    def surprise(temperature: float) -> float:
        return float(-np.log(np.maximum(probabilities(exact, temperature)[rows, truth], 1e-12)).mean())

    nearest = min(_TEMPERATURES, key=surprise)
    step = _TEMPERATURES[1] / _TEMPERATURES[0]
    return float(min(np.geomspace(nearest / step, nearest * step, 24), key=surprise))


def _calibrate(score: NDArray[np.float64], right: NDArray[np.bool_]) -> Calibration:
    """Say how often names of a rank were right, from which score on."""
    order = np.argsort(-score, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    places = np.unique(np.linspace(0, len(order) - 1, _STEPS).astype(int))
    reached = np.floor(score[order] * 1e6) / 1e6  # never above the score itself, so that one like it reaches it
    table = tuple((float(reached[at]), round(float(share[at]), 6)) for at in places)
    return Calibration(particles=len(right), accuracy=float(right.mean()), right_above=table)
