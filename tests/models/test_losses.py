"""The losses against open_clip's and against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from seston.models import clip_loss, siglip_loss, within_loss
from seston.models.torchvision_shim import mend_torchvision


def _unit_vectors(rows: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(rows, 16, generator=generator), dim=1).requires_grad_()


@pytest.fixture(scope="module")
def open_clip_losses() -> tuple[object, object]:
    mend_torchvision()
    open_clip = pytest.importorskip("open_clip")
    return open_clip.loss.ClipLoss(), open_clip.loss.SigLipLoss()


@pytest.mark.parametrize("rows", [2, 7, 32])
def test_clip_loss_and_its_gradients_equal_those_of_open_clip(
    rows: int, open_clip_losses: tuple[object, object]
) -> None:
    image, profile = _unit_vectors(rows, 0), _unit_vectors(rows, 1)
    scale = torch.tensor(14.3, requires_grad=True)
    ours = torch.autograd.grad(clip_loss(image, profile, scale), [image, profile, scale])
    theirs_loss = open_clip_losses[0](image, profile, scale)  # type: ignore[operator]  # open_clip has no types
    theirs = torch.autograd.grad(theirs_loss, [image, profile, scale])
    assert clip_loss(image, profile, scale).item() == pytest.approx(theirs_loss.item(), abs=1e-6)
    for our, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(our, their, atol=1e-6, rtol=0)


@pytest.mark.parametrize("rows", [2, 7, 32])
def test_siglip_loss_and_its_gradients_equal_those_of_open_clip(
    rows: int, open_clip_losses: tuple[object, object]
) -> None:
    image, profile = _unit_vectors(rows, 2), _unit_vectors(rows, 3)
    scale, bias = torch.tensor(10.0, requires_grad=True), torch.tensor(-10.0, requires_grad=True)
    ours = torch.autograd.grad(siglip_loss(image, profile, scale, bias), [image, profile, scale, bias])
    theirs_loss = open_clip_losses[1](image, profile, scale, bias)  # type: ignore[operator]  # open_clip has no types
    theirs = torch.autograd.grad(theirs_loss, [image, profile, scale, bias])
    for our, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(our, their, atol=1e-6, rtol=1e-6)


def test_row_maximum_of_the_paper_is_off_by_default_and_gives_the_papers_number_when_on() -> None:
    image, profile = torch.tensor([[5.0, 4.0], [3.0, 2.0]]), torch.eye(2)
    assert clip_loss(image, profile, 1.0).item() == pytest.approx(0.9701, abs=1e-4)
    assert clip_loss(image, profile, 1.0, paper_row_max=True).item() == pytest.approx(0.7532, abs=1e-4)


def test_buckets_keep_negatives_inside_consecutive_parts() -> None:
    image, profile = _unit_vectors(6, 4), _unit_vectors(6, 5)
    parts = [clip_loss(image[rows], profile[rows], 10.0) for rows in (slice(0, 3), slice(3, 6))]
    assert clip_loss(image, profile, 10.0, buckets=2).item() == pytest.approx(
        (parts[0] + parts[1]).item() / 2, abs=1e-6
    )


def test_buckets_of_unequal_size_weigh_each_particle_alike() -> None:
    image, profile = _unit_vectors(5, 6), _unit_vectors(5, 7)
    parts = 2 * clip_loss(image[:2], profile[:2], 10.0) + 3 * clip_loss(image[2:], profile[2:], 10.0)
    assert clip_loss(image, profile, 10.0, buckets=2).item() == pytest.approx(parts.item() / 5, abs=1e-6)


def test_particles_of_another_sample_are_no_negatives() -> None:
    image, profile = _unit_vectors(6, 8), _unit_vectors(6, 9)
    sample = torch.tensor([0, 1, 0, 1, 0, 1])
    apart = [clip_loss(image[sample == one], profile[sample == one], 10.0) for one in (0, 1)]
    together = clip_loss(image, profile, 10.0, sample=sample)
    assert together.item() == pytest.approx((apart[0] + apart[1]).item() / 2, abs=1e-6)


def test_a_particle_alone_in_its_sample_costs_nothing_and_moves_nothing() -> None:
    image, profile = _unit_vectors(3, 10), _unit_vectors(3, 11)
    sample = torch.tensor([0, 0, 1])
    (gradient,) = torch.autograd.grad(clip_loss(image, profile, 10.0, sample=sample), [image])
    assert gradient[2].abs().max() == 0
    assert torch.isfinite(gradient).all()


def test_siglip_with_samples_leaves_pairs_of_different_samples_out() -> None:
    image, profile = _unit_vectors(4, 12), _unit_vectors(4, 13)
    sample = torch.tensor([0, 0, 1, 1])
    apart = [siglip_loss(image[sample == one], profile[sample == one], 10.0, -5.0) for one in (0, 1)]
    together = siglip_loss(image, profile, 10.0, -5.0, sample=sample)
    assert together.item() == pytest.approx((apart[0] + apart[1]).item() / 2, abs=1e-5)


def test_loss_between_views_equals_a_loop_over_all_vectors() -> None:
    first, second = _unit_vectors(5, 14), _unit_vectors(5, 15)
    vectors = torch.cat([first, second]).detach().double()
    terms = []
    for row in range(10):
        others = [other for other in range(10) if other != row]
        logits = 5.0 * vectors[others] @ vectors[row]
        partner = others.index((row + 5) % 10)
        terms.append(torch.logsumexp(logits, 0) - logits[partner])
    assert within_loss(first, second, 5.0).item() == pytest.approx(torch.stack(terms).mean().item(), abs=1e-6)


def test_spared_vectors_are_no_negatives_and_a_partner_is_found_all_the_same() -> None:
    first, second = _unit_vectors(5, 14), _unit_vectors(5, 15)
    spared = torch.zeros(10, 10, dtype=torch.bool)
    spared[0, 3] = spared[3, 0] = spared[2, 7] = spared[7, 2] = True
    vectors = torch.cat([first, second]).detach().double()
    total = 0.0
    for row in range(10):
        partner = (row + 5) % 10
        others = [other for other in range(10) if other != row and (other == partner or not spared[row, other])]
        scores = torch.stack([3.0 * vectors[row] @ vectors[other] for other in others])
        total += float(torch.logsumexp(scores, 0) - scores[others.index(partner)])
    assert within_loss(first, second, 3.0, spared=spared).item() == pytest.approx(total / 10, rel=1e-5)
