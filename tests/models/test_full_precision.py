"""Convolutions within channels compute in float32 where all else computes in bfloat16, and so do their copies."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from seston.models.full_precision import keep_full_precision


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 8, 3, groups=2))


def test_only_convolutions_within_channels_keep_full_precision(network: nn.Sequential) -> None:
    keep_full_precision(network)
    keep_full_precision(network)  # once more changes nothing
    given = torch.randn(2, 8, 6, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert [part(given[:, :3] if part is network[0] else given).dtype for part in network] == [
            torch.bfloat16, torch.float32, torch.bfloat16,
        ]  # fmt: skip
        assert torch.equal(network[1](given), network[1].float()(given))
    assert network[1](given.double().float()).dtype == torch.float32


def test_names_values_and_gradients_are_those_of_the_plain_network(network: nn.Sequential) -> None:
    changed = copy.deepcopy(network)
    keep_full_precision(changed)
    changed = copy.deepcopy(changed)
    assert list(changed.state_dict()) == list(network.state_dict())
    given = torch.randn(2, 3, 8, 8)
    for one in (network, changed):
        one(given).square().sum().backward()
    assert all(
        torch.equal(left.grad, right.grad)  # type: ignore[arg-type]  # both have one
        for left, right in zip(network.parameters(), changed.parameters(), strict=True)
    )
    with torch.no_grad():
        for parameter in changed[1].parameters():
            parameter.zero_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not changed[1](given.repeat(1, 3, 1, 1)[:, :8]).any()  # a copy looks at its own weights
