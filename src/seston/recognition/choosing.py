"""Which encoder a user means: a run by its folder, or the features that can be measured without any training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seston.recognition.classical import ClassicalModel
from seston.recognition.encoder import Encoder, load

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["CLASSICAL", "choose_model", "means_classical"]

CLASSICAL = "classical"
"""The word that stands for measured features wherever a run may be named."""


def choose_model(data: DataSet, model: Encoder | Path | str) -> Encoder:
    """Give the encoder that a user means.

    Parameters
    ----------
    data
        Where features are measured, the data set says which it has.
    model
        An encoder, the folder of a run, or ``classical``: listmode, pulse and picture features, which need no training
        (unless there is a folder of that name).

    Raises
    ------
    NotFoundError
        Where there is no such run.
    """
    if not isinstance(model, str | Path):
        return model
    return ClassicalModel.of(data) if means_classical(model) else load(model)


def means_classical(model: object) -> bool:
    """Tell whether a word stands for measured features."""
    return isinstance(model, str | Path) and str(model) == CLASSICAL and not Path(CLASSICAL).exists()
