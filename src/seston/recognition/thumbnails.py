"""Small pictures of particles, to be looked at."""

from __future__ import annotations

import io

from seston.errors import InputError

__all__ = ["thumbnail"]

_SIDE = 96


def thumbnail(image: bytes | None, side: int = _SIDE) -> bytes | None:
    """Give a picture as a PNG of at most `side` pixels a side; None where there is none or it cannot be decoded."""
    from PIL import Image

    from seston.instruments import decode_image

    if image is None:
        return None
    try:
        picture = Image.fromarray(decode_image(image))
    except InputError:
        return None
    picture.thumbnail((side, side))
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()
