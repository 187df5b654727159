"""Where a user's own files lie that belong to no single data set."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["user_folder"]

_OVERRIDE = "SESTON_HOME"


def user_folder(*, cache: bool = False) -> Path:
    """Name the user's folder; it need not exist yet.

    ``SESTON_HOME`` names it where it is set; else it is where the system keeps such files: the XDG base directories,
    ``~/Library`` on macOS, ``%LOCALAPPDATA%`` on Windows.

    Parameters
    ----------
    cache
        The folder for what can be fetched or computed again, in place of the one for what cannot.
    """
    if override := os.environ.get(_OVERRIDE):
        return Path(override) / "cache" if cache else Path(override)
    if sys.platform == "darwin":
        return Path.home() / "Library" / ("Caches" if cache else "Application Support") / "Seston"
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Seston"
        return base / "cache" if cache else base
    variable, place = ("XDG_CACHE_HOME", ".cache") if cache else ("XDG_DATA_HOME", ".local/share")
    return Path(os.environ.get(variable) or Path.home() / place) / "seston"
