"""Recipes side by side: the same data, split, classes, pictures, tower, augmentation and budget; several seeds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.metrics import RESAMPLES
from seston.evaluation.provenance import provenance
from seston.evaluation.recipe_figures import Answers, RecipeRow, recipe_page, recipe_rows
from seston.evaluation.results import Evaluation
from seston.particle import Progress, Silence
from seston.taxonomy import Taxon
from seston.taxonomy.label_taxa import taxa_of
from seston.training.settings import Recipe
from seston.training.shared import SHARED, shared_recipes

if TYPE_CHECKING:
    from seston.store import DataSet
    from seston.training.classes import Classes
    from seston.training.particles import Chosen
    from seston.training.run import Run

__all__ = ["RecipeComparison", "compare_recipes"]

_NAMES = "names.json"
_AT_ONCE = 256


@dataclass(frozen=True)
class RecipeComparison:
    """Rows, first recipe first, and the page that shows them."""

    rows: tuple[RecipeRow, ...]
    evaluation: Evaluation


def compare_recipes(
    data: DataSet | Path | str,
    recipes: Sequence[str | Path],
    *,
    split: str,
    to: Path | str,
    fold: int = 0,
    seeds: int = 3,
    minutes: float | None = None,
    epochs: int | None = None,
    changes: Sequence[str] = (),
    per_class: int | None = None,
    resamples: int = RESAMPLES,
    progress: Progress | None = None,
) -> RecipeComparison:
    """Train each recipe with several seeds and compare how well the test part is named.

    What is not the question is the same for all: pictures, classes, tower and its starting weights, augmentation,
    batch and budget are those of the first recipe. A recipe with a head names by it, one that learnt from texts by the
    closest text (labels of which the texts say the same cannot be told apart), any other by a gallery of the training
    part. A comparison that was killed goes on where it stood when it is called again.

    Parameters
    ----------
    data
        A data set with labels.
    recipes
        Names of recipes or paths of recipe files; differences are taken to the first.
    split, fold
        A saved split: learn from its training part, ask about its test part (its validation part where it has none).
    to
        Folder of the runs and of the report.
    seeds
        How many trainings of each recipe.
    minutes, epochs
        Budget of each training.
    changes
        ``KEY=VALUE``, for all recipes.
    per_class
        At most so many particles of each class in galleries.
    resamples
        For the intervals.

    Raises
    ------
    UsageError
        Nothing to compare, or no labelled particle in the test part.
    """
    from seston.store import open_data_set

    opened = open_data_set(data) if isinstance(data, str | Path) else data
    wanted = shared_recipes(recipes, changes, minutes, epochs)
    if seeds < 1:
        raise UsageError(f"seeds is {seeds}; give 1 or more")
    asked = _asked(opened, split, fold, wanted[0])
    say, folder = progress or Silence(), Path(to)
    answers = [
        _answers(opened, recipe, seed, asked, (split, fold, per_class), folder, say)
        for recipe in wanted
        for seed in range(seeds)
    ]
    rows = recipe_rows(answers, asked.truth, asked.classes, asked.units, resamples)
    resampled = "samples" if asked.grouped else "particles (image-level, optimistic)"
    notes = (
        f"asked about: the {asked.part} part of split {split!r}, fold {fold}; {seeds} seed(s) each",
        f"95 % intervals by {resamples:,} resamples of {resampled} and of seeds, the same for all rows",
        "the same for all: " + ", ".join(SHARED),
    )
    return RecipeComparison(tuple(rows), _reported(opened, rows, wanted[0].name, notes, folder, grouped=asked.grouped))


def _reported(
    data: DataSet, rows: Sequence[RecipeRow], main: str, notes: tuple[str, ...], folder: Path, *, grouped: bool
) -> Evaluation:
    from seston.evaluation.report import write_report

    tables, figures = recipe_page(rows)
    evaluation = Evaluation(
        title=f"Recipes compared on {data.path.name}",
        protocol="recipes",
        main=main,
        grouped=grouped,
        notes=notes,
        tables=tables,
        figures=figures,
        provenance=provenance(data=str(data.path), data_version=data.version),
    )
    return write_report(evaluation, folder)


@dataclass(frozen=True)
class _Asked:
    """The particles that every run is asked about, and the classes that they may have."""

    chosen: Chosen
    truth: NDArray[np.int64]
    classes: Classes
    number_of: dict[str, int]
    """Label → class, as training particles have it."""
    taxa: list[Taxon]
    """One for each class."""
    units: NDArray[np.int64]
    """What is resampled: a number for the sample of each particle, or for the particle itself."""
    grouped: bool
    part: str


def _asked(data: DataSet, split: str, fold: int, recipe: Recipe) -> _Asked:
    from seston.training.classes import class_numbers, find_classes
    from seston.training.particles import choose_particles, part_of

    saved = data.load_split(split)
    part = "test" if saved.ids_of(fold, "test") else "validation"
    needs = (True, recipe.needs[1])
    train = choose_particles(data, needs, set(saved.ids_of(fold, "train")))
    classes, numbers = find_classes(data, train, recipe.labels)
    chosen = choose_particles(data, needs, set(saved.ids_of(fold, part)))
    truth = class_numbers(data, chosen, classes)
    if not (truth >= 0).any():
        raise UsageError(
            f"{data.path}: no particle of the {part} part of split {split!r} has a class of the training part"
        )
    chosen, truth = part_of(chosen, truth >= 0), truth[truth >= 0]
    grouped = saved.grouped and len(set(chosen.sample.tolist())) > 1
    labels = data.labels(trusted=True)
    known = [(name, number) for name, number in zip(train.ids, numbers.tolist(), strict=True) if number >= 0]
    number_of = {labels[name]: number for name, number in known}
    one_of = {number: name for name, number in reversed(known)}
    sources = dict(_sources(data, set(one_of.values())))
    pairs = [(sources[one_of[number]], labels[one_of[number]]) for number in range(len(classes))]
    meanings = taxa_of(pairs, data.path)
    units = chosen.sample if grouped else np.arange(len(chosen))
    return _Asked(chosen, truth, classes, number_of, [meanings[pair] for pair in pairs], units, grouped, part)


def _sources(data: DataSet, ids: set[str]) -> Iterator[tuple[str, str]]:
    for batch in data.particles(["id", "source"], batch_size=8192):
        for name, source in zip(batch.column("id").to_pylist(), batch.column("source").to_pylist(), strict=True):
            if name in ids:
                yield name, source or ""


def _answers(
    data: DataSet,
    recipe: Recipe,
    seed: int,
    asked: _Asked,
    how: tuple[str, int, int | None],
    folder: Path,
    say: Progress,
) -> Answers:
    """Train one run and ask it, or read what it said before."""
    from seston.training import train

    recipe = msgspec.structs.replace(recipe, seed=seed)
    place = folder / f"{recipe.name}-seed-{seed}"
    split, fold, per_class = how
    run = train(
        data, recipe=recipe, to=place, split=split, fold=fold, resume=True, progress=say, features=folder / "shared"
    )
    mark = {"model": run.model_id, "particles": asked.chosen.fingerprint(), "per_class": per_class}
    kept = place / _NAMES
    if kept.is_file() and (known := json.loads(kept.read_text(encoding="utf-8")))["of"] == mark:
        return Answers(recipe.name, seed, known["by"], np.array(known["named"], np.int64), run.seconds)
    if run.classes is not None:
        by, named = "head", _by_head(data, run, asked, say)
    elif recipe.text is not None:
        by, named = "text", _by_text(data, run, asked, say)
    else:
        by, named = "gallery", _by_gallery(data, run, asked, how, seed, say)
    kept.write_text(json.dumps({"of": mark, "by": by, "named": named.tolist()}), encoding="utf-8")
    return Answers(recipe.name, seed, by, named, run.seconds)


def _by_head(data: DataSet, run: Run, asked: _Asked, say: Progress) -> NDArray[np.int64]:
    from seston.recognition.encoder import stream_particles

    assert run.classes is not None
    if run.classes.names != asked.classes.names:  # a validation share was held out of the training part
        number_of = {name: number for number, name in enumerate(asked.classes.names)}
        places = np.array([number_of[name] for name in run.classes.names], np.int64)
    else:
        places = np.arange(len(asked.classes))
    say.start("Naming", len(asked.chosen))
    probabilities = run.classify(stream_particles(data, asked.chosen.ids), skipped=[])
    say.finish()
    named: NDArray[np.int64] = places[probabilities.argmax(axis=1)]
    return named


def _by_text(data: DataSet, run: Run, asked: _Asked, say: Progress) -> NDArray[np.int64]:
    """Name by the closest text; of classes with the same text the commonest in the training."""
    import torch

    from seston.evaluation.text_classes import asked_classes
    from seston.recognition.encoder import stream_particles
    from seston.recognition.text_models import text_preparation_of
    from seston.training import make_batch
    from seston.training.text_vectors import text_vectors

    preparation = text_preparation_of(run)
    texts, of_class = asked_classes(asked.taxa, preparation, preparation.templates)
    assert isinstance(run.model.text, torch.nn.Module)
    vectors = text_vectors(run.model.text, preparation, texts.texts)
    counts = np.array(asked.classes.counts)
    commonest = np.array([max(np.flatnonzero(of_class == k), key=counts.__getitem__) for k in range(len(texts))])
    particles, named = stream_particles(data, asked.chosen.ids), []
    say.start("Naming", len(asked.chosen))
    while part := list(islice(particles, _AT_ONCE)):
        with torch.inference_mode():
            pictures = run.model(make_batch(part, run.preparation, skipped=[])).image.float().numpy()
        named.append(commonest[(pictures @ vectors.T).argmax(axis=1)])
        say.advance(len(part))
    say.finish()
    return np.concatenate(named)


def _by_gallery(
    data: DataSet, run: Run, asked: _Asked, how: tuple[str, int, int | None], seed: int, say: Progress
) -> NDArray[np.int64]:
    """Name by a gallery of the training part; what it does not know counts as named wrong."""
    from seston.recognition import Gallery, Model
    from seston.recognition.encoder import embed

    model, (split, fold, per_class) = Model(run), how
    gallery = Gallery.from_dataset(
        data, model, split=split, fold=fold, per_class=per_class, seed=seed, as_measured=True, progress=say
    )
    found = embed(data, model, progress=say).of(asked.chosen.ids)
    said = [one.label for one in gallery.identify(found)]
    return np.array([-1 if label is None else asked.number_of.get(label, -1) for label in said], np.int64)
