"""Commands about what labels mean: taxonomy resolve."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App, Group

from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson

__all__ = ["resolve", "taxonomy"]

taxonomy = App(
    name="taxonomy",
    help="Say what labels mean.",
    group_commands=Group("Taxonomy"),
    group_parameters=Group("Options"),
)


@taxonomy.command
def resolve(label: str, /, *labels: str, source: str = "", as_json: AsJson = False) -> Outcome:
    """Say what labels mean: accepted name, rank, lineage, AphiaID, kind, stage, part, and how sure that is.

    Parameters
    ----------
    label
        A label, or a text file with one label a line.
    labels
        More labels.
    source
        The collection that they come from; the same words mean different things in different ones.
    """
    from seston.taxonomy import resolve as resolve_labels

    asked = [line for one in (label, *labels) for line in _lines(one)]
    taxa = resolve_labels(asked, source=source)
    rows = [(one.raw_label, one.name, one.rank, one.kind, one.stage, one.part, one.how, one.confidence) for one in taxa]
    return Outcome(
        document={"labels": taxa},
        blocks=(Table(("label", "name", "rank", "kind", "stage", "part", "how", "confidence"), rows),),
    )


def _lines(label: str) -> list[str]:
    """Give the lines of the file of that name, or else the label itself."""
    path = Path(label)
    if not path.is_file():
        return [label]
    return [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
