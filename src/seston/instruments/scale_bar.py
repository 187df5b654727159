"""Find a scale bar that some program burned into a picture.

Such a bar is a long, thin, exactly horizontal line of one extreme value (black or white) in the upper or lower part of
the picture, with paper above and below it, and either a line of text beside it or ticks at its ends. Nothing that lives
looks like that: see `find_scale_bar` for how often it errs. The search runs for every picture of an import, so a first
test that costs some 20 µs sorts out nearly all pictures, and only what is left is looked at closely.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.instruments.scale_bar_label import InkPiece, LabelLine, label_line, length_in_micrometres, read_label

__all__ = ["ScaleBar", "find_scale_bar"]

_SHORTEST_EDGE = 14
"""Columns with a clear edge that the first test wants: the shortest bar without its ticks."""
_SHORTEST_BAR = 20
_THICKEST_BAR = 12
_INK = 24
"""Ink is at most this dark (the bar is looked for as dark on light; light bars in the inverted picture)."""
_EVEN = 16
"""Grey values along a bar differ by no more than this."""
_PAPER = 90
"""Paper beside the bar is at least this light."""
_TALLEST_TICK = 40
_SMALLEST_STRIP = 64


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A scale bar in a picture."""

    box: tuple[int, int, int, int]
    """Left, top, right, bottom (the last two exclusive) of bar, ticks and label together, in pixels."""
    bar: tuple[int, int, int]
    """First column, column after the last, and middle row of the bar."""
    length_px: int
    label: str | None
    """Its text with one blank between number and unit (``30 µm``); None where it is cut or cannot be read."""
    micrometres: float | None
    um_per_px: float | None
    """Length of the label divided by the length of the bar."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A bar without its label: rows `top` to `bottom`, columns `left` to `right` (exclusive), light above ink."""

    left: int
    top: int
    right: int
    bottom: int
    ink: float
    paper: float


def find_scale_bar(grey: NDArray[np.uint8]) -> ScaleBar | None:
    """Find the scale bar of a picture and read its label.

    Parameters
    ----------
    grey
        Shape (height, width), 8 bits.

    Returns
    -------
    ScaleBar or None
        None where there is no bar. Of several, the first whose label can be read, else the first from the top. Label
        and micrometres are None where the text is cut off by the picture's edge or not read with certainty.

    Notes
    -----
    Only bars of nearly black or nearly white ink, at least 20 px long, that end inside the picture, in its upper or
    lower sixth (at least 64 rows each) are found. Of 545 real pictures with a bar (CytoSense, ZooScan) all are found,
    of 20,846 real pictures without one (FlowCam, IFCB, ISIIS, UVP6, two lake cameras) none is taken for one.
    """
    if grey.ndim != 2 or grey.shape[0] < 8 or grey.shape[1] < _SHORTEST_BAR + 4:
        return None
    best: ScaleBar | None = None
    for first, strip in _strips(grey):
        for light in (False, True):
            rows = _rows_with_edges(np.bitwise_not(strip) if light else strip)
            if not rows:
                continue
            picture = np.bitwise_not(grey) if light else grey
            for line in _lines(picture, [first + row for row in rows]):
                found = _with_label(picture, line)
                if found is not None and (best is None or (best.label is None and found.label is not None)):
                    best = found
    return best


def _strips(grey: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    height = grey.shape[0]
    strip = max(_SMALLEST_STRIP, height // 6)
    if 2 * strip >= height:
        yield 0, grey
    else:
        yield 0, grey[:strip]
        yield height - strip, grey[height - strip :]


def _rows_with_edges(strip: NDArray[np.uint8]) -> list[int]:
    """First rows of what may be bars: many columns turn from paper to ink there, and back a few rows below."""
    if strip.min() > _INK:  # most pictures hold no ink at all: the quick way out
        return []
    above, below = strip[:-2], strip[2:]
    columns = np.ones(strip.shape[1], dtype=np.float32)
    into_ink = ((below <= _INK) & (above >= _PAPER)).astype(np.float32) @ columns
    if into_ink.max() < _SHORTEST_EDGE:
        return []
    out_of_ink = ((above <= _INK) & (below >= _PAPER)).astype(np.float32) @ columns
    last_rows = np.flatnonzero(out_of_ink >= _SHORTEST_EDGE)
    first_rows = np.flatnonzero(into_ink >= _SHORTEST_EDGE) + 2
    thickness = last_rows[None, :] - first_rows[:, None]
    return [int(row) for row in first_rows[((thickness >= -1) & (thickness < _THICKEST_BAR)).any(axis=1)]]


def _lines(picture: NDArray[np.uint8], rows: list[int]) -> Iterator[_Line]:
    """Look closely at each row that the first test let pass; give each bar once."""
    found: list[_Line] = []
    for row in rows:
        for left, right in _runs(picture[row] <= 2 * _INK):
            if any(line.top <= row < line.bottom and line.left <= left < line.right for line in found):
                continue
            line = _line_at(picture, row, left, right)
            if line is not None:
                found.append(line)
                yield line


def _runs(ink: NDArray[np.bool_]) -> list[tuple[int, int]]:
    padded = np.zeros(len(ink) + 2, dtype=np.int8)
    padded[1:-1] = ink
    steps = np.diff(padded)
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True) if b - a >= _SHORTEST_BAR]


