"""Answers on held-out particles for runs that learnt names before these were kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.training.classifying import logits_in_parts
from seston.training.held_out_answers import collect_answers, write_answers
from seston.training.labelled import labelled_parts
from seston.training.particles import choose_parts, take_particles
from seston.training.run import Run

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["with_held_out_answers"]


def with_held_out_answers(run: Run, data: DataSet, split: str | None, fold: int) -> Run:
    """Give a run with its answers on held-out particles, and keep them in its folder; any other run as it is.

    Parameters
    ----------
    run
        From its folder.
    data, split, fold
        That it was trained with: the training part has to have the classes of the run, with as many particles each.

    Raises
    ------
    UsageError
        Other particles than those of the training: some that it learnt from could pass for held out.
    """
    if run.classes is None or run.held_out is not None or run.path is None:
        return run
    recipe = run.recipe
    parts = choose_parts(data, split, fold, recipe.needs, recipe.training.validation_share, recipe.seed)
    (train, validation), labelled = labelled_parts(data, parts, recipe.labels)
    if labelled.classes != run.classes:
        raise UsageError(
            f"{run.path}: its classes are not those of {data.path}"
            f"{'' if split is None else f', split {split!r}, fold {fold}'}: give the data set and the split that it "
            "was trained with"
        )
    if not len(validation):
        return run

    def answer(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        particles = take_particles(data, validation.rows[rows])
        return np.concatenate(list(logits_in_parts(run, particles, skipped=[])))

    found = collect_answers(answer, labelled.validation, tuple(sorted(train.flags)))
    write_answers(found, run.path)
    return replace(run, held_out=found)
