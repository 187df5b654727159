"""Where land is: the coast of Natural Earth at 1:50 million, and which positions lie well inland.

``land.bin`` is made by ``docs/generate_land.py`` from ``land-50m.json`` of the npm package world-atlas 2.0.2 (ISC),
which redistributes the land of Natural Earth 4.1 (public domain, naturalearthdata.com): every ring as longitude and
latitude in fiftieths of a degree, each number the difference from the one before, in zigzag variable-length bytes,
packed by zlib. A ring that crosses the 180th meridian goes on beyond it; that of Antarctica is closed over the pole.
Lakes are land, but for the Caspian Sea; islands below some kilometres are missing.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["is_inland", "land_rings"]

_STEPS_A_DEGREE = 50
_KM_A_DEGREE = 111.195
_BANDS = 180
"""Strips of one degree of latitude, in which the edges of the coast are looked up."""
_CELLS = 2_000_000
"""Pairs of position and edge that are held at once."""


def is_inland(latitude: ArrayLike, longitude: ArrayLike, *, at_least_km: float = 30.0) -> NDArray[np.bool_]:
    """Tell which positions lie on land, so far from any coast that neither is a matter of the outline.

    Parameters
    ----------
    latitude, longitude
        Degrees, WGS 84, equally many. What is no position (NaN, out of range) is not inland.
    at_least_km
        Distance to the nearest coast; at most 111 km.

    Returns
    -------
    ndarray of bool, shape (n,)

    Notes
    -----
    A position is on land where a ray along its parallel crosses the outline an odd number of times; the distance is
    taken in the plane that touches the globe there, which is right to a few metres in 30 km.
    """
    positions = np.column_stack([np.asarray(latitude, float).ravel(), np.asarray(longitude, float).ravel()])
    usable = np.isfinite(positions).all(axis=1) & (abs(positions[:, 0]) <= 90) & (abs(positions[:, 1]) <= 180)
    found = np.zeros(len(positions), np.bool_)
    if usable.any():
        different, back = np.unique(positions[usable], axis=0, return_inverse=True)
        inland = _on_land(different)
        inland[inland] = ~_near_coast(different[inland], at_least_km)
        found[usable] = inland[back.ravel()]
    return found


@lru_cache(maxsize=1)
def land_rings() -> tuple[NDArray[np.float64], ...]:
    """Give the outline: closed rings of longitude and latitude in degrees, each of shape (n, 2); holes are rings too.

    A ring beyond the 180th meridian stands twice, once at each side of the map.
    """
    numbers = _variable_length(zlib.decompress(files("seston.store").joinpath("land.bin").read_bytes()))
    rings = []
    place = 0
    while place < len(numbers):
        length = int(numbers[place])
        steps = numbers[place + 1 : place + 1 + 2 * length].reshape(length, 2)
        steps = np.where(steps & 1, -(steps >> 1) - 1, steps >> 1)
        ring = np.cumsum(steps, axis=0) / _STEPS_A_DEGREE
        rings.append(ring)
        if beyond := 360 * (int(ring[:, 0].min() < -180) - int(ring[:, 0].max() > 180)):
            rings.append(ring + np.array([beyond, 0]))
        place += 1 + 2 * length
    return tuple(rings)


def _variable_length(data: bytes) -> NDArray[np.int64]:
    """Read numbers of seven bits a byte, lowest first, whose last byte has no high bit."""
    octets = np.frombuffer(data, np.uint8).astype(np.int64)
    last = np.flatnonzero(octets < 128)
    first = np.concatenate([[0], last[:-1] + 1])
    place = np.arange(len(octets)) - np.repeat(first, last - first + 1)
    numbers: NDArray[np.int64] = np.add.reduceat((octets & 127) << (7 * place), first)
    return numbers


@lru_cache(maxsize=1)
def _edges() -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Edges of the outline as (lon, lat, lon, lat), ordered by strip; an edge stands in each strip that it touches."""
    edges = np.concatenate([np.hstack([ring[:-1], ring[1:]]) for ring in land_rings()])
    strips = _band(np.sort(edges[:, [1, 3]], axis=1))
    repeated = np.repeat(np.arange(len(edges)), strips[:, 1] - strips[:, 0] + 1)
    start = np.concatenate([[0], np.cumsum(strips[:, 1] - strips[:, 0] + 1)[:-1]])
    strip = strips[repeated, 0] + np.arange(len(repeated)) - start[repeated]
    order = np.argsort(strip, kind="stable")
    return edges[repeated[order]], strip[order], np.searchsorted(strip[order], np.arange(_BANDS + 1))


def _band(latitude: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(np.floor(latitude + 90).astype(np.int64), 0, _BANDS - 1)


def _on_land(positions: NDArray[np.float64]) -> NDArray[np.bool_]:
    edges, _, bounds = _edges()
    inside = np.zeros(len(positions), np.bool_)
    for rows, band in _by_band(positions, 1):
        lon1, lat1, lon2, lat2 = edges[bounds[band] : bounds[band + 1]].T
        lat, lon = positions[rows, :1], positions[rows, 1:]
        crosses = (lat1 > lat) != (lat2 > lat)
        with np.errstate(divide="ignore", invalid="ignore"):
            crosses &= lon < lon1 + (lat - lat1) / (lat2 - lat1) * (lon2 - lon1)
        inside[rows] = crosses.sum(axis=1) % 2 == 1
    return inside


def _near_coast(positions: NDArray[np.float64], km: float) -> NDArray[np.bool_]:
    edges, _, bounds = _edges()
    near = np.zeros(len(positions), np.bool_)
    for rows, band in _by_band(positions, 3):
        around = edges[bounds[max(0, band - 1)] : bounds[min(_BANDS, band + 2)]]
        over_the_pole = (around[:, [1, 3]] < -89.9).any(axis=1)
        lon1, lat1, lon2, lat2 = around[~over_the_pole].T
        lat, lon = positions[rows, :1], positions[rows, 1:]
        scale = _KM_A_DEGREE * np.cos(np.radians(lat))
        x1, x2 = ((((one - lon + 180) % 360) - 180) * scale for one in (lon1, lon2))
        y1, y2 = ((one - lat) * _KM_A_DEGREE for one in (lat1, lat2))
        near[rows] = (_squared_distance_from_origin(x1, y1, x2, y2) < km * km).any(axis=1)
    return near


def _squared_distance_from_origin(
    x1: NDArray[np.float64], y1: NDArray[np.float64], x2: NDArray[np.float64], y2: NDArray[np.float64]
) -> NDArray[np.float64]:
    dx, dy = x2 - x1, y2 - y1
    length = dx * dx + dy * dy
    along = np.clip(-(x1 * dx + y1 * dy) / np.where(length > 0, length, 1), 0, 1)
    squared: NDArray[np.float64] = (x1 + along * dx) ** 2 + (y1 + along * dy) ** 2
    return squared


def _by_band(positions: NDArray[np.float64], strips: int) -> list[tuple[NDArray[np.int64], int]]:
    """Part positions by their strip of latitude, and so that none of the parts takes too much memory."""
    _, _, bounds = _edges()
    bands = _band(positions[:, 0])
    parts: list[tuple[NDArray[np.int64], int]] = []
    for band in np.unique(bands).tolist():
        rows = np.flatnonzero(bands == band)
        edges = int(bounds[min(_BANDS, band + strips)] - bounds[max(0, band - strips + 1)])
        pieces = 1 + len(rows) * edges // _CELLS
        parts.extend((piece, band) for piece in np.array_split(rows, pieces) if len(piece))
    return parts
