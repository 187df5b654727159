"""What is known of where and when a particle was taken, as numbers; readable without torch.

A context is one row of six numbers, NaN where unknown: the unit vector of the position (3), the share of the year that
has passed, the share of the day by local solar time, and ln(1 + depth in metres). Nothing in it breaks at the date
line, at a pole or at the turn of a year.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PARTS", "Contexts", "context_features", "context_rows", "feature_count", "known_parts", "without_parts"]

Contexts = NDArray[np.float64]
"""(N, 6), see above."""

PARTS: dict[str, slice] = {"position": slice(0, 3), "season": slice(3, 4), "hour": slice(4, 5), "depth": slice(5, 6)}
"""What a context may say, and in which columns; all columns of a part are known, or none is."""

_ZENITH = 15.0
"""Degrees that the sun moves on in an hour."""
_DEEPEST = 9.3
"""ln(1 + depth) of the deepest place of the sea."""


def context_rows(
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
    depth_m: NDArray[np.float64],
    time: NDArray[np.datetime64],
) -> Contexts:
    """Turn positions, depths and times into contexts.

    Parameters
    ----------
    latitude, longitude
        (N,) degrees, WGS 84, NaN where unknown; a position with one of them alone is none.
    depth_m
        (N,) metres below the surface, NaN where unknown; what lies above counts as the surface.
    time
        (N,) ``datetime64[us]`` in UTC, NaT where unknown. The hour is that of the sun, so it needs the longitude; a
        time of exactly midnight is taken for a date, and its hour counts as unknown.
    """
    rows = np.full((len(time), 6), np.nan)
    at = np.isfinite(latitude) & np.isfinite(longitude)
    north, east = np.radians(latitude[at]), np.radians(longitude[at])
    rows[at, :3] = np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1)
    when = np.isfinite(time)
    year, day = (time[when].astype(f"datetime64[{unit}]") for unit in "YD")
    rows[when, 3] = (time[when] - year) / ((year + 1).astype("datetime64[us]") - year)
    of_day = (time[when] - day) / np.timedelta64(1, "D")
    rows[when, 4] = np.where(of_day > 0, of_day, np.nan)
    rows[:, 4] = np.where(at, (rows[:, 4] + longitude / (24 * _ZENITH)) % 1, np.nan)
    rows[:, 5] = np.log1p(np.maximum(depth_m, 0))
    return rows


def known_parts(contexts: Contexts) -> NDArray[np.bool_]:
    """Tell what is known of each: (N, 4), in the order of `PARTS`."""
    return np.stack([np.isfinite(contexts[:, columns]).all(axis=1) for columns in PARTS.values()], axis=1)


def without_parts(contexts: Contexts, hidden: NDArray[np.bool_]) -> Contexts:
    """Give contexts that say nothing of some parts, (N, 4) in the order of `PARTS`."""
    rows = contexts.copy()
    for place, columns in enumerate(PARTS.values()):
        rows[hidden[:, place], columns] = np.nan
    return rows


def context_features(
    contexts: Contexts, harmonics: int, octaves: int, parts: Collection[str] = tuple(PARTS)
) -> NDArray[np.float32]:
    """Turn contexts into what a tower reads: smooth functions of each part, and which parts are known.

    Parameters
    ----------
    contexts
        Of N particles.
    harmonics
        Sine and cosine of the year and of the day, once round, twice round, …
    octaves
        Sine and cosine of the coordinates of the position, with a half wave, a quarter, … of the globe's diameter.
    parts
        Those of which the tower learnt; the others count as unknown.

    Returns
    -------
    array of float32
        (N, `feature_count`); 0 where a part is unknown.
    """
    unlearnt = np.array([name not in parts for name in PARTS])
    rows = without_parts(contexts, np.broadcast_to(unlearnt, (len(contexts), len(PARTS))))
    position, season, hour, depth = (rows[:, columns] for columns in PARTS.values())
    waves = np.concatenate([position * 2**octave * np.pi for octave in range(octaves)] or [position[:, :0]], axis=1)
    rounds = 2 * np.pi * np.arange(1, harmonics + 1)
    blocks: list[NDArray[Any]] = [position, np.sin(waves), np.cos(waves)]
    for share in (season, hour):
        blocks += [np.sin(share * rounds), np.cos(share * rounds)]
    blocks.append(depth / _DEEPEST)
    numbers = np.nan_to_num(np.concatenate(blocks, axis=1), nan=0.0)
    return np.concatenate([numbers, known_parts(rows)], axis=1).astype(np.float32)


def feature_count(harmonics: int, octaves: int) -> int:
    """Say how many numbers `context_features` gives."""
    return 3 + 6 * octaves + 4 * harmonics + 1 + len(PARTS)
