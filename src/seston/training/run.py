"""A run: what a training leaves behind, in a folder or in memory.

::

    model.safetensors    weights
    classes.json         the names that it learnt, where it learnt any
    held-out.safetensors what it answered on held-out particles, where it learnt names
    recipe.toml          complete
    preparation.json     channels and statistics of the training particles
    metrics.jsonl        one line a logged step and a validation
    README.md            model card
    state/               to resume
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from seston.errors import InputError, UsageError
from seston.models import CrossModalModel, ModelConfig, build_model
from seston.models.classifier import ClassifierModel
from seston.models.dino import ImageModel
from seston.particle import Particle, Silence, Skipped
from seston.training.classes import Classes, find_classes, read_classes, write_classes
from seston.training.context_targets import find_contexts, with_contexts
from seston.training.held_out_answers import HeldOutAnswers, read_answers, write_answers
from seston.training.objective import start_scales
from seston.training.particles import channels_of, choose_parts
from seston.training.preparation import Preparation, read_preparation, write_preparation
from seston.training.randomness import seed_of
from seston.training.recipe import load_recipe, read_recipe
from seston.training.run_files import Summary, check_run, kept_config, read_summary, weights_id, write_summary
from seston.training.settings import Recipe
from seston.training.sources import direct_source
from seston.training.statistics import blank_preparation, measured_preparation
from seston.training.texts import said_of_parts, with_texts

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["Run", "TrainedModel", "load_run", "model_id", "new_model", "save_run", "untrained_run"]

TrainedModel = CrossModalModel | ImageModel | ClassifierModel
"""What a recipe may train."""


@dataclass(frozen=True)
class Run:
    """A model with all that is needed to use it."""

    path: Path | None
    """The folder, or None for a run in memory."""
    recipe: Recipe
    preparation: Preparation
    model: TrainedModel
    """In evaluation mode, on the CPU."""
    model_id: str
    """A hash of the weights and of the preparation: the same id means the same vectors."""
    steps: int = 0
    best: float | None = None
    """Lowest validation loss (or whatever the recipe keeps weights by), None where the last weights were kept."""
    seconds: float = 0.0
    classes: Classes | None = None
    """The names that the model's head tells apart, where it learnt from labels."""
    held_out: HeldOutAnswers | None = None
    """What the head answered on the particles that its training held out, where there were any."""
    licences: Mapping[str, int] = field(default_factory=dict)
    """Of the training particles: SPDX id or ``unknown`` → particles."""

    @property
    def choice(self) -> str:
        """Say by what the weights that are kept were chosen."""
        by_dino, supervised = self.recipe.dino is not None, self.recipe.supervised
        if self.best is not None and supervised is not None and supervised.keep == "macro-f1":
            return f"highest macro-F1 on held-out particles, {1 - self.best:.4f}"
        if self.best is None:
            return "the last ones" if by_dino else "the last ones, nothing was held out"
        return f"lowest {'training loss of an epoch' if by_dino else 'validation loss'} {self.best:.4g}"

    def classify(self, particles: Iterable[Particle], *, skipped: list[Skipped] | None = None) -> NDArray[np.float32]:
        """Give the (N, K) probability of each of its `classes`; see `seston.training.classifying.classify`."""
        from seston.training.classifying import classify

        return classify(self, particles, skipped=skipped)


def load_run(path: Path | str) -> Run:
    """Load a run from its folder.

    Raises
    ------
    NotFoundError
        No such folder, or a training that has not ended.
    InputError
        A damaged file, or weights that do not fit the recipe.
    """
    folder = Path(path)
    check_run(folder)
    recipe = read_recipe(folder / "recipe.toml")
    preparation = read_preparation(folder / "preparation.json")
    classes = read_classes(folder) if recipe.supervised is not None else None
    model = _bare_model(recipe, preparation, classes)
    try:
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder / 'model.safetensors'}: cannot be loaded: {reason}") from error
    summary = read_summary(folder)
    return Run(
        path=folder,
        recipe=recipe,
        preparation=preparation,
        model=model.eval(),
        model_id=model_id(model, preparation),
        steps=summary.steps,
        best=summary.best,
        seconds=summary.seconds,
        classes=classes,
        held_out=None if classes is None else read_answers(folder, len(classes)),
        licences=summary.licences,
    )


