"""The command that compares recipes."""

from __future__ import annotations

from pathlib import Path

from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson, Changes, Existing

__all__ = ["compare"]


def compare(
    recipes: tuple[str, ...],
    /,
    *,
    data: Existing,
    split: str,
    to: Path,
    fold: int = 0,
    seeds: int = 3,
    minutes: float | None = None,
    epochs: int | None = None,
    per_class: int | None = None,
    changes: Changes = (),
    as_json: AsJson = False,
) -> Outcome:
    """Train recipes with several seeds each and compare how well they name the test part of a split.

    Pictures, classes, tower, augmentation and budget are those of the first recipe. A comparison that was killed goes
    on where it stood when it is run again.

    Parameters
    ----------
    recipes
        Two names of recipes or more (see: seston recipes list), or paths of recipe files.
    data
        The folder of a data set with labels.
    split
        A saved split: learn from its training part, ask about its test part.
    to
        The folder of the runs and of the report.
    fold
        Which fold of the split.
    seeds
        How many trainings of each recipe.
    minutes
        Stop each training after so many minutes.
    epochs
        Stop each training after so many passes over the data.
    per_class
        At most so many particles of each class in the galleries of recipes without a head.
    """
    from seston.training.shared import shared_recipes

    shared_recipes(recipes, changes, minutes, epochs)  # a wrong recipe or key is refused before torch loads
    from seston.evaluation import compare_recipes
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        found = compare_recipes(
            data,
            recipes,
            split=split,
            to=to,
            fold=fold,
            seeds=seeds,
            minutes=minutes,
            epochs=epochs,
            per_class=per_class,
            changes=changes,
            progress=progress,
        )
    from dataclasses import asdict

    columns = ("recipe", "by", "rank", "particles", "taxa", "macro-F1", "95 %", "balanced", "difference", "95 %")
    rows = [
        (
            row.recipe,
            row.by,
            row.rank,
            row.particles,
            row.taxa,
            f"{100 * row.macro_f1:.1f}",
            f"{100 * row.macro_f1_low:.1f}–{100 * row.macro_f1_high:.1f}",
            f"{100 * row.balanced_accuracy:.1f}",
            f"{100 * row.difference:+.1f}",
            f"{100 * row.difference_low:+.1f} – {100 * row.difference_high:+.1f}",
        )
        for row in found.rows
    ]
    return Outcome(
        document={
            "rows": [asdict(row) for row in found.rows],
            "report": str(found.evaluation.report),
            "notes": list(found.evaluation.notes),
        },
        blocks=(Table(columns, rows, title=f"{found.evaluation.title}, %"), f"Report: {found.evaluation.report}"),
        notes=tuple(f"note: {note}" for note in found.evaluation.notes),
    )
