"""Naming labelled particles by small galleries of others: our protocol, and the paper's as it is coded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from seston.errors import UsageError, nearest_word
from seston.evaluation.comparison import ModelLike, Plan, compare, models_of, partner_evaluation, partners_of
from seston.evaluation.examples import pick_examples
from seston.evaluation.measuring import by_nested_galleries, by_paper
from seston.evaluation.reported import reported
from seston.evaluation.results import Evaluation
from seston.evaluation.subjects import saved_split, split_masks
from seston.particle import Progress, Silence

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["gallery_knn", "retrieval"]

_PROTOCOLS = ("seston", "paper")
_SIZES = (1, 2, 4, 8, 16)


def gallery_knn(
    data: DataSet | Path | str,
    *,
    model: ModelLike | Sequence[ModelLike] | None = None,
    protocol: Literal["seston", "paper"] = "seston",
    n: Sequence[int] = _SIZES,
    k: int = 3,
    repeats: int = 5,
    split: str | None = None,
    fold: int = 0,
    seed: int = 0,
    baselines: bool = True,
    classifier: str = "soft-lda",
    examples: int = 24,
    to: Path | str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Name labelled particles by small galleries of others, and say how often the name is right.

    Model, untrained encoder, classical features and chance all see the same galleries and queries.

    Parameters
    ----------
    data
        With labels (predictions do not count as such).
    model
        A run, ``classical``, or None for the baselines alone. For the paper's protocol one model a fold may be given.
    protocol
        ``seston``: nested galleries, one fixed query set over all n, classes with too few particles left out and
        named. ``paper``: that of arXiv 2603.16427 as coded, nine combinations by its vote of k neighbours.
    n
        Gallery particles of each class.
    k
        Neighbours that vote in the paper's rule.
    repeats
        Galleries drawn for each n (and fold).
    split, fold
        Galleries come from the training part of this saved split, queries from its test part. Without a name the only
        split of the data set is taken; where there is none, ``seston`` halves the samples (or, with one sample, the
        particles), and ``paper`` draws galleries from one pool and asks about the rest.
    seed
        The same seed draws the same galleries.
    classifier
        Rule of the model in question: see `seston.recognition.CLASSIFIERS`.
    examples
        Queries to show in the report.
    to
        Write a report here: a folder, or the path of the HTML file.

    Raises
    ------
    UsageError
        For a wrong protocol, or too few labelled particles.
    """
    if protocol not in _PROTOCOLS:
        raise UsageError(f"there is no protocol {protocol!r}{nearest_word(protocol, _PROTOCOLS)}")
    plan = _plan(n, k, repeats, seed, classifier, baselines)
    say, opened = progress or Silence(), _open(data)
    partition = saved_split(opened, split)
    compared = [
        compare(opened, encoder, partition, number, plan, say)
        for number, encoder in models_of(opened, model, partition, fold)
    ]
    measure = by_paper if protocol == "paper" else by_nested_galleries
    found = measure(opened, compared, partition, plan, say)
    evaluation, first = found.evaluation, compared[0]
    if examples:
        shown = pick_examples(opened, first.subjects, first.vectors, found.draw, found.pool, examples, seed)
        evaluation = replace(evaluation, examples=shown)
    return reported(evaluation, opened, to, overwrite=overwrite)


def _plan(n: Sequence[int], k: int, repeats: int, seed: int, classifier: str, baselines: bool) -> Plan:
    sizes = sorted(set(n))
    if not sizes or sizes[0] < 1 or k < 1 or repeats < 1:
        raise UsageError("n, k and repeats have to be 1 or more")
    return Plan(sizes, k, repeats, seed, classifier, baselines)


def retrieval(
    data: DataSet | Path | str,
    *,
    model: ModelLike,
    split: str | None = None,
    fold: int = 0,
    seed: int = 0,
    baselines: bool = True,
    to: Path | str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Search the profile of each picture among all, and the picture of each profile: R@1, R@5 and R@10.

    Labels are not needed. Beside the model stand shuffled pairs, which have to lie inside the 99 % interval of chance,
    an untrained encoder, and features that are *aligned*: by canonical correlations learnt from the unlabelled pairs
    of the training part, of the model, of the untrained encoder, and of measured features.

    Parameters
    ----------
    data
        With pairs of pictures and profiles.
    model
        A run.
    split, fold
        Search among the test part of this saved split; without a name among that of the only split of the data set,
        or among all pairs where there is none.
    to
        Write a report here.

    Raises
    ------
    UsageError
        Where there are fewer than two pairs to search among.
    """
    say = progress or Silence()
    opened = _open(data)
    partition = saved_split(opened, split)
    ((number, encoder),) = models_of(opened, model, partition, fold)
    plan = Plan([1], 1, 1, seed, "soft-lda", baselines)
    compared = compare(opened, encoder, partition, number, plan, say, names=False)
    rows = pool = np.arange(len(compared.subjects.ids))
    note = "all pairs: those that the model was trained with too"
    if partition is not None:
        train, asked, part = split_masks(compared.subjects.ids, partition, fold)
        rows, pool = np.flatnonzero(asked), np.flatnonzero(train)
        note = f"pairs of the {part} part of split {partition.name!r}, fold {fold}"
    found = partners_of(compared, rows, pool, seed)
    if not found:
        raise UsageError(f"{opened.path}: there are no two pairs of picture and profile to search among ({note})")
    return reported(partner_evaluation(opened, compared, found, note, seed), opened, to, overwrite=overwrite)


def _open(data: DataSet | Path | str) -> DataSet:
    from seston.store import open_data_set

    return open_data_set(data) if isinstance(data, str | Path) else data
