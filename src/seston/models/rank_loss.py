"""One softmax over classes, read at every rank: what a label says of coarse taxa trains, even where it says no more."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["rank_log_probabilities", "rank_loss"]


def rank_loss(logits: Tensor, targets: Tensor, members: Tensor, coarse: Tensor, weight: float) -> Tensor:
    """Compute for each particle how far its class and its taxa are from what the head says.

    With p the softmax of the answers, the probability of a taxon is P(t) = Σ p over the classes in it, so that the
    ranks are tied by the tree. The loss is -ln p_y, left out where y is coarse, plus `weight` times the mean of
    -ln P(taxon of y) over the ranks at which y has a taxon. Such sums over the leaves of a tree are those of Redmon
    and Farhadi 2017, section 4 (arXiv 1612.08242), with one softmax in place of one a parent.

    Parameters
    ----------
    logits
        (B, K) answers.
    targets
        (B,) numbers of the right classes.
    members
        (R, K): number of each class's taxon at each rank, -1 where it has none.
    coarse
        (K,) bool: classes that are trained at their ranks alone.
    weight
        Of the ranks beside the class.

    Returns
    -------
    Tensor
        (B,).
    """
    log_p = functional.log_softmax(logits, dim=1)
    own = -log_p.gather(1, targets[:, None])[:, 0]
    log_taxa = rank_log_probabilities(log_p, targets, members)
    has = members[:, targets] >= 0
    at_ranks = -torch.where(has, log_taxa, 0.0).sum(dim=0) / has.sum(dim=0).clamp(min=1)
    return torch.where(coarse[targets], 0.0, own) + weight * at_ranks


def rank_log_probabilities(log_p: Tensor, targets: Tensor, members: Tensor) -> Tensor:
    """Give (R, B): the logarithm of the probability of the right taxon at each rank; 0 where there is none."""
    found = []
    for of_class in members:
        inside = of_class[None, :] == of_class[targets][:, None]
        inside |= (of_class[targets] < 0)[:, None]  # no taxon at this rank: every class, so that the sum is 1
        found.append(torch.logsumexp(log_p.masked_fill(~inside, -torch.inf), dim=1))
    return torch.stack(found)
