"""Made-up species: 26, of which 24 form 12 pairs of look-alikes.

Of a pair, either only pictures tell one from the other (same light, other outline) or only profiles do (same outline,
other pigments or pigments elsewhere). Sizes, forms, pigments and numbers of cells vary within a species.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from second_simulator.bodies import (
    Array,
    Matter,
    Part,
    box,
    ellipsoid,
    needle,
    rotation,
    shell,
    sphere,
    tube,
)

__all__ = ["SPECIES", "Cell", "Species", "build"]

_GREEN, _RED = (0.1, 0.1, 1.0, 0.12), (0.08, 1.5, 0.8, 0.15)
_BLUE, _BROWN = (0.06, 0.25, 0.5, 1.4), (0.12, 0.2, 1.2, 0.1)
_PALE, _BRIGHT = (0.05, 0.03, 0.05, 0.03), (0.9, 0.2, 0.05, 0.04)
_GLASS = Matter(index=0.06, absorption=0.05, grain=9.0)
_SPINE = Matter(index=0.09, absorption=0.09, grain=0.0)
_CILIUM = Matter(index=0.05, absorption=0.06, grain=0.0)


@dataclass(frozen=True, slots=True)
class Cell:
    """What varies from one particle of a species to the next."""

    size: float
    """Factor on all lengths."""
    aspect: float
    """Factor on lengths along the body alone."""
    light: Array
    """Factor on each of the four kinds of fluorescence."""
    grain: float
    rng: np.random.Generator

    def matter(self, pigment: tuple[float, float, float, float], index: float = 0.035, grain: float = 1.0) -> Matter:
        """Make cytoplasm with a pigment."""
        lights = tuple(float(factor * value) for factor, value in zip(self.light, pigment, strict=True))
        return Matter(index=index, grain=grain * self.grain, light=(lights[0], lights[1], lights[2], lights[3]))

    def count(self, least: int, most: int) -> int:
        """Draw a number of cells."""
        return int(self.rng.integers(least, most + 1))


Form = Callable[[Cell], list[Part]]


@dataclass(frozen=True, slots=True)
class Species:
    """A name, a form, and whom it is mistaken for."""

    name: str
    form: Form
    twin: str = ""
    """``picture``: only pictures tell it from the species before or after it; ``profile``: only profiles do."""
    elongated: bool = True
    """Whether the flow lines its long axis up."""


def build(species: Species, cell: Cell) -> list[Part]:
    """Make one body of a species, centred on its middle, with the cell's size."""
    parts = species.form(cell)
    factor = np.array([cell.size * cell.aspect, cell.size, cell.size])
    grown = []
    for part in parts:
        along = np.abs(part.axes) @ factor if part.fine else factor
        grown.append(replace(part, centre=part.centre * factor, half=part.half * along))
    middle = np.mean([part.centre for part in grown if not part.fine], axis=0)
    return [replace(part, centre=part.centre - middle) for part in grown]


def _oval(cell: Cell, pigment: tuple[float, float, float, float]) -> list[Part]:
    body = ellipsoid((0, 0, 0), (7.5, 5, 5), cell.matter(_PALE))
    plastid = ellipsoid((1.5, 0, 1.5), (5, 4, 3), cell.matter(pigment, index=0.012))
    return [body, plastid]


def _ciliate(cell: Cell, cilia: bool) -> list[Part]:
    parts = [
        ellipsoid((0, 0, 0), (17, 12, 12), cell.matter(_BRIGHT, grain=1.3)),
        sphere((6, 2, 0), 3.4, cell.matter(_GREEN, index=0.02)),
    ]
    for angle in np.linspace(0, 2 * np.pi, 22, endpoint=False) + cell.rng.uniform(0, 0.3) if cilia else ():
        ring = np.array([0, np.cos(angle), np.sin(angle)])
        start = np.array([13.0, 0, 0]) + 8.0 * ring
        parts.append(needle(start, start + np.array([6.0, 0, 0]) + cell.rng.uniform(6, 9) * ring, 0.6, _CILIUM))
    return parts


def _chain(cell: Cell, bent: float) -> list[Part]:
    count = cell.count(4, 8)
    return [
        ellipsoid((place * 9.5, (bent if place % 2 else -bent), 0), (5.2, 4.2, 4.2), cell.matter(_BROWN, grain=2.5))
        for place in range(count)
    ]


