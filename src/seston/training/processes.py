"""Several processes that train one model together, started by torchrun; or a single one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn

from seston.errors import UsageError

__all__ = ["Processes", "joined_processes"]


@dataclass(frozen=True)
class Processes:
    """This process among those that train together."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.count > 1:
            distributed.barrier()

    def sum_gradients(self, model: nn.Module) -> None:
        """Add up the gradients of all processes, in one message."""
        if self.count == 1:
            return
        parameters = [parameter for parameter in model.parameters() if parameter.grad is not None]
        flat = torch.cat([parameter.grad.flatten() for parameter in parameters if parameter.grad is not None])
        distributed.all_reduce(flat)
        parts = torch.split(flat, [parameter.numel() for parameter in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            assert parameter.grad is not None
            parameter.grad.copy_(part.view_as(parameter.grad))

    def sum_number(self, number: float) -> float:
        """Add up a number of each process; the same in all of them."""
        if self.count == 1:
            return number
        shared = torch.tensor(number, dtype=torch.float64, device=self._speaks_on)
        distributed.all_reduce(shared)
        return float(shared)

    def agree(self, *numbers: float) -> list[float]:
        """Give the greatest of each number over all processes, so that all decide alike."""
        if self.count == 1:
            return list(numbers)
        shared = torch.tensor(numbers, dtype=torch.float64, device=self._speaks_on)
        distributed.all_reduce(shared, op=distributed.ReduceOp.MAX)
        return [float(number) for number in shared]

    @property
    def _speaks_on(self) -> torch.device:
        """Where numbers lie that processes exchange."""
        return self.device if self.device.type == "cuda" else torch.device("cpu")


@contextmanager
def joined_processes(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun started; without torchrun, be alone.

    Parameters
    ----------
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises
    ------
    UsageError
        The device is not there.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    here = _device(device)
    joined_before = distributed.is_available() and distributed.is_initialized()
    if count > 1 and not joined_before:
        distributed.init_process_group("nccl" if here.type == "cuda" else "gloo")
    try:
        many = distributed.is_available() and distributed.is_initialized()
        yield Processes(
            rank=distributed.get_rank() if many else 0,
            count=distributed.get_world_size() if many else 1,
            device=here,
        )
    finally:
        if count > 1 and not joined_before:
            distributed.destroy_process_group()


def _device(wanted: str) -> torch.device:
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[wanted]:
        raise UsageError(f"training.device is {wanted!r}, and torch {torch.__version__} finds none here; use 'cpu'")
    if wanted == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device(wanted)
