"""The table and the plot of the benchmark of ``seston suggest``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.metrics import bootstrap_runs, interval
from seston.recognition.drawing import drawing, element, line_points
from suggesting.strategies import OURS, RANDOM

__all__ = ["Trial", "write_plot", "write_table"]

_COLOURS = {
    "seston suggest": "#0b6e8a", "random": "#8a8f98", "random, balanced by predicted class": "#b9bec4",
    "margin": "#d1603d", "k-centre": "#c99a1b", "TypiClust": "#7a5ba6", "BADGE": "#6b7f3a", "ProbCover": "#4d8fcc",
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One annotator, asked by one strategy."""

    case: str
    seed: int
    strategy: str
    macro_f1: list[float]
    """After each round."""
    known: list[int]
    """Classes with a label after each round."""

    @property
    def key(self) -> tuple[str, int, str]:
        return self.case, self.seed, self.strategy


def write_table(trials: Sequence[Trial], path: Path, *, labels: int) -> None:
    """Write macro-F1 (percent) after each round, and the paired difference to random choice after the last."""
    lines = []
    for case in dict.fromkeys(trial.case for trial in trials):
        by_seed = _tables(trials, case)
        rounds = next(iter(by_seed.values())).shape[1]
        seeds = len(next(iter(by_seed.values())))
        lines += [f"**{case}** ({seeds} seeds)", "", _row(["asked by", *(f"{labels * (one + 1)} labels" for one in range(rounds)), "classes known", "more than random, after all (95 %)"])]  # fmt: skip  # noqa: E501
        lines.append(_row(["---"] * (rounds + 3)))
        for name, values in by_seed.items():
            known = np.mean([trial.known[-1] for trial in trials if (trial.case, trial.strategy) == (case, name)])
            means = [f"{value * 100:.1f}" for value in values.mean(axis=0)]
            shown = f"**{name}**" if name == OURS else name
            lines.append(_row([shown, *means, f"{known:.1f}", _difference(by_seed, name)]))
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")


def _tables(trials: Sequence[Trial], case: str) -> dict[str, NDArray[np.float64]]:
    """Give macro-F1 by strategy, shape (seeds, rounds), the same seeds in all."""
    of_case = [trial for trial in trials if trial.case == case]
    names = list(dict.fromkeys(trial.strategy for trial in of_case))
    found = {trial.key[1:]: trial.macro_f1 for trial in of_case}
    seeds = [seed for seed in sorted({trial.seed for trial in of_case}) if all((seed, name) in found for name in names)]
    return {name: np.array([found[seed, name] for seed in seeds]) for name in names}


def _difference(by_seed: dict[str, NDArray[np.float64]], name: str) -> str:
    if name == RANDOM or RANDOM not in by_seed:
        return ""
    more = (by_seed[name] - by_seed[RANDOM])[:, -1] * 100
    low, high = interval(bootstrap_runs(more.tolist()))
    return f"{more.mean():+.1f} ({low:+.1f} to {high:+.1f})"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def write_plot(trials: Sequence[Trial], path: Path, *, labels: int, width: int = 330, height: int = 250) -> None:
    """Draw macro-F1 over the number of labels, a panel a case and a line a strategy."""
    cases = list(dict.fromkeys(trial.case for trial in trials))
    columns = min(3, len(cases))
    parts = [element("rect", x=0, y=0, width=columns * width, height=9999, fill="white")]
    for number, case in enumerate(cases):
        corner = (number % columns) * width, (number // columns) * height
        parts += _panel(_tables(trials, case), case, corner, (width, height), labels)
    bottom = -(-len(cases) // columns) * height
    for number, name in enumerate(_COLOURS):
        x, y = 20 + (number % 4) * 270, bottom + 16 + (number // 4) * 22
        parts.append(element("line", x1=x, x2=x + 22, y1=y - 4, y2=y - 4, stroke=_COLOURS[name], stroke_width=3))
        parts.append(element("text", name, x=x + 28, y=y, font_size=13))
    style = element("style", "text{font-family:sans-serif;fill:#33424a}")
    text = drawing("suggest", "macro-F1 over labels", max(columns * width, 1080), bottom + 50, [style, *parts])
    path.write_text(text, encoding="utf-8")


def _panel(
    by_seed: dict[str, NDArray[np.float64]], case: str, corner: tuple[int, int], size: tuple[int, int], labels: int
) -> list[str]:
    left, right, top, bottom = corner[0] + 42, corner[0] + size[0] - 14, corner[1] + 34, corner[1] + size[1] - 34
    rounds = next(iter(by_seed.values())).shape[1]

    def place(number: int, value: float) -> tuple[float, float]:
        return left + number / max(rounds - 1, 1) * (right - left), bottom - value * (bottom - top)

    parts = [element("text", case, x=left, y=top - 14, font_size=14, font_weight="bold")]
    for percent in range(0, 101, 20):
        y = place(0, percent / 100)[1]
        parts.append(element("line", x1=left, x2=right, y1=y, y2=y, stroke="#e3e8ea"))
        parts.append(element("text", str(percent), x=left - 6, y=y + 4, font_size=11, text_anchor="end"))
    for one in range(rounds):
        x = place(one, 0)[0]
        parts.append(element("text", str(labels * (one + 1)), x=x, y=bottom + 16, font_size=11, text_anchor="middle"))
    for name, values in sorted(by_seed.items(), key=lambda item: item[0] == OURS):
        line = line_points(place(one, float(value)) for one, value in enumerate(values.mean(axis=0)))
        thick = 3.2 if name == OURS else 1.6
        parts.append(element("polyline", tip=name, points=line, fill="none", stroke=_COLOURS[name], stroke_width=thick))
    return parts
