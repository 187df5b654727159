"""Seston turns the files of plankton imaging instruments into named, counted particles.

Everything here loads when it is first used: ``import seston`` itself stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from seston.errors import SestonError

if TYPE_CHECKING:
    from seston.particle import Annotation, Note, Particle, Sample, Skipped
    from seston.recognition import Gallery, identify, load, suggest
    from seston.store import DataSet
    from seston.store import open_data_set as open
    from seston.training import train

__version__ = "0.1.0"

_WHERE = {
    "Annotation": ("seston.particle", "Annotation"),
    "DataSet": ("seston.store", "DataSet"),
    "Gallery": ("seston.recognition", "Gallery"),
    "Note": ("seston.particle", "Note"),
    "Particle": ("seston.particle", "Particle"),
    "Sample": ("seston.particle", "Sample"),
    "Skipped": ("seston.particle", "Skipped"),
    "identify": ("seston.recognition", "identify"),
    "load": ("seston.recognition", "load"),
    "open": ("seston.store", "open_data_set"),
    "suggest": ("seston.recognition", "suggest"),
    "train": ("seston.training", "train"),
}

__all__ = [
    "Annotation",
    "DataSet",
    "Gallery",
    "Note",
    "Particle",
    "Sample",
    "SestonError",
    "Skipped",
    "__version__",
    "identify",
    "load",
    "open",
    "suggest",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'seston' has no attribute {name!r}")
    module, attribute = _WHERE[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
