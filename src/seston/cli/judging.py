"""Commands that judge: evaluate, demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter

from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson, Existing, Overwrite

__all__ = ["demo", "evaluate", "gallery_knn"]

evaluate = App(
    name="evaluate",
    help="Measure how well particles are named or matched.",
    group_commands=Group("Protocols"),
    group_parameters=Group("Options"),
)


@evaluate.command(name="gallery-knn")
def gallery_knn(
    data: Existing,
    /,
    *,
    model: Existing | None = None,
    protocol: Literal["seston", "paper"] = "seston",
    n: Annotated[tuple[int, ...], Parameter(name="-n", negative=())] = (1, 2, 4, 8, 16),
    k: Annotated[int, Parameter(name="-k")] = 3,
    repeats: int = 5,
    split: str | None = None,
    seed: int = 0,
    baselines: bool = True,
    to: Path | None = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Name labelled particles by small galleries of others, and say how often the name is right.

    Parameters
    ----------
    data
        The folder of a data set with labels.
    model
        The folder of a run; without it only chance, an untrained encoder and the classical rows are measured.
    protocol
        Our own (the same queries for each gallery size), or exactly that of the paper.
    n
        Labelled particles of each class in the gallery; may be given several times.
    k
        Neighbours that vote.
    repeats
        Galleries drawn.
    split
        Take galleries from the training part and queries from the test part of this saved split.
    seed
        The same seed draws the same galleries.
    baselines
        Measure chance, an untrained encoder and classical features beside the model.
    to
        Write a report (HTML, JSON, CSV) into this folder.
    """
    from seston.evaluation import gallery_knn as measure
    from seston.particle import TerminalProgress
    from seston.store import open_data_set

    with TerminalProgress() as progress:
        found = measure(
            open_data_set(data),
            model=model,
            protocol=protocol,
            n=n,
            k=k,
            repeats=repeats,
            split=split,
            seed=seed,
            baselines=baselines,
            to=to,
            progress=progress,
        )
    return Outcome(document={"rows": found.rows, "report": found.report, "overwrite": overwrite})


def demo(
    *,
    data: Existing | None = None,
    to: Path = Path("seston-demo"),
    minutes: float | None = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Show the whole path, from instrument files to a report.

    Simulates instrument files (or takes yours), imports them, trains, makes a gallery, measures how often names are
    right, and names a fresh measurement.

    Parameters
    ----------
    data
        Instrument files of your own, with labels, in place of simulated ones.
    to
        The folder to write everything into.
    minutes
        How long to train.
    """
    from seston.evaluation import demo as run_demo
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        result = run_demo(data=data, to=to, minutes=minutes, progress=progress)
    document = {"report": str(result.report), "accuracy": result.accuracy, "seconds": result.seconds}
    rows = [(combination, accuracy) for combination, accuracy in result.accuracy.items()]
    table = Table(("gallery-query", "accuracy"), rows)
    return Outcome(document=document, blocks=(table, f"Report: {result.report}"))
