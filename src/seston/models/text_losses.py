"""Contrastive losses between pictures and texts that know who may be whose negative.

Many particles of a batch share a taxon, so a text is true of more pictures than the one that it was written for. Each
pair of a picture and a text is *positive* (the text is the picture's own caption, or the same words), *negative* (the
taxa contradict each other), or neither (one is a coarser or a finer name of the other's taxon), and what is neither has
no part in the loss. Over several processes, gather vectors and numbers first (`seston.models.gather`).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["text_clip_loss", "text_siglip_loss"]


def text_clip_loss(image: Tensor, text: Tensor, scale: Tensor | float, *, positive: Tensor, negative: Tensor) -> Tensor:
    """Compute the symmetric cross-entropy with several positives (UniCL, arXiv 2204.03610, equations 2 to 4).

    For a picture i with the positive texts P(i): the mean over p in P(i) of −log softmax_p, where the softmax runs over
    its positive and negative texts; and the same for each text over pictures. With the diagonal as the only positives
    this is CLIP's loss.

    Parameters
    ----------
    image, text
        (B, D) unit vectors; row i of one belongs to row i of the other.
    scale
        Inverse temperature that multiplies the cosines.
    positive, negative
        (B, B) bool, pictures by texts; the diagonal is positive.
    """
    logits = (scale * image @ text.T).masked_fill(~(positive | negative), -torch.inf)
    return (_with_positives(logits, positive) + _with_positives(logits.T, positive.T)) / 2


def text_siglip_loss(
    image: Tensor,
    text: Tensor,
    scale: Tensor | float,
    bias: Tensor | float,
    *,
    positive: Tensor,
    negative: Tensor,
) -> Tensor:
    """Compute the pairwise sigmoid loss (SigLIP, arXiv 2303.15343) over positive and negative pairs.

    What n texts say alike counts once: each of their pairs has a share of 1/n, so that a picture has one positive, as
    in the paper, however common its taxon. The sum is divided by the number of pictures. With the diagonal as the only
    positives this is the paper's loss.

    Parameters
    ----------
    image, text, scale, positive, negative
        As for `text_clip_loss`.
    bias
        Is added to every scaled cosine.
    """
    logits = scale * image @ text.T + bias
    terms = functional.logsigmoid(torch.where(positive, logits, -logits)) / positive.sum(dim=0)
    return -terms.masked_fill(~(positive | negative), 0.0).sum() / len(image)


def _with_positives(logits: Tensor, positive: Tensor) -> Tensor:
    """Mean over rows of the mean negative log-probability of a row's positives."""
    log_probability = logits.log_softmax(dim=1).masked_fill(~positive, 0.0)
    return -(log_probability.sum(dim=1) / positive.sum(dim=1)).mean()
