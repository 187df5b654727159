"""Find the text beside a scale bar and read it, or say that it cannot be read.

Only numbers with a unit (µm, um, mm, cm) are ever read. Each letter is compared with small pictures of the letters that
can occur (`label_letters`); a letter that is far from all of them, or nearly as near to two, a speck that is no decimal
point, or a letter at the edge of the picture makes the whole label unread: a length is never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["InkPiece", "LabelLine", "label_line", "length_in_micrometres", "read_label"]

Box = tuple[int, int, int, int]

_REACH = 220
"""Columns on either side of a bar in which text is looked for."""
_TALLEST_LETTER = 48
_LOWEST_LETTER = 5
_MOST_LETTERS = 12
_COVERED = 0.45
"""Share of ink from which a pixel belongs to a letter."""
_FARTHEST = 0.5
_FARTHEST_PART = 0.35
"""Letters that were cut apart must look more like letters than others."""
_CLEARLY = 1.3
"""The second letter must be this much farther than the first."""
_LABEL = re.compile(r"(\d+|\d+[.,]\d+)(µm|um|mm|cm)")
_MICROMETRES = {"µm": 1.0, "um": 1.0, "mm": 1000.0, "cm": 10_000.0}


@dataclass(frozen=True, slots=True)
class InkPiece:
    """A picture with dark ink on light paper, and how dark and how light they are."""

    picture: NDArray[np.uint8]
    ink: float
    paper: float

    def coverage(self, box: Box) -> NDArray[np.float32]:
        """Share of ink in each pixel of a box."""
        left, top, right, bottom = box
        pixels = self.picture[top:bottom, left:right].astype(np.float32)
        share: NDArray[np.float32] = np.clip((self.paper - pixels) / (self.paper - self.ink), 0.0, 1.0)
        return share


@dataclass(frozen=True, slots=True)
class LabelLine:
    """One line of text: the boxes of its letters from left to right."""

    letters: tuple[Box, ...]

    @property
    def box(self) -> Box:
        """Box around all letters."""
        lefts, tops, rights, bottoms = zip(*self.letters, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)


def label_line(piece: InkPiece, bar: Box) -> LabelLine | None:
    """Find the line of text nearest a bar (its box with ticks): beside, above or below it; None where there is none."""
    height, width = piece.picture.shape
    left, top = max(0, bar[0] - _REACH), max(0, bar[1] - 2 * _TALLEST_LETTER)
    right, bottom = min(width, bar[2] + _REACH), min(height, bar[3] + 2 * _TALLEST_LETTER)
    marks = _marks(piece, (left, top, right, bottom), bar)
    letters = [mark for mark in marks if _height(mark) >= _LOWEST_LETTER]
    near = [(gap, letter) for letter in letters if (gap := _gap(letter, bar)) <= 6 + 1.5 * _height(letter)]
    if not near:
        return None
    line = _grow(min(near)[1], marks)
    alone = len(line.letters) == 1 and width - line.box[2] > _height(line.box)
    return line if len(line.letters) <= _MOST_LETTERS and not alone else None


def _marks(piece: InkPiece, window: Box, bar: Box) -> list[Box]:
    """Boxes of connected ink in a window that are no larger than letters and do not touch the bar."""
    from scipy import ndimage

    coverage = piece.coverage(window)
    labels, _ = ndimage.label(coverage >= _COVERED, structure=np.ones((3, 3)))
    found = []
    for rows, columns in ndimage.find_objects(labels):
        box = (
            window[0] + columns.start,
            window[1] + rows.start,
            window[0] + columns.stop,
            window[1] + rows.stop,
        )
        small = _height(box) <= _TALLEST_LETTER and _width(box) <= 6 * max(_height(box), _LOWEST_LETTER)
        full = coverage[rows, columns].max() >= 0.7
        if small and full and not _overlap(box, bar):
            found.append(box)
    return sorted(mark for mark in found if not any(_inside(mark, other) for other in found))


def _grow(seed: Box, marks: list[Box]) -> LabelLine:
    """Add to a letter what stands on its line, at most one and a half letters' heights away."""
    line, tallest, grown = {seed}, _height(seed), True
    while grown:
        left, top, right, bottom = LabelLine(tuple(line)).box
        tallest = max(tallest, bottom - top)
        grown = False
        for mark in marks:
            middle = (mark[1] + mark[3]) / 2
            on_line = top - 0.4 * tallest <= middle <= bottom + 0.2 * tallest and _height(mark) <= 2 * tallest
            if mark not in line and on_line and max(mark[0] - right, left - mark[2]) <= 1.5 * tallest:
                line.add(mark)
                grown = True
    return LabelLine(tuple(sorted(line)))