def _pillars(cell: Cell, at_ends: bool) -> list[Part]:
    """Make a chain of cylinders whose plastids lie in their middle or at their ends."""
    parts: list[Part] = []
    for place in range(cell.count(2, 5)):
        x = place * 19.0
        body = tube((x, 0, 0), 8.5, 6.5, cell.matter(_PALE, index=0.02))
        parts += [body, *shell(body, 0.6, _GLASS)]
        if at_ends:
            parts += [tube((x + side, 0, 0), 1.7, 5.5, cell.matter(_double(_GREEN), index=0.0)) for side in (-6.3, 6.3)]
        else:
            parts.append(tube((x, 0, 0), 3.4, 5.5, cell.matter(_double(_GREEN), index=0.0)))
    return parts


def _double(pigment: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    first, second, third, fourth = (2 * value for value in pigment)
    return first, second, third, fourth


def _disc(cell: Cell, spines: int) -> list[Part]:
    body = replace(tube((0, 0, 0), 5, 14, cell.matter(_BROWN)), axes=rotation(1, np.pi / 2))
    parts = [body, *shell(body, 0.7, _GLASS)]
    for angle in np.linspace(0, 2 * np.pi, spines, endpoint=False):
        way = np.array([np.cos(angle), np.sin(angle), 0])
        parts.append(needle(14 * way, (14 + cell.rng.uniform(7, 11)) * way, 0.7, _SPINE))
    return parts


def _spindle(cell: Cell, places: tuple[float, ...]) -> list[Part]:
    body = ellipsoid((0, 0, 0), (30, 4.2, 4.2), cell.matter(_PALE))
    share = 18.0 / len(places)
    plastids = [ellipsoid((x, 0, 0), (share / 2, 3, 3), cell.matter(_BROWN, index=0.0)) for x in places]
    return [body, *shell(body, 0.35, _GLASS), *plastids]


def _horned(cell: Cell, spread: float) -> list[Part]:
    """Make a dinoflagellate with one horn ahead and two behind, which stand apart or close."""
    matter = cell.matter(_BROWN, grain=1.5)
    ahead = replace(ellipsoid((9, 0, 0), (34, 3.4, 3.0), matter), cut=(0.0, 1.0))
    parts = [ellipsoid((0, 0, 0), (12, 12, 8), matter), ahead]
    for side in (-1, 1):
        back = rotation(2, np.pi + side * spread)
        base = np.array([-8.5, -side * 5.5, 0.0])
        parts.append(replace(ellipsoid(base, (26, 3.2, 2.8), matter, axes=back.T), cut=(0.0, 1.0)))
    return parts


def _filament(cell: Cell, coil: float, gaps: bool) -> list[Part]:
    count = cell.count(14, 24)
    start = cell.rng.uniform(0, 2 * np.pi)
    parts = []
    for place in range(count):
        angle = start + place * 0.85
        centre = (place * 3.4, coil * np.cos(angle), coil * np.sin(angle))
        dark = gaps and place % 7 == 3
        parts.append(sphere(centre, 2.6, cell.matter(_PALE if dark else _BLUE, grain=0.8)))
    return parts


def _ball(cell: Cell, pigment: tuple[float, float, float, float]) -> list[Part]:
    count = cell.count(12, 22)
    ways = cell.rng.standard_normal((count, 3))
    places = ways / np.linalg.norm(ways, axis=1, keepdims=True) * cell.rng.uniform(3, 12, (count, 1))
    jelly = sphere((0, 0, 0), 15, Matter(index=0.002, absorption=0.0015, grain=0.05))
    return [jelly, *(sphere(place, 2.4, cell.matter(pigment, index=0.05)) for place in places)]


def _block(cell: Cell, square: bool) -> list[Part]:
    """Make a silica cell, square or oval across, of the same volume a µm."""
    half = (12.0, 9.5, 6.0)
    body = box((0, 0, 0), half, cell.matter(_GREEN))
    if not square:
        wide = np.sqrt(4 / np.pi)
        body = replace(body, form="tube", half=np.array([9.0, half[1] * wide, half[2] * wide]))
        ends = [ellipsoid((side * 9.0, 0, 0), (3.6, *body.half[1:]), cell.matter(_PALE)) for side in (-1, 1)]
        return [body, *ends, *shell(body, 0.6, _GLASS)]
    return [body, *shell(body, 0.6, _GLASS)]


def _girdled(cell: Cell, pigment: tuple[float, float, float, float]) -> list[Part]:
    """Make a dinoflagellate of two halves with a groove between them."""
    matter = cell.matter(pigment, grain=1.6)
    epicone = replace(ellipsoid((0, 0, 0), (14, 10.5, 9.5), matter), cut=(0.08, 1.0))
    hypocone = replace(ellipsoid((0, 0, 0), (11, 9.5, 9), matter), cut=(-1.0, -0.08))
    return [epicone, hypocone, ellipsoid((0, 0, 0), (2.0, 8, 7.5), matter)]


def _cyst(cell: Cell) -> list[Part]:
    body = sphere((0, 0, 0), 11, cell.matter(_double(_BRIGHT), grain=2.0))
    parts = [body, *shell(body, 1.8, Matter(index=0.08, absorption=0.09, grain=3.0))]
    for way in cell.rng.standard_normal((10, 3)):
        way /= np.linalg.norm(way)
        parts.append(needle(12 * way, 17 * way, 0.8, _SPINE))
    return parts


def _flake(cell: Cell) -> list[Part]:
    """Make a flake of dead matter: plates and lumps at random, faintly glowing."""
    parts = []
    for _ in range(cell.count(6, 14)):
        half = np.exp(cell.rng.normal(1.2, 0.6, 3))
        turn = rotation(2, cell.rng.uniform(0, np.pi)) @ rotation(0, cell.rng.uniform(0, np.pi))
        matter = replace(cell.matter((0.12, 0.06, 0.12, 0.08), grain=3.0), absorption=cell.rng.uniform(0.01, 0.07))
        lump = ellipsoid(cell.rng.normal(0, (10, 6, 5)), half, matter, axes=turn)
        parts.append(replace(lump, form=str(cell.rng.choice(("ellipsoid", "box", "tube")))))
    return parts


SPECIES: tuple[Species, ...] = (
    Species("Altera ovalis", lambda cell: _oval(cell, _GREEN), "profile"),
    Species("Altera rubens", lambda cell: _oval(cell, _RED), "profile"),
    Species("Ciliola nuda", lambda cell: _ciliate(cell, False), "picture"),
    Species("Ciliola coronata", lambda cell: _ciliate(cell, True), "picture"),
    Species("Catenula recta", lambda cell: _chain(cell, 0.0), "picture"),
    Species("Catenula dentata", lambda cell: _chain(cell, 3.4), "picture"),
    Species("Columnaria media", lambda cell: _pillars(cell, False), "profile"),
    Species("Columnaria duplex", lambda cell: _pillars(cell, True), "profile"),
    Species("Orbicula plana", lambda cell: _disc(cell, 0), "picture", elongated=False),
    Species("Orbicula radiata", lambda cell: _disc(cell, 14), "picture", elongated=False),
    Species("Fusella centralis", lambda cell: _spindle(cell, (0.0,)), "profile"),
    Species("Fusella bipolaris", lambda cell: _spindle(cell, (-16.0, 16.0)), "profile"),
    Species("Cornuta stricta", lambda cell: _horned(cell, 0.06), "picture"),
    Species("Cornuta divergens", lambda cell: _horned(cell, 0.5), "picture"),
    Species("Filaria recta", lambda cell: _filament(cell, 0.0, False), "picture"),
    Species("Filaria torta", lambda cell: _filament(cell, 4.2, False), "picture"),
    Species("Nodularina plena", lambda cell: _filament(cell, 0.8, False), "profile"),
    Species("Nodularina interrupta", lambda cell: _filament(cell, 0.8, True), "profile"),
    Species("Globosa viridis", lambda cell: _ball(cell, _GREEN), "profile", elongated=False),
    Species("Globosa caerulea", lambda cell: _ball(cell, _BLUE), "profile", elongated=False),
    Species("Quadrata angulosa", lambda cell: _block(cell, True), "picture"),
    Species("Quadrata rotunda", lambda cell: _block(cell, False), "picture"),
    Species("Cincta fusca", lambda cell: _girdled(cell, _BROWN), "profile"),
    Species("Cincta pallida", lambda cell: _girdled(cell, _PALE), "profile"),
    Species("Cysta spinosa", _cyst, elongated=False),
    Species("Detritus", _flake, elongated=False),
)
