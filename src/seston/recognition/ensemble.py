"""Several spaces vote: a rule in each, whose scores are added up by how well it names inside the gallery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.recognition.classifiers import Rule, fit_rule
from seston.recognition.held_out import Fold, leave_out

__all__ = ["Ensemble", "Member", "Vectors", "Votes", "fit_ensemble", "fit_voters", "score_level", "votes_of"]

Vectors = Mapping[str, NDArray[np.float32]]
"""Unit vectors of the same particles in several spaces, by view; the first is the one that they are shown in."""
Votes = tuple[tuple[str, float], ...]
"""Views and the weights of their votes, which add up to 1."""

_FEWEST_CLASSES = 3
_POWER = 2.0


@dataclass(frozen=True, slots=True)
class Member:
    """One rule among several."""

    view: str
    """Of the queries that it names."""
    rule: Rule
    factor: float
    """By which its scores are multiplied before they are added up."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Rules whose scores are added up."""

    members: tuple[Member, ...]

    @property
    def views(self) -> tuple[str, ...]:
        """Views that queries need."""
        return tuple(member.view for member in self.members)

    def __call__(self, queries: Vectors) -> NDArray[np.float64]:
        """Score each class for each query, shape (queries, classes): greater is likelier, on a logarithmic scale."""
        scores = [member.factor * member.rule(queries[member.view]) for member in self.members]
        return np.asarray(sum(scores[1:], scores[0]))


def fit_ensemble(
    classifier: str, gallery: Vectors, labels: NDArray[np.int64], classes: int, votes: Votes = ()
) -> Ensemble:
    """Fit a rule in each space that has a vote.

    Spaces of different width score on different levels, so scores are brought to one level first (`score_level`).

    Parameters
    ----------
    classifier
        A rule of `seston.recognition.classifiers`.
    gallery, labels
        Of the gallery particles; class numbers 0 … classes − 1.
    votes
        See `votes_of`; without any, the first space decides alone.
    """
    if len(votes) <= 1:
        view = votes[0][0] if votes else next(iter(gallery))
        return Ensemble((Member(view, fit_rule(classifier, gallery[view], labels, classes), 1.0),))
    members = []
    for view, weight in votes:
        rule = fit_rule(classifier, gallery[view], labels, classes)
        members.append(Member(view, rule, weight / score_level(rule(gallery[view]), labels)))
    return Ensemble(tuple(members))


def fit_voters(
    classifier: str, gallery: Vectors, labels: NDArray[np.int64], classes: int, samples: Sequence[str]
) -> Ensemble:
    """Weigh the votes of a gallery's spaces (`votes_of`), and fit a rule in each that has one (`fit_ensemble`)."""
    return fit_ensemble(classifier, gallery, labels, classes, votes_of(classifier, gallery, labels, samples))


def votes_of(classifier: str, gallery: Vectors, labels: NDArray[np.int64], samples: Sequence[str]) -> Votes:
    """Say how much each space's vote counts: by the square of how far above chance it names the gallery's own.

    Each particle is left out of the gallery (`seston.recognition.held_out.leave_out`) and named by the rest, in one
    space after the other. A modality that says nothing of these classes has next to no vote then, where among the
    features of one space it would drown what the other one says.

    In a gallery too small to leave particles out, spaces of all features vote, the first as much as two others. With
    ``knn`` the first decides alone, as votes of neighbours are no scores that could be added up.
    """
    alone = ((next(iter(gallery)), 1.0),)
    if len(gallery) == 1 or classifier == "knn":
        return alone
    folds, _ = leave_out(labels, samples)
    if not folds:
        first, *others = (view for view in gallery if "-" not in view)
        whole = 2.0 + len(others)
        return ((first, 2 / whole), *((view, 1 / whole) for view in others))
    chance = 1 / (int(labels.max()) + 1)
    above = {
        view: max(_share_right(classifier, vectors, labels, folds) - chance, 0.0) ** _POWER
        for view, vectors in gallery.items()
    }
    total = sum(above.values())
    return tuple((view, weight / total) for view, weight in above.items() if weight) if total else alone


def score_level(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Say how far apart a rule scores the classes that a particle is not of; 1 where it scores some −∞.

    Rules fitted to galleries of different size score on different levels: soft LDA of one particle a class divides by
    nothing, of two by their scatter.

    Parameters
    ----------
    scores
        Of the gallery's own particles, shape (particles, classes).
    labels
        Class number of each.
    """
    if not np.isfinite(scores).all() or scores.shape[1] < _FEWEST_CLASSES:
        return 1.0
    others = np.ones(scores.shape, np.bool_)
    others[np.arange(len(labels)), labels] = False
    apart = scores[others].reshape(len(labels), -1).std(axis=1).mean()
    return float(apart) if apart > 0 else 1.0


def _share_right(
    classifier: str, vectors: NDArray[np.float32], labels: NDArray[np.int64], folds: Sequence[Fold]
) -> float:
    right = []
    for fold in folds:
        there, numbers = np.unique(labels[fold.rest], return_inverse=True)
        rule = fit_rule(classifier, vectors[fold.rest], numbers.astype(np.int64), len(there))
        right.append(there[rule(vectors[fold.asked]).argmax(axis=1)] == labels[fold.asked])
    return float(np.concatenate(right).mean())
