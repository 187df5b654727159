"""Contrastive losses: CLIP, SigLIP, and a view against another view of the same modality.

All take unit vectors, and all give the mean over the particles, so that batches of different size compare. Over
several processes, gather the vectors first (`seston.models.gather`): each process then computes the loss of the whole
batch.

A negative is another particle of the batch. With `sample`, only particles of the same sample count as negatives of
each other: telling two runs apart by their gain or background then earns nothing, so the model has no reason to
learn it.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["clip_loss", "siglip_loss", "within_loss"]


def clip_loss(
    image: Tensor,
    profile: Tensor,
    scale: Tensor | float,
    *,
    sample: Tensor | None = None,
    buckets: int = 1,
    paper_row_max: bool = False,
) -> Tensor:
    """Compute the symmetric cross-entropy of picture → profile and profile → picture (CLIP, arXiv 2103.00020).

    Parameters
    ----------
    image, profile
        (B, D) unit vectors; row i of one belongs to row i of the other.
    scale
        Inverse temperature that multiplies the cosines.
    sample
        (B,) sample of each particle; if given, only particles of the same sample are negatives.
    buckets
        Cut the batch into so many consecutive parts and take negatives only inside a part.
    paper_row_max
        Subtract each row's maximum before both cross-entropies, as the cross-modal plankton paper's code does. This
        leaves the row term unchanged and makes the column term wrong; it is here to reproduce that paper.
    """
    parts = []
    for rows in _bucket_slices(len(image), buckets):
        logits = scale * image[rows] @ profile[rows].T
        if sample is not None:
            logits = logits.masked_fill(~_same_sample(sample[rows]), -torch.inf)
        if paper_row_max:
            logits = logits - logits.max(dim=1, keepdim=True).values
        target = torch.arange(len(logits), device=logits.device)
        both = functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)
        parts.append(both / 2 * len(logits))
    return torch.stack(parts).sum() / len(image)


def siglip_loss(
    image: Tensor,
    profile: Tensor,
    scale: Tensor | float,
    bias: Tensor | float,
    *,
    sample: Tensor | None = None,
    buckets: int = 1,
) -> Tensor:
    """Compute the pairwise sigmoid loss (SigLIP, arXiv 2303.15343): each pair of rows belongs together or does not.

    Parameters as for `clip_loss`; `bias` is added to every scaled cosine. The sum over all pairs is divided by the
    number of particles, whatever the number of buckets.
    """
    parts = []
    for rows in _bucket_slices(len(image), buckets):
        logits = scale * image[rows] @ profile[rows].T + bias
        signs = 2 * torch.eye(len(logits), device=logits.device, dtype=logits.dtype) - 1
        terms = functional.logsigmoid(signs * logits)
        if sample is not None:
            terms = terms.masked_fill(~_same_sample(sample[rows]), 0.0)
        parts.append(-terms.sum())
    return torch.stack(parts).sum() / len(image)


def within_loss(
    first: Tensor,
    second: Tensor,
    scale: Tensor | float,
    *,
    sample: Tensor | None = None,
    spared: Tensor | None = None,
) -> Tensor:
    """Compute the normalised temperature-scaled cross-entropy between two views (NT-Xent, arXiv 2002.05709).

    Each of the 2 B vectors has its other view to find among all other vectors of the batch.

    Parameters
    ----------
    first, second
        (B, D) unit vectors of two views of the same particles.
    scale
        Inverse temperature.
    sample
        As for `clip_loss`.
    spared
        (2 B, 2 B) bool: vectors that are no negatives of each other, the first views before the second.
    """
    count = len(first)
    vectors = torch.cat([first, second])
    logits = scale * vectors @ vectors.T
    closed = torch.eye(2 * count, device=logits.device, dtype=torch.bool)
    if sample is not None:
        closed = closed | ~_same_sample(torch.cat([sample, sample]))
    target = torch.arange(2 * count, device=logits.device).roll(count)
    if spared is not None:
        closed = closed | spared
        closed[torch.arange(2 * count, device=logits.device), target] = False
    return functional.cross_entropy(logits.masked_fill(closed, -torch.inf), target)


def _bucket_slices(rows: int, buckets: int) -> list[slice]:
    """Cut rows into consecutive parts whose sizes differ by one at most; never more parts than rows."""
    buckets = max(1, min(buckets, rows))
    edges = [rows * bucket // buckets for bucket in range(buckets + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(edges)]


def _same_sample(sample: Tensor) -> Tensor:
    return sample[:, None] == sample[None, :]