def untrained_run(
    data: DataSet, recipe: Recipe | str = "default", seed: int = 0, *, split: str | None = None, fold: int = 0
) -> Run:
    """Make a run in memory whose weights are as random as before the first step: the baseline of every table.

    Parameters
    ----------
    data
        Gives channels and statistics (of at most 4,096 of its training particles).
    recipe
        A recipe or its name.
    seed
        Of the weights.
    split, fold
        Statistics come from the training part of this partition; without it, from all.
    """
    recipe = load_recipe(recipe) if isinstance(recipe, str) else recipe
    parts = choose_parts(data, split, fold, recipe.needs, 0.0, recipe.seed)
    train = parts[0]
    blank = blank_preparation(recipe, channels_of(recipe, train))
    preparation = measured_preparation(blank, direct_source(data, train, blank, []), recipe.seed)
    if recipe.text is not None:
        said, numbers, _ = said_of_parts(data, recipe, parts)
        preparation = with_texts(preparation, recipe, said, numbers)
    if recipe.uses_contexts:
        preparation = with_contexts(preparation, train, find_contexts(data, recipe, parts, Silence()))
    classes = None if recipe.supervised is None else find_classes(data, train, recipe.labels)[0]
    model = new_model(recipe, preparation, seed, classes).eval()
    return Run(
        path=None, recipe=recipe, preparation=preparation, model=model, model_id=model_id(model, preparation),
        classes=classes, licences=dict(train.licences),
    )  # fmt: skip


def new_model(recipe: Recipe, preparation: Preparation, seed: int, classes: Classes | None = None) -> TrainedModel:
    """Build the model of a recipe with the random weights of a seed, leaving torch's generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, 0x30DE1))
        model = _build(recipe, recipe.model, preparation, classes)
    if isinstance(model, CrossModalModel):
        start_scales(model, recipe.loss, recipe.text)
    return model


def save_run(run: Run, folder: Path) -> None:
    """Write what makes a run usable; `run.json` comes last and says that it is whole."""
    weights = {name: tensor.detach().contiguous() for name, tensor in run.model.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    write_preparation(run.preparation, folder / "preparation.json")
    if run.classes is not None:
        write_classes(run.classes, folder)
    if run.held_out is not None:
        write_answers(run.held_out, folder)
    summary = Summary(
        model_id=run.model_id, steps=run.steps, best=run.best, seconds=run.seconds, licences=dict(run.licences)
    )
    write_summary(summary, folder)


def model_id(model: TrainedModel, preparation: Preparation) -> str:
    """Give 16 hexadecimal digits that depend on the weights, their names, the architecture and the preparation."""
    weights = {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in model.state_dict().items()}
    return weights_id(weights, model.config, preparation)


def _build(recipe: Recipe, config: ModelConfig, preparation: Preparation, classes: Classes | None) -> TrainedModel:
    if recipe.supervised is not None:
        assert classes is not None
        head = recipe.supervised
        cosine = head.head_scale if head.head == "cosine" else 0.0
        return ClassifierModel(
            config, preparation.inputs, len(classes), cosine=cosine, bottleneck=head.bottleneck
        )  # fmt: skip
    if recipe.dino is None:
        return build_model(config, preparation.inputs)
    return ImageModel(config, preparation.inputs, recipe.dino.drop_path)


def _bare_model(recipe: Recipe, preparation: Preparation, classes: Classes | None) -> TrainedModel:
    """Build a model whose weights are about to be replaced, so that none are fetched."""
    try:
        return _build(recipe, kept_config(recipe.model), preparation, classes)
    except (ValueError, RuntimeError) as error:
        if isinstance(error, UsageError):
            raise
        raise InputError(f"the model of recipe {recipe.name!r} cannot be built: {error}") from error
