"""One softmax read at every rank, against sums in plain loops."""

from __future__ import annotations

import math

import torch

from seston.models.rank_loss import rank_loss

MEMBERS = [[0, 0, 0, 1, -1], [0, 1, -1, 2, -1]]
"""Five classes at two ranks; the third is the whole of the first taxon, the last stands outside the tree."""
COARSE = [False, False, True, False, False]


def _by_hand(row: list[float], y: int, weight: float) -> float:
    there = [j for j in range(5) if not COARSE[j]]
    total = math.fsum(math.exp(row[j]) for j in there)
    p = [math.exp(row[j]) / total if j in there else 0.0 for j in range(5)]
    own = 0.0 if COARSE[y] else -math.log(p[y])
    terms = [-math.log(math.fsum(p[j] for j in range(5) if rank[j] == rank[y])) for rank in MEMBERS if rank[y] >= 0]
    return own + weight * (sum(terms) / len(terms) if terms else 0.0)


def test_a_particle_is_judged_by_its_class_and_by_the_sums_at_the_ranks_that_its_label_has() -> None:
    logits = torch.randn(25, 5, generator=torch.Generator().manual_seed(1))
    targets = torch.arange(25) % 5
    coarse = torch.tensor(COARSE)
    ours = rank_loss(logits.masked_fill(coarse, -torch.inf), targets, torch.tensor(MEMBERS), coarse, 0.7)
    theirs = [_by_hand(row, y, 0.7) for row, y in zip(logits.tolist(), targets.tolist(), strict=True)]
    torch.testing.assert_close(ours, torch.tensor(theirs), rtol=1e-5, atol=1e-5)


def test_a_coarse_label_moves_all_classes_below_it_and_gives_finite_gradients() -> None:
    logits = torch.zeros(1, 5, requires_grad=True)
    coarse = torch.tensor(COARSE)
    loss = rank_loss(logits.masked_fill(coarse, -torch.inf), torch.tensor([2]), torch.tensor(MEMBERS), coarse, 1.0)
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    assert torch.isfinite(gradient).all()
    assert (gradient[0, :2] < 0).all()
    assert (gradient[0, 3:] > 0).all()
