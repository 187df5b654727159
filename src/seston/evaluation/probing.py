"""A linear probe: how much of the labels a linear rule finds in the features of a model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.comparison import Comparison, ModelLike, Plan, compare, models_of, notes_of, provenance_of
from seston.evaluation.draws import Sides
from seston.evaluation.lineages import Lineage
from seston.evaluation.rank_page import rank_figures, rank_tables
from seston.evaluation.rank_tally import RankRow, RankTally, label_row
from seston.evaluation.rank_truth import read_truth
from seston.evaluation.reported import reported
from seston.evaluation.results import Evaluation
from seston.evaluation.simple_shot import probe_features, standardised
from seston.evaluation.subjects import part_sides, saved_split
from seston.particle import Progress, Silence

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["STRENGTHS", "Probe", "fit_probe", "fit_rule", "linear_probe"]

STRENGTHS = (0.001, 0.01, 0.1, 1.0)
"""Inverse strengths of the regularisation (C of scikit-learn) that are tried."""

_MOST = 20_000
_STEPS = 200
_HELD_OUT = 0.2


@dataclass(frozen=True)
class Probe:
    """A fitted multinomial logistic regression."""

    classes: NDArray[np.int64]
    weights: NDArray[np.float64]
    """Shape (classes, features)."""
    offsets: NDArray[np.float64]
    strength: float
    """Of `STRENGTHS`."""
    learnt_from: int
    """Particles."""
    converged: bool

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """Name particles."""
        return np.asarray(self.classes[(features @ self.weights.T + self.offsets).argmax(axis=1)])


def linear_probe(
    data: DataSet | Path | str,
    *,
    model: ModelLike,
    most: int = _MOST,
    split: str | None = None,
    fold: int = 0,
    seed: int = 0,
    baselines: bool = True,
    to: Path | str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Learn a multinomial logistic regression on the features of the training part, and ask it about the test part.

    Features are those of the towers, brought to mean 0 and spread 1. The strength of the regularisation is chosen by
    the balanced accuracy on a fifth of the training part (of other samples, where the split is by sample).

    Parameters
    ----------
    model
        A run, or ``classical``.
    most
        Learn from at most so many particles, drawn at random; a note says so.
    split, fold
        As in `few_shot`.
    baselines
        Probe an untrained encoder and measured features too.
    to
        Write a report here.

    Returns
    -------
    Evaluation
        Its rows are `.ranks`: the label as it stands, and each rank.

    Raises
    ------
    UsageError
        Where too few particles have labels.
    """
    if most < 2:
        raise UsageError(f"most is {most}: a probe needs at least two particles")
    from seston.store import open_data_set

    say = progress or Silence()
    opened = open_data_set(data) if isinstance(data, str | Path) else data
    partition = saved_split(opened, split)
    ((number, encoder),) = models_of(opened, model, partition, fold)
    compared = compare(opened, encoder, partition, number, Plan([1], 1, 1, seed, "", baselines), say)
    sides = part_sides(compared.subjects, partition, number, 1, seed)
    probes, named = _probe(compared, sides, most, seed, say)
    rows = _rows(compared, sides, _lineages(opened, compared), named, seed)
    evaluation = Evaluation(
        title=f"Linear probe: {opened.path.name}",
        protocol="linear-probe",
        main=next(iter(probes)),
        ranks=tuple(rows),
        grouped=sides.grouped,
        left_out=sides.left_out,
        notes=(sides.note, *_notes(probes, len(sides.gallery)), *notes_of(compared)),
        tables=rank_tables(rows),
        figures=rank_figures(rows),
        simulated=compared.subjects.made_up,
        provenance=provenance_of(opened, compared, seed),
    )
    return reported(evaluation, opened, to, overwrite=overwrite)


def _probe(
    compared: Comparison, sides: Sides, most: int, seed: int, say: Progress
) -> tuple[dict[str, Probe], dict[str, NDArray[np.int64]]]:
    """Fit a probe to each kind of features, and give what it calls the particles that are asked about."""
    probes: dict[str, Probe] = {}
    named: dict[str, NDArray[np.int64]] = {}
    features = probe_features(compared, sides.gallery)
    say.start("fitting linear probes", len(features))
    for name, views in features.items():
        widest = standardised(next(iter(views.values())), sides.gallery)
        probes[name] = fit_probe(widest, compared, sides, most, seed)
        named[name] = probes[name](widest[sides.queries])
        say.advance(1, name)
    say.finish()
    return probes, named


