"""Which encoder a user means: a run by its folder, or one of those that need no training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seston.errors import UsageError
from seston.recognition.box_model import BoxModel
from seston.recognition.classical import ClassicalModel
from seston.recognition.encoder import Encoder, load

if TYPE_CHECKING:
    from seston.recognition.gallery import Gallery
    from seston.store import DataSet

__all__ = ["BOX", "CLASSICAL", "choose_model", "gallery_model", "means_box", "means_classical"]

BOX = "box"
"""The word that stands for the network that comes with the package."""

CLASSICAL = "classical"
"""The word that stands for measured features wherever a run may be named."""


def choose_model(data: DataSet, model: Encoder | Path | str) -> Encoder:
    """Give the encoder that a user means.

    Parameters
    ----------
    data
        Where features are measured, the data set says which it has.
    model
        An encoder, the folder of a run, ``classical``: listmode, pulse and picture features, which need no training,
        ``box``: the network that comes with the package (unless there is a folder of that name), or a released
        image–text model: ``bioclip`` and others by name, ``open-clip:FOLDER``, ``open-clip:hf-hub:ORGANISATION/NAME``.

    Raises
    ------
    NotFoundError
        Where there is no such run.
    """
    if not isinstance(model, str | Path):
        return model
    if means_box(model):
        return BoxModel.load()
    return ClassicalModel.of(data) if means_classical(model) else load(model)


def gallery_model(gallery: Gallery, model: Encoder | Path | str | None = None) -> Encoder:
    """Give the encoder that a gallery was made with: its own, or the one that is named where it holds none.

    Raises
    ------
    UsageError
        Where there is none, or the one named is another than the gallery was made with.
    """
    if means_classical(model) and isinstance(gallery.model, ClassicalModel):
        model = gallery.model
    if means_box(model):
        model = BoxModel.load()
    encoder = load(model) if isinstance(model, str | Path) else model or gallery.model
    if encoder is None:
        raise UsageError("the gallery does not hold its model: name the folder of its run")
    if encoder.model_id != gallery.card.model_id:
        raise UsageError(
            f"the gallery was made with model {gallery.card.model_id}, not with {encoder.model_id}: "
            "leave the model out, or make the gallery anew with this one"
        )
    return encoder


def means_classical(model: object) -> bool:
    """Tell whether a word stands for measured features."""
    return _means(model, CLASSICAL)


def means_box(model: object) -> bool:
    """Tell whether a word stands for the network in the box."""
    return _means(model, BOX)


def _means(model: object, word: str) -> bool:
    return isinstance(model, str | Path) and str(model) == word and not Path(word).exists()
