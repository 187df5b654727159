"""Losses of classes: one number a particle, by what a head says of each class.

Most of them are made for classes of very unequal size. All take (B, K) answers z of the head, (B,) numbers y of the
right classes, and the (K,) numbers n of training particles; p is the softmax of z. The mean over a batch is taken by
whoever calls, so that the particles of several processes count alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "LOSSES",
    "LossNumbers",
    "asymmetric",
    "balanced_softmax",
    "class_loss",
    "cross_entropy",
    "effective_number_weights",
    "focal",
    "ldam",
    "logit_adjustment",
    "maximum_margin",
    "robust_asymmetric",
]


@dataclass(frozen=True)
class LossNumbers:
    """The numbers that some of the losses have; names as in the formulas of each."""

    smoothing: float = 0.0
    focus: float = 2.0
    focus_wrong: float = 4.0
    focus_right: float = 0.0
    margin: float = 0.5
    scale: float = 1.0
    """By which the head has multiplied its answers; margins are multiplied too."""
    strength: float = 1.0


def class_loss(
    kind: str, logits: Tensor, targets: Tensor, counts: Tensor, numbers: LossNumbers | None = None
) -> Tensor:
    """Compute one of the losses of `LOSSES` for each particle.

    Parameters
    ----------
    kind
        Its name.
    logits
        (B, K) answers of the head.
    targets
        (B,) int64, from 0 to K - 1.
    counts
        (K,) training particles of each class.
    numbers
        Where they are not the usual ones.

    Returns
    -------
    Tensor
        (B,).
    """
    return LOSSES[kind](logits.float(), targets, counts.to(logits.device, torch.float32), numbers or LossNumbers())


def cross_entropy(logits: Tensor, targets: Tensor, counts: Tensor, numbers: LossNumbers) -> Tensor:
    """Compute -Σⱼ qⱼ ln pⱼ with qⱼ = (1 - ε) [j = y] + ε / K.

    ε is `smoothing`: Szegedy et al. 2016, *Rethinking the Inception architecture*, section 7 (arXiv 1512.00567).
    """
    return functional.cross_entropy(logits, targets, reduction="none", label_smoothing=numbers.smoothing)


def focal(logits: Tensor, targets: Tensor, counts: Tensor, numbers: LossNumbers) -> Tensor:
    """Compute -(1 - p_y)^γ ln p_y; γ is `focus`.

    Lin et al. 2017, *Focal loss for dense object detection*, equation 4 (arXiv 1708.02002), with a softmax in place
    of a sigmoid and without class weights.
    """
    log_p = _of_target(functional.log_softmax(logits, dim=1), targets)
    return -((1 - log_p.exp()).clamp(min=0) ** numbers.focus) * log_p


def ldam(logits: Tensor, targets: Tensor, counts: Tensor, numbers: LossNumbers) -> Tensor:
    """Compute -ln softmax(z - s Δ)_y, where Δ holds only for the right class: Δ_y = C / n_y^¼.

    C makes the margin of the rarest class `margin`; s is `scale`. Cao et al. 2019, *Learning imbalanced datasets with
    label-distribution-aware margin loss*, equations 12 and 13 (arXiv 1906.07413). There the answers are s times a
    cosine; so they are here with a cosine head. Its deferred re-weighting is `effective_number_weights`.
    """
    margins = counts.clamp(min=1) ** -0.25
    margins = numbers.margin * margins / margins.max()
    return _with_margin(logits, targets, numbers.scale * margins[targets])


def maximum_margin(logits: Tensor, targets: Tensor, counts: Tensor, numbers: LossNumbers) -> Tensor:
    """Compute -ln softmax(z - s Δ)_y with a margin for each particle, by how clearly it is named right or wrong.

    With d = (z_y - maxⱼ≠y zⱼ) / s: Δ = exp(-d - γ m) where d > 0, exp(-|d| - m) where d < 0, 0 where d = 0; no gradient
    goes through Δ. m is `margin`, γ `focus`, s `scale`. Kang, Vu and Yoo 2021, *Learning imbalanced datasets with
    maximum margin loss*, section 3 (arXiv 2206.05380). The code published with it compares with the greatest of the
    other answers *or zero*, and takes the right class of the first particle for all; neither is done here.
    """
    with torch.no_grad():
        right = _of_target(logits, targets)
        others = logits.scatter(1, targets[:, None], -torch.inf).amax(dim=1)
        lead = (right - others) / numbers.scale
        margin = torch.where(
            lead > 0, torch.exp(-lead - numbers.focus * numbers.margin), torch.exp(lead - numbers.margin)
        )
        margin = torch.where(lead == 0, 0.0, margin)
    return _with_margin(logits, targets, numbers.scale * margin)


def asymmetric(logits: Tensor, targets: Tensor, counts: Tensor, numbers: LossNumbers) -> Tensor:
    """Compute -Σⱼ qⱼ wⱼ ln pⱼ with w_y = (1 - p_y)^γ₊ and wⱼ = pⱼ^γ₋ for the other classes; q as in `cross_entropy`.

    γ₊ is `focus_right`, γ₋ `focus_wrong`. Ridnik et al. 2021, *Asymmetric loss for multi-label classification*,
    equation 3 (arXiv 2009.14119), in the form for one class a picture that the authors published: a softmax, and the
    other classes count by the smoothing alone.
    """
    log_p = functional.log_softmax(logits, dim=1)
    p = log_p.exp()
    right = functional.one_hot(targets, logits.shape[1]).to(p.dtype)
    weight = torch.where(right > 0, (1 - p).clamp(min=0) ** numbers.focus_right, p**numbers.focus_wrong)
    wanted = (1 - numbers.smoothing) * right + numbers.smoothing / logits.shape[1]
    return -(wanted * weight * log_p).sum(dim=1)


def robust_asymmetric(logits: Tensor, targets: Tensor, counts: Tensor, numbers: LossNumbers) -> Tensor:
    """Compute -[(1 - p_y)^γ₊ (ln p_y + (1 - p_y) + ε (1 - p_y)² / 2) + Σⱼ≠y pⱼ^γ₋ (λ - pⱼ) ln(1 - pⱼ)].

    Here p is the sigmoid of each answer; ε = -2.5, λ = 1.5; γ₊ is `focus_right`, γ₋ `focus_wrong`. Park et al. 2023,
    *Robust asymmetric loss for multi-label long-tailed learning*, section 3 (arXiv 2308.05542): the first terms of the
    Taylor series of the logarithm with coefficients of their own for the right class, and a Hill weight that spares
    wrong classes of high probability, which may be right. Written from its description; no other code was at hand that
    does what it says.
    """
    log_p, log_not = functional.logsigmoid(logits), functional.logsigmoid(-logits)
    p = log_p.exp()
    positive = log_p + (1 - p) + _ROBUST_SECOND / 2 * (1 - p) ** 2
    positive = (1 - p).clamp(min=0) ** numbers.focus_right * positive
    negative = p**numbers.focus_wrong * (_ROBUST_HILL - p) * log_not
    right = functional.one_hot(targets, logits.shape[1]).to(torch.bool)
    return -torch.where(right, positive, negative).sum(dim=1)


def balanced_softmax(logits: Tensor, targets: Tensor, counts: Tensor, numbers: LossNumbers) -> Tensor:
    """Compute -ln (n_y exp z_y / Σⱼ nⱼ exp zⱼ).

    Ren et al. 2020, *Balanced meta-softmax for long-tailed visual recognition*, equation 3 (arXiv 2007.10740).
    """
    return functional.cross_entropy(logits + counts.clamp(min=1).log(), targets, reduction="none")


def logit_adjustment(logits: Tensor, targets: Tensor, counts: Tensor, numbers: LossNumbers) -> Tensor:
    """Compute -ln softmax(z + τ ln π)_y, where π are the shares of the classes; τ is `strength`.

    Menon et al. 2021, *Long-tail learning via logit adjustment*, equation 10 (arXiv 2007.07314). With τ = 1 it equals
    `balanced_softmax`.
    """
    shares = counts.clamp(min=1) / counts.clamp(min=1).sum()
    return functional.cross_entropy(logits + numbers.strength * shares.log(), targets, reduction="none")


def effective_number_weights(counts: Tensor, beta: float) -> Tensor:
    """Give (K,) weights (1 - β) / (1 - βⁿ), scaled to a mean of 1.

    Cui et al. 2019, *Class-balanced loss based on effective number of samples*, equation 4 (arXiv 1901.05555). Used
    from a late step on, they are the deferred re-weighting of Cao et al. 2019.
    """
    weights = (1 - beta) / (1 - beta ** counts.clamp(min=1).double())
    return (weights / weights.mean()).float()


LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor, LossNumbers], Tensor]] = {
    "cross-entropy": cross_entropy,
    "focal": focal,
    "ldam": ldam,
    "maximum-margin": maximum_margin,
    "asymmetric": asymmetric,
    "robust-asymmetric": robust_asymmetric,
    "balanced-softmax": balanced_softmax,
    "logit-adjustment": logit_adjustment,
}
"""Name in a recipe → function."""

_ROBUST_SECOND, _ROBUST_HILL = -2.5, 1.5


def _of_target(values: Tensor, targets: Tensor) -> Tensor:
    return values.gather(1, targets[:, None])[:, 0]


def _with_margin(logits: Tensor, targets: Tensor, margin: Tensor) -> Tensor:
    """Compute the cross-entropy after a margin was taken from the answer of the right class."""
    moved = logits.scatter_add(1, targets[:, None], -margin[:, None].to(logits.dtype))
    return functional.cross_entropy(moved, targets, reduction="none")
