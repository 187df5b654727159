"""The running mean of a model follows what is learned and copies what is counted."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from seston.training.running_mean import running_mean


def test_the_mean_follows_weights_slower_and_slower_and_copies_buffers() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    model[2].requires_grad_(False)
    average = copy.deepcopy(model).requires_grad_(False)
    mean, expected = running_mean(average, model), model[0].weight.detach().clone()
    for number in range(40):
        with torch.no_grad():
            model[0].weight.add_(1.0)
        model[1](torch.randn(8, 3))
        mean.follow(0.8, number)
        decay = min(0.8, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * model[0].weight.detach()
    assert torch.allclose(average[0].weight, expected, atol=1e-5)
    assert torch.equal(average[1].running_mean, model[1].running_mean)
    assert int(average[1].num_batches_tracked) == 40
    assert torch.equal(average[2].weight, model[2].weight)


@pytest.mark.parametrize("number", [0, 7])
def test_without_a_mean_the_weights_are_kept_as_they_are(number: int) -> None:
    model = nn.Linear(2, 2)
    average = copy.deepcopy(model)
    with torch.no_grad():
        model.weight.mul_(3.0)
    running_mean(average, model).follow(0.0, number)
    assert torch.equal(average.weight, model.weight)
