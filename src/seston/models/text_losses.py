"""Contrastive losses between pictures and texts that know who may be whose negative.

Many particles of a batch share a taxon, so a text is true of more pictures than the one that it was written for. Each
pair of a picture and a text is *positive* (the text is the picture's own caption, or the same words), *negative* (the
taxa contradict each other), or neither (one is a coarser or a finer name of the other's taxon), and what is neither has
no part in the loss. So it is with contexts (place, season, hour, depth) in place of texts.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from seston.models.gather import gather_rows, shared_parameter

__all__ = ["statement_loss", "text_clip_loss", "text_siglip_loss"]

_GREATEST_SCALE = 100.0


def statement_loss(
    kind: str,
    learned: tuple[Tensor, Tensor],
    seen: Tensor,
    said: Tensor,
    relations: Callable[[], tuple[Tensor, Tensor]],
) -> Tensor:
    """Compute the loss between what particles are seen to be and what is said of them, over all processes.

    Parameters
    ----------
    kind
        ``clip`` or ``siglip``.
    learned
        Logarithm of the scale, and bias.
    seen, said
        (B, D) unit vectors of this process; row i of one belongs to row i of the other.
    relations
        Gives the pairs that are positive and those that are negative, over all processes; called by all or by none.

    Returns
    -------
    Tensor
        The same number in every process; 0 where there are no rows in any.
    """
    seen, said = gather_rows(seen), gather_rows(said)
    scale = shared_parameter(learned[0]).exp().clamp(max=_GREATEST_SCALE)
    bias = shared_parameter(learned[1])
    if not len(seen):
        return seen.sum() + said.sum()
    positive, negative = relations()
    if kind == "siglip":
        return text_siglip_loss(seen, said, scale, bias, positive=positive, negative=negative)
    return text_clip_loss(seen, said, scale, positive=positive, negative=negative)


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
