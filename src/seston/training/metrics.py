"""What a training writes down while it goes: ``metrics.jsonl``, and TensorBoard where the recipe wants it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from seston.errors import MissingExtraError

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

__all__ = ["Metrics"]


class Metrics:
    """One JSON object a line, each with its step.

    Parameters
    ----------
    folder
        Of the run.
    keep
        Bytes of an older file that are kept; what a killed training wrote after its last checkpoint is written again.
    tensorboard
        Also write TensorBoard's files into ``tensorboard/``.
    active
        Only the first of several processes writes.

    Raises
    ------
    MissingExtraError
        TensorBoard is wanted and not installed.
    """

    def __init__(self, folder: Path, keep: int, *, tensorboard: bool = False, active: bool = True) -> None:
        self._file: IO[bytes] | None = None
        self._board: SummaryWriter | None = None
        if not active:
            return
        path = folder / "metrics.jsonl"
        path.touch()
        os.truncate(path, min(keep, path.stat().st_size))
        self._file = path.open("ab")
        if tensorboard:
            self._board = _board(folder / "tensorboard")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        if self._board is not None:
            self._board.close()

    def write(self, step: int, numbers: dict[str, float], prefix: str = "") -> None:
        """Add a line."""
        if self._file is None:
            return
        named = {prefix + name: value for name, value in numbers.items()}
        self._file.write(json.dumps({"step": step} | named).encode() + b"\n")
        self._file.flush()
        if self._board is not None:
            for name, value in named.items():
                self._board.add_scalar(name, value, step)

    def bytes_written(self) -> int:
        """Give the length of the file."""
        return 0 if self._file is None else self._file.tell()


def _board(folder: Path) -> SummaryWriter:
    try:
        from torch.utils.tensorboard.writer import SummaryWriter
    except ModuleNotFoundError as error:
        raise MissingExtraError("training.tensorboard", "tensorboard") from error
    return SummaryWriter(str(folder))
