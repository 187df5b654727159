"""Naming by the nearest mean of a few labelled particles of each class: SimpleShot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.comparison import Comparison, ModelLike, Plan, compare, evaluation_of, models_of, notes_of
from seston.evaluation.draws import Draw, Sides, nested_draws
from seston.evaluation.grid import Trial, run_grid
from seston.evaluation.measuring import sides_for, unlabelled_pool
from seston.evaluation.methods import Combination, Method, Names, chance
from seston.evaluation.reported import reported
from seston.evaluation.results import Evaluation
from seston.evaluation.subjects import saved_split
from seston.models.spaces import unit
from seston.particle import Progress, Silence
from seston.recognition.embeddings import Embeddings

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["few_shot", "nearest_mean", "probe_features", "standardised"]

_RULE = "SimpleShot"

Features = Mapping[str, NDArray[np.float32]]


def few_shot(
    data: DataSet | Path | str,
    *,
    model: ModelLike,
    k: Sequence[int] = (1, 5, 10),
    repeats: int = 5,
    split: str | None = None,
    fold: int = 0,
    seed: int = 0,
    baselines: bool = True,
    to: Path | str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Name particles by the nearest mean of `k` labelled ones of each class.

    Wang et al. 2019 (SimpleShot, arXiv 1911.04623, CL2N): features less the mean of the training part's, brought to
    length 1, named after the nearest mean of the support by Euclidean distance. Features are those of the towers;
    hand-made ones are brought to mean 0 and spread 1 first. The support is drawn from the training part, never from
    what is asked about; a smaller support is part of a larger one, and all are asked the same.

    Parameters
    ----------
    model
        A run, or ``classical``.
    k
        Labelled particles of each class.
    repeats
        Supports drawn for each `k`, each by another seed.
    split, fold
        Support from the training part of this saved split, queries from its test part. Without a name the only split of
        the data set is taken; where there is none, samples (or, with one sample, particles) are halved.
    baselines
        Show an untrained encoder, measured features and chance beside the model.
    to
        Write a report here.

    Raises
    ------
    UsageError
        Where `k` or `repeats` is below 1, or too few particles have labels.
    """
    sizes = sorted(set(k))
    if not sizes or sizes[0] < 1 or repeats < 1:
        raise UsageError("k and repeats have to be 1 or more")
    from seston.store import open_data_set

    say = progress or Silence()
    opened = open_data_set(data) if isinstance(data, str | Path) else data
    partition = saved_split(opened, split)
    ((number, encoder),) = models_of(opened, model, partition, fold)
    plan = Plan(sizes, 1, repeats, seed, _RULE, baselines)
    compared = compare(opened, encoder, partition, number, plan, say)
    sides, fitting, notes = sides_for(compared, partition, plan)
    draws = nested_draws(compared.subjects.labels, sides, fitting, repeats, seed)
    pool = unlabelled_pool(compared.subjects, sides, partition, number)
    methods = _methods(compared, pool, plan)
    trials = run_grid(methods, draws, np.maximum(compared.subjects.classes, 0), say)
    how = f"SimpleShot: features centred by the mean of {len(pool):,} particles of the training part, nearest mean"
    notes = (sides.note, f"{how}; {repeats} supports", *notes, *notes_of(compared))
    return reported(_evaluation(opened, compared, trials, sides, plan, notes), opened, to, overwrite=overwrite)


def _evaluation(
    data: DataSet, compared: Comparison, trials: Sequence[Trial], sides: Sides, plan: Plan, notes: tuple[str, ...]
) -> Evaluation:
    """Put trials together; the first is of the model in question."""
    return replace(
        evaluation_of(data, compared, trials, f"{trials[0].method} ({_RULE})", plan, ()),
        title=f"Named after a few of each class: {data.path.name}",
        protocol="few-shot",
        grouped=sides.grouped,
        left_out=sides.left_out,
        notes=notes,
    )


def _methods(compared: Comparison, pool: NDArray[np.int64], plan: Plan) -> list[Method]:
    classes = np.maximum(compared.subjects.classes, 0)
    methods = [nearest_mean(name, features, classes, pool) for name, features in probe_features(compared, pool).items()]
    if plan.baselines:
        pairs: dict[Combination, None] = {pair: None for method in methods for pair in method.combinations}
        methods.append(chance(classes, pairs, plan.seed))
    return methods


def probe_features(compared: Comparison, pool: NDArray[np.int64]) -> dict[str, Features]:
    """Give the features of the model in question and of what it is compared with, by what they show.

    Returns
    -------
    dict
        Name of the method → ``I``, ``P`` or ``IP`` → features; a row a subject.
    """
    found = {"model" if compared.is_model else "classical": compared.vectors}
    if compared.untrained is not None:
        found["untrained encoder"] = compared.untrained
    if compared.is_model and compared.measured is not None:
        found["classical"] = compared.measured
    modality = compared.subjects.modality
    return {name: _by_view(vectors, modality, pool, name == "classical") for name, vectors in found.items()}


def _by_view(vectors: Embeddings, modality: str, pool: NDArray[np.int64], measured: bool) -> Features:
    image, profile = vectors.image, vectors.profile
    if measured:
        image, profile = standardised(image, pool), standardised(profile, pool)
    if modality == "image":
        return {"I": image}
    if modality == "profile":
        return {"P": profile}
    return {"IP": np.concatenate([image, profile], axis=1), "I": image, "P": profile}


def standardised(features: NDArray[np.float32], pool: NDArray[np.int64]) -> NDArray[np.float32]:
    """Bring features to mean 0 and spread 1 over some rows; what is missing or does not vary becomes 0."""
    known = np.where(np.isfinite(features), features, np.nan).astype(np.float64)
    learnt = known[pool]
    there = np.isfinite(learnt)
    many = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, learnt, 0).sum(axis=0) / many
    spread = np.sqrt((np.where(there, learnt - mean, 0) ** 2).sum(axis=0) / many)
    scaled = (known - mean) / np.where(spread > 1e-9 * np.maximum(np.abs(mean), 1), spread, np.inf)
    return np.asarray(np.nan_to_num(scaled, nan=0.0), np.float32)


def nearest_mean(name: str, features: Features, classes: NDArray[np.int64], pool: NDArray[np.int64]) -> Method:
    """Name by the nearest mean of the gallery's classes, in features centred by the mean of the pool's rows."""
    centred = {view: unit(part - part[pool].mean(axis=0)) for view, part in features.items()}

    def names(draw: Draw) -> Names:
        labels, places = np.unique(classes[draw.gallery], return_inverse=True)
        for view, vectors in centred.items():
            means = np.zeros((len(labels), vectors.shape[1]))
            np.add.at(means, places, vectors[draw.gallery])
            means /= np.bincount(places)[:, None]
            # the query's own length is the same for all means: |q − m|² = |q|² − 2 q·m + |m|²
            likeness = vectors[draw.queries] @ means.T - (means**2).sum(axis=1) / 2
            yield (view, view), labels[likeness.argmax(axis=1)]

    return Method(name, _RULE, tuple((view, view) for view in features), names)
