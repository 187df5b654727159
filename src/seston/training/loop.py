"""Training: from a data set and a recipe to a run."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from seston.features import Measures
from seston.models import CrossModalModel
from seston.models.classifier import ClassifierModel
from seston.models.contexts import Contexts
from seston.models.dino import ImageModel, require_lightly
from seston.models.low_rank import merge_low_rank
from seston.particle import Progress, Silence, Skipped
from seston.training.checkpoint import Position
from seston.training.classes import Classes
from seston.training.context_targets import context_targets, find_contexts, with_contexts
from seston.training.dino_learner import DinoLearner, make_dino_learner
from seston.training.discriminants import begin_with_discriminants
from seston.training.frozen_features import frozen_features, standardise
from seston.training.held_out_later import with_held_out_answers
from seston.training.labelled import Labelled, labelled_parts
from seston.training.learner import Learner, make_learner
from seston.training.measured import measure_rows, with_measures
from seston.training.model_card import model_card
from seston.training.neighbourhood import Neighbourhood, searched_rows
from seston.training.particles import Chosen, channels_of, choose_parts, part_of
from seston.training.preparation import Preparation
from seston.training.processes import Processes, joined_processes
from seston.training.randomness import shuffled
from seston.training.recipe import asked_recipe, read_recipe
from seston.training.run import Run, load_run, model_id, new_model, save_run
from seston.training.run_folder import begin_folder, same_recipe
from seston.training.sampling import sampling_weights
from seston.training.session import Session
from seston.training.settings import Recipe
from seston.training.sources import PreparedSource, cached_source, direct_source, with_shuffled_pairs, without_pixels
from seston.training.statistics import blank_preparation, measured_preparation
from seston.training.supervised_learner import SupervisedLearner, make_supervised_learner
from seston.training.text_table import Levels
from seston.training.texts import said_of_parts, text_targets, with_texts

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["train"]

_SHUFFLE = 0x5AFF1E


def train(
    data: DataSet,
    *,
    recipe: Recipe | str | Path = "default",
    to: Path | str,
    split: str | None = None,
    fold: int = 0,
    minutes: float | None = None,
    epochs: int | None = None,
    resume: bool = False,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
    overwrite: bool = False,
    shuffle_pairs: bool = False,
    clock: Callable[[], float] = time.monotonic,
    features: Path | str | None = None,
) -> Run:
    """Train a model on the particles of a data set: without their labels, unless the recipe is a supervised one.

    Parameters
    ----------
    data
        An open data set.
    recipe
        A recipe, its name, or the path of a TOML file.
    to
        Folder of the run.
    split, fold
        Learn from the training part of this saved partition, and hold its validation part out. Without a split, all
        particles are used, but for a twentieth that is held out.
    minutes, epochs
        The budget: either replaces both limits of the recipe, and the learning rate ends where it ends. Minutes count
        from this call, preparation included.
    resume
        Go on from the last checkpoint in `to`; one that never began begins. A training that has ended is loaded, and,
        where it learnt names and kept no answers on held-out particles yet, keeps them now.
    overrides
        ``KEY=VALUE``, as for `load_recipe`.
    progress
        Told how far it is.
    overwrite
        Replace a run that is there.
    shuffle_pairs
        Give each picture the profile of another particle: a control.
    clock
        Gives the seconds by which a budget in minutes is measured: the time of day, or, where other programs are at
        work and trainings are to be compared, `time.process_time`.
    features
        Folder in which prepared particles, and what a frozen tower finds in them, are kept and used again by other
        trainings; without it, they are kept in the run's own folder until the training has ended.

    Returns
    -------
    Run
        With the averaged weights of the lowest validation loss, or of the last step where nothing was held out; by
        DINO, with the teacher.

    Raises
    ------
    MissingExtraError
        The recipe learns by DINO and lightly is not installed, or asks for a timm tower without timm.
    UsageError
        A wrong recipe, a run that exists (without `resume` or `overwrite`), too few particles, or a resumed run whose
        recipe or particles differ.
    TrainingError
        The loss became infinite or no number; the message names the particles.
    KeyboardInterrupt
        Ctrl-C: raised after a checkpoint was written.
    """
    started = clock()
    folder, say = Path(to), progress or Silence()
    wanted = asked_recipe(recipe, overrides, minutes, epochs)
    if resume and (folder / "recipe.toml").is_file():
        wanted = same_recipe(wanted, read_recipe(folder / "recipe.toml"), folder)
        if (folder / "run.json").is_file():
            return with_held_out_answers(load_run(folder), data, split, fold)
    if wanted.dino is not None:
        require_lightly()
    with joined_processes(wanted.training.device) as processes, _own_generator(processes):
        if processes.first:
            begin_folder(folder, wanted, resume=resume, overwrite=overwrite)
        processes.wait()
        kept = folder / "state" if features is None else Path(features)
        return _train_run(data, wanted, folder, (split, fold), processes, started, say, shuffle_pairs, clock, kept)


def _train_run(
    data: DataSet,
    recipe: Recipe,
    folder: Path,
    partition: tuple[str | None, int],
    processes: Processes,
    started: float,
    say: Progress,
    shuffle_pairs: bool,
    clock: Callable[[], float],
    kept: Path,
) -> Run:
    parts = choose_parts(data, *partition, recipe.needs, recipe.training.validation_share, recipe.seed)
    labelled = None
    if recipe.supervised is not None:
        parts, labelled = labelled_parts(data, parts, recipe.labels)
    parts, said = _said(data, recipe, parts)
    job = _job(data, recipe, kept, parts, processes, say)
    if said is not None:
        job = replace(job, preparation=with_texts(job.preparation, recipe, *said[:2]), said=said)
    if recipe.uses_contexts:
        contexts = find_contexts(data, recipe, parts, say)
        job = replace(job, preparation=with_contexts(job.preparation, parts[0], contexts), contexts=contexts)
    if shuffle_pairs:
        job = _shuffled(job, recipe.seed)
    weights = None
    if labelled is None:
        learner = _new_learner(data, recipe, job, kept / "features", processes, say)
        if recipe.text is not None and job.said is not None:
            weights = sampling_weights(recipe.text.sampling, job.said[1])
    else:
        learner, weights = _new_classifier(recipe, job, labelled, kept / "features", processes, say)
    if not isinstance(learner, DinoLearner) and learner.frozen is not None:
        job = job.without_pixels()
    position = Session(learner, job.train, job.validation, folder, started, say, clock, weights).learn()
    run = _run(learner, position, folder, None if labelled is None else labelled.classes, job.validation, parts[0])
    if processes.first:
        split, fold = partition
        where = "all particles" if split is None else f"split `{split}`, fold {fold}"
        machine = _machine(processes)
        card = model_card(
            run, *parts, data=data.path.name, split=where, skipped=job.skipped, machine=machine, shuffled=shuffle_pairs
        )
        _write(run, card, folder)
    processes.wait()
    return run


_AnyLearner = Learner | DinoLearner | SupervisedLearner


def _new_classifier(
    recipe: Recipe, job: _Job, labelled: Labelled, features: Path, processes: Processes, say: Progress
) -> tuple[_AnyLearner, NDArray[np.float64] | None]:
    """Make what learns names, and say how often each particle is shown to it."""
    assert recipe.supervised is not None
    model = new_model(recipe, job.preparation, recipe.seed, labelled.classes)
    assert isinstance(model, ClassifierModel)
    weights = sampling_weights(recipe.supervised.sampling, labelled.train)
    stays, discriminants = recipe.model.image.frozen is True, recipe.supervised.begin == "discriminants"
    found = None
    if stays or discriminants:
        parts = (job.train, job.validation)
        views = recipe.supervised.frozen_views if stays else 1
        found = frozen_features(model, model.features, views, recipe, job.preparation, *parts, features, processes, say)
        standardise(model, found)
    if found is not None and discriminants:
        begin_with_discriminants(model, found, labelled.train, labelled.validation, weights)
    learner = make_supervised_learner(recipe, job.preparation, model, processes, labelled, found if stays else None)
    return learner, weights


def _new_learner(
    data: DataSet, recipe: Recipe, job: _Job, features: Path, processes: Processes, say: Progress
) -> _AnyLearner:
    model = new_model(recipe, job.preparation, recipe.seed)
    if isinstance(model, CrossModalModel):
        neighbourhood = _neighbourhood(data, recipe, job, say) if recipe.uses_neighbours else None
        texts = None if job.said is None else text_targets(recipe, job.preparation, *job.said)
        frozen = None
        if recipe.text is not None and recipe.model.image.frozen is True:
            parts = (job.train, job.validation)
            look, views = model.tower_features, recipe.text.frozen_views
            frozen = frozen_features(model, look, views, recipe, job.preparation, *parts, features, processes, say)
        contexts = context_targets(recipe, job.preparation, job.contexts)
        return make_learner(recipe, job.preparation, model, processes, neighbourhood, texts, frozen, contexts)
    assert isinstance(model, ImageModel)
    return make_dino_learner(recipe, job.preparation, model, processes)


_Said = tuple[list[Levels], NDArray[np.int64], NDArray[np.int64]]


def _said(data: DataSet, recipe: Recipe, parts: tuple[Chosen, Chosen]) -> tuple[tuple[Chosen, Chosen], _Said | None]:
    """Find what can be said of particles; where there is nothing else to learn, leave out those that lack it."""
    if recipe.text is None:
        return parts, None
    levels, *numbers = said_of_parts(data, recipe, parts)
    if recipe.loss.texts_alone:
        parts = (part_of(parts[0], numbers[0] >= 0), part_of(parts[1], numbers[1] >= 0))
        numbers = [part[part >= 0] for part in numbers]
    return parts, (levels, numbers[0], numbers[1])


def _neighbourhood(data: DataSet, recipe: Recipe, job: _Job, say: Progress) -> Neighbourhood:
    rows = searched_rows(len(job.train), recipe.seed)
    measured: tuple[NDArray[np.float32], ...] = ()
    if isinstance(job.preparation.measures, Measures):
        measured = measure_rows(data, job.train.chosen.rows[rows], job.preparation.measures, say)
    return Neighbourhood(recipe.neighbours, job.train, rows, measured)


def _write(run: Run, card: str, folder: Path) -> None:
    (folder / "README.md").write_text(card, encoding="utf-8")
    save_run(run, folder)
    for made in ("prepared", "features"):
        shutil.rmtree(folder / "state" / made, ignore_errors=True)


@contextmanager
def _own_generator(processes: Processes) -> Iterator[None]:
    """Leave torch's generators to the caller as they were."""
    devices = [processes.device] if processes.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield


