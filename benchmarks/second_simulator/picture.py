"""The camera: coherent infrared light behind a body, out of focus, with the run's background, as a JPEG.

The body is a thin complex transmittance exp(i k W - A / 2), of its optical path W and absorption A. The field is
carried to the plane of focus by the angular spectrum (Goodman, Introduction to Fourier Optics, 3.10), inside the
aperture of the lens; a source of a small angle blurs what lies out of focus by that angle times the distance.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy.fft import fft2, fftfreq, ifft2, next_fast_len
from scipy.ndimage import gaussian_filter

from second_simulator.bodies import NO_LIGHT, Array, Matter, Part, sphere
from second_simulator.conditions import Conditions
from second_simulator.rays import Columns, extent, trace

__all__ = ["PIXEL_UM", "photograph"]

PIXEL_UM = 0.7
_WAVE_UM = 0.78
_WATER = 1.33
_APERTURE = 0.38
_DEPTH_UM = 7.0
_MARGIN_UM = 22.0
_FIELD_PIXELS = 900
_QUALITY = 88
_FLASH_US = 0.35


def photograph(parts: Sequence[Part], conditions: Conditions, rng: np.random.Generator) -> bytes:
    """Take the picture of a body that lies in the camera's plane, cut out as an instrument cuts out what it finds."""
    (left, right), (low, high) = extent(parts)
    x, y = _grid(left, right), _grid(low, high)
    light = _intensity(trace(parts, x, y), conditions.focus_um + rng.normal(0, _DEPTH_UM), conditions.source_rad)
    for _ in range(rng.poisson(conditions.dust)):
        place = rng.uniform(x[0], x[-1]), rng.uniform(y[0], y[-1]), 0.0
        speck = sphere(place, rng.uniform(0.8, 2.5), Matter(0.06, rng.uniform(0.05, 0.4), 0.0, NO_LIGHT))
        light = light * _intensity(trace([speck], x, y), rng.normal(0, 45), conditions.source_rad)
    smear = conditions.flow_m_s * _FLASH_US / PIXEL_UM
    light = gaussian_filter(light, (0.55, 0.55 + smear / 3.5))
    return _develop(_cut(light, (left, right, low, high), x, y, rng), conditions, rng)


def _grid(least: float, most: float) -> Array:
    count = next_fast_len(int(np.ceil((most - least + 2 * _MARGIN_UM) / PIXEL_UM)))
    return np.asarray((np.arange(count) - (count - 1) / 2) * PIXEL_UM + (least + most) / 2)


def _intensity(columns: Columns, distance_um: float, source_rad: float) -> Array:
    field = np.exp(2j * np.pi / _WAVE_UM * columns.index - columns.absorption / 2)
    waves_y, waves_x = (fftfreq(len(axis), PIXEL_UM) for axis in (columns.y, columns.x))
    square = waves_y[:, None] ** 2 + waves_x[None, :] ** 2
    along = np.sqrt(np.maximum((_WATER / _WAVE_UM) ** 2 - square, 0))
    carry = np.exp(2j * np.pi * distance_um * (along - _WATER / _WAVE_UM)) * (square <= (_APERTURE / _WAVE_UM) ** 2)
    light = np.abs(ifft2(fft2(field) * carry)) ** 2
    return np.asarray(gaussian_filter(light, abs(distance_um) * source_rad / PIXEL_UM, mode="wrap"))


def _cut(light: Array, box: tuple[float, float, float, float], x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Leave an uneven margin around the body."""
    left, right, low, high = box
    margins = rng.uniform(5.0, 12.0, 4)
    columns = np.searchsorted(x, (left - margins[0], right + margins[1]))
    rows = np.searchsorted(y, (low - margins[2], high + margins[3]))
    return light[rows[0] : rows[1], columns[0] : columns[1]]


def _develop(light: Array, conditions: Conditions, rng: np.random.Generator) -> bytes:
    """Put the picture somewhere in the camera's field, and turn light into grey levels."""
    height, width = light.shape
    across = rng.uniform(0, _FIELD_PIXELS) + np.arange(width)[None, :]
    down = rng.uniform(0, _FIELD_PIXELS) + np.arange(height)[:, None]
    level = (
        1 + conditions.slope[0] * (across / _FIELD_PIXELS - 0.5) + conditions.slope[1] * (down / _FIELD_PIXELS - 0.5)
    )
    strength, waves_x, waves_y = conditions.fringes
    level = level * (1 + strength * np.sin(2 * np.pi * (waves_x * across + waves_y * down)))
    grey = conditions.brightness * level * light
    noise = conditions.camera_noise * np.sqrt(np.maximum(grey, 0) / conditions.brightness + 0.3)
    grey = np.clip(grey + noise * rng.standard_normal(grey.shape), 0, 255)
    stream = io.BytesIO()
    Image.fromarray(np.rint(grey).astype(np.uint8)).save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
