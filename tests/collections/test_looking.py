from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from collection_making import jpeg, png
from PIL import Image

from seston.collections.fingerprint import distance, look_the_same, made_small
from seston.collections.looking import look_at
from seston.instruments import decode_image, find_scale_bar
from seston.instruments.tar_members import tar_members

_KINDS = ("jpeg", "png", "gif", "bmp", "webp")


def _bits(*pictures: bytes) -> list[int]:
    bits: list[int] = look_at(pictures).fingerprints.tolist()
    return bits


def test_sizes_and_hashes_are_those_of_a_full_decoder() -> None:
    pictures = [jpeg(n, size=(14 + 23 * n, 90 - 7 * n)) for n in range(10)] + [png(3), png(4, (300, 20))]
    looked = look_at(pictures)
    assert not looked.faults
    assert looked.hashes == [hashlib.sha256(one).hexdigest() for one in pictures]
    sizes = [Image.open(io.BytesIO(one)).size for one in pictures]
    assert list(zip(looked.widths.tolist(), looked.heights.tolist(), strict=True)) == sizes


def test_damage_anywhere_in_a_picture_is_found() -> None:
    whole = jpeg(1, size=(200, 160))
    cut = [whole[: len(whole) * part // 10] for part in range(1, 10)]
    looked = look_at([whole, *cut, b"", b"not a picture", png(1)[:-30]])
    assert set(looked.faults) == set(range(1, 13))
    assert all(reason.strip() for reason in looked.faults.values())


def test_a_frame_header_in_a_comment_is_not_taken_for_the_picture_s() -> None:
    plain = jpeg(2, size=(64, 48))
    comment = b"\xff\xfe\x00\x0d" + b"\xff\xc0\x00\x11\x08\x01\x00\x02\x00\x03\x01"
    looked = look_at([plain[:2] + comment + plain[2:]])
    assert (looked.widths[0], looked.heights[0]) == (64, 48)


@pytest.mark.parametrize("change", ["quality", "size", "format", "colour"])
def test_a_copy_keeps_its_bits_nearly(change: str) -> None:
    far = []
    for seed in range(40):
        first = jpeg(seed, size=(160, 120), quality=95)
        image = Image.open(io.BytesIO(first))
        written = io.BytesIO()
        if change == "quality":
            image.save(written, "JPEG", quality=60)
        elif change == "size":
            image.resize((120, 90), Image.Resampling.BICUBIC).save(written, "JPEG", quality=95)
        elif change == "format":
            image.save(written, "PNG")
        else:
            image.convert("RGB").save(written, "JPEG", quality=90)
        one, other = look_at([first, written.getvalue()]).fingerprints
        far.append(int(distance(np.array([one]), np.array([other]))[0]))
    # 3 bits are always found; a copy at another size often differs in more
    assert np.mean([bits <= (8 if change == "size" else 3) for bits in far]) >= 0.85


def test_different_pictures_have_different_bits() -> None:
    bits = np.array(_bits(*(jpeg(seed) for seed in range(60))))
    pairs = np.triu_indices(60, 1)
    assert int(distance(bits[pairs[0]], bits[pairs[1]]).min()) > 6


def test_distance_is_that_of_python_s_own_count() -> None:
    ones, others = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, (2, 50))
    mask = (1 << 64) - 1
    expected = [((int(a) ^ int(b)) & mask).bit_count() for a, b in zip(ones, others, strict=True)]
    assert distance(ones, others).tolist() == expected


def test_a_picture_made_small_has_the_means_of_what_each_pixel_covers() -> None:
    grey = np.random.default_rng(0).integers(0, 255, (70, 133), dtype=np.uint8)
    small = made_small(grey)
    assert small.shape == (18, 34)  # at two eighths
    for row, column in ((0, 0), (5, 20), (16, 32)):
        square = grey[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        assert abs(float(small[row, column]) - square.mean()) <= 0.5
    edge = grey[68:70, 132:133]
    assert abs(float(small[17, 33]) - edge.mean()) <= 0.5


def test_a_copy_looks_the_same_and_another_picture_does_not() -> None:
    one, other = decode_image(jpeg(1, (80, 60)), grey=True), decode_image(jpeg(2, (80, 60)), grey=True)
    copy = decode_image(jpeg(1, (80, 60), quality=50), grey=True)
    darker = (one * 0.8).astype(np.uint8)
    assert look_the_same(one, copy)
    assert not look_the_same(one, other)
    assert not look_the_same(one, darker)
    assert look_the_same(np.full((40, 40), 7, np.uint8), np.full((40, 40), 8, np.uint8))


def test_scale_bars_recognised_are_those_searched_for(real_data: Path) -> None:
    archive = real_data / "collections" / "zooscan_ecotaxa.tar"
    pictures = [member.data for member in tar_members(archive, lambda name: True) if member.data][::5]
    looked = look_at(pictures, scale_bar_rows=40)
    for place, data in enumerate(pictures):
        bar = find_scale_bar(decode_image(data, grey=True))
        assert bar is not None
        assert looked.scale_bars[place] == bar.box
        assert looked.pixel_sizes[place] == bar.um_per_px == pytest.approx(1000 / 96)
