"""Readers of instrument files: which files belong together, and what is in them.

::

    sources, claims = find_sources([Path("export")])
    for source in sources:
        for record in read(source):
            ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.instruments.source import Claim, Reader, Record, Source
from seston.late_loading import late_names

if TYPE_CHECKING:
    from seston.instruments.mask import particle_mask
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

_WHERE = {
    "READERS": "registry",
    "find_sources": "registry",
    "read": "registry",
    "decode_image": "pictures",
    "image_format": "pictures",
    "image_size": "pictures",
    "find_scale_bar": "scale_bar",
    "particle_mask": "mask",
}


__getattr__ = late_names(__name__, _WHERE)


def __dir__() -> list[str]:
    return sorted(__all__)
