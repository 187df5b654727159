"""A space in which pictures can be compared with profiles, learnt from unlabelled pairs by one decomposition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seston.models.spaces import Block, Space, spread_of

__all__ = ["FEWEST_PAIRS", "align", "keep_shared"]

FEWEST_PAIRS = 50
_DIRECTIONS = 64
_RIDGE, _RIDGE_OF_FEW = 0.03, 100.0


def align(image: NDArray[np.float32], profile: NDArray[np.float32]) -> tuple[Space, Space]:
    """Find the directions of pictures and of profiles that go together.

    Canonical correlations of the standardised features, with a ridge of 0.03 + 100 / pairs on both sides; each pair of
    directions is weighted by its correlation. (Hotelling 1936; the ridge as in Vinod 1976, Canonical ridge and
    econometrics of joint production.) It needs no label, no training and no space that the encoder shares.

    Parameters
    ----------
    image, profile
        Features of the same particles, one row each; NaN where a single feature is missing.

    Returns
    -------
    (Space, Space)
        For pictures and for profiles: unit vectors of up to 64 directions, to be compared by cosine.
    """
    sides = [_standardised(features) for features in (image, profile)]
    ridge = _RIDGE + _RIDGE_OF_FEW / len(image)
    roots = []
    for values, _, _ in sides:
        covariance = values.T @ values / len(values)
        covariance[np.diag_indices(len(covariance))] += ridge
        roots.append(np.linalg.inv(np.linalg.cholesky(covariance)))
    together = sides[0][0].T @ sides[1][0] / len(image)
    left, correlations, right = np.linalg.svd(roots[0] @ together @ roots[1].T, full_matrices=False)
    kept = min(_DIRECTIONS, len(correlations))
    spaces = []
    for (_, mean, spread), root, turned in zip(sides, roots, (left, right.T), strict=True):
        directions = (root.T @ turned[:, :kept] * correlations[:kept]).astype(np.float32)
        spaces.append(Space((Block(mean, spread, directions),), np.zeros(kept, np.float32)))
    return spaces[0], spaces[1]


def _standardised(
    features: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
    mean, spread = spread_of(features)
    width = features.shape[1]
    plain = Block(mean, spread, np.eye(width, dtype=np.float32))
    return plain(features).astype(np.float64), mean, spread


def keep_shared(features: int, shared: NDArray[np.float32]) -> Space:
    """Keep the encoder's own shared space, centred: pictures and profiles form two clouds in it.

    Parameters
    ----------
    features
        How many features stand before the shared vector in a row.
    shared
        Vectors in the shared space, of the particles to centre by.
    """
    mean = np.concatenate([np.zeros(features), shared.mean(axis=0)]).astype(np.float32)
    directions = np.eye(len(mean), dtype=np.float32)[:, features:]
    return Space((Block(mean, np.ones_like(mean), directions),), np.zeros(shared.shape[1], np.float32))
