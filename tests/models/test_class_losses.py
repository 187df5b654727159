"""Each loss of classes against a second, slow one, written from its paper in plain loops of double precision."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
import torch

from seston.models.class_losses import LOSSES, LossNumbers, class_loss, effective_number_weights

Row = Sequence[float]

COUNTS = [1000, 300, 40, 7, 2]
NUMBERS = LossNumbers(
    smoothing=0.1, focus=1.7, focus_wrong=3.0, focus_right=0.5, margin=0.4, scale=5.0, strength=1.3
)  # fmt: skip


def _softmax(z: Row) -> list[float]:
    top = max(z)
    powers = [math.exp(one - top) for one in z]
    return [one / math.fsum(powers) for one in powers]


def _cross_entropy(z: Row, y: int) -> float:
    return -math.log(_softmax(z)[y])


def _szegedy_2016(z: Row, y: int) -> float:
    p, total = _softmax(z), 0.0
    for j in range(len(z)):
        wanted = (1 - NUMBERS.smoothing) * (1.0 if j == y else 0.0) + NUMBERS.smoothing * (1 / len(z))
        total -= wanted * math.log(p[j])
    return total


def _lin_2017(z: Row, y: int) -> float:
    p = _softmax(z)[y]
    return -math.pow(1 - p, NUMBERS.focus) * math.log(p)


def _cao_2019(z: Row, y: int) -> float:
    largest = max(1 / n**0.25 for n in COUNTS)
    constant = NUMBERS.margin / largest
    cosines = [one / NUMBERS.scale for one in z]
    cosines[y] -= constant / COUNTS[y] ** 0.25
    return _cross_entropy([NUMBERS.scale * one for one in cosines], y)


def _kang_2021(z: Row, y: int) -> float:
    cosines = [one / NUMBERS.scale for one in z]
    lead = cosines[y] - max(one for j, one in enumerate(cosines) if j != y)
    if lead > 0:
        margin = math.exp(-lead - NUMBERS.focus * NUMBERS.margin)
    elif lead < 0:
        margin = math.exp(lead - NUMBERS.margin)
    else:
        margin = 0.0
    cosines[y] -= margin
    return _cross_entropy([NUMBERS.scale * one for one in cosines], y)


def _ridnik_2021(z: Row, y: int) -> float:
    p, total = _softmax(z), 0.0
    for j in range(len(z)):
        if j == y:
            weight, wanted = (1 - p[j]) ** NUMBERS.focus_right, 1 - NUMBERS.smoothing + NUMBERS.smoothing / len(z)
        else:
            weight, wanted = p[j] ** NUMBERS.focus_wrong, NUMBERS.smoothing / len(z)
        total -= wanted * weight * math.log(p[j])
    return total


def _park_2023(z: Row, y: int) -> float:
    total = 0.0
    for j, one in enumerate(z):
        p = 1 / (1 + math.exp(-one))
        if j == y:
            series = math.log(p) + 1.0 * (1 - p) + (-2.5) * (1 - p) ** 2 / 2
            total -= (1 - p) ** NUMBERS.focus_right * series
        else:
            total -= p**NUMBERS.focus_wrong * (1.5 - p) * math.log(1 - p)
    return total


def _ren_2020(z: Row, y: int) -> float:
    return -math.log(
        COUNTS[y] * math.exp(z[y]) / math.fsum(n * math.exp(one) for n, one in zip(COUNTS, z, strict=True))
    )


def _menon_2021(z: Row, y: int) -> float:
    shares = [n / sum(COUNTS) for n in COUNTS]
    moved = [one + NUMBERS.strength * math.log(share) for one, share in zip(z, shares, strict=True)]
    return _cross_entropy(moved, y)


ORACLES: dict[str, Callable[[Row, int], float]] = {
    "cross-entropy": _szegedy_2016,
    "focal": _lin_2017,
    "ldam": _cao_2019,
    "maximum-margin": _kang_2021,
    "asymmetric": _ridnik_2021,
    "robust-asymmetric": _park_2023,
    "balanced-softmax": _ren_2020,
    "logit-adjustment": _menon_2021,
}


def _answers() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    logits = 3 * torch.randn(20, len(COUNTS), generator=generator)
    logits[-1] = torch.tensor([2.0, 2.0, -1.0, 0.0, 1.0])  # a tie: neither named right nor wrong
    targets = torch.randint(len(COUNTS), (20,), generator=generator)
    targets[-1] = 0
    return logits, targets


@pytest.mark.parametrize("kind", LOSSES)
def test_a_loss_equals_the_one_written_from_its_paper(kind: str) -> None:
    logits, targets = _answers()
    ours = class_loss(kind, logits, targets, torch.tensor(COUNTS), NUMBERS)
    theirs = [ORACLES[kind](row, y) for row, y in zip(logits.double().tolist(), targets.tolist(), strict=True)]
    torch.testing.assert_close(ours.double(), torch.tensor(theirs, dtype=torch.float64), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("kind", LOSSES)
def test_the_gradient_is_the_slope_of_the_loss_from_the_paper(kind: str) -> None:
    logits, targets = _answers()
    logits, targets = logits[:6].double().requires_grad_(), targets[:6]
    counts = torch.tensor(COUNTS, dtype=torch.float64)
    (ours,) = torch.autograd.grad(LOSSES[kind](logits, targets, counts, NUMBERS).sum(), logits)
    held = [_kang_margin(row, y) if kind == "maximum-margin" else None for row, y in zip(logits, targets, strict=True)]
    for row, y in enumerate(targets.tolist()):
        for column in range(len(COUNTS)):
            step = 1e-5
            sides = []
            for sign in (1, -1):
                moved = logits[row].tolist()
                moved[column] += sign * step
                margin = held[row]
                if margin is None:
                    sides.append(ORACLES[kind](moved, y))
                else:
                    moved[y] -= NUMBERS.scale * margin  # no gradient goes through the margin
                    sides.append(_cross_entropy(moved, y))
            slope = (sides[0] - sides[1]) / (2 * step)
            assert float(ours[row, column]) == pytest.approx(slope, rel=1e-4, abs=1e-6)


def _kang_margin(row: torch.Tensor, y: torch.Tensor) -> float:
    cosines = [one / NUMBERS.scale for one in row.tolist()]
    lead = cosines[int(y)] - max(one for j, one in enumerate(cosines) if j != int(y))
    return math.exp(-lead - NUMBERS.focus * NUMBERS.margin) if lead > 0 else math.exp(lead - NUMBERS.margin)


@pytest.mark.parametrize("kind", LOSSES)
def test_extreme_answers_give_numbers(kind: str) -> None:
    logits = torch.tensor([[80.0, -80.0, 0.0], [-80.0, 80.0, 0.0]], requires_grad=True)
    loss = class_loss(kind, logits, torch.tensor([0, 0]), torch.tensor([5, 0, 1]), LossNumbers())
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    assert torch.isfinite(loss).all()
    assert torch.isfinite(gradient).all()
    assert loss[0] < loss[1]


def test_logit_adjustment_of_full_strength_is_balanced_softmax() -> None:
    logits, targets = _answers()
    counts = torch.tensor(COUNTS)
    torch.testing.assert_close(
        class_loss("logit-adjustment", logits, targets, counts), class_loss("balanced-softmax", logits, targets, counts)
    )


def test_weights_by_effective_number_are_those_of_the_paper() -> None:
    beta = 0.99
    weights = effective_number_weights(torch.tensor(COUNTS), beta)
    plain = [(1 - beta) / (1 - beta**n) for n in COUNTS]
    expected = [one * len(COUNTS) / math.fsum(plain) for one in plain]
    assert weights.tolist() == pytest.approx(expected, rel=1e-6)
