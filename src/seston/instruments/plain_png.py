"""PNG pictures of 8-bit greys, the plain kind that cameras under water write, in fewer steps than Pillow takes for any.

Most of what Pillow spends on a small picture goes into what it may be. Here the chunks are checked against their sums
(PNG, third edition, section 5) and the data given to the same decoder.
"""

from __future__ import annotations

import zlib
from struct import unpack_from

import numpy as np
from numpy.typing import NDArray

__all__ = ["decode_plain_png"]

_PLAIN = b"\x08\0\0\0\0"
"""8 bits, grey, and the only compression and filters there are, not interlaced."""
_FIRST_CHUNK = 8
_TRANSPARENT, _DATA, _END = b"tRNS", b"IDAT", b"IEND"


def decode_plain_png(data: bytes, *, max_pixels: int) -> NDArray[np.uint8] | None:
    """Decode a picture of 8-bit greys, shape (height, width).

    Returns
    -------
    array of uint8 or None
        None where the picture is of another kind, too large, damaged or cut off: for a closer look.
    """
    if data[12:16] != b"IHDR" or data[24:29] != _PLAIN:
        return None
    width, height = unpack_from(">II", data, 16)
    if not 0 < width * height <= max_pixels:
        return None
    packed = _packed_data(data)
    if packed is None:
        return None
    from PIL import Image

    try:
        image = Image.frombytes("L", (width, height), packed, "zip", "L")
    except (ValueError, OSError):
        return None
    return np.array(image)


def _packed_data(data: bytes) -> bytes | None:
    """Put the data together; None where a sum is wrong, the end is missing, or a grey stands for transparent."""
    parts: list[bytes] = []
    start = _FIRST_CHUNK
    while start + 12 <= len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4], "big")
        if zlib.crc32(data[start + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return None
        kind = data[start + 4 : start + 8]
        if kind == _END:
            return b"".join(parts)
        if kind == _TRANSPARENT:
            return None
        if kind == _DATA:
            parts.append(data[start + 8 : end])
        start = end + 4
    return None
