"""How long something took, and how much of the machine other programs took meanwhile; by which clock budgets end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["CLOCKS", "Clock"]

_STAT = Path("/proc/stat")


def _processor_seconds() -> float:
    """Give the processor time of all threads, shared by the cores of the machine: equal work on a busy machine, too."""
    return time.process_time() / (os.cpu_count() or 1)


CLOCKS: dict[str, Callable[[], float]] = {"wall": time.monotonic, "processor": _processor_seconds}


class Clock:
    """Runs from the moment it is made."""

    def __init__(self) -> None:
        self._started, self._own, self._all = time.monotonic(), _own_seconds(), _all_seconds()

    def seconds(self) -> float:
        """Give the time since the start."""
        return time.monotonic() - self._started

    def others_cores(self) -> float | None:
        """Give how many cores all other programs kept busy on average; None where the system does not tell."""
        now = _all_seconds()
        if now is None or self._all is None:
            return None
        others = (now - self._all) - (_own_seconds() - self._own)
        return max(0.0, others / max(self.seconds(), 1e-3))


def _own_seconds() -> float:
    return sum(os.times()[:4])


def _all_seconds() -> float | None:
    """Give the time for which all cores were busy since the system began (Linux)."""
    try:
        words = _STAT.read_text(encoding="ascii").splitlines()[0].split()
    except (OSError, IndexError):
        return None
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts = (int(word) for word in words[1:8])
    return (user + nice + system + interrupts + soft_interrupts) / float(os.sysconf("SC_CLK_TCK"))
