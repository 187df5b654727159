"""How near vectors are to the classes that they were sorted into, compared with all there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Discriminants", "fit_discriminants"]


@dataclass(frozen=True)
class Discriminants:
    """Axes on which classes lie apart, each of spread 1 within classes."""

    origin: NDArray[np.float32]
    """(F,) mean of all."""
    axes: NDArray[np.float32]
    """(F, D)."""
    centres: NDArray[np.float32]
    """(K, D) mean of each class on the axes."""
    between: NDArray[np.float32]
    """(D,) variance of the class means on each axis."""

    def nearness(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (N,) how much nearer each is to its nearest class than to the whole: greater means more like a class.

        The relative Mahalanobis distance of Ren et al. (2021, arXiv 2106.09022), eq. 3, with its sign turned. Across
        the axes the two distances in it are equal, so the axes are all that it needs.
        """
        on_axes = (vectors - self.origin).astype(np.float64) @ self.axes.astype(np.float64)
        centres = self.centres.astype(np.float64)
        squared = (on_axes**2).sum(axis=1)[:, None] - 2 * on_axes @ centres.T + (centres**2).sum(axis=1)
        whole = (on_axes**2 / (1 + self.between.astype(np.float64))).sum(axis=1)
        return np.asarray(whole - squared.min(axis=1, initial=np.inf))


def fit_discriminants(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], *, shrinkage: float = 0.01
) -> Discriminants:
    """Fit the axes of linear discriminant analysis.

    Parameters
    ----------
    vectors, labels
        (N, F) and the class numbers, 0 … without gaps.
    shrinkage
        Share of the scatter within classes that is spread evenly over all directions.
    """
    rows = vectors.astype(np.float64)
    counts = np.bincount(labels)
    means = np.zeros((len(counts), rows.shape[1]))
    np.add.at(means, labels, rows)
    means /= counts[:, None]
    apart = rows - means[labels]
    within = apart.T @ apart / len(apart)
    level = float(np.trace(within)) / len(within)
    within = (1 - shrinkage) * within
    within[np.diag_indices(len(within))] += shrinkage * level
    root = np.linalg.cholesky(within)
    origin = rows.mean(axis=0)
    weighted = (means - origin) * np.sqrt(counts / len(rows))[:, None]
    turned, spread, _ = np.linalg.svd(np.linalg.solve(root, weighted.T), full_matrices=False)
    axes = np.linalg.solve(root.T, turned[:, :-1])
    parts = (origin, axes, (means - origin) @ axes, spread[:-1] ** 2)
    return Discriminants(*(np.ascontiguousarray(part, np.float32) for part in parts))
