"""From answers to figures: means over seeds, and what one arm has over another, with paired intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.metrics import bootstrap, interval

__all__ = ["Answers", "Line", "lines_of", "to_markdown"]

Answers = Mapping[str, Mapping[str, Mapping[int, NDArray[np.bool_]]]]
"""What was asked → arm → seed → which queries were answered rightly, shape (draws, queries)."""


@dataclass(frozen=True)
class Line:
    """One arm on one question; fractions of 1."""

    asked: str
    arm: str
    right: float
    low: float
    high: float
    against: str = ""
    """The arm that it is compared with, on the same queries, galleries and seeds; empty where there is none."""
    gain: float = 0.0
    gain_low: float = 0.0
    gain_high: float = 0.0
    seeds: int = 0


def lines_of(answers: Answers, base: str) -> Iterator[Line]:
    """Compare all arms with one of them, question by question; where that one has no answer, with the first that has.

    Intervals are percentile bootstrap intervals of 95 %: queries, training seeds, and galleries within a seed are
    resampled, and both arms share what is drawn.
    """
    for asked, of_arms in answers.items():
        rival = base if base in of_arms else next(iter(of_arms))
        for arm, of_seeds in of_arms.items():
            common = sorted(set(of_seeds) & set(of_arms[rival]))
            seeds = common if common and arm != rival else sorted(of_seeds)
            tables = [np.concatenate([of_seeds[seed] for seed in seeds])]
            if common and arm != rival:
                tables.append(np.concatenate([of_arms[rival][seed] for seed in seeds]))
            groups = [seed for seed in seeds for _ in range(len(of_seeds[seed]))]
            right = np.stack(tables).astype(np.float32)
            drawn = bootstrap(right, groups=groups)
            low, high = interval(drawn[0])
            line = Line(asked, arm, float(right[0].mean()), low, high, seeds=len(seeds))
            if len(tables) > 1:
                gain_low, gain_high = interval(drawn[0] - drawn[1])
                gain = float(right[0].mean() - right[1].mean())
                line = Line(
                    asked, arm, line.right, low, high, rival, gain, gain_low, gain_high, seeds=len(seeds)
                )  # fmt: skip
            yield line


def to_markdown(lines: list[Line]) -> str:
    """Write lines as a table in per cent; a gain whose interval holds 0 is marked ≈."""
    rows = ["| asked | arm | right | gain | over | seeds |", "| --- | --- | --- | --- | --- | --- |"]
    for line in lines:
        gain = ""
        if line.against:
            level = "" if line.gain_low > 0 or line.gain_high < 0 else " ≈"
            gain = f"{100 * line.gain:+.1f} [{100 * line.gain_low:+.1f}, {100 * line.gain_high:+.1f}]{level}"
        right = f"{100 * line.right:.1f} [{100 * line.low:.1f}, {100 * line.high:.1f}]"
        rows.append(f"| {line.asked} | {line.arm} | {right} | {gain} | {line.against} | {line.seeds} |")
    return "\n".join(rows) + "\n"