def _line_at(picture: NDArray[np.uint8], row: int, left: int, right: int) -> _Line | None:
    height, width = picture.shape
    top, bottom = row, row + 1
    while top > 0 and row - top <= _THICKEST_BAR and _is_ink(picture[top - 1, left:right]):
        top -= 1
    while bottom < height and bottom - row <= _THICKEST_BAR and _is_ink(picture[bottom, left:right]):
        bottom += 1
    thickness = bottom - top
    if thickness > _THICKEST_BAR or right - left < 4 * thickness or top < 2 or bottom > height - 1:
        return None
    if left < 3 or right > width - 3:
        return None  # runs out of the picture: its length is not known
    core = np.sort(picture[(top + bottom) // 2, left + 1 : right - 1])
    ink = float(core[len(core) // 2])
    if int(core[int(0.95 * len(core))]) - int(core[int(0.05 * len(core))]) > _EVEN:
        return None
    above, below = picture[top - 2, left:right], picture[min(bottom + 1, height - 1), left:right]
    beside = np.sort(np.concatenate([above, below]))
    paper = float(beside[len(beside) // 2])
    middle = (ink + paper) / 2
    shares = sorted((float((above > middle).mean()), float((below > middle).mean())))
    ends = picture[top:bottom, [left - 3, left - 2, right + 1, right + 2]]
    if paper < _PAPER or shares[0] < 0.55 or shares[1] < 0.9 or ends.min() < 0.35 * ink + 0.65 * paper:
        return None
    return _Line(left, top, right, bottom, ink, paper)


def _is_ink(pixels: NDArray[np.uint8]) -> bool:
    return bool((pixels <= 3 * _INK).mean() >= 0.95)


def _with_label(picture: NDArray[np.uint8], line: _Line) -> ScaleBar | None:
    """Look for the text beside a line, and for its ticks; a line with neither is no scale bar."""
    piece = InkPiece(picture, line.ink, line.paper)
    up, down = _tick(picture, line, up=True), _tick(picture, line, up=False)
    box = (line.left, line.top - up, line.right, line.bottom + down)
    words = label_line(piece, box)
    if words is None and not (up or down):
        return None
    if words is not None:
        box = _around(box, words)
    label = read_label(piece, words) if words is not None else None
    length = line.right - line.left
    micrometres = length_in_micrometres(label) if label is not None else None
    return ScaleBar(
        box=box,
        bar=(line.left, line.right, (line.top + line.bottom) // 2),
        length_px=length,
        label=label,
        micrometres=micrometres,
        um_per_px=micrometres / length if micrometres is not None else None,
    )


def _tick(picture: NDArray[np.uint8], line: _Line, *, up: bool) -> int:
    """Height of the ticks at the ends of a bar, both of one height; 0 where there are none."""
    rows = picture[max(0, line.top - _TALLEST_TICK) : line.top][::-1] if up else picture[line.bottom :][:_TALLEST_TICK]
    middle = (line.ink + line.paper) / 2
    heights = []
    for column in (rows[:, line.left], rows[:, line.right - 1]):
        paper = np.flatnonzero(column > middle)
        heights.append(int(paper[0]) if len(paper) else len(column))
    lower, higher = sorted(heights)
    return higher if lower >= 3 and higher - lower <= 2 else 0


def _around(box: tuple[int, int, int, int], words: LabelLine) -> tuple[int, int, int, int]:
    left, top, right, bottom = words.box
    return min(box[0], left), min(box[1], top), max(box[2], right), max(box[3], bottom)
