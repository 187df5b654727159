"""The work of a comparison: train, or go on with a training that was broken off, then judge; nothing twice."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import ValidationError, convert, structs

from comparison.bench import FOLD, Bench, bench_of
from comparison.clock import CLOCKS, Clock
from comparison.contenders import MAIN, Contender, recipe_of
from comparison.judging import judge, load_judgement
from comparison.sets import SPLIT, SetSource, make_set, own_set
from seston.errors import TrainingError
from seston.evaluation.provenance import provenance
from seston.recognition import ClassicalModel
from seston.recognition.encoder import Encoder, Model, embed_particles
from seston.store import DataSet
from seston.training import train, untrained_run
from seston.training.recipe import asked_recipe
from seston.training.settings import Recipe

__all__ = ["Settings", "Task", "failures", "judgement_path", "tasks_of", "work"]

_FORMAT = 3
_BUSY = 0.15


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a comparison was asked for."""

    to: Path
    sets_folder: Path
    sets: tuple[str, ...]
    source: SetSource
    contenders: tuple[Contender, ...]
    seeds: int
    first_seed: int = 0
    """Seeds before this one are left to another time."""
    minutes: float | None
    clock: str
    """By which minutes are measured: `comparison.clock.CLOCKS`."""
    epochs: int | None
    sizes: tuple[int, ...]
    repeats: int
    order: str
    start: str
    quick: bool
    judge_again: bool
    own: Mapping[str, Path] = field(default_factory=dict)
    """Name → data set or instrument files of those sets that are somebody's own, not made here."""


@dataclass(frozen=True)
class Task:
    """One method of one seed on one set."""

    set_name: str
    contender: Contender
    seed: int

    def __str__(self) -> str:
        return f"{self.set_name}, {self.contender.name}, seed {self.seed}"


def tasks_of(settings: Settings) -> Iterator[Task]:
    """List all tasks in the order asked for; the seed is that of weights and galleries, so it matters to all methods.

    ``seeds`` (the default): seed 0 of all methods on all sets, then seed 1, …; ``sets``: one set after the other;
    ``methods``: one method after the other. The default recipe always comes first.
    """
    order = {"seeds": (0, 2, 1), "sets": (1, 0, 2), "methods": (2, 0, 1)}[settings.order]
    contenders = sorted(settings.contenders, key=lambda one: one.name != MAIN)
    keys = [
        (seed, place, number)
        for seed in range(settings.first_seed, settings.seeds)
        for place in range(len(settings.sets))
        for number in range(len(contenders))
    ]
    for seed, place, number in sorted(keys, key=lambda key: tuple(key[one] for one in order)):
        yield Task(settings.sets[place], contenders[number], seed)


def judgement_path(settings: Settings, task: Task) -> Path:
    """Say where the judgement of a task is kept."""
    return settings.to / "judged" / task.set_name / f"{_folder_name(task, settings)}-seed{task.seed}.npz"


def failures(settings: Settings) -> list[str]:
    """List the trainings that had to stop, with the reason."""
    found = []
    for task in tasks_of(settings):
        failed = _failure(judgement_path(settings, task))
        if failed.is_file():
            found.append(f"{task}: {json.loads(failed.read_bytes())['reason']}")
    return found


def work(settings: Settings, say: Callable[[str], None]) -> Iterator[Task]:
    """Do all that is not done yet, and give each task when it is done."""
    benches: dict[str, Bench] = {}
    tasks = list(tasks_of(settings))
    for number, task in enumerate(tasks, start=1):
        if task.set_name not in benches:
            benches[task.set_name] = bench_of(task.set_name, _data(task.set_name, settings, say), max(settings.sizes))
        say(f"[{number}/{len(tasks)}] {task}: {_do(task, benches[task.set_name], settings)}")
        yield task


def _data(name: str, settings: Settings, say: Callable[[str], None]) -> DataSet:
    if name in settings.own:
        return own_set(name, settings.own[name], settings.sets_folder, say)
    return make_set(name, settings.sets_folder, settings.source, say)


