"""Finding the profile that belongs to a picture, and the picture that belongs to a profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.metrics import bootstrap, interval
from seston.models.spaces import unit

__all__ = ["DEPTHS", "RetrievalRow", "match_pairs", "ranks"]

DEPTHS = (1, 5, 10)
_QUERIES_AT_ONCE = 2048
_CHANCE_LEVEL = 0.99


@dataclass(frozen=True, slots=True)
class RetrievalRow:
    """How often the partner is among the first `depth` of all candidates; figures are fractions of 1."""

    method: str
    direction: str
    """``image→profile`` or ``profile→image``."""
    depth: int
    recall: float
    low: float
    """Lower end of the 95 % bootstrap interval."""
    high: float
    chance: float
    chance_low: float
    """Lower end of the 99 % interval of blind guessing."""
    chance_high: float
    candidates: int


def match_pairs(
    method: str,
    image: NDArray[np.float32],
    profile: NDArray[np.float32],
    *,
    shuffled: bool = False,
    seed: int = 0,
    depths: Sequence[int] = DEPTHS,
) -> list[RetrievalRow]:
    """Search the partner of each picture among all profiles by cosine, and the reverse.

    Parameters
    ----------
    image, profile
        Vectors in the shared space; row i of both is one particle.
    shuffled
        Put the profiles into a random order first: what comes out then has to be chance, or the measurement is wrong.
    depths
        How far down the list of candidates one looks.
    """
    if len(image) != len(profile) or len(image) < 2:
        raise UsageError(f"retrieval needs at least two particles with picture and profile; there are {len(image)}")
    if shuffled:
        profile = profile[np.random.default_rng(seed).permutation(len(profile))]
        method = f"{method}, pairs shuffled"
    rows = []
    for direction, asked, candidates in (("image→profile", image, profile), ("profile→image", profile, image)):
        found = ranks(asked, candidates)
        hits = np.stack([(found <= depth)[None, :] for depth in depths]).astype(np.float32)
        for depth, resampled, hit in zip(depths, bootstrap(hits, seed=seed), hits, strict=True):
            low, high = interval(resampled)
            chance = min(depth, len(image)) / len(image)
            chance_low, chance_high = _chance_range(len(image), chance)
            recall = float(hit.mean())
            rows.append(
                RetrievalRow(method, direction, depth, recall, low, high, chance, chance_low, chance_high, len(image))
            )
    return rows


def ranks(asked: NDArray[np.float32], candidates: NDArray[np.float32]) -> NDArray[np.int64]:
    """Give the place of each query's own partner among all candidates, 1 for the nearest.

    Candidates as near as the partner are counted before it: vectors that are all alike find nothing.
    """
    towards = unit(candidates).T
    found = np.empty(len(asked), np.int64)
    for start in range(0, len(asked), _QUERIES_AT_ONCE):
        part = slice(start, min(start + _QUERIES_AT_ONCE, len(asked)))
        likeness = unit(asked[part]) @ towards
        own = likeness[np.arange(part.stop - start), np.arange(start, part.stop)]
        found[part] = (likeness >= own[:, None]).sum(axis=1)
    return found


def _chance_range(count: int, chance: float) -> tuple[float, float]:
    """Give the share of hits between which 99 % of blind guesses lie (binomial)."""
    from scipy.stats import binom

    edge = (1 - _CHANCE_LEVEL) / 2
    return float(binom.ppf(edge, count, chance)) / count, float(binom.ppf(1 - edge, count, chance)) / count
