"""Small drawings written as SVG by hand: no library, sharp at any size, a few kilobytes each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

__all__ = ["drawing", "element", "line_points", "profile_plot"]

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


def profile_plot(profile: NDArray[np.float32], channels: Sequence[str], *, width: int = 150, height: int = 46) -> str:
    """Draw a profile as a small plot, a line a channel, the signal on a logarithmic scale; without curvature."""
    values = np.log1p(np.maximum(np.nan_to_num(profile), 0))
    drawn = [row for row, name in enumerate(channels) if not name.lower().startswith("curv")]
    greatest = max((float(values[row].max(initial=0)) for row in drawn), default=1.0) or 1.0
    length = values.shape[1]
    every = range(0, length, max(1, length // width))
    parts = []
    for row in drawn:
        line = (
            (2 + place / max(length - 1, 1) * (width - 4), height - 3 - values[row, place] / greatest * (height - 6))
            for place in every
        )
        colour = next((one for part, one in _CHANNEL_COLOURS if part in channels[row].lower()), _OTHER_CHANNEL)
        parts.append(
            element(
                "polyline", tip=channels[row], points=line_points(line), stroke=colour, stroke_width=1.3, fill="none"
            )
        )
    return drawing("profile", "profile", width, height, parts)


def drawing(kind: str, title: str, width: float, height: float, parts: Sequence[str]) -> str:
    """Put elements into one SVG drawing of a class (for the style) and with a title (for those who cannot see it)."""
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    head = f'<svg class="{kind}" xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">'
    return "".join([head, *parts, "</svg>"])


def element(kind: str, text: str = "", *, tip: str = "", **attributes: str | float) -> str:
    """Write one SVG element; a trailing underscore of an attribute is dropped, others become hyphens."""
    pairs = "".join(f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"' for name, value in attributes.items())
    inside = escape(text) + (f"<title>{escape(tip)}</title>" if tip else "")
    return f"<{kind}{pairs}>{inside}</{kind}>" if inside else f"<{kind}{pairs}/>"


def line_points(places: Iterable[tuple[float, float]]) -> str:
    """Write places as the points of a line or polygon."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:.1f}".removesuffix(".0") if abs(value) >= 1 else f"{value:.2g}"
