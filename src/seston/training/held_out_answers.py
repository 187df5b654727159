"""What a head answered on the particles that its training held out: by it names can be trusted later, or not.

::

    RUN/held-out.safetensors    answers (M, K), 16 bits each; the right class of each (M,)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError

__all__ = ["HELD_OUT_FILE", "MOST", "HeldOutAnswers", "collect_answers", "read_answers", "write_answers"]

HELD_OUT_FILE = "held-out.safetensors"
"""Name of the file in a run's folder."""

MOST = 5000
"""Held-out particles whose answers are kept: more make shares of right names hardly surer, and runs larger."""

_AT_ONCE = 256


@dataclass(frozen=True)
class HeldOutAnswers:
    """What a head answered, and what would have been right."""

    answers: NDArray[np.float32]
    """(M, K) logits; −∞ for classes that are no answer."""
    classes: NDArray[np.int64]
    """(M,)."""
    flags: tuple[str, ...] = ()
    """Facts about the training particles that names have to carry on, such as ``simulated``."""


def collect_answers(
    answer: Callable[[NDArray[np.int64]], NDArray[np.float32]], classes: NDArray[np.int64], flags: tuple[str, ...]
) -> HeldOutAnswers:
    """Ask a head about held-out particles, `MOST` at most, evenly drawn.

    Parameters
    ----------
    answer
        Numbers of held-out particles → (M, K) logits; rows of NaN where there is no usable picture, which are left out.
    classes
        Right class of all held-out particles.
    flags
        Of the training particles.
    """
    rows = np.unique(np.linspace(0, len(classes) - 1, min(MOST, len(classes))).round().astype(np.int64))
    parts = [answer(rows[start : start + _AT_ONCE]) for start in range(0, len(rows), _AT_ONCE)]
    answers = np.concatenate(parts).astype(np.float32)
    usable = ~np.isnan(answers).any(axis=1)
    return HeldOutAnswers(answers[usable], classes[rows][usable], flags)


def write_answers(found: HeldOutAnswers, folder: Path) -> None:
    """Write them into the folder of a run."""
    from safetensors.numpy import save_file

    tensors: dict[str, NDArray[Any]] = {
        "answers": np.ascontiguousarray(found.answers, np.float16),
        "classes": np.ascontiguousarray(found.classes, np.int32),
    }
    save_file(tensors, folder / HELD_OUT_FILE, {"flags": " ".join(found.flags)})
    (folder / HELD_OUT_FILE).chmod(0o644)


def read_answers(folder: Path, classes: int) -> HeldOutAnswers | None:
    """Read them; None for a run that kept none.

    Parameters
    ----------
    classes
        How many the run knows.

    Raises
    ------
    InputError
        A damaged file, or one of another run.
    """
    path = folder / HELD_OUT_FILE
    if not path.is_file():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            answers = file.get_tensor("answers").astype(np.float32)
            truth = file.get_tensor("classes").astype(np.int64)
            flags = tuple((file.metadata() or {}).get("flags", "").split())
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error
    fits = answers.ndim == 2 and answers.shape == (len(truth), classes) and truth.ndim == 1
    if not fits or (len(truth) and not 0 <= truth.min() <= truth.max() < classes):
        raise InputError(f"{path}: does not belong to the classes of this run; take it from a copy, or train again")
    return HeldOutAnswers(answers, truth, flags)
