"""Small matrices beside linear layers: nothing changes at first, they alone learn, and merging changes no answer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from seston.errors import UsageError
from seston.models.low_rank import LowRankLinear, add_low_rank, merge_low_rank


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(6, 18), nn.Linear(18, 6)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.proj(self.qkv(inputs).tanh())
        return answer


def test_an_adapted_tower_answers_as_before_until_it_learns_and_merges_into_a_plain_one() -> None:
    torch.manual_seed(0)
    tower = nn.Sequential(_Block(), _Block())
    names = list(tower.state_dict())
    inputs = torch.randn(7, 6)
    before = tower(inputs).detach()
    assert add_low_rank(tower, ("qkv",), rank=2, alpha=4.0) == ("0.qkv", "1.qkv")
    torch.testing.assert_close(tower(inputs), before)
    learning = [name for name, one in tower.named_parameters() if one.requires_grad]
    assert learning == ["0.qkv.down", "0.qkv.up", "1.qkv.down", "1.qkv.up"]
    optimiser = torch.optim.SGD([one for one in tower.parameters() if one.requires_grad], lr=0.1)
    tower(inputs).square().sum().backward()
    optimiser.step()
    learnt = tower(inputs).detach()
    assert not torch.allclose(learnt, before)
    merge_low_rank(tower)
    assert list(tower.state_dict()) == names
    torch.testing.assert_close(tower(inputs), learnt)


def test_what_is_added_is_the_product_of_two_matrices_of_the_given_rank() -> None:
    layer = LowRankLinear(nn.Linear(5, 4), rank=2, alpha=6.0)
    nn.init.normal_(layer.up)
    inputs = torch.randn(3, 5)
    weight = layer.linear.weight + 6.0 / 2 * (layer.up @ layer.down)
    torch.testing.assert_close(layer(inputs), inputs @ weight.T + layer.linear.bias)
    assert torch.linalg.matrix_rank(layer.up @ layer.down) == 2


def test_a_tower_without_such_layers_is_refused() -> None:
    with pytest.raises(UsageError, match="no linear layer called q or k"):
        add_low_rank(nn.Sequential(_Block()), ("q", "k"), rank=2, alpha=2.0)
