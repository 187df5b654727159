"""Plots of the report, written as SVG by hand: no library, sharp at any size, a few kilobytes each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.recognition.drawing import drawing, element, line_points

__all__ = [
    "COLOURS",
    "Line",
    "accuracy_plot",
    "confusion_plot",
    "coverage_plot",
    "map_plot",
    "range_plot",
    "short_label",
]

COLOURS = ("#0b6e8a", "#d1603d", "#c99a1b", "#6b7f3a", "#7a5ba6", "#4d8fcc", "#a8577e", "#8a8f98")
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

    parts = [element("text", title, class_="plot-title", x=left, y=17)]
    for percent in range(0, 101, 20):
        level = y(percent / 100)
        parts.append(element("line", class_="grid", x1=left, x2=width - right, y1=level, y2=level))
        parts.append(element("text", str(percent), class_="tick end", x=left - 6, y=level + 4))
    parts += [element("text", str(n), class_="tick middle", x=x(n), y=height - bottom + 17) for n in sizes]
    middle = (left + width - right) / 2
    parts.append(element("text", "labelled particles of each class", class_="axis middle", x=middle, y=height - 3))
    parts += [_band(line, x, y) for line in sorted(lines, key=lambda one: one.strong)]
    return drawing("plot", title, width, height, parts)


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
        element("polygon", points=line_points(around), fill=line.colour, opacity=0.16 if line.strong else 0.09),
        element(
            "polyline",
            points=line_points((x(n), y(value)) for n, value, _, _ in points),
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
        parts.append(element("circle", tip=tip, cx=x(n), cy=y(value), r=radius, fill=line.colour))
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
        parts.append(element("line", class_="grid", x1=left, x2=width - right, y1=level, y2=level))
        parts.append(element("text", str(percent), class_="tick end", x=left - 6, y=level + 4))
        parts.append(element("text", str(percent), class_="tick middle", x=across, y=height - bottom + 17))
    middle = (left + width - right) / 2
    parts.append(element("text", "particles named, %", class_="axis middle", x=middle, y=height - 4))
    for number, (name, points) in enumerate(curves.items()):
        colour, y = colours[number % len(colours)], top + 14 + 20 * number
        line = line_points(place(point) for point in points)
        thick = 2.8 if number == 0 else 1.6
        parts.append(element("polyline", tip=name, points=line, fill="none", stroke=colour, stroke_width=thick))
        parts.append(element("circle", cx=width - right + 18, cy=y - 4, r=5, fill=colour))
        parts.append(element("text", name, class_="label", x=width - right + 28, y=y))
    return drawing("coverage", "accuracy over coverage", width, height, parts)


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
        parts.append(element("text", label, class_="label end", x=left - 6, y=top + middle + 4))
        parts.append(element("text", label, class_="label", transform=turned))
    for row in range(size):
        for column in range(size):
            tip = f"{labels[row]} named {labels[column]}: {share[row, column] * 100:.1f} % ({counts[row, column]})"
            place = left + column * cell, top + row * cell
            parts.append(_cell(float(share[row, column]), row == column, tip, place, cell))
    return drawing("confusion", "confusion of names", left + size * cell + 0.5 * left, top + size * cell + 6, parts)


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
    box = element("rect", tip=tip, x=x, y=y, width=size - 1, height=size - 1, rx=2, fill=colour)
    if size < 20 or share < 0.1:
        return box
    ink = "on-dark" if share > 0.4 else "on-light"
    text = f"{share * 100:.0f}"
    return box + element("text", text, class_=f"count {ink} middle", x=x + size / 2 - 0.5, y=y + size / 2 + 3)


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
        element("circle", tip=group, cx=x[row], cy=y[row], r=2.6, fill=colours.get(group, _OTHER_CHANNEL), opacity=0.55)
        for row, group in enumerate(groups)
    ]
    for row, address in pictures.items():
        side = 44
        parts.append(
            element("image", tip=groups[row], href=address, x=x[row] - side / 2, y=y[row] - side / 2, width=side,
                     height=side, class_="particle")
        )  # fmt: skip
    for number, (name, colour) in enumerate(colours.items()):
        left = 30 + (number % 4) * (width - 60) / 4
        top = height - 34 + (number // 4) * 20
        parts.append(element("circle", cx=left, cy=top, r=5, fill=colour))
        parts.append(element("text", short_label(name, largest), class_="label", x=left + 10, y=top + 4))
    return drawing("map", "particles by likeness", width, height, parts)


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
    parts = [element("line", class_="zero", x1=x(0), x2=x(0), y1=0, y2=height)]
    for number, (name, (value, low, high, colour)) in enumerate(rows.items()):
        y = 5 + line * number + line / 2
        parts.append(element("text", name, class_="label end", x=left - 12, y=y + 4))
        parts.append(element("line", class_="range", x1=x(low), x2=x(high), y1=y, y2=y, stroke=colour))
        parts.append(element("circle", cx=x(value), cy=y, r=4.5, fill=colour))
        parts.append(element("text", f"{value * 100:+.1f}", class_="value", x=x(high) + 9, y=y + 4))
    return drawing("ranges", "differences with their intervals", width, height, parts)
