"""How far contexts lie apart, and the noise by which a training hides which sample they are of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seston.models.contexts import PARTS, Contexts, known_parts, without_parts
from seston.training.context_settings import ContextSettings
from seston.training.randomness import normals, uniforms

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["contradictions", "differ", "disturbed", "says_enough"]

_EARTH_KM = 6371.0
_YEAR_DAYS = 365.2425
_PURPOSE = 0xC0271
_AT_MOST = 2000
_AT_ONCE = 256


def says_enough(contexts: Contexts) -> NDArray[np.bool_]:
    """Tell of which particles place or season is known: (N,)."""
    return np.asarray(known_parts(contexts)[:, :2].any(axis=1))


def contradictions(
    one: Tensor | NDArray[np.float64], other: Tensor | NDArray[np.float64], settings: ContextSettings
) -> Any:
    """Tell which contexts lie too far apart to be true of one particle.

    Parameters
    ----------
    one, other
        (N, 6) and (M, 6) contexts, both arrays or both tensors.
    settings
        How far is too far, for each part.

    Returns
    -------
    array or tensor of bool
        (N, M): whether a part that both know differs by more than it may. What one of them does not know contradicts
        nothing.
    """
    parts: list[tuple[Any, Any]] = [(one[:, None, part], other[None, :, part]) for part in PARTS.values()]
    position, season, hour, depth = parts
    cosine = (position[0] * position[1]).sum(-1)  # NaN, where a part is unknown, is less than nothing
    apart = cosine < math.cos(min(settings.apart_km / _EARTH_KM, math.pi))
    for (first, second), least in ((season, settings.apart_days / _YEAR_DAYS), (hour, settings.apart_hours / 24)):
        way = abs(first - second)[:, :, 0]
        apart = apart | (abs(way - (way > 0.5) * 1.0) > least)
    return apart | (abs(depth[0] - depth[1])[:, :, 0] > settings.apart_depth)


def differ(contexts: Contexts, settings: ContextSettings) -> bool:
    """Tell whether any two contexts contradict each other, among 2,000 different ones at most."""
    enough = contexts[says_enough(contexts)]
    different = np.unique(np.nan_to_num(enough, nan=-2.0), axis=0, return_index=True)[1]
    rows = enough[np.sort(different)[:: max(1, -(-len(different) // _AT_MOST))]]
    return any(
        contradictions(rows[start : start + _AT_ONCE], rows, settings).any() for start in range(0, len(rows), _AT_ONCE)
    )


def disturbed(
    contexts: Contexts, keys: NDArray[np.uint64], settings: ContextSettings, purpose: tuple[int, ...]
) -> Contexts:
    """Blur contexts and hide parts of them, each particle's in its own way.

    A context whose place and season would both be hidden keeps all that it has.

    Parameters
    ----------
    contexts, keys
        Of the particles.
    settings
        How much.
    purpose
        Seed and epoch: the same particle gets the same noise for the same purpose.
    """
    drawn = uniforms(keys, 6 + len(PARTS), *purpose, _PURPOSE)
    noise, hidden = settings.jitter * normals(drawn[:, :6]), drawn[:, 6:] < settings.hide
    rows = contexts.copy()
    moved = rows[:, :3] + settings.apart_km / _EARTH_KM * noise[:, :3]
    rows[:, :3] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    rows[:, 3] = (rows[:, 3] + settings.apart_days / _YEAR_DAYS * noise[:, 3]) % 1
    rows[:, 4] = (rows[:, 4] + settings.apart_hours / 24 * noise[:, 4]) % 1
    rows[:, 5] = np.maximum(rows[:, 5] + settings.apart_depth * noise[:, 5], 0)
    less = without_parts(rows, hidden)
    return np.where(says_enough(less)[:, None], less, rows)
