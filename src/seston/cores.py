"""How many cores this process may use."""

from __future__ import annotations

import os

__all__ = ["core_count"]


def core_count() -> int:
    """Count the cores that this process may use, which may be fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
