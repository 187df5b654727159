"""A map of where particles were taken, as SVG: the world in the plate carrée, or the part of it that matters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.places import Place
from seston.recognition.drawing import drawing, element

__all__ = ["WORLD", "Window", "close_up", "world_map"]

_FINEST = 0.8
"""Pixels between corners of the coast."""
_MOST_CIRCLES = 1_500
_SMALLEST_WINDOW = 6.0
"""Degrees of longitude: a single station still shows the coast around it."""
_WHOLE_WORLD = 150.0
"""Degrees of longitude from which a window shows little more than the world does."""
_LINES = (60, 30, 15, 10, 5, 2, 1)
"""Degrees between the lines of the grid."""


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the world that a map shows, in degrees."""

    west: float
    south: float
    east: float
    north: float

    @property
    def aspect(self) -> float:
        """How much shorter a degree of longitude is than one of latitude in the middle of the window."""
        return max(0.2, math.cos(math.radians((self.south + self.north) / 2))) if self.east - self.west < 180 else 1.0


WORLD = Window(-180.0, -80.0, 180.0, 85.0)
"""Without the inner ice of Antarctica, which holds no plankton."""


def world_map(places: Sequence[Place], *, window: Window = WORLD, width: int = 1040, title: str = "") -> str:
    """Draw places as circles on an outline of the land; larger ones for more particles (a step for each power of ten).

    Parameters
    ----------
    places
        Where particles were taken.
    window
        What to show.
    width
        In pixels of the drawing; the height follows.
    title
        For those who cannot see it.

    Returns
    -------
    str
        SVG of its own style: its colours follow the variables ``--map-sea``, ``--map-land``, ``--map-coast``,
        ``--map-grid``, ``--map-words``, ``--map-place`` and ``--map-inland`` of the page.
    """
    pixels = width / (window.east - window.west)
    height = round((window.north - window.south) * pixels / window.aspect)
    view = _View(window, pixels, pixels / window.aspect)
    parts = [_STYLE, element("rect", class_="sea", x=0, y=0, width=width, height=height)]
    lines, words = _grid(view, width, height)
    parts += [*lines, element("path", class_="land", d=_land(window, _FINEST / pixels, view)), *words]
    parts += [_circle(place, view) for place in _together(places, view)]
    parts.append(element("rect", class_="frame", x=0.5, y=0.5, width=width - 1, height=height - 1))
    return drawing("world-map", title or "Map of the places where particles were taken", width, height, parts)


def close_up(places: Sequence[Place]) -> Window | None:
    """Give the window around all places; None where that is most of the world, or there are none."""
    if not places:
        return None
    west, east = (choose(place.longitude for place in places) for choose in (min, max))
    south, north = (choose(place.latitude for place in places) for choose in (min, max))
    if east - west > _WHOLE_WORLD:
        return None
    aspect = max(0.2, math.cos(math.radians((south + north) / 2)))
    broad = max(_SMALLEST_WINDOW, 1.3 * (east - west), 2.2 * 1.3 * (north - south) / aspect)
    high = max(broad * aspect / 2.2, 1.3 * (north - south))
    if broad > _WHOLE_WORLD:
        return None
    middle = ((west + east) / 2, (south + north) / 2)
    return Window(
        middle[0] - broad / 2, max(-90.0, middle[1] - high / 2), middle[0] + broad / 2, min(90.0, middle[1] + high / 2)
    )


@dataclass(frozen=True, slots=True)
class _View:
    """Degrees to pixels."""

    window: Window
    across: float
    down: float

    def x(self, longitude: float) -> float:
        return (longitude - self.window.west) * self.across

    def y(self, latitude: float) -> float:
        return (self.window.north - latitude) * self.down


def _grid(view: _View, width: float, height: float) -> tuple[list[str], list[str]]:
    """Lines of the grid, and the words at them."""
    window = view.window
    step = next((one for one in _LINES if (window.east - window.west) / one >= 4), 1)
    lines, words = [], []
    for longitude in range(math.ceil(window.west / step) * step, math.floor(window.east) + 1, step):
        x = view.x(longitude)
        if 30 < x < width - 30:
            lines.append(element("line", class_="grid", x1=x, x2=x, y1=0, y2=height))
            words.append(element("text", _degrees(longitude, "E", "W"), class_="middle", x=x, y=height - 7))
    for latitude in range(math.ceil(window.south / step) * step, math.floor(window.north) + 1, step):
        y = view.y(latitude)
        if 16 < y < height - 22:
            lines.append(element("line", class_="grid", x1=0, x2=width, y1=y, y2=y))
            words.append(element("text", _degrees(latitude, "N", "S"), x=7, y=y - 4))
    return lines, words


def _degrees(value: float, positive: str, negative: str) -> str:
    if not value:
        return "0°"
    turned = (value + 180) % 360 - 180 if positive == "E" else value
    return f"{abs(turned):g}° {positive if turned > 0 else negative}"


