"""The running mean of a model follows what is learned and copies what is counted."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from seston.training.running_mean import running_mean


def test_the_mean_follows_weights_slower_and_slower_and_copies_buffers() -> None:
    linear, norm, kept = nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)
    kept.requires_grad_(False)
    layers = (linear, norm, kept)
    mean_linear, mean_norm, mean_kept = copies = copy.deepcopy(layers)
    mean = running_mean(nn.ModuleList(copies), nn.ModuleList(layers))
    expected = linear.weight.detach().clone()
    for number in range(40):
        with torch.no_grad():
            linear.weight.add_(1.0)
        norm(torch.randn(8, 3))
        mean.follow(0.8, number)
        decay = min(0.8, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * linear.weight.detach()
    assert torch.allclose(mean_linear.weight, expected, atol=1e-5)
    assert norm.running_mean is not None
    assert mean_norm.running_mean is not None
    assert torch.equal(mean_norm.running_mean, norm.running_mean)
    assert mean_norm.num_batches_tracked is not None
    assert int(mean_norm.num_batches_tracked) == 40
    assert torch.equal(mean_kept.weight, kept.weight)


@pytest.mark.parametrize("number", [0, 7])
def test_without_a_mean_the_weights_are_kept_as_they_are(number: int) -> None:
    model = nn.Linear(2, 2)
    average = copy.deepcopy(model)
    with torch.no_grad():
        model.weight.mul_(3.0)
    running_mean(average, model).follow(0.0, number)
    assert torch.equal(average.weight, model.weight)
