"""Linear layers that stay as they are, and small matrices that learn beside them (LoRA)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from seston.errors import UsageError

__all__ = ["LowRankLinear", "add_low_rank", "merge_low_rank"]


class LowRankLinear(nn.Module):
    """W x + b + (α / r) B A x, of which A and B learn; B is zero at first, so that nothing changes.

    Hu et al. 2021, *LoRA: low-rank adaptation of large language models*, equation 3 (arXiv 2106.09685).
    """

    def __init__(self, linear: nn.Linear, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.factor = alpha / rank
        self.dropout = nn.Dropout(dropout)
        self.down = nn.Parameter(torch.empty(rank, linear.in_features, dtype=linear.weight.dtype))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank, dtype=linear.weight.dtype))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, inputs: Tensor) -> Tensor:
        """Turn (…, in) into (…, out)."""
        added = functional.linear(functional.linear(self.dropout(inputs), self.down), self.up)
        answer: Tensor = self.linear(inputs) + self.factor * added
        return answer

    def merged(self) -> nn.Linear:
        """Give a plain layer that answers the same."""
        with torch.no_grad():
            self.linear.weight += self.factor * (self.up @ self.down)
        return self.linear.requires_grad_(True)


def add_low_rank(
    tower: nn.Module, layers: Sequence[str], rank: int, alpha: float, dropout: float = 0.0
) -> tuple[str, ...]:
    """Freeze a tower and put small matrices beside some of its linear layers.

    Parameters
    ----------
    tower
        Changed in place.
    layers
        Last parts of the names of the layers. What torch's own attention holds (open_clip's encoders have it) is no
        layer that is called, so it stays as it is: there the matrices stand beside the feed-forward layers.
    rank, alpha, dropout
        Of `LowRankLinear`.

    Returns
    -------
    tuple of str
        The layers that got one.

    Raises
    ------
    UsageError
        The tower has none of these layers: convolutions get no such matrices.
    """
    tower.requires_grad_(False)
    found = [
        (f"{parent}.{name}".removeprefix("."), module, name, child)
        for parent, module in tower.named_modules()
        for name, child in module.named_children()
        if isinstance(child, nn.Linear) and name in layers and not isinstance(module, nn.MultiheadAttention)
    ]
    if not found:
        raise UsageError(
            f"supervised.low_rank.layers: the tower has no linear layer called {' or '.join(layers)}; "
            "use a transformer, or train the tower itself"
        )
    for _, module, name, child in found:
        setattr(module, name, LowRankLinear(child, rank, alpha, dropout))
    return tuple(path for path, _, _, _ in found)


def merge_low_rank(tower: nn.Module) -> None:
    """Put what was learnt into the layers themselves, so that the tower is again what it was built as."""
    for module in list(tower.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, LowRankLinear):
                setattr(module, name, child.merged())
