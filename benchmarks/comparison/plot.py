"""The plot of a comparison: accuracy over gallery size, a panel for each set and combination, as one SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from comparison.contenders import MAIN
from comparison.figures import MAIN_RULE, Cell, Figures
from seston.evaluation.plots import COLOURS, Line, accuracy_plot

__all__ = ["write_plot"]

_COMBINATIONS = ("I-I", "P-P", "IP-IP")
_WIDTH, _HEIGHT, _GAP, _TOP = 380, 270, 14, 92
_LEGEND_COLUMN = 196
_STYLE = """
svg { font-family: "Inter", "Segoe UI", system-ui, sans-serif; } text { fill: #5d6b76; font-size: 11.5px; }
.plot-title { font-size: 14px; font-weight: 620; fill: #22313c; }
.head { font-size: 17px; font-weight: 640; fill: #22313c; }
.grid { stroke: #e2e7ea; stroke-width: 1; } .end { text-anchor: end; } .middle { text-anchor: middle; }
"""


def write_plot(figures: Figures, title: str, path: Path) -> None:
    """Draw the default by soft LDA with its 95 % interval, and all others by whatever rule is best for them there."""
    sets = list(dict.fromkeys(cell.set_name for cell in figures.names))
    methods = sorted({cell.method for cell in figures.names}, key=lambda name: (name != MAIN, name))
    looks = {name: _look(place) for place, name in enumerate(methods)}
    panels = []
    for row, set_name in enumerate(sets):
        for column, what in enumerate(_COMBINATIONS):
            cells = [cell for cell in figures.names if cell.set_name == set_name and cell.what == what]
            lines = [_line(name, cells, *looks[name]) for name in methods if any(one.method == name for one in cells)]
            place = f'x="{column * (_WIDTH + _GAP)}" y="{_TOP + row * (_HEIGHT + _GAP)}"'
            drawing = accuracy_plot(lines, f"{set_name}: {what}", width=_WIDTH, height=_HEIGHT)
            panels.append(drawing.replace("<svg ", f"<svg {place} ", 1))
    width, height = 3 * (_WIDTH + _GAP), _TOP + len(sets) * (_HEIGHT + _GAP)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    paper = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    named = f'<text class="head" x="14" y="26">{escape(title)}</text>'
    text = "".join([head, f"<style>{_STYLE}</style>", paper, named, _legend(looks), *panels, "</svg>"])
    path.write_text(text, encoding="utf-8")


def _look(place: int) -> tuple[str, bool]:
    """Give a colour, and whether the line is dashed: the second round through the colours is."""
    return COLOURS[place % len(COLOURS)], place >= len(COLOURS)


def _line(method: str, cells: Sequence[Cell], colour: str, dashed: bool) -> Line:
    main = method == MAIN
    own = [cell for cell in cells if cell.method == method and (not main or cell.rule == MAIN_RULE)]
    best = [
        max((cell for cell in own if cell.n == n), key=lambda cell: cell.accuracy) for n in {cell.n for cell in own}
    ]
    # Only the default gets its interval as a band: ten bands would hide the lines.
    points = tuple(
        (cell.n, cell.accuracy, cell.low if main else cell.accuracy, cell.high if main else cell.accuracy)
        for cell in best
    )
    return Line(method, colour, points, dashed=dashed, strong=main)


def _legend(looks: dict[str, tuple[str, bool]]) -> str:
    parts = []
    for place, (name, (colour, dashed)) in enumerate(looks.items()):
        x, y = 14 + (place % 6) * _LEGEND_COLUMN, 50 + (place // 6) * 20
        dash = ' stroke-dasharray="4 4"' if dashed else ""
        parts.append(
            f'<line x1="{x}" x2="{x + 24}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}" stroke-width="3"{dash}/>'
        )
        parts.append(f'<text x="{x + 31}" y="{y}">{escape(name)}</text>')
    return "".join(parts)
