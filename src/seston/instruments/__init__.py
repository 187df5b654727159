"""Readers of instrument files: which files belong together, and what is in them.

::

    sources, claims = find_sources([Path("export")])
    for source in sources:
        for record in read(source):
            ...
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from seston.instruments.particle_mask import particle_mask  # at once: the module of the same name would hide it
from seston.instruments.source import Claim, Reader, Record, Source

if TYPE_CHECKING:
    from seston.instruments.pictures import decode_image, image_format, image_size
    from seston.instruments.registry import READERS, find_sources, read
    from seston.instruments.scale_bar import find_scale_bar

__all__ = [
    "READERS",
    "Claim",
    "Reader",
    "Record",
    "Source",
    "decode_image",
    "find_scale_bar",
    "find_sources",
    "image_format",
    "image_size",
    "particle_mask",
    "read",
]

_HOMES = {
    "READERS": "registry",
    "find_sources": "registry",
    "read": "registry",
    "decode_image": "pictures",
    "image_format": "pictures",
    "image_size": "pictures",
    "find_scale_bar": "scale_bar",
}


def __getattr__(name: str) -> object:
    """Load a part of the room when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
