"""The bright-field picture of a body, drawn from the same slices as its profile."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d, zoom

from seston.simulate.across import Tubes
from seston.simulate.conditions import PIXEL_SIZE_UM, Conditions

__all__ = ["Camera", "encode_picture", "make_camera", "take_picture"]

Floats = NDArray[np.float32]

_CROP_STEP = 80
_CROP_MARGIN = 25
_CROP_MARGIN_PART = 0.1
_ABSORPTION_PER_UM = 0.018
_TEXTURE = 0.35
_STEEP = 1.6
"""Slope of a body's surface (µm per µm) that sends half of the light past the lens: it makes the dark outline."""
_HALO_WIDTH = 2.0
"""Of the fringe's blur to the picture's."""
_REACH = 2.5
"""Standard deviations at which a blur is cut off."""
_PLATE = 1024
_JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True)
class Camera:
    """The settings of one measurement's camera, with plates of noise to take pieces from."""

    conditions: Conditions
    noise: Floats
    """Noise of the sensor, grey levels."""
    grain: Floats
    """Uneven density inside cells, mean 0, standard deviation 1."""


def make_camera(conditions: Conditions, rng: np.random.Generator) -> Camera:
    """Set up the camera of one measurement."""
    noise = rng.standard_normal((_PLATE, _PLATE), dtype=np.float32) * np.float32(conditions.camera_noise)
    grain = gaussian_filter(rng.standard_normal((_PLATE // 2, _PLATE // 2), dtype=np.float32), 2.2, mode="wrap")
    return Camera(conditions, noise, grain / grain.std())


def take_picture(tubes: Tubes, camera: Camera, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Take the picture of a body and crop it as the instrument's software does.

    Light along the camera's axis is absorbed (Beer–Lambert, with some grain), steep flanks refract it past the lens
    (dark outline), the lens blurs, and beside the plane of focus a fringe appears, of the sign and strength of the
    defocus (a difference of two blurs, as the transport-of-intensity equation has it for a thin body).

    Returns
    -------
    array of uint8
        Rows across, columns along the flow (first sample left); sides are multiples of 80 pixels: the body's box plus
        25 pixels and 10 % on each side.
    """
    focus = np.clip(rng.standard_normal(2), -2.0, 2.0)
    blur = camera.conditions.blur_um / camera.conditions.pixel_size_um * float(np.exp(0.3 * focus[0]))
    margin = math.ceil(_REACH * (blur + _HALO_WIDTH * blur))
    halo = camera.conditions.halo + 0.25 * float(focus[1])
    light = _through(np.pad(_thickness(tubes), margin), camera, rng)
    if camera.conditions.pixel_size_um != PIXEL_SIZE_UM:
        light = _magnify(light, PIXEL_SIZE_UM / camera.conditions.pixel_size_um)
    sharp = _blur(light, blur)
    seen = sharp + halo * (sharp - _blur(sharp, _HALO_WIDTH * blur))
    return _expose(seen, margin, camera, rng)


def encode_picture(picture: NDArray[np.uint8]) -> bytes:
    """Encode a grey picture as the instrument's software does: JPEG of quality 95."""
    import simplejpeg

    data: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(picture[:, :, None]), _JPEG_QUALITY, "GRAY")
    return data


def _thickness(tubes: Tubes) -> Floats:
    """Give the thickness along the camera's axis at each pixel of the body's box, µm."""
    low = float((tubes.centre_y - tubes.half_y).min()) / PIXEL_SIZE_UM
    high = float((tubes.centre_y + tubes.half_y).max()) / PIXEL_SIZE_UM
    y = (np.arange(np.floor(low), np.ceil(high) + 1, dtype=np.float32) * np.float32(PIXEL_SIZE_UM))[:, None]
    total: Floats = np.zeros((y.size, tubes.centre_y.shape[1]), dtype=np.float32)
    parts = zip(tubes.centre_y, tubes.half_y, tubes.half_z * tubes.density, strict=True)
    for centre, half_y, half_z in parts:
        # an ellipse narrower than a pixel would fall between the rows: widen it, keep its area
        wide = np.maximum(half_y, 0.6 * PIXEL_SIZE_UM)
        chord = (y - centre.astype(np.float32)) * (1.0 / wide).astype(np.float32)
        chord *= -chord
        chord += np.float32(1.0)
        np.maximum(chord, np.float32(0.0), out=chord)
        np.sqrt(chord, out=chord)
        chord *= (2.0 * half_z * half_y / wide).astype(np.float32)
        total += chord
    return total


def _through(thickness: Floats, camera: Camera, rng: np.random.Generator) -> Floats:
    """Give the part of the light that passes the body and reaches the lens."""
    top, left = rng.integers(0, _PLATE // 2, size=2)
    rows, columns = thickness.shape
    grain = _piece(camera.grain, int(top), int(left), rows, columns)
    density = thickness * (np.float32(-_ABSORPTION_PER_UM * camera.conditions.contrast))
    density *= 1.0 + np.float32(_TEXTURE) * grain
    slope = np.zeros_like(thickness)
    scale = np.float32(0.5 / PIXEL_SIZE_UM / _STEEP)
    slope[1:-1] = ((thickness[2:] - thickness[:-2]) * scale) ** 2
    slope[:, 1:-1] += ((thickness[:, 2:] - thickness[:, :-2]) * scale) ** 2
    passed: Floats = np.exp(density) / (1.0 + np.float32(camera.conditions.contrast) * slope)
    return passed


def _magnify(light: Floats, factor: float) -> Floats:
    """Bring light that was drawn at the nominal pixel size to the camera's own."""
    magnified: Floats = zoom(light, factor, order=1, mode="nearest")
    return magnified


def _blur(light: Floats, sigma: float) -> Floats:
    once = gaussian_filter1d(light, sigma, axis=0, mode="nearest", truncate=_REACH)
    twice: Floats = gaussian_filter1d(once, sigma, axis=1, mode="nearest", truncate=_REACH)
    return twice


def _expose(seen: Floats, margin: int, camera: Camera, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Put the body into its crop, on the lit background with the sensor's noise."""
    body = np.array(seen.shape) - 2 * margin
    wanted = body * (1.0 + 2.0 * _CROP_MARGIN_PART) + 2 * _CROP_MARGIN
    height, width = (int(-(-side // _CROP_STEP) * _CROP_STEP) for side in wanted)
    beyond = [max(0, own - side) for own, side in zip(seen.shape, (height, width), strict=True)]
    seen = seen[beyond[0] // 2 :, beyond[1] // 2 :][:height, :width]
    draws = rng.random(6)
    top, left = (
        int((side - own) * (0.5 + 0.1 * (d - 0.5)))
        for side, own, d in zip((height, width), seen.shape, draws, strict=False)
    )
    right, down = camera.conditions.gradient
    level = camera.conditions.background * (0.97 + 0.06 * draws[2])
    plane = (
        level
        * (1.0 + down * (np.arange(height) / 100.0 - height / 200.0))[:, None]
        * (1.0 + right * (np.arange(width) / 100.0 - width / 200.0))
    ).astype(np.float32)
    plane[top : top + seen.shape[0], left : left + seen.shape[1]] *= seen
    for _ in range(rng.poisson(camera.conditions.specks)):
        _add_speck(plane, rng.random(4))
    plane += _piece(camera.noise, int(draws[3] * _PLATE), int(draws[4] * _PLATE), height, width)
    np.clip(plane, 0.0, 255.0, out=plane)
    picture: NDArray[np.uint8] = np.rint(plane).astype(np.uint8)
    return picture


def _add_speck(plane: Floats, draws: NDArray[np.float64]) -> None:
    """Darken (seldom: brighten) a blurred round spot: dust on a lens, or a small thing out of focus."""
    height, width = plane.shape
    size = 1.0 + 3.5 * float(draws[2]) ** 2
    reach = int(3.0 * size)
    row, column = int(draws[0] * height), int(draws[1] * width)
    rows = np.arange(max(row - reach, 0), min(row + reach + 1, height))
    columns = np.arange(max(column - reach, 0), min(column + reach + 1, width))
    across = np.exp(-0.5 * ((rows - row) / size) ** 2)
    along = np.exp(-0.5 * ((columns - column) / size) ** 2)
    depth = (0.5 * float(draws[3]) - 0.1) / np.sqrt(size)
    plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] *= 1.0 - np.outer(across, depth * along)


def _piece(plate: Floats, top: int, left: int, rows: int, columns: int) -> Floats:
    """Take a piece of a plate of noise that repeats without end."""
    size = plate.shape[0]
    if top + rows <= size and left + columns <= size:
        return plate[top : top + rows, left : left + columns]
    return plate.take(range(top, top + rows), axis=0, mode="wrap").take(
        range(left, left + columns), axis=1, mode="wrap"
    )
