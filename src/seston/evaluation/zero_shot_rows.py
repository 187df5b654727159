"""The figures of naming by texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ZeroShotRow", "zero_shot_table"]

_COLUMNS = (
    "particles of", "rank", "particles", "texts", "taxa", "macro-F1, %", "95 % interval", "balanced accuracy, %",
    "most frequent taxon, %", "permuted texts, %", "p", "untrained texts, mean, %", "their best, %", "resampled",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroShotRow:
    """How well texts name particles at one rank; figures are fractions of 1."""

    part: str
    """``all``, or particles of classes that texts of the training named (``seen``) or did not (``unseen``)."""
    rank: str
    particles: int
    """Those whose label has this rank."""
    classes: int
    """Texts to choose from."""
    taxa: int
    """Taxa of this rank among the labels."""
    macro_f1: float
    macro_f1_low: float
    """End of the 95 % bootstrap interval."""
    macro_f1_high: float
    balanced_accuracy: float
    accuracy: float
    most_frequent: float
    """Macro-F1 of the most frequent taxon, said of every particle."""
    permuted: float | None
    """Mean macro-F1 with the texts permuted among the classes."""
    p_value: float | None
    """Share of the permutations, the texts as they are among them, that reach the macro-F1."""
    untrained: float | None
    """Mean macro-F1 of the same text tower with random weights."""
    untrained_best: float | None
    """The highest of these."""
    samples: int
    """Samples that were resampled for the interval; 0 where particles were (image-level: optimistic)."""


def zero_shot_table(rows: Sequence[ZeroShotRow]) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
    """Put rows as the report shows them."""

    def percent(share: float | None) -> float | None:
        return None if share is None else round(100 * share, 1)

    return _COLUMNS, tuple(
        (
            row.part,
            row.rank,
            row.particles,
            row.classes,
            row.taxa,
            percent(row.macro_f1),
            f"{100 * row.macro_f1_low:.1f} – {100 * row.macro_f1_high:.1f}",
            percent(row.balanced_accuracy),
            percent(row.most_frequent),
            percent(row.permuted),
            None if row.p_value is None else round(row.p_value, 4),
            percent(row.untrained),
            percent(row.untrained_best),
            f"{row.samples:,} samples" if row.samples else "particles (image-level)",
        )
        for row in rows
    )