def _land(window: Window, tolerance: float, view: _View) -> str:
    """Write the outlines as one path: tenths of a pixel, each corner as its distance from the one before."""
    written = []
    for ring in _rings(window, tolerance):
        places = (ring - (window.west, window.north)) * (10 * view.across, -10 * view.down)
        steps = np.diff(np.round(places).astype(np.int64), axis=0, prepend=0) / 10
        first, *rest = [f"{x:g},{y:g}" for x, y in steps.tolist()]
        written.append(f"M{first}l{' '.join(rest)}z")
    return "".join(written)


@lru_cache(maxsize=8)
def _rings(window: Window, tolerance: float) -> tuple[NDArray[np.float64], ...]:
    """Outlines that reach into the window, with no more corners than its pixels can show."""
    from seston.store.land import land_rings

    kept = []
    for ring in land_rings():
        for beyond in (0.0, 360.0, -360.0) if window.west < -180 or window.east > 180 else (0.0,):
            moved = ring + np.array([beyond, 0.0])
            low, high = moved.min(axis=0), moved.max(axis=0)
            reaches = (low < (window.east, window.north)).all() and (high > (window.west, window.south)).all()
            if reaches and (high - low).max() > 2 * tolerance:
                kept.append(_thinned(moved, window, tolerance))
    return tuple(ring for ring in kept if len(ring) > 3)


def _thinned(ring: NDArray[np.float64], window: Window, tolerance: float) -> NDArray[np.float64]:
    """Leave out corners nearer than a pixel to the last one, and most of those that lie out of sight."""
    margin = 0.25 * (window.east - window.west)
    seen = (abs(ring[:, 0] - (window.west + window.east) / 2) < (window.east - window.west) / 2 + margin) & (
        abs(ring[:, 1] - (window.south + window.north) / 2) < (window.north - window.south) / 2 + margin
    )
    least = np.where(seen, tolerance, 30 * tolerance).tolist()
    corners = ring.tolist()
    chosen = [0]
    last = corners[0]
    for place, corner in enumerate(corners):
        if max(abs(corner[0] - last[0]), abs(corner[1] - last[1])) >= least[place]:
            chosen.append(place)
            last = corner
    return ring[chosen]


def _together(places: Sequence[Place], view: _View) -> list[Place]:
    """Draw places that lie upon each other as one; the more, the more places there are. Large ones come first."""
    pixels = 1.0
    while True:
        cells: dict[tuple[int, int], list[Place]] = {}
        for place in places:
            key = (round(view.x(place.longitude) / pixels), round(view.y(place.latitude) / pixels))
            cells.setdefault(key, []).append(place)
        if len(cells) <= _MOST_CIRCLES:
            break
        pixels *= 1.5
    return sorted((_joined(cell) for cell in cells.values()), key=lambda place: -place.particles)


def _joined(cell: Sequence[Place]) -> Place:
    largest = max(cell, key=lambda place: place.particles)
    return replace(
        largest,
        particles=sum(place.particles for place in cell),
        samples=sum(place.samples for place in cell),
        on_land=all(place.on_land for place in cell),
    )


def _circle(place: Place, view: _View) -> str:
    more = ", …" if place.samples > len(place.named) else ""
    where = f"{_degrees(place.latitude, 'N', 'S')}, {_degrees(place.longitude, 'E', 'W')}"
    samples = "1 sample" if place.samples == 1 else f"{place.samples:,} samples"
    tip = f"{where}: {place.particles:,} particles of {samples} ({', '.join(place.named)}{more})"
    if place.on_land:
        tip += ", at least 30 km inland"
    radius = 2.2 + 1.7 * math.log10(max(1, place.particles))
    x = view.x(place.longitude)
    if not 0 <= x <= (view.window.east - view.window.west) * view.across:
        x = view.x(place.longitude + (360 if x < 0 else -360))
    kind = "place inland" if place.on_land else "place"
    return element("circle", tip=tip, class_=kind, cx=x, cy=view.y(place.latitude), r=radius)


_STYLE = (
    "<style>.world-map{overflow:hidden;max-width:100%;height:auto;border-radius:8px}"
    ".world-map .sea{fill:var(--map-sea,#eef4f5)}"
    ".world-map .land{fill:var(--map-land,#d9dfdc);stroke:var(--map-coast,#b9c3c0);stroke-width:.6}"
    ".world-map .grid{stroke:var(--map-grid,#dfe9eb);stroke-width:1}"
    ".world-map text{fill:var(--map-words,#8b9aa1);font-size:10.5px;font-family:inherit}"
    ".world-map .middle{text-anchor:middle}"
    ".world-map .place{fill:var(--map-place,#0b6e8a);fill-opacity:.5;stroke:var(--map-place,#0b6e8a);stroke-width:1.2}"
    ".world-map .inland{fill:var(--map-inland,#c99a1b);stroke:var(--map-inland,#c99a1b)}"
    ".world-map .place:hover{fill-opacity:.9}"
    ".world-map .frame{fill:none;stroke:var(--map-grid,#dfe9eb)}</style>"
)
