"""How often particles of rare and of common classes are shown to what learns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SAMPLINGS", "sampling_weights"]

SAMPLINGS = ("plain", "balanced", "square-root")


def sampling_weights(how: str, classes: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Give how often each training particle comes, relative to the others; None where each comes once an epoch.

    Parameters
    ----------
    how
        ``plain``; ``balanced``: each class as often; ``square-root``: a class of n particles as often as √n says.
    classes
        (N,) class of each particle; -1 for none, which come as often as the others do on average.
    """
    known = classes >= 0
    if how == "plain" or not known.any():
        return None
    counts = np.bincount(classes[known]).astype(np.float64)
    weights = np.ones(len(classes))
    weights[known] = counts[classes[known]] ** (-0.5 if how == "square-root" else -1.0)
    weights[~known] = weights[known].mean()
    return weights
