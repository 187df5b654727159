"""Encoded pictures: formats, sizes, pixels, and what is refused."""

from __future__ import annotations

import io
import struct
import tarfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from seston.errors import InputError
from seston.instruments.pictures import decode_image, image_format, image_size


def _encode(pixels: NDArray[Any] | Image.Image, kind: str, **options: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _grey(height: int = 40, width: int = 56) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)


def _colours(height: int = 40, width: int = 56) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_pictures_come_back_pixel_for_pixel(kind: str) -> None:
    for pixels in (_grey(), _colours()):
        np.testing.assert_array_equal(decode_image(_encode(pixels, kind)), pixels)


@pytest.mark.parametrize("pixels", [_grey(), _colours()], ids=["grey", "colour"])
@pytest.mark.parametrize("grey", [False, True])
def test_a_jpeg_decodes_as_another_decoder_decodes_it(pixels: NDArray[np.uint8], grey: bool) -> None:
    data = _encode(pixels, "JPEG", quality=90)
    image = Image.open(io.BytesIO(data))
    if grey:
        image.draft("L", image.size)
    np.testing.assert_array_equal(decode_image(data, grey=grey), np.asarray(image))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP"])
def test_format_and_size_come_from_the_header(kind: str) -> None:
    data = _encode(_grey(33, 47), kind)
    assert image_format(data) == kind.lower()
    assert image_size(data) == (47, 33)


def test_a_bmp_with_rows_from_top_to_bottom_has_a_positive_size() -> None:
    data = bytearray(_encode(_grey(33, 47), "BMP"))
    data[22:26] = struct.pack("<i", -33)
    assert image_size(bytes(data)) == (47, 33)
    np.testing.assert_array_equal(decode_image(bytes(data)), _grey(33, 47)[::-1])


@pytest.mark.parametrize("data", [b"", b"BM", b"\xff\xd8", b"Particle ID;FWS\r\n", b"%PDF-1.4", bytes(200)])
def test_what_is_no_picture_has_no_format_and_is_refused(data: bytes) -> None:
    assert image_format(data) is None
    for function in (decode_image, image_size):
        with pytest.raises(InputError) as caught:
            function(data)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.97])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("BMP", {}),
        ("GIF", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {}),
    ],
)
def test_a_picture_that_is_cut_off_is_refused(kind: str, options: dict[str, Any], share: float) -> None:
    data = _encode(_grey(), kind, **options)
    with pytest.raises(InputError, match=r"cut off|damaged"):
        decode_image(data[: int(len(data) * share)])


def test_a_jpeg_that_lacks_only_its_end_marker_is_whole() -> None:
    data = _encode(_grey(), "JPEG")
    np.testing.assert_array_equal(decode_image(data[:-2]), decode_image(data))


def test_a_progressive_jpeg_that_lacks_its_last_passes_is_refused() -> None:
    data = _encode(_grey(), "JPEG", progressive=True)
    last_pass = data.rindex(b"\xff\xda")
    with pytest.raises(InputError, match="cut off"):
        decode_image(data[:last_pass])


