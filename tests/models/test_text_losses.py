"""The losses between pictures and texts against slow second implementations, pair by pair."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from seston.models import clip_loss, siglip_loss
from seston.models.text_losses import text_clip_loss, text_siglip_loss


def _unit(rows: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    vectors = functional.normalize(torch.randn(rows, 6, generator=generator, dtype=torch.float64), dim=1)
    return vectors.requires_grad_()


def _pairs() -> tuple[Tensor, Tensor]:
    """Five particles: 0, 1 of one taxon; 2 coarser than these; 3, 4 of others; the matrix is not symmetric."""
    positive = torch.eye(5, dtype=torch.bool)
    positive[0, 1] = positive[1, 0] = True
    neither = torch.zeros(5, 5, dtype=torch.bool)
    neither[0, 2] = neither[1, 2] = neither[2, 0] = neither[3, 4] = True
    return positive, ~positive & ~neither


def _slow_clip(image: Tensor, text: Tensor, scale: float, positive: Tensor, negative: Tensor) -> float:
    """UniCL by its formula, in plain numbers."""
    total = 0.0
    count = len(image)
    for one in range(count):
        for of_text in (False, True):

            def cosine(other: int, one: int = one, of_text: bool = of_text) -> float:
                pair = (image[other], text[one]) if of_text else (image[one], text[other])
                return (pair[0] @ pair[1]).item()

            def holds(table: Tensor, other: int, one: int = one, of_text: bool = of_text) -> bool:
                return bool(table[other, one] if of_text else table[one, other])

            positives = [other for other in range(count) if holds(positive, other)]
            seen = [other for other in range(count) if holds(positive, other) or holds(negative, other)]
            below = sum(math.exp(scale * cosine(other)) for other in seen)
            terms = [math.log(math.exp(scale * cosine(other)) / below) for other in positives]
            total -= sum(terms) / len(terms) / 2
    return total / count


def _slow_siglip(
    image: Tensor, text: Tensor, numbers: tuple[float, float], positive: Tensor, negative: Tensor
) -> float:
    """SigLIP by its formula, where texts that say the same are one text."""
    total = 0.0
    for other in range(len(text)):
        alike = sum(bool(positive[one, other]) for one in range(len(image)))
        for one in range(len(image)):
            logit = numbers[0] * (image[one] @ text[other]).item() + numbers[1]
            if positive[one, other]:
                total -= math.log(1 / (1 + math.exp(-logit))) / alike
            elif negative[one, other]:
                total -= math.log(1 / (1 + math.exp(logit))) / alike
    return total / len(image)


def test_the_clip_loss_equals_its_formula_pair_by_pair() -> None:
    image, text = _unit(5, 0), _unit(5, 1)
    positive, negative = _pairs()
    given = text_clip_loss(image, text, 7.0, positive=positive, negative=negative)
    assert given.item() == pytest.approx(_slow_clip(image, text, 7.0, positive, negative), abs=1e-9)


def test_the_siglip_loss_equals_its_formula_pair_by_pair() -> None:
    image, text = _unit(5, 2), _unit(5, 3)
    positive, negative = _pairs()
    given = text_siglip_loss(image, text, 7.0, -3.0, positive=positive, negative=negative)
    assert given.item() == pytest.approx(_slow_siglip(image, text, (7.0, -3.0), positive, negative), abs=1e-9)


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_where_every_particle_is_a_taxon_of_its_own_both_are_the_plain_losses(rows: int) -> None:
    image, text = _unit(rows, 4), _unit(rows, 5)
    positive = torch.eye(rows, dtype=torch.bool)
    clip = text_clip_loss(image, text, 9.0, positive=positive, negative=~positive)
    sigmoid = text_siglip_loss(image, text, 9.0, -2.0, positive=positive, negative=~positive)
    assert clip.item() == pytest.approx(clip_loss(image, text, 9.0).item(), abs=1e-9)
    assert sigmoid.item() == pytest.approx(siglip_loss(image, text, 9.0, -2.0).item(), abs=1e-9)


def test_a_text_said_thrice_counts_once_in_the_pairwise_loss() -> None:
    image, text = _unit(4, 6).detach(), _unit(2, 7).detach()
    own = torch.tensor([0, 1, 1, 1])
    positive = own[:, None] == own[None, :]
    repeated = text_siglip_loss(image, text[own], 5.0, -2.0, positive=positive, negative=~positive)
    signs = torch.where(own[:, None] == torch.arange(2)[None, :], 1.0, -1.0)
    once = -functional.logsigmoid(signs * (5.0 * image @ text.T - 2.0)).sum() / len(image)
    assert repeated.item() == pytest.approx(once.item(), abs=1e-9)


def test_a_pair_that_is_neither_has_no_part_in_the_loss() -> None:
    positive = torch.eye(3, dtype=torch.bool)
    negative = ~positive
    negative[0, 1] = False
    logits = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    eye = torch.eye(3, dtype=torch.float64)
    for loss in (
        text_clip_loss(logits, eye, 1.0, positive=positive, negative=negative),
        text_siglip_loss(logits, eye, 1.0, 0.0, positive=positive, negative=negative),
    ):
        (gradient,) = torch.autograd.grad(loss, logits)
        assert gradient[0, 1] == 0
        assert (gradient[~torch.eye(3, dtype=torch.bool)] != 0).sum() == 5
        assert torch.isfinite(gradient).all()
