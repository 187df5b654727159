"""Encoded pictures: what format they are, how large, and their pixels.

JPEG goes through libjpeg-turbo, everything else through Pillow. Sizes are read from the header and held against a pixel
limit before a single pixel is decoded. A picture that is cut off is refused rather than given with a grey half. All
functions may be called from several threads at once; both decoders let other threads run meanwhile.
"""

from __future__ import annotations

from io import BytesIO
from struct import unpack_from
from typing import TYPE_CHECKING

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.plain_png import decode_plain_png

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_PIXELS", "PICTURE_SUFFIXES", "decode_image", "image_format", "image_size"]

MAX_PIXELS = 89_000_000  # just under where Pillow starts to warn of decompression bombs
"""Pictures with more pixels than this are refused unless the caller allows more."""

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".tif", ".tiff", ".gif", ".webp"})
"""Lower-case file name endings of the formats that can be decoded."""

_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP")
_DEPTHS = (8, 10, 12, 14, 16, 24, 31)
_SENSIBLE_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)


def decode_image(data: bytes, *, grey: bool = False, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Decode an encoded picture to 8-bit pixels.

    Parameters
    ----------
    data
        The whole file: JPEG, PNG, BMP, TIFF (first page), GIF (first frame) or WebP.
    grey
        Give luminance (ITU-R 601) even where the picture has colours.
    max_pixels
        Refuse pictures with more pixels than this, by their header, before decoding.

    Returns
    -------
    array of uint8
        Shape (height, width) of a grey picture, (height, width, 3), red first, of a coloured one. Deeper samples are
        scaled by the smallest of 8, 10, 12, 14 and 16 bits that holds the brightest one (cameras store 12 bits in 16),
        palettes are resolved, transparent parts laid on white, and orientation tags ignored: instruments do not turn.

    Raises
    ------
    InputError
        Empty data, an unknown format, too many pixels, damaged data, or data that end early.
    """
    kind = image_format(data)
    if kind is None:
        raise InputError(_unknown(data))
    if kind == "jpeg":
        header = _jpeg_header(data)
        if header is not None:
            height, width, colours = header
            _check_pixels(width, height, max_pixels)
            if colours in ("Gray", "YCbCr", "RGB"):
                return _decode_jpeg(data, grey=grey or colours == "Gray")
    if kind == "png" and (plain := decode_plain_png(data, max_pixels=max_pixels)) is not None:
        return plain
    return _decode_with_pillow(data, grey=grey, max_pixels=max_pixels)


def image_format(data: bytes) -> str | None:
    """Tell the format by the first bytes: ``jpeg``, ``png``, ``bmp``, ``tiff``, ``gif``, ``webp``, or None."""
    head = bytes(data[:26])
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "tiff"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith(b"BM") and len(head) == 26 and unpack_from("<I", head, 14)[0] in _SENSIBLE_BMP_HEADERS:
        return "bmp"
    return None


def image_size(data: bytes) -> tuple[int, int]:
    """Give width and height in pixels from the header, without decoding.

    Raises
    ------
    InputError
        Unknown format, or a header that is damaged or cut off.
    """
    kind = image_format(data)
    if kind is None:
        raise InputError(_unknown(data))
    if kind == "jpeg" and (header := _jpeg_header(data)) is not None:
        return header[1], header[0]
    size = _size_in_header(data, kind)
    if size is None:
        size = _open_with_pillow(data).size
    if size[0] < 1 or size[1] < 1:
        raise InputError(f"picture of {size[0]} × {size[1]} pixels: its header is damaged; export it again")
    return size


def _jpeg_header(data: bytes) -> tuple[int, int, str] | None:
    """Height, width and colour space, or None where libjpeg-turbo's simple interface cannot tell."""
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    return height, width, colours


def _size_in_header(data: bytes, kind: str) -> tuple[int, int] | None:
    if kind == "png" and len(data) >= 24 and data[12:16] == b"IHDR":
        return unpack_from(">II", data, 16)
    if kind == "gif" and len(data) >= 10:
        return unpack_from("<HH", data, 6)
    if kind == "bmp":
        if unpack_from("<I", data, 14)[0] == 12:
            return unpack_from("<HH", data, 18)
        width, height = unpack_from("<ii", data, 18)
        return width, abs(height)  # negative: rows stand from top to bottom
    return None


def _check_pixels(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise InputError(f"picture of {width} × {height} pixels is over the limit of {max_pixels:,} pixels; left out")


def _decode_jpeg(data: bytes, *, grey: bool) -> NDArray[np.uint8]:
    colours = "GRAY" if grey else "RGB"
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, colorspace=colours)
    except ValueError as error:
        pixels = _decode_odd_jpeg(data, colours, str(error))
    return pixels[:, :, 0] if grey else pixels


def _decode_odd_jpeg(data: bytes, colours: str, complaint: str) -> NDArray[np.uint8]:
    """Decode a JPEG whose oddity cost no pixel: stray bytes between its parts, or only the end marker missing."""
    if "extraneous bytes" in complaint:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, colorspace=colours, strict=False)
        return pixels
    if "Premature end" in complaint and not _is_progressive(data):
        # With the marker put back, a strict decoder complains exactly if some of the pixels are missing too.
        try:
            pixels = simplejpeg.decode_jpeg(data + b"\xff\xd9", colorspace=colours)
        except ValueError:
            pass
        else:
            return pixels
    if "remature end" in complaint:
        raise InputError("picture is cut off: its JPEG data end early; export it again")
    raise InputError(f"picture is damaged: {complaint[:120]}; export it again")