def test_bytes_after_a_jpeg_do_no_harm() -> None:
    data = _encode(_grey(), "JPEG")
    np.testing.assert_array_equal(decode_image(data + b"trailing"), decode_image(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP"])
def test_too_many_pixels_are_refused_with_both_numbers(kind: str) -> None:
    with pytest.raises(InputError, match=r"56 × 40 pixels.*2,000"):
        decode_image(_encode(_grey(), kind), max_pixels=2000)


def test_a_header_that_claims_a_giant_is_refused_without_decoding() -> None:
    data = bytearray(_encode(_grey(), "PNG"))
    data[16:24] = struct.pack(">II", 200_000, 200_000)
    with pytest.raises(InputError, match=r"pixels|damaged"):
        decode_image(bytes(data))


@pytest.mark.parametrize(("bits", "brightest"), [(8, 255), (10, 1023), (12, 4095), (16, 65535)])
def test_deep_samples_are_scaled_by_the_depth_that_holds_the_brightest(bits: int, brightest: int) -> None:
    samples = np.linspace(0, brightest, 256).round().astype(np.uint16).reshape(16, 16)
    found = decode_image(_encode(samples, "PNG" if bits > 8 else "TIFF"))
    np.testing.assert_allclose(found.ravel(), np.arange(256), atol=0.51)


def test_floating_samples_up_to_one_fill_the_eight_bits() -> None:
    samples = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    np.testing.assert_allclose(decode_image(_encode(samples, "TIFF")).ravel(), np.arange(256), atol=0.51)


def test_samples_that_are_no_number_are_refused() -> None:
    samples = np.full((4, 4), np.nan, dtype=np.float32)
    with pytest.raises(InputError, match="no number"):
        decode_image(_encode(samples, "TIFF"))


def test_a_palette_is_resolved_to_its_colours() -> None:
    image = Image.fromarray(_colours()).quantize(16)
    np.testing.assert_array_equal(decode_image(_encode(image, "PNG")), np.asarray(image.convert("RGB")))


def test_transparent_parts_lie_on_white() -> None:
    pixels = np.dstack([_colours(), np.zeros((40, 56), np.uint8)])
    pixels[:, :28, 3] = 255
    found = decode_image(_encode(pixels, "PNG"))
    np.testing.assert_array_equal(found[:, :28], pixels[:, :28, :3])
    assert (found[:, 28:] == 255).all()


def test_transparent_grey_pictures_stay_grey() -> None:
    image = Image.merge("LA", (Image.fromarray(_grey()), Image.new("L", (56, 40), 255)))
    np.testing.assert_array_equal(decode_image(_encode(image, "PNG")), _grey())


def test_printing_colours_become_red_green_blue() -> None:
    image = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    found = decode_image(_encode(image, "JPEG"))
    assert found.shape == (16, 16, 3)
    assert found[8, 8, 0] < 60
    assert found[8, 8, 1:].min() > 120


def test_one_bit_pictures_become_black_and_white() -> None:
    image = Image.fromarray(_grey() > 128)
    assert set(np.unique(decode_image(_encode(image, "PNG")))) == {0, 255}


def test_an_orientation_tag_turns_nothing() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_image(_encode(_grey(), "JPEG", exif=exif)).shape == (40, 56)


def test_several_threads_decode_the_same_pixels() -> None:
    data = [_encode(np.roll(_grey(), k, axis=0), "JPEG") for k in range(20)]
    alone = [decode_image(one) for one in data]
    found: dict[int, list[NDArray[np.uint8]]] = {}
    threads = [
        threading.Thread(target=lambda k=k: found.update({k: [decode_image(one) for one in data]})) for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pixels in found.values():
        for one, other in zip(pixels, alone, strict=True):
            np.testing.assert_array_equal(one, other)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "BMP", "GIF"]),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    keep=st.floats(0, 1),
)
def test_damaged_pictures_give_pixels_or_one_plain_line(
    kind: str, changes: list[tuple[float, int]], keep: float
) -> None:
    data = bytearray(_encode(_grey(12, 12), kind))
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    shape, complaint = _shape_or_complaint(bytes(data[: int(keep * len(data))]))
    assert len(shape) in (2, 3) or complaint
    assert "\n" not in complaint


def _shape_or_complaint(data: bytes) -> tuple[tuple[int, ...], str]:
    try:
        return decode_image(data, max_pixels=1_000_000).shape, ""
    except InputError as error:
        return (), str(error)


@pytest.mark.parametrize(
    ("archive", "mode"),
    [("uvp6_uvpec", "L"), ("zooscan_ecotaxa", "RGB"), ("lake_japan_microscope", "RGB"), ("whoi_ifcb_gallery", "L")],
)
def test_real_pictures_decode_to_the_size_in_their_header(real_data: Path, archive: str, mode: str) -> None:
    with tarfile.open(real_data / "collections" / f"{archive}.tar") as tar:
        members = [member for member in tar if member.isfile()][:60]
        for member in members:
            file = tar.extractfile(member)
            assert file is not None
            data = file.read()
            pixels = decode_image(data)
            assert image_size(data) == (pixels.shape[1], pixels.shape[0])
            assert pixels.ndim == (2 if mode == "L" else 3)
