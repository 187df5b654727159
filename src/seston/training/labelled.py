"""The labelled particles of a training: which there are, and the class of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.training.classes import Classes, class_numbers, find_classes
from seston.training.label_settings import LabelSettings
from seston.training.particles import Chosen, part_of

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["Labelled", "labelled_parts"]


@dataclass(frozen=True)
class Labelled:
    """The classes, and which of them each particle is of."""

    classes: Classes
    train: NDArray[np.int64]
    """(N,) class of each training particle."""
    validation: NDArray[np.int64]
    """(M,) class of each held-out particle."""


def labelled_parts(
    data: DataSet, parts: tuple[Chosen, Chosen], settings: LabelSettings
) -> tuple[tuple[Chosen, Chosen], Labelled]:
    """Keep the particles that have a class, in training and validation part.

    Raises
    ------
    UsageError
        Fewer than two classes.
    """
    train, validation = parts
    classes, numbers = find_classes(data, train, settings)
    if len(classes) < 2:
        raise UsageError(
            f"{data.path}: the training particles have {len(classes)} class(es), at least 2 are needed to learn names; "
            "label some (seston annotate), or train without labels (--recipe default-pictures)"
        )
    held = class_numbers(data, validation, classes)
    kept = part_of(train, numbers >= 0), part_of(validation, held >= 0)
    return kept, Labelled(classes, numbers[numbers >= 0], held[held >= 0])
