"""Plots of the report, written as SVG by hand: no library, sharp at any size, a few kilobytes each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "COLOURS",
    "Line",
    "accuracy_plot",
    "confusion_plot",
    "coverage_plot",
    "map_plot",
    "profile_plot",
    "range_plot",
    "short_label",
]

COLOURS = ("#0b6e8a", "#d1603d", "#c99a1b", "#6b7f3a", "#7a5ba6", "#4d8fcc", "#a8577e", "#8a8f98")
_CHANNEL_COLOURS = (
    ("fws", "#33475b"),
    ("sws", "#4d8fcc"),
    ("yellow", "#c9a81b"),
    ("green", "#4f9a4f"),
    ("orange", "#e07b2f"),
    ("red", "#c43b3b"),
    ("blue", "#3b62c4"),
    ("purple", "#8354b0"),
)
_OTHER_CHANNEL = "#8a8f98"
_RIGHT, _WRONG, _NONE = (11, 110, 138), (209, 75, 50), 244
_LONGEST_LABEL = 26

Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Line:
    """One method in a plot over gallery size."""

    name: str
    colour: str
    points: tuple[tuple[int, float, float, float], ...]
    """Gallery size, accuracy, and the ends of its interval."""
    dashed: bool = False
    strong: bool = False


def accuracy_plot(lines: Sequence[Line], title: str, *, width: int = 380, height: int = 270) -> str:
    """Draw accuracy over gallery size, a line a method with its interval as a band."""
    left, right, top, bottom = 40, 12, 30, 34
    sizes = sorted({point[0] for line in lines for point in line.points})
    x = _doublings(sizes, left + 10, width - right - 10)

    def y(value: float) -> float:
        return top + (1 - value) * (height - top - bottom)

    parts = [_element("text", title, class_="plot-title", x=left, y=17)]
    for percent in range(0, 101, 20):
        level = y(percent / 100)
        parts.append(_element("line", class_="grid", x1=left, x2=width - right, y1=level, y2=level))
        parts.append(_element("text", str(percent), class_="tick end", x=left - 6, y=level + 4))
    parts += [_element("text", str(n), class_="tick middle", x=x(n), y=height - bottom + 17) for n in sizes]
    middle = (left + width - right) / 2
    parts.append(_element("text", "labelled particles of each class", class_="axis middle", x=middle, y=height - 3))
    parts += [_band(line, x, y) for line in sorted(lines, key=lambda one: one.strong)]
    return _drawing("plot", title, width, height, parts)


def _doublings(sizes: Sequence[int], left: float, right: float) -> Scale:
    """Place gallery sizes so that each doubling is one step."""
    if len(sizes) < 2:
        return lambda size: (left + right) / 2
    first, last = math.log2(sizes[0]), math.log2(sizes[-1])
    return lambda size: left + (math.log2(size) - first) / (last - first) * (right - left)


def _band(line: Line, x: Scale, y: Scale) -> str:
    points = sorted(line.points)
    around = [(x(n), y(high)) for n, _, _, high in points] + [(x(n), y(low)) for n, _, low, _ in reversed(points)]
    dash = {"stroke_dasharray": "4 4"} if line.dashed else {}
    parts = [
        _element("polygon", points=_points(around), fill=line.colour, opacity=0.16 if line.strong else 0.09),
        _element(
            "polyline",
            points=_points((x(n), y(value)) for n, value, _, _ in points),
            fill="none",
            stroke=line.colour,
            stroke_width=2.8 if line.strong else 1.6,
            stroke_linejoin="round",
            **dash,
        ),
    ]
    for n, value, low, high in points:
        tip = f"{line.name}, n = {n}: {value * 100:.1f} % ({low * 100:.1f} to {high * 100:.1f})"
        radius = 3.6 if line.strong else 2.4
        parts.append(_element("circle", tip=tip, cx=x(n), cy=y(value), r=radius, fill=line.colour))
    return "".join(parts)


def coverage_plot(
    curves: Mapping[str, Sequence[tuple[float, float]]], colours: Sequence[str], *, width: int = 640, height: int = 300
) -> str:
    """Draw accuracy over the share of particles that are named, a line a method; both are shares of 1."""
    left, right, top, bottom = 40, 230, 14, 40

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x, y = point
        return left + x * (width - left - right), top + (1 - y) * (height - top - bottom)

    parts = []
    for percent in range(0, 101, 20):
        across, level = place((percent / 100, percent / 100))
        parts.append(_element("line", class_="grid", x1=left, x2=width - right, y1=level, y2=level))
        parts.append(_element("text", str(percent), class_="tick end", x=left - 6, y=level + 4))
        parts.append(_element("text", str(percent), class_="tick middle", x=across, y=height - bottom + 17))
    middle = (left + width - right) / 2
    parts.append(_element("text", "particles named, %", class_="axis middle", x=middle, y=height - 4))
    for number, (name, points) in enumerate(curves.items()):
        colour, y = colours[number % len(colours)], top + 14 + 20 * number
        line = _points(place(point) for point in points)
        thick = 2.8 if number == 0 else 1.6
        parts.append(_element("polyline", tip=name, points=line, fill="none", stroke=colour, stroke_width=thick))
        parts.append(_element("circle", cx=width - right + 18, cy=y - 4, r=5, fill=colour))
        parts.append(_element("text", name, class_="label", x=width - right + 28, y=y))
    return _drawing("coverage", "accuracy over coverage", width, height, parts)


def confusion_plot(labels: Sequence[str], counts: NDArray[np.int64]) -> str:
    """Draw a table of confusion as a heat map, each row as shares of its class."""
    size = len(labels)
    cell = max(9, min(26, 620 // max(size, 1)))
    shown = [short_label(label, labels) for label in labels]
    left = 14 + 6.4 * max((len(label) for label in shown), default=0)
    top = 0.8 * left
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    parts = []
    for number, label in enumerate(shown):
        middle = number * cell + cell / 2
        turned = f"translate({left + middle + 3:.1f},{top - 6:.1f}) rotate(-50)"
        parts.append(_element("text", label, class_="label end", x=left - 6, y=top + middle + 4))
        parts.append(_element("text", label, class_="label", transform=turned))
    for row in range(size):
        for column in range(size):
            tip = f"{labels[row]} named {labels[column]}: {share[row, column] * 100:.1f} % ({counts[row, column]})"
            place = left + column * cell, top + row * cell
            parts.append(_cell(float(share[row, column]), row == column, tip, place, cell))
    return _drawing("confusion", "confusion of names", left + size * cell + 0.5 * left, top + size * cell + 6, parts)


def short_label(label: str, labels: Sequence[str], longest: int = _LONGEST_LABEL) -> str:
    """Leave out what all labels end in, in brackets, and cut what is still too long."""
    end = label[label.rfind(" (") :] if label.endswith(")") and " (" in label else ""
    if end and all(other.endswith(end) for other in labels):
        label = label.removesuffix(end)
    return label if len(label) <= longest else label[: longest - 1] + "…"


def _cell(share: float, right: bool, tip: str, place: tuple[float, float], size: int) -> str:
    x, y = place
    strength = share**0.6
    shade = (round(_NONE + (part - _NONE) * strength) for part in (_RIGHT if right else _WRONG))
    colour = "#" + "".join(f"{part:02x}" for part in shade)
    box = _element("rect", tip=tip, x=x, y=y, width=size - 1, height=size - 1, rx=2, fill=colour)
    if size < 20 or share < 0.1:
        return box
    ink = "on-dark" if share > 0.4 else "on-light"
    text = f"{share * 100:.0f}"
    return box + _element("text", text, class_=f"count {ink} middle", x=x + size / 2 - 0.5, y=y + size / 2 + 3)


def profile_plot(profile: NDArray[np.float32], channels: Sequence[str], *, width: int = 150, height: int = 46) -> str:
    """Draw a profile as a small plot, a line a channel, the signal on a logarithmic scale; without curvature."""
    values = np.log1p(np.maximum(np.nan_to_num(profile), 0))
    drawn = [row for row, name in enumerate(channels) if not name.lower().startswith("curv")]
    greatest = max((float(values[row].max(initial=0)) for row in drawn), default=1.0) or 1.0
    length = values.shape[1]
    every = range(0, length, max(1, length // width))
    parts = []
    for row in drawn:
        points = (
            (2 + place / max(length - 1, 1) * (width - 4), height - 3 - values[row, place] / greatest * (height - 6))
            for place in every
        )
        colour = next((one for part, one in _CHANNEL_COLOURS if part in channels[row].lower()), _OTHER_CHANNEL)
        line = _element(
            "polyline", tip=channels[row], points=_points(points), stroke=colour, stroke_width=1.3, fill="none"
        )
        parts.append(line)
    return _drawing("profile", "profile", width, height, parts)


def map_plot(
    places: NDArray[np.float32],
    groups: Sequence[str],
    pictures: Mapping[int, str],
    *,
    width: int = 980,
    height: int = 620,
) -> str:
    """Draw particles as points of a plane, a colour a group, some of them by their pictures.

    Parameters
    ----------
    places
        Two numbers a particle.
    groups
        Name of each particle's group; those beyond the seven largest are grey.
    pictures
        Row of a particle → address of its picture (a data URI).
    """
    low, high = np.quantile(places, [0.005, 0.995], axis=0) if len(places) else (np.zeros(2), np.ones(2))
    scaled = np.clip((places - low) / np.maximum(high - low, 1e-9), 0, 1)
    x, y = 30 + scaled[:, 0] * (width - 60), 30 + (1 - scaled[:, 1]) * (height - 90)
    largest = [name for name, _ in Counter(groups).most_common()]
    colours = dict(zip(largest, COLOURS[:-1], strict=False))
    parts = [
        _element(
            "circle", tip=group, cx=x[row], cy=y[row], r=2.6, fill=colours.get(group, _OTHER_CHANNEL), opacity=0.55
        )
        for row, group in enumerate(groups)
    ]
    for row, address in pictures.items():
        side = 44
        parts.append(
            _element("image", tip=groups[row], href=address, x=x[row] - side / 2, y=y[row] - side / 2, width=side,
                     height=side, class_="particle")
        )  # fmt: skip
    for number, (name, colour) in enumerate(colours.items()):
        left = 30 + (number % 4) * (width - 60) / 4
        top = height - 34 + (number // 4) * 20
        parts.append(_element("circle", cx=left, cy=top, r=5, fill=colour))
        parts.append(_element("text", short_label(name, largest), class_="label", x=left + 10, y=top + 4))
    return _drawing("map", "particles by likeness", width, height, parts)


def range_plot(rows: Mapping[str, tuple[float, float, float, str]], *, width: int = 640) -> str:
    """Draw differences with their intervals, one below the other.

    Parameters
    ----------
    rows
        Name → value, low end, high end (fractions of 1), colour.
    """
    left, right, line = 300, 60, 24
    ends = [end for _, low, high, _ in rows.values() for end in (low, high)]
    least, greatest = min([0.0, *ends]) * 1.1, max([0.01, *ends]) * 1.1

    def x(value: float) -> float:
        return left + (value - least) / (greatest - least) * (width - left - right)

    height = line * len(rows) + 10
    parts = [_element("line", class_="zero", x1=x(0), x2=x(0), y1=0, y2=height)]
    for number, (name, (value, low, high, colour)) in enumerate(rows.items()):
        y = 5 + line * number + line / 2
        parts.append(_element("text", name, class_="label end", x=left - 12, y=y + 4))
        parts.append(_element("line", class_="range", x1=x(low), x2=x(high), y1=y, y2=y, stroke=colour))
        parts.append(_element("circle", cx=x(value), cy=y, r=4.5, fill=colour))
        parts.append(_element("text", f"{value * 100:+.1f}", class_="value", x=x(high) + 9, y=y + 4))
    return _drawing("ranges", "differences with their intervals", width, height, parts)


def _points(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _element(kind: str, text: str = "", *, tip: str = "", **attributes: str | float) -> str:
    """Write one SVG element; a trailing underscore of an attribute is dropped, others become hyphens."""
    pairs = "".join(f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"' for name, value in attributes.items())
    inside = escape(text) + (f"<title>{escape(tip)}</title>" if tip else "")
    return f"<{kind}{pairs}>{inside}</{kind}>" if inside else f"<{kind}{pairs}/>"


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:.1f}".removesuffix(".0") if abs(value) >= 1 else f"{value:.2g}"


def _drawing(kind: str, title: str, width: float, height: float, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    head = f'<svg class="{kind}" xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">'
    return "".join([head, *parts, "</svg>"])
