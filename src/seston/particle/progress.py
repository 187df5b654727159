"""How a long job says how far it is: a bar on a terminal, a plain line each 30 s elsewhere, silence for a library."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

__all__ = ["Progress", "Silence", "TerminalProgress"]

_LINE_EVERY_SECONDS = 30.0


class Progress(Protocol):
    """What a long job tells about itself."""

    def start(self, what: str, total: float | None = None) -> None:
        """Begin a stage; `total` is None where no one knows how much there is."""

    def advance(self, amount: float = 1, detail: str = "") -> None:
        """Say that so much more of the stage is done."""

    def note(self, text: str) -> None:
        """Say one line beside the bar."""

    def finish(self) -> None:
        """End the stage."""


class Silence:
    """A progress that says nothing: the default of the library."""

    def start(self, what: str, total: float | None = None) -> None:
        """Say nothing."""

    def advance(self, amount: float = 1, detail: str = "") -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


class TerminalProgress:
    """A bar on a terminal, a plain line each 30 s elsewhere; always on stderr.

    Use it as a context manager, so that an error does not leave a half-drawn bar.
    """

    def __init__(self) -> None:
        self._what = ""
        self._total: float | None = None
        self._done = 0.0
        self._last_line = 0.0
        self._started = 0.0
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None
        self._lively = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_bar()

    def start(self, what: str, total: float | None = None) -> None:
        """Begin a stage."""
        self._stop_bar()
        self._what, self._total, self._done = what, total, 0.0
        self._started = self._last_line = time.monotonic()
        if self._lively:
            self._start_bar()

    def advance(self, amount: float = 1, detail: str = "") -> None:
        """Move the bar, or print a line if the last one is 30 s old."""
        self._done += amount
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=amount, detail=detail)
            return
        now = time.monotonic()
        if not self._lively and now - self._last_line >= _LINE_EVERY_SECONDS:
            self._last_line = now
            of_total = f" of {self._total:,.0f}" if self._total else ""
            self._print(
                f"{self._what}: {self._done:,.0f}{of_total} after {now - self._started:.0f} s {detail}".rstrip()
            )

    def note(self, text: str) -> None:
        """Print one line above the bar."""
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            self._print(text)

    def finish(self) -> None:
        """End the stage."""
        self._stop_bar()

    def _start_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}"),
            console=Console(stderr=True),
        )
        self._bar.start()
        self._task = self._bar.add_task(self._what, total=self._total, detail="")

    def _stop_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar, self._task = None, None

    def _print(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
