"""File names of pictures that are written beside a table."""

from __future__ import annotations

import hashlib
import re

from seston.particle import Particle

__all__ = ["ending_of", "picture_name", "safe_name"]

_ENDINGS = {"jpeg": "jpg", "png": "png", "bmp": "bmp", "tiff": "tif", "gif": "gif", "webp": "webp"}
_UNSAFE = re.compile(r"[^A-Za-z0-9._()+-]")
_LONGEST = 150


def picture_name(particle: Particle) -> str:
    """Name a particle's picture after its id: the same at each export, and never that of another particle.

    Examples
    --------
    >>> picture_name(Particle(id="cast_3/17", sample_id="cast_3", image_format="png"))
    'cast_3/17.png'
    """
    return f"{safe_name(particle.id)}.{ending_of(particle)}"


def ending_of(particle: Particle) -> str:
    """Give the usual ending of a picture's file."""
    return _ENDINGS.get(particle.image_format or "", "bin")


def safe_name(text: str) -> str:
    """Make a path of letters, digits and a few marks; a text that had to be changed gets a mark of its own.

    Slashes stay, as folders. No part begins with a dot, is empty, or leads upwards.
    """
    parts = [_UNSAFE.sub("_", part).lstrip(".") or "_" for part in text.split("/")]
    name = "/".join(parts)
    if name == text and len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST]}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
