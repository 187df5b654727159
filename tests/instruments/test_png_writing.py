"""Pictures written as PNG: what others read from them, and that their bytes never change."""

from __future__ import annotations

import hashlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from seston.instruments.png_writing import encode_png


@pytest.mark.parametrize("shape", [(1, 1), (1, 70_000), (300, 257), (5, 4, 3), (200, 150, 3)])
def test_another_decoder_reads_the_same_pixels(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
    image = Image.open(BytesIO(encode_png(pixels)))
    image.load()
    assert image.mode == ("RGB" if len(shape) == 3 else "L")
    assert np.array_equal(np.asarray(image), pixels)


def test_the_bytes_are_those_of_earlier_versions() -> None:
    data = encode_png(np.arange(12, dtype=np.uint8).reshape(3, 4))
    assert hashlib.sha256(data).hexdigest() == "cca2584e9c7532e9e12c51caf4320d70de6df06f82f6a9df30492257a467103e"
