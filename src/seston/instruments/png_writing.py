"""Pixels as PNG, without loss and without compression.

For pictures that an instrument stores raw, so that no encoded bytes exist that could be kept. The same pixels must give
the same bytes for ever, as a picture is known by the hash of its bytes; what a compressor writes changes with its
version (zlib and zlib-ng differ), so the data go in stored blocks (RFC 1951, section 3.2.4). Source: PNG specification,
third edition (W3C, 2025).
"""

from __future__ import annotations

import zlib
from struct import pack

import numpy as np
from numpy.typing import NDArray

__all__ = ["encode_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LARGEST_BLOCK = 0xFFFF


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode a picture.

    Parameters
    ----------
    pixels
        Shape (height, width) for grey, (height, width, 3) for red, green, blue; at least one pixel.
    """
    height, width = pixels.shape[:2]
    colour_type = 2 if pixels.ndim == 3 else 0
    rows = np.zeros((height, pixels[0].size + 1), np.uint8)  # each row begins with its filter: 0, none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    data = _stored(rows.tobytes())
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def _stored(data: bytes) -> bytes:
    """Give a zlib stream (RFC 1950) of blocks that are not compressed."""
    parts = [b"\x78\x01"]
    for start in range(0, len(data), _LARGEST_BLOCK):
        block = data[start : start + _LARGEST_BLOCK]
        last = start + _LARGEST_BLOCK >= len(data)
        parts += [pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    parts.append(pack(">I", zlib.adler32(data)))
    return b"".join(parts)
