"""Write ``src/seston/store/land.bin`` from ``land-50m.json`` of the npm package world-atlas 2.0.2.

npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz && python docs/generate_land.py package/land-50m.json
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS_A_DEGREE = 50
TARGET = Path(__file__).resolve().parents[1] / "src" / "seston" / "store" / "land.bin"


def main(topology: Path) -> None:
    """Convert the outline."""
    rings = [close_over_the_pole(ring) for ring in read_rings(json.loads(topology.read_bytes()))]
    TARGET.write_bytes(zlib.compress(b"".join(pack(ring) for ring in rings), 9))


def read_rings(topology: dict[str, Any]) -> Iterator[NDArray[np.float64]]:
    """Give every ring of the land: its arcs (differences on a grid) joined, in degrees."""
    scale, origin = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + origin for arc in topology["arcs"]]
    for polygon in read_polygons(topology["objects"]["land"]):
        for ring in polygon:
            parts = [arcs[arc] if arc >= 0 else arcs[~arc][::-1] for arc in ring]
            yield np.concatenate([parts[0], *(part[1:] for part in parts[1:])])


def read_polygons(geometry: dict[str, Any]) -> Iterator[list[list[int]]]:
    """Give the polygons of a geometry as lists of rings, each a list of arcs."""
    if geometry["type"] == "GeometryCollection":
        for part in geometry["geometries"]:
            yield from read_polygons(part)
    else:
        yield from geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]


def close_over_the_pole(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let longitudes go on beyond the 180th meridian, and close a ring that goes around a pole over that pole."""
    longitude = np.degrees(np.unwrap(np.radians(ring[:, 0])))
    ring = np.column_stack([longitude, ring[:, 1]])
    if abs(longitude[-1] - longitude[0]) > 180:
        pole = -90.0 if ring[:, 1].mean() < 0 else 90.0
        ring = np.vstack([ring, [[longitude[-1], pole], [longitude[0], pole], ring[0]]])
    return ring


def pack(ring: NDArray[np.float64]) -> bytes:
    """Write a ring as variable-length numbers: how many corners, then the differences from corner to corner."""
    corners = np.round(ring * STEPS_A_DEGREE).astype(np.int64)
    corners = corners[np.concatenate([[True], (np.diff(corners, axis=0) != 0).any(axis=1)])]
    if len(corners) < 4:
        return b""
    steps = np.diff(corners, axis=0, prepend=np.zeros((1, 2), np.int64))
    numbers = [len(corners), *np.where(steps >= 0, 2 * steps, -2 * steps - 1).ravel().tolist()]
    return b"".join(variable_length(number) for number in numbers)


def variable_length(number: int) -> bytes:
    """Write a number in bytes of seven bits, lowest first; all but the last have the high bit set."""
    octets = bytearray()
    while number > 127:
        octets.append(number & 127 | 128)
        number >>= 7
    octets.append(number)
    return bytes(octets)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