def read_label(piece: InkPiece, line: LabelLine) -> str | None:
    """Read a line of text as number and unit (``30 µm``), or give None where any of it is not certain."""
    height, width = piece.picture.shape
    left, top, right, bottom = line.box
    tallest = max(_height(letter) for letter in line.letters)
    if left < 0.3 * tallest or top == 0 or right == width or bottom == height:
        return None  # it may go on outside the picture
    baseline = max(letter[3] for letter in line.letters[:1])
    text = ""
    for letter in line.letters:
        read = _read_letter(piece, letter, tallest, baseline)
        if read is None:
            return None
        text += read
    match = _LABEL.fullmatch(text)
    if match is None or _is_doubtful_number(match[1]):
        return None
    return f"{match[1].replace(',', '.')} {match[2]}"


def length_in_micrometres(label: str) -> float:
    """Give the length that a label of `read_label` states, in µm."""
    number, unit = label.split()
    return float(number) * _MICROMETRES[unit]


def _is_doubtful_number(number: str) -> bool:
    """Tell whether a number may have lost a point (``05``), may have one too many (``1,000``), or is zero."""
    whole, _, rest = number.replace(",", ".").partition(".")
    return (len(whole) > 1 and whole[0] == "0") or len(rest) == 3 or float(f"{whole}.{rest or 0}") == 0


def _read_letter(piece: InkPiece, letter: Box, tallest: int, baseline: int) -> str | None:
    if max(_height(letter), _width(letter)) <= max(2, 0.34 * tallest):
        return "." if abs(letter[3] - baseline) <= max(1, 0.15 * tallest) else None
    if _height(letter) < 0.45 * tallest:
        return None
    coverage = piece.coverage(letter)
    return _nearest_letter(coverage, _FARTHEST) or _two_letters(coverage)


def _two_letters(coverage: NDArray[np.float32]) -> str | None:
    """Read two letters that touch each other."""
    height, width = coverage.shape
    if width < 0.9 * height:
        return None
    ink = coverage.sum(axis=0)
    places = range(max(2, width // 4), min(width - 2, width - width // 4) + 1)
    for place in sorted(places, key=lambda column: float(ink[column]))[:4]:
        letters = [
            _nearest_letter(part, _FARTHEST_PART) if part.size else None
            for part in (_trim(coverage[:, :place]), _trim(coverage[:, place:]))
        ]
        if letters[0] and letters[1]:
            return letters[0] + letters[1]
    return None


def _trim(coverage: NDArray[np.float32]) -> NDArray[np.float32]:
    covered = coverage >= _COVERED
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    if not len(rows):
        return coverage[:0, :0]
    return coverage[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _nearest_letter(coverage: NDArray[np.float32], farthest: float) -> str | None:
    from seston.instruments.label_letters import describe_letter, letter_pictures

    letters, pictures = letter_pictures()
    distances = np.square(pictures - describe_letter(coverage)).sum(axis=1)
    nearest = int(distances.argmin())
    others = distances[_unlike(letters)[letters[nearest]]]
    if distances[nearest] > farthest or others.min() < _CLEARLY * distances[nearest]:
        return None
    return letters[nearest]


@lru_cache(maxsize=1)
def _unlike(letters: tuple[str, ...]) -> dict[str, NDArray[np.bool_]]:
    """Which pictures show another letter; µ and u mean the same unit."""
    same = {"µ": "u"}
    plain = np.array([same.get(letter, letter) for letter in letters])
    return {letter: plain != same.get(letter, letter) for letter in set(letters)}


def _height(box: Box) -> int:
    return box[3] - box[1]


def _width(box: Box) -> int:
    return box[2] - box[0]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _inside(one: Box, other: Box) -> bool:
    """Tell whether a mark stands within another letter, as the dot in some zeros does."""
    return one != other and other[0] <= one[0] and other[1] <= one[1] and one[2] <= other[2] and one[3] <= other[3]


def _gap(one: Box, other: Box) -> float:
    """Distance between two boxes in pixels."""
    across = max(one[0] - other[2], other[0] - one[2], 0)
    down = max(one[1] - other[3], other[1] - one[3], 0)
    return float(np.hypot(across, down))
