from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from seston.instruments.plain_png import decode_plain_png

_MANY = 1_000_000


def _png(pixels: NDArray[np.uint8], **options: object) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG", **options)
    return written.getvalue()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (60, 94), (300, 7)])
def test_greys_are_those_of_pillow(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    for data in (_png(pixels), _png(np.sort(pixels, axis=0), compress_level=1)):
        decoded = decode_plain_png(data, max_pixels=_MANY)
        assert decoded is not None
        assert np.array_equal(decoded, np.asarray(Image.open(io.BytesIO(data))))


def test_damage_at_any_byte_and_any_cut_ask_for_a_closer_look() -> None:
    whole = _png(np.random.default_rng(1).integers(0, 255, (9, 12), dtype=np.uint8))
    for place in range(8, len(whole)):
        damaged = whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
        assert decode_plain_png(damaged, max_pixels=_MANY) is None
        assert decode_plain_png(whole[:place], max_pixels=_MANY) is None


def test_other_kinds_and_large_ones_ask_for_a_closer_look() -> None:
    grey = np.full((20, 30), 80, np.uint8)
    for data in (
        _png(grey, transparency=80),
        _png(np.stack([grey] * 3, axis=2)),
        _png(grey[:, :, None].repeat(4, axis=2)),
        b"\x89PNG",
    ):
        assert decode_plain_png(data, max_pixels=_MANY) is None
    assert decode_plain_png(_png(grey), max_pixels=599) is None
