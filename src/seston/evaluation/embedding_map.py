"""A map of particles by their vectors, coloured by their taxa of one rank."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError, nearest_word
from seston.evaluation.lineages import Lineage
from seston.evaluation.plots import map_plot
from seston.evaluation.results import Figure
from seston.taxonomy import RANKS

__all__ = ["check_rank", "flatten", "map_figure"]

_MOST = 2_000
_FEWEST = 8
_PRINCIPAL = 50
_NONE = "no taxon of this rank"


def check_rank(rank: str) -> int:
    """Give the place of a rank among the seven.

    Raises
    ------
    UsageError
        For another word.
    """
    if rank not in RANKS:
        raise UsageError(f"there is no rank {rank!r}{nearest_word(rank, RANKS)}")
    return RANKS.index(rank)


def map_figure(vectors: NDArray[np.float32], lineages: Sequence[Lineage], rank: str, *, seed: int = 0) -> Figure | None:
    """Draw particles as points, near each other where their vectors are alike.

    Parameters
    ----------
    vectors
        A row a particle; of more than 2,000 so many are drawn at random.
    lineages
        Of each particle.
    rank
        Taxa of this rank get the colours: the seven most frequent ones each their own, all others grey.

    Returns
    -------
    Figure or None
        None where there are too few particles.
    """
    place = check_rank(rank)
    if len(vectors) < _FEWEST:
        return None
    chosen = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:_MOST])
    groups = [lineages[row][place] or _NONE for row in chosen.tolist()]
    lead = (
        f"{len(chosen):,} particles as the model sees them, by t-SNE of its vectors: neighbours are alike, but "
        f"distances between groups say little. Colours are the most frequent taxa of the rank {rank}; others are grey."
    )
    return Figure(f"Map of the particles, by {rank}", lead, map_plot(flatten(vectors[chosen], seed), groups, {}))


def flatten(vectors: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Lay vectors out in a plane by t-SNE of their principal components (van der Maaten & Hinton 2008)."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    principal = min(_PRINCIPAL, *vectors.shape)
    narrow = PCA(principal, random_state=seed).fit_transform(vectors)
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    found = TSNE(init="pca", perplexity=perplexity, random_state=seed).fit_transform(narrow)
    return np.asarray(found, np.float32)