def _do(task: Task, bench: Bench, settings: Settings) -> str:
    """Do one task, unless it is done, and say so in one line."""
    path, recipe = judgement_path(settings, task), _recipe(task, settings)
    draws = bench.draws(settings.sizes, settings.repeats, task.seed)
    facts = {
        "format": _FORMAT,
        "set": task.set_name,
        "method": task.contender.name,
        "seed": task.seed,
        "start": settings.start,
        "minutes": settings.minutes,
        "clock": settings.clock,
        "epochs": settings.epochs,
        "recipe": "" if recipe is None else recipe.to_toml(),
        "draws": bench.fingerprint(draws),
    }
    before = _done_before(path, facts)
    if before and not settings.judge_again:
        return before
    for old in (path, _failure(path)):  # of another recipe, budget or set
        old.unlink(missing_ok=True)
    clock = Clock()
    try:
        encoder = _encoder(task, recipe, bench, settings)
    except TrainingError as error:
        path.parent.mkdir(parents=True, exist_ok=True)
        _failure(path).write_text(json.dumps(facts | {"reason": str(error)}, indent=1) + "\n", encoding="utf-8")
        return f"failed: {error}"
    trained, others = clock.seconds(), clock.others_cores()
    vectors = embed_particles(encoder, bench.data)
    judge(task.contender, vectors, bench, draws, facts | _how(encoder, others)).save(path)
    busy = f"; other programs took {others:.1f} cores meanwhile" if others is not None and others > _BUSY else ""
    return f"{trained:.0f} s to train or load, {clock.seconds() - trained:.0f} s to judge{busy}"


def _failure(path: Path) -> Path:
    """Say where the reason is kept for which there is no judgement."""
    return path.with_suffix(".failed.json")


def _done_before(path: Path, facts: dict[str, Any]) -> str:
    """Say that a task was done, or failed, with just these settings; empty where it has to be done."""
    if path.is_file():
        return "was done before" if _same(load_judgement(path).card, facts) else ""
    if _failure(path).is_file():
        card = json.loads(_failure(path).read_bytes())
        return f"failed before: {card['reason']}" if _same(card, facts) else ""
    return ""


def _same(card: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Tell whether a task was done with just these settings; what a recipe says of itself does not count."""
    others = all(card.get(key) == value for key, value in facts.items() if key != "recipe")
    return others and _bare(str(card.get("recipe", ""))) == _bare(facts["recipe"])


def _bare(recipe: str) -> Recipe | str:
    """Read a complete recipe as this version of Seston does, without its name and description."""
    try:
        return structs.replace(convert(tomllib.loads(recipe), Recipe), name="", description="") if recipe else ""
    except ValidationError:  # written by a version with other keys
        return recipe


def _recipe(task: Task, settings: Settings) -> Recipe | None:
    if not task.contender.recipe:
        return None
    recipe = recipe_of(task.contender, task.seed, quick=settings.quick)
    return asked_recipe(recipe, (), settings.minutes, settings.epochs) if task.contender.trained else recipe


def _encoder(task: Task, recipe: Recipe | None, bench: Bench, settings: Settings) -> Encoder:
    """Train, or go on with what was broken off; a run of another recipe or budget is put aside."""
    if recipe is None:
        return ClassicalModel.of(bench.data)
    if not task.contender.trained:
        return Model(untrained_run(bench.data, recipe, task.seed, split=SPLIT, fold=FOLD))
    folder = settings.to / "runs" / task.set_name / f"{_folder_name(task, settings)}-seed{task.seed}"
    stored = folder / "recipe.toml"
    if folder.exists() and not (stored.is_file() and _bare(stored.read_text("utf-8")) == _bare(recipe.to_toml())):
        folder.rename(folder.with_name(f"{folder.name}-put-aside-{time.time_ns()}"))
    clock = CLOCKS[settings.clock]
    return Model(train(bench.data, recipe=recipe, to=folder, split=SPLIT, fold=FOLD, resume=True, clock=clock))


def _how(encoder: Encoder, others: float | None) -> dict[str, Any]:
    """Note how a judgement came about, and how many cores other programs took meanwhile."""
    made = provenance(data="")
    run = encoder.run if isinstance(encoder, Model) else None
    return {
        "steps": 0 if run is None else run.steps,
        "training_seconds": 0.0 if run is None else round(run.seconds, 1),
        "others_cores": None if others is None else round(others, 2),
        "commit": made.commit,
        "machine": made.machine,
        "packages": made.packages,
        "time": made.time,
    }


def _folder_name(task: Task, settings: Settings) -> str:
    return task.contender.name + ("" if settings.start == "random" else f"-{settings.start}")
