"""Figures by rank on the page of a report: tables and a drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seston.evaluation.plots import COLOURS
from seston.evaluation.rank_tally import RankRow
from seston.evaluation.results import Figure
from seston.recognition.drawing import drawing, element, line_points
from seston.taxonomy import RANKS

__all__ = ["rank_figures", "rank_plot", "rank_tables"]

_COLUMNS = (
    "rank", "particles", "taxa", "macro-F1, %", "95 %", "precision", "recall", "balanced accuracy", "not named",
)  # fmt: skip

Tables = Mapping[str, tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]]


def rank_tables(rows: Sequence[RankRow]) -> Tables:
    """Put rows into tables: what concerns all particles, and the parts."""
    parts = {
        "Rank by rank": ("method", [(row.method, row) for row in rows if row.part == "all"]),
        "By source and instrument": ("particles of", [(row.part, row) for row in rows if row.part != "all"]),
    }
    return {
        title: ((first, *_COLUMNS), tuple((word, *_line(row)) for word, row in some))
        for title, (first, some) in parts.items()
        if some
    }


def _line(row: RankRow) -> tuple[object, ...]:
    def percent(share: float) -> float:
        return round(100 * share, 1)

    def ends(low: float, high: float) -> str:
        return f"{100 * low:.1f} – {100 * high:.1f}"

    return (
        row.rank,
        row.particles,
        row.taxa,
        percent(row.macro_f1),
        ends(row.macro_f1_low, row.macro_f1_high),
        percent(row.macro_precision),
        percent(row.macro_recall),
        percent(row.balanced_accuracy),
        percent(row.abstained),
    )


def rank_figures(rows: Sequence[RankRow]) -> tuple[Figure, ...]:
    """Draw macro-F1 from kingdom to species, a line a method; nothing where there is one rank or none."""
    whole = [row for row in rows if row.part == "all" and row.rank in RANKS]
    if len({row.rank for row in whole}) < 2:
        return ()
    lead = (
        "Macro-F1 in percent, over particles whose label has the rank, with 95 % bootstrap intervals. From the kingdom "
        "to the species names become finer, and the particles that have such a name fewer."
    )
    return (Figure("From kingdom to species", lead, rank_plot(whole)),)


def rank_plot(rows: Sequence[RankRow], *, width: int = 760, height: int = 330) -> str:
    """Draw macro-F1 over ranks, a line with its interval as a band for each method."""
    left, right, top, bottom = 40, 250, 14, 30
    shown = [rank for rank in RANKS if any(row.rank == rank for row in rows)]
    step = (width - left - right) / max(len(shown) - 1, 1)

    def x(rank: str) -> float:
        return left + 4 + shown.index(rank) * step

    def y(share: float) -> float:
        return top + (1 - share) * (height - top - bottom)

    parts = []
    for percent in range(0, 101, 20):
        level = y(percent / 100)
        parts.append(element("line", class_="grid", x1=left, x2=width - right + 8, y1=level, y2=level))
        parts.append(element("text", str(percent), class_="tick end", x=left - 6, y=level + 4))
    parts += [element("text", rank, class_="tick middle", x=x(rank), y=height - bottom + 18) for rank in shown]
    for number, method in enumerate(dict.fromkeys(row.method for row in rows)):
        own = sorted((row for row in rows if row.method == method), key=lambda row: shown.index(row.rank))
        colour = COLOURS[number % len(COLOURS)]
        ends = [(x(row.rank), y(row.macro_f1_high)) for row in own]
        ends += [(x(row.rank), y(row.macro_f1_low)) for row in reversed(own)]
        line = line_points((x(row.rank), y(row.macro_f1)) for row in own)
        thick = 2.8 if number == 0 else 1.6
        parts.append(element("polygon", points=line_points(ends), fill=colour, opacity=0.14))
        parts.append(element("polyline", points=line, fill="none", stroke=colour, stroke_width=thick))
        for row in own:
            tip = f"{method}, {row.rank}: {100 * row.macro_f1:.1f} % of {row.particles:,} particles"
            parts.append(element("circle", tip=tip, cx=x(row.rank), cy=y(row.macro_f1), r=3.2, fill=colour))
        beside = top + 16 + 21 * number
        parts.append(element("circle", cx=width - right + 26, cy=beside - 4, r=5, fill=colour))
        parts.append(element("text", _cut(method), class_="label", x=width - right + 37, y=beside))
    return drawing("ranks", "macro-F1 over ranks", width, height, parts)


def _cut(text: str, longest: int = 34) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
