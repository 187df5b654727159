"""Training: from a data set and a recipe to a run."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from seston.models.classifier import ClassifierModel
from seston.models.dino import require_lightly
from seston.models.low_rank import merge_low_rank
from seston.particle import Progress, Silence
from seston.training.checkpoint import Position
from seston.training.dino_learner import DinoLearner
from seston.training.held_out_later import with_held_out_answers
from seston.training.job import Job, prepare_job
from seston.training.model_card import model_card
from seston.training.new_learner import AnyLearner, new_learner
from seston.training.processes import Processes, joined_processes
from seston.training.recipe import asked_recipe, read_recipe
from seston.training.run import Run, load_run, model_id, save_run
from seston.training.run_folder import begin_folder, same_recipe
from seston.training.session import Session
from seston.training.settings import Recipe
from seston.training.supervised_learner import SupervisedLearner

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["train"]


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
    job = prepare_job(data, recipe, partition, kept, processes, say, shuffle_pairs=shuffle_pairs)
    learner, weights = new_learner(data, job, kept / "features", processes, say)
    if not isinstance(learner, DinoLearner) and learner.frozen is not None:
        job = job.without_pixels()
    position = Session(learner, job.train, job.validation, folder, started, say, clock, weights).learn()
    run = _run(learner, position, folder, job)
    if processes.first:
        split, fold = partition
        where = "all particles" if split is None else f"split `{split}`, fold {fold}"
        machine = _machine(processes)
        card = model_card(
            run,
            *job.chosen,
            data=data.path.name,
            split=where,
            skipped=job.skipped,
            machine=machine,
            shuffled=shuffle_pairs,
        )
        _write(run, card, folder)
    processes.wait()
    return run


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


def _run(learner: AnyLearner, position: Position, folder: Path, job: Job) -> Run:
    """Make the run of the best weights."""
    model, train = learner.average, job.chosen[0]
    model.load_state_dict(learner.best)
    held_out = None
    if isinstance(learner, SupervisedLearner) and job.validation is not None and learner.processes.first:
        held_out = learner.held_out_answers(job.validation, tuple(sorted(train.flags)))
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
        classes=None if job.labelled is None else job.labelled.classes,
        held_out=held_out,
        licences=dict(train.licences),
    )


def _machine(processes: Processes) -> str:
    device = processes.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return f"{device.type} ({name}), {processes.count} process(es), torch {torch.__version__}"
