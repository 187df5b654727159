"""What commands that judge give back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.cli.output import Outcome, Table

if TYPE_CHECKING:
    from seston.evaluation import Evaluation

__all__ = ["judged", "naming_table", "rank_table"]

_ROWS = {
    "retrieval": "retrieval",
    "ood": "open_set",
    "ranks": "ranks",
    "linear-probe": "ranks",
    "zero-shot": "zero_shot",
}
"""Protocol → the rows of the evaluation that it fills, where they are not ``rows``."""


def rank_table(found: Evaluation) -> Table:
    """Show the figures of all particles, a line a method and rank."""
    columns = (
        "method",
        "rank",
        "particles",
        "taxa",
        "macro-F1",
        "95 %",
        "precision",
        "recall",
        "balanced",
        "abstained",
    )
    rows = [
        (
            row.method,
            row.rank,
            row.particles,
            row.taxa,
            f"{100 * row.macro_f1:.1f}",
            f"{100 * row.macro_f1_low:.1f}–{100 * row.macro_f1_high:.1f}",
            f"{100 * row.macro_precision:.1f}",
            f"{100 * row.macro_recall:.1f}",
            f"{100 * row.balanced_accuracy:.1f}",
            f"{100 * row.abstained:.1f}",
        )
        for row in found.ranks
        if row.part == "all"
    ]
    return Table(columns, rows, title=f"{found.title}, %")


def judged(found: Evaluation, table: Table) -> Outcome:
    """Give an evaluation as the outcome of a command."""
    from seston.evaluation.report import evaluation_document

    document = evaluation_document(found)
    report = None if found.report is None else str(found.report)
    rows = document[_ROWS.get(found.protocol, "rows")]
    made_up = f"These particles are {found.simulated}. " if found.simulated else ""
    where = "" if report is None else f"Report: {report}"
    left_out = [f"left out: {label}: {reason}" for label, reason in found.left_out.items()]
    return Outcome(
        document={**document, "rows": rows, "report": report},
        blocks=(table, *(text for text in (f"{made_up}{where}".strip(),) if text)),
        notes=(*(f"note: {note}" for note in found.notes), *left_out),
    )


def naming_table(found: Evaluation) -> Table:
    """Show one line a method and combination, with a column for each gallery size."""
    sizes = sorted({row.n for row in found.rows})
    cells: dict[tuple[str, str, str], dict[int, str]] = {}
    for row in found.rows:
        if row.method == "chance" and row.gallery != row.query:
            continue  # chance is chance, whatever is asked: three lines of it do
        key = (row.method, row.classifier, f"{row.gallery}-{row.query}")
        cells.setdefault(key, {})[row.n] = f"{100 * row.accuracy:.1f} ± {100 * (row.accuracy_sd or 0):.1f}"
    columns = ("method", "rule", "gallery-query", *(f"n = {size}" for size in sizes))
    return Table(columns, [(*key, *(by.get(size) for size in sizes)) for key, by in cells.items()], title="Accuracy, %")