def fit_probe(features: NDArray[np.float32], compared: Comparison, sides: Sides, most: int, seed: int) -> Probe:
    """Fit a probe to the training part; the strength is chosen within it.

    Parameters
    ----------
    features
        Standardised; a row a subject.
    """
    random = np.random.default_rng(seed)
    rows = np.sort(random.permutation(sides.gallery)[:most])
    labels = compared.subjects.classes
    inner, held = _parted(rows, compared.subjects.samples, sides.grouped, random)
    strength = STRENGTHS[-2]
    if len(held) and len(np.unique(labels[inner])) > 1:
        tried = {
            one: _balanced(labels[held], fit_rule(features[inner], labels[inner], one)(features[held]))
            for one in STRENGTHS
        }
        strength = max(tried, key=lambda one: (tried[one], -one))
    return fit_rule(features[rows], labels[rows], strength)


def _parted(
    rows: NDArray[np.int64], samples: Sequence[str], grouped: bool, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Hold a fifth of the rows out, whole samples of them where samples must not be parted."""
    of = np.array([samples[row] for row in rows.tolist()])
    names = np.unique(of)
    if grouped and len(names) > 1:
        chosen = random.permutation(names)[: max(1, round(_HELD_OUT * len(names)))]
        out = np.isin(of, chosen)
    else:
        out = np.zeros(len(rows), np.bool_)
        out[random.permutation(len(rows))[: round(_HELD_OUT * len(rows))]] = True
    return rows[~out], rows[out]


def fit_rule(features: NDArray[np.float32], labels: NDArray[np.int64], strength: float) -> Probe:
    """Fit a multinomial logistic regression.

    Parameters
    ----------
    features
        Standardised.
    strength
        Inverse strength of the regularisation.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        rule = LogisticRegression(C=strength, max_iter=_STEPS).fit(features.astype(np.float64), labels)
    weights, offsets = rule.coef_, rule.intercept_
    if len(rule.classes_) == 2:  # scikit-learn keeps one row for two classes
        weights, offsets = np.concatenate([-weights, weights]) / 2, np.concatenate([-offsets, offsets]) / 2
    slow = any(issubclass(one.category, ConvergenceWarning) for one in heard)
    return Probe(rule.classes_.astype(np.int64), weights, offsets, strength, len(labels), not slow)


def _balanced(truth: NDArray[np.int64], named: NDArray[np.int64]) -> float:
    return float(np.mean([(named[truth == one] == one).mean() for one in np.unique(truth)]))


def _lineages(data: DataSet, compared: Comparison) -> list[Lineage]:
    """Give the lineage of each class: that of its label in the source where it is seen first."""
    truth = read_truth(data, None, 0)
    subjects = compared.subjects
    first: dict[int, str] = {}
    for name, number in zip(subjects.ids, subjects.classes.tolist(), strict=True):
        if number >= 0:
            first.setdefault(number, name)
    rows = data.rows_of([first[number] for number in range(len(subjects.class_names))])
    return truth.lineages(rows)


def _rows(
    compared: Comparison,
    sides: Sides,
    lineages: Sequence[Lineage],
    named: Mapping[str, NDArray[np.int64]],
    seed: int,
) -> list[RankRow]:
    subjects = compared.subjects
    truth = subjects.classes[sides.queries]
    samples = [subjects.samples[row] for row in sides.queries.tolist()] if sides.grouped else None
    rows: list[RankRow] = []
    tally = RankTally()
    for name, given in named.items():
        rows.append(label_row(truth, given, samples, method=name, seed=seed))
        tally = RankTally()
        numbers = np.array([tally.number(one) for one in lineages], np.int64)
        tally.add_numbers(numbers[truth], numbers[given], samples)
        rows += tally.rows(method=name, seed=seed)
    commonest = np.full(len(truth), np.bincount(subjects.classes[sides.gallery]).argmax(), np.int64)
    rows.append(label_row(truth, commonest, samples, method="most frequent taxon", seed=seed))
    return [*rows, *tally.most_frequent().rows(method="most frequent taxon", seed=seed)]


def _notes(probes: Mapping[str, Probe], particles: int) -> list[str]:
    notes = [
        f"{name}: logistic regression on {probe.weights.shape[1]:,} standardised features of {probe.learnt_from:,} "
        f"particles, C = {probe.strength:g}{'' if probe.converged else f', stopped after {_STEPS} steps'}"
        for name, probe in probes.items()
    ]
    fewest = min(probe.learnt_from for probe in probes.values())
    if fewest < particles:
        notes.append(f"of {particles:,} particles of the training part {fewest:,} were learnt from, drawn at random")
    return notes
