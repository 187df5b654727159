"""How far the names of a head can be trusted: what its answers on held-out particles taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seston.recognition.calibration import Calibration, probabilities
from seston.recognition.class_groups import LABEL, Groups

__all__ = ["HeadTrust", "evidence", "learn_trust"]

_TEMPERATURES = np.geomspace(0.1, 20, 300)
_STEPS = 100
_STRANGEST = 0.005


@dataclass(frozen=True, slots=True)
class HeadTrust:
    """What is known of the answers of a head; without held-out particles, nothing."""

    temperature: float = 1.0
    """Answers are divided by it before they become probabilities."""
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """``label`` and each rank → how often names were right among held-out particles, from which score on."""
    familiarity: tuple[float, ...] = ()
    """Evidence that the least familiar hundredth of held-out particles stays below, then two hundredths, …"""
    strangest: float = float("-inf")
    """Evidence below which a particle is like nothing at all that was learnt."""

    @property
    def is_known(self) -> bool:
        """Whether there were held-out particles to learn from."""
        return bool(self.calibrations)

    def familiar_share(self, answers: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give the share of held-out particles that there is less evidence for than for each; NaN if unknown."""
        if not self.familiarity:
            return np.full(len(answers), np.nan)
        steps = np.linspace(0, 1, len(self.familiarity))
        return np.interp(evidence(answers), self.familiarity, steps, left=0.0, right=1.0)

    def is_lost(self, answers: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which are like nothing at all that was learnt."""
        return evidence(answers) < self.strangest


def evidence(answers: NDArray[np.float32]) -> NDArray[np.float64]:
    """Say how much speaks for any class at all: ln Σ exp(answer), the negative energy of Liu et al. (2020), eq. 4.

    Pictures of other instruments have less of it than the nearness of gallery pictures or the highest probability tell.

    Parameters
    ----------
    answers
        (N, classes); −∞ for a class that is no answer.
    """
    highest = answers.max(axis=1).astype(np.float64)
    return np.asarray(highest + np.log(np.exp(answers - highest[:, None]).sum(axis=1)))


def learn_trust(
    answers: NDArray[np.float32],
    truth: NDArray[np.int64],
    groups: Sequence[Groups],
    answered: NDArray[np.bool_] | None = None,
) -> HeadTrust:
    """Learn from a head's answers on particles that its training did not see.

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
    """
    if not len(truth):
        return HeadTrust()
    can = np.ones(answers.shape[1], np.bool_) if answered is None else answered
    temperature = _coolest(answers[can[truth]], truth[can[truth]])
    shares = probabilities(answers.astype(np.float64), temperature)
    likely = evidence(answers)
    calibrations = {}
    for each in groups:
        group_of = each.of_classes()[truth]
        judged = can[truth] if each.rank == LABEL else can[truth] | (group_of >= 0)
        if judged.any():
            calibrations[each.rank] = _calibrate(each.best(shares[judged]), group_of[judged])
    return HeadTrust(
        temperature=temperature,
        calibrations=calibrations,
        familiarity=tuple(np.quantile(likely, np.linspace(0, 1, _STEPS + 1)).round(6).tolist()),
        strangest=round(float(np.quantile(likely, _STRANGEST)), 6),
    )


def _coolest(answers: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Give the temperature under which the right classes are likeliest (Guo et al. 2017, On Calibration…)."""
    if not len(truth):
        return 1.0
    exact, rows = answers.astype(np.float64), np.arange(len(truth))

    def surprise(temperature: float) -> float:
        return float(-np.log(np.maximum(probabilities(exact, temperature)[rows, truth], 1e-12)).mean())

    return float(min(_TEMPERATURES, key=surprise))


def _calibrate(best: tuple[NDArray[np.int64], NDArray[np.float64]], truth: NDArray[np.int64]) -> Calibration:
    """Say how often names of a rank were right, from which score on; a class without one there makes them wrong."""
    named, score = best
    right = named == truth
    order = np.argsort(-score, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    places = np.unique(np.linspace(0, len(order) - 1, _STEPS).astype(int))
    reached = np.floor(score[order] * 1e6) / 1e6  # never above the score itself, so that one like it reaches it
    table = tuple((float(reached[at]), round(float(share[at]), 6)) for at in places)
    return Calibration(particles=len(truth), accuracy=float(right.mean()), right_above=table)
