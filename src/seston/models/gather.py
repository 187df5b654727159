"""Rows of all processes in one tensor, with gradients, so that several processes see the negatives of one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed

__all__ = ["gather_rows", "process_count", "shared_parameter"]


def process_count() -> int:
    """Say how many processes train together; 1 where none were started."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def gather_rows(rows: Tensor) -> Tensor:
    """Join the rows of all processes, in the order of their ranks.

    Every process then computes the *same* loss over all rows. The gradient that comes back to a process is the one of
    its own rows; the sum of the parameters' gradients over the processes is therefore the gradient of that one loss
    (`seston.training.processes` sums them). Numbers of rows may differ between processes.
    """
    if process_count() == 1:
        return rows
    counts = _row_counts(rows)
    if not rows.is_floating_point():
        return _join(rows, counts)
    joined: Tensor = _Gather.apply(rows, counts)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
    return joined


def _row_counts(rows: Tensor) -> list[int]:
    mine = torch.tensor([rows.shape[0]], device=rows.device)
    counts = [torch.empty_like(mine) for _ in range(process_count())]
    distributed.all_gather(counts, mine)
    return [int(count) for count in counts]


def _join(rows: Tensor, counts: list[int]) -> Tensor:
    """Gather with padding: the processes must send equal shapes, whatever their numbers of rows."""
    padded = rows.new_zeros((max(counts), *rows.shape[1:]))
    padded[: rows.shape[0]] = rows
    parts = [torch.empty_like(padded) for _ in counts]
    distributed.all_gather(parts, padded)
    return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])


class _Gather(torch.autograd.Function):
    """All rows forwards, the gradient of the own rows backwards."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, counts: list[int]) -> Tensor:
        rank = distributed.get_rank()
        ctx.start, ctx.length = sum(counts[:rank]), counts[rank]
        return _join(rows.detach(), counts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient[ctx.start : ctx.start + ctx.length], None


def shared_parameter(parameter: Tensor) -> Tensor:
    """Use a parameter in a loss that every process computes over all rows.

    Its gradient is divided by the number of processes, because all of them compute it whole and the sum is taken.
    """
    if process_count() == 1:
        return parameter
    used: Tensor = _Shared.apply(parameter)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
    return used


class _Shared(torch.autograd.Function):
    """The same value forwards, the gradient over the number of processes backwards."""

    @staticmethod
    def forward(ctx: Any, parameter: Tensor) -> Tensor:
        return parameter.view_as(parameter)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient / process_count()