@dataclass(frozen=True)
class _Job:
    """What a training works on."""

    train: PreparedSource
    validation: PreparedSource | None
    preparation: Preparation
    skipped: list[Skipped]
    said: _Said | None = None
    """What can be said of the particles, and of which each is; see `said_of_parts`."""
    contexts: tuple[Contexts, Contexts] | None = None
    """Where and when training and held-out particles were taken, where that can be learnt from."""

    def without_pixels(self) -> _Job:
        """Give the same job, for a training that needs no picture any more."""
        held = None if self.validation is None else without_pixels(self.validation)
        return replace(self, train=without_pixels(self.train), validation=held)


def _job(
    data: DataSet, recipe: Recipe, kept: Path, parts: tuple[Chosen, Chosen], processes: Processes, say: Progress
) -> _Job:
    """Bring the chosen particles into a form that is quick to take, and measure them.

    Each choice of particles has a folder of its own below `kept`, which trainings may share.
    """
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
    return _Job(learnt, held, preparation, skipped)


def _shuffled(job: _Job, seed: int) -> _Job:
    held = job.validation
    return replace(
        job,
        train=with_shuffled_pairs(job.train, shuffled(len(job.train), seed, _SHUFFLE)),
        validation=None if held is None else with_shuffled_pairs(held, shuffled(len(held), seed, _SHUFFLE)),
    )


def _run(
    learner: _AnyLearner,
    position: Position,
    folder: Path,
    classes: Classes | None,
    validation: PreparedSource | None,
    train: Chosen,
) -> Run:
    """Make the run of the best weights."""
    model = learner.average
    model.load_state_dict(learner.best)
    held_out = None
    if isinstance(learner, SupervisedLearner) and validation is not None and learner.processes.first:
        held_out = learner.held_out_answers(validation, tuple(sorted(train.flags)))
    if isinstance(model, ClassifierModel):
        merge_low_rank(model.image_tower)
    model = model.cpu().eval()
    return Run(
        path=folder,
        recipe=learner.recipe,
        preparation=learner.preparation,
        model=model,
        model_id=model_id(model, learner.preparation),
        steps=position.step,
        best=position.best,
        seconds=position.seconds,
        classes=classes,
        held_out=held_out,
        licences=dict(train.licences),
    )


def _machine(processes: Processes) -> str:
    device = processes.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return f"{device.type} ({name}), {processes.count} process(es), torch {torch.__version__}"
