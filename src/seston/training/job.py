"""What a training works on: particles in a form that is quick to take, and what is known of each."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.models.contexts import Contexts
from seston.particle import Progress, Skipped
from seston.training.context_targets import find_contexts, with_contexts
from seston.training.labelled import Labelled, labelled_parts
from seston.training.measured import with_measures
from seston.training.particles import Chosen, channels_of, choose_parts, part_of
from seston.training.preparation import Preparation
from seston.training.processes import Processes
from seston.training.randomness import shuffled
from seston.training.settings import Recipe
from seston.training.sources import PreparedSource, cached_source, direct_source, with_shuffled_pairs, without_pixels
from seston.training.statistics import blank_preparation, measured_preparation
from seston.training.text_table import Levels
from seston.training.texts import said_of_parts, with_texts

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["Job", "Said", "prepare_job"]

_SHUFFLE = 0x5AFF1E

Said = tuple[list[Levels], NDArray[np.int64], NDArray[np.int64]]
"""What can be said of particles, and which of it each training and each held-out particle is; see `said_of_parts`."""


@dataclass(frozen=True)
class Job:
    """What a training works on."""

    recipe: Recipe
    chosen: tuple[Chosen, Chosen]
    """Training and held-out particles."""
    train: PreparedSource
    validation: PreparedSource | None
    """None where nothing is held out."""
    preparation: Preparation
    skipped: list[Skipped]
    labelled: Labelled | None = None
    """Classes of the particles, where names are learnt."""
    said: Said | None = None
    contexts: tuple[Contexts, Contexts] | None = None
    """Where and when training and held-out particles were taken, where that can be learnt from."""

    def without_pixels(self) -> Job:
        """Give the same job, for a training that needs no picture any more."""
        held = None if self.validation is None else without_pixels(self.validation)
        return replace(self, train=without_pixels(self.train), validation=held)


def prepare_job(
    data: DataSet,
    recipe: Recipe,
    partition: tuple[str | None, int],
    kept: Path,
    processes: Processes,
    say: Progress,
    *,
    shuffle_pairs: bool = False,
) -> Job:
    """Choose the particles of a training, bring them into a form that is quick to take, and measure them.

    Parameters
    ----------
    partition
        A saved split, or None, and its fold.
    kept
        Each choice of particles has a folder of its own below this one, which trainings may share.
    shuffle_pairs
        Give each picture the profile of another particle.

    Raises
    ------
    UsageError
        Too few particles, or none with the labels, texts or modalities that the recipe learns from.
    """
    parts = choose_parts(data, *partition, recipe.needs, recipe.training.validation_share, recipe.seed)
    labelled = None
    if recipe.supervised is not None:
        parts, labelled = labelled_parts(data, parts, recipe.labels)
    parts, said = _said(data, recipe, parts)
    job = replace(_prepared(data, recipe, kept, parts, processes, say), labelled=labelled)
    if said is not None:
        job = replace(job, preparation=with_texts(job.preparation, recipe, *said[:2]), said=said)
    if recipe.uses_contexts:
        contexts = find_contexts(data, recipe, parts, say)
        job = replace(job, preparation=with_contexts(job.preparation, parts[0], contexts), contexts=contexts)
    return _shuffled(job, recipe.seed) if shuffle_pairs else job


def _said(data: DataSet, recipe: Recipe, parts: tuple[Chosen, Chosen]) -> tuple[tuple[Chosen, Chosen], Said | None]:
    """Find what can be said of particles; where there is nothing else to learn, leave out those that lack it."""
    if recipe.text is None:
        return parts, None
    levels, *numbers = said_of_parts(data, recipe, parts)
    if recipe.loss.texts_alone:
        parts = (part_of(parts[0], numbers[0] >= 0), part_of(parts[1], numbers[1] >= 0))
        numbers = [part[part >= 0] for part in numbers]
    return parts, (levels, numbers[0], numbers[1])


def _prepared(
    data: DataSet, recipe: Recipe, kept: Path, parts: tuple[Chosen, Chosen], processes: Processes, say: Progress
) -> Job:
    train, validation = parts
    blank = blank_preparation(recipe, channels_of(recipe, train))
    skipped: list[Skipped] = []

    def source(chosen: Chosen, name: str) -> PreparedSource:
        if not recipe.training.cache:
            return direct_source(data, chosen, blank, skipped)
        place = kept / "prepared" / f"{name}-{chosen.fingerprint()[:16]}"
        if not processes.first:  # the first process fills the files, the others map them
            processes.wait()
        made = cached_source(data, chosen, blank, place, skipped, threads=os.cpu_count() or 1, progress=say)
        if processes.first:
            processes.wait()
        return made

    learnt = source(train, "train")
    held = source(validation, "validation") if len(validation) else None
    preparation = measured_preparation(blank, learnt, recipe.seed)
    if recipe.measured:
        preparation = with_measures(preparation, data, train)
    return Job(recipe, parts, learnt, held, preparation, skipped)


def _shuffled(job: Job, seed: int) -> Job:
    held = job.validation
    return replace(
        job,
        train=with_shuffled_pairs(job.train, shuffled(len(job.train), seed, _SHUFFLE)),
        validation=None if held is None else with_shuffled_pairs(held, shuffled(len(held), seed, _SHUFFLE)),
    )
