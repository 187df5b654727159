"""Names by the head of a run that learnt from labels, without a gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seston.errors import UsageError
from seston.models.released import open_clip_place
from seston.particle import Particle
from seston.recognition.caution import Caution
from seston.recognition.class_groups import KnownClass, group_classes
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import Encoder, Model, load
from seston.recognition.head_names import HeadNamer
from seston.recognition.head_trust import HeadTrust, learn_trust
from seston.recognition.naming import Identification
from seston.recognition.onnx_model import OnnxModel
from seston.taxonomy import RANKS

if TYPE_CHECKING:
    from seston.training import Recipe
    from seston.training.classes import Classes
    from seston.training.held_out_answers import HeldOutAnswers

__all__ = ["RunHead", "open_head"]


@dataclass(frozen=True)
class RunHead:
    """The head of a run, ready to name."""

    model: Model | OnnxModel
    head: HeadNamer
    recipe: Recipe
    classes: Classes
    flags: tuple[str, ...] = ()
    """Of the particles that it learnt from."""

    levels = None
    """Runs of an instrument stay at their own level."""

    @property
    def model_id(self) -> str:
        """Hash of the weights and of the preparation."""
        return self.model.model_id

    def check(self, caution: Caution) -> None:
        """Refuse to name where nothing is known of how often names are right, unless a threshold alone is asked for.

        Raises
        ------
        UsageError
            Where no answers on held-out particles were kept.
        """
        if not self.head.trust.is_known and (caution.threshold is None or caution.precision is not None):
            raise UsageError(
                "the run kept no answers on held-out particles, so how often its names are right is not known: run  "
                "seston train DATA --to RUN --resume  with the data set and the split of its training, give a "
                "--threshold alone, or add a gallery"
            )

    def identify(
        self,
        embeddings: Embeddings,
        particles: Sequence[Particle] = (),
        *,
        threshold: float | None = None,
        precision: float | None = None,
        unfamiliar: float | None = None,
    ) -> list[Identification]:
        """Name particles by their pictures.

        Parameters
        ----------
        embeddings
            Of `model`.
        threshold, precision, unfamiliar
            As for `seston.recognition.box.Box.identify`, but for `UNFAMILIAR` where no share is given.

        Raises
        ------
        UsageError
            Where a share is none.
        """
        from seston.training.classifying import answered_classes

        features = embeddings.image[embeddings.has_image]
        answers = self.model.answers(features) if len(features) else np.zeros((0, len(self.classes)), np.float32)
        answers = np.where(answered_classes(self.recipe, self.classes), answers, -np.inf).astype(np.float32)
        caution = Caution(threshold, precision, unfamiliar)
        return self.head.name(embeddings.ids, embeddings.has_image, answers, caution)

    def promises(self, precision: float) -> dict[str, float | None]:
        """Give the score from which on names are right so often, by rank; None where no score promises that."""
        return self.head.promises(precision)


def open_head(model: Encoder | Path | str) -> RunHead:
    """Open the head of a run.

    Parameters
    ----------
    model
        The folder of a run, or the run as an encoder.

    Raises
    ------
    NotFoundError
        Where there is no such run.
    UsageError
        Where it learnt no names.
    """
    if isinstance(model, str | Path) and not _may_name(model):
        raise _no_names(model)
    encoder = load(model) if isinstance(model, str | Path) else model
    if isinstance(encoder, Model):
        recipe, classes, held_out = encoder.recipe, encoder.run.classes, encoder.run.held_out
    elif isinstance(encoder, OnnxModel) and encoder.recipe is not None:
        recipe = encoder.recipe
        classes, held_out = _read(encoder) if recipe.supervised is not None else (None, None)
    else:
        raise _no_names(model)
    if classes is None:
        raise _no_names(model)
    known = _known(classes)
    head = HeadNamer(known, _trust(known, recipe, classes, held_out), "the run")
    return RunHead(encoder, head, recipe, classes, () if held_out is None else held_out.flags)


def _may_name(model: Path | str) -> bool:
    """Tell, before anything heavy is loaded, whether a model may have a head: all but what is known to have none."""
    from seston.recognition.choosing import means_classical
    from seston.training.recipe import read_recipe

    if means_classical(model) or open_clip_place(model) is not None:
        return False
    recipe = Path(model) / "recipe.toml"
    return not recipe.is_file() or read_recipe(recipe).supervised is not None


def _read(encoder: OnnxModel) -> tuple[Classes, HeldOutAnswers | None]:
    from seston.training.classes import read_classes
    from seston.training.held_out_answers import read_answers

    classes = read_classes(encoder.folder)
    return classes, read_answers(encoder.folder, len(classes))


def _known(classes: Classes) -> tuple[KnownClass, ...]:
    lineages = [{rank: name for rank, name in zip(RANKS, path, strict=True) if name} for path in classes.paths]
    return tuple(
        KnownClass(label=label, taxon=next(reversed(lineage.values()), None), kind=kind, lineage=lineage)
        for label, kind, lineage in zip(classes.names, classes.kinds, lineages, strict=True)
    )


def _trust(known: Sequence[KnownClass], recipe: Recipe, classes: Classes, held_out: HeldOutAnswers | None) -> HeadTrust:
    from seston.training.classifying import answered_classes

    if held_out is None:
        return HeadTrust()
    return learn_trust(
        held_out.answers, held_out.classes, group_classes(known), answered=answered_classes(recipe, classes)
    )


def _no_names(model: Encoder | Path | str) -> UsageError:
    name = model if isinstance(model, str | Path) else "RUN"
    return UsageError(
        f"{name} has no names by itself: add a gallery (seston gallery DATA --model {name}), or names to choose from "
        "(--texts), where the model reads texts"
    )