def _is_progressive(data: bytes) -> bool:
    """Tell whether the pixels come in several passes, so that data without the last ones still make a picture."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in (0xC0, 0xC1):
            return False
        if 0xC2 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return True
        position += 2 + int(unpack_from(">H", data, position + 2)[0])
    return True


def _decode_with_pillow(data: bytes, *, grey: bool, max_pixels: int) -> NDArray[np.uint8]:
    image = _open_with_pillow(data)
    _check_pixels(*image.size, max_pixels)
    try:
        image.load()
        pixels = _eight_bit_pixels(image, grey=grey)
    except InputError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever their format's damage leads to
        if "truncated" in str(error).lower():
            raise InputError(f"picture is cut off: its {image.format} data end early; export it again") from None
        raise InputError(f"picture is damaged: {_one_line(error)}; export it again") from None
    return pixels


def _open_with_pillow(data: bytes) -> Image:
    from PIL import Image

    try:
        return Image.open(BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError("picture has far too many pixels; left out") from None
    except Exception:
        raise InputError("picture cannot be opened: its header is damaged or cut off; export it again") from None


def _eight_bit_pixels(image: Image, *, grey: bool) -> NDArray[np.uint8]:
    from PIL import Image as Pillow

    if image.mode.startswith("I") or image.mode == "F":
        return _scale_to_eight_bits(np.asarray(image))
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode in ("LA", "PA", "La", "RGBA", "RGBa"):
        grey = grey or image.mode in ("LA", "La")
        rgba = image.convert("RGBA")
        image = Pillow.alpha_composite(Pillow.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    wanted = "L" if grey or image.mode in ("L", "1") else "RGB"
    if image.mode != wanted:
        image = image.convert(wanted)
    return np.array(image)


def _scale_to_eight_bits(samples: NDArray[np.generic]) -> NDArray[np.uint8]:
    values = samples.astype(np.float64)
    if not np.isfinite(values).all():
        raise InputError("picture has pixels that are no number; left out")
    brightest = float(values.max(initial=0.0))
    if np.issubdtype(samples.dtype, np.floating) and brightest <= 1.0:
        full = 1.0
    else:
        full = next((2.0**depth - 1 for depth in _DEPTHS if brightest <= 2**depth - 1), brightest)
    return np.clip(np.rint(values * (255.0 / full)), 0, 255).astype(np.uint8)


def _unknown(data: bytes) -> str:
    if not data:
        return "picture is empty (0 bytes); export it again"
    return "not a picture that Seston can decode (JPEG, PNG, BMP, TIFF, GIF or WebP); left out"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
