"""Commands that judge: evaluate, demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter

from seston.cli.judged import judged, naming_table
from seston.cli.judging_features import few_shot, linear_probe
from seston.cli.judging_ranks import ranks
from seston.cli.judging_texts import zero_shot
from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson, Existing, Fold, JudgedModel, Labelled, ModelName, Overwrite, ReportFolder

__all__ = ["demo", "evaluate", "gallery_knn", "ood", "retrieval"]

evaluate = App(
    name="evaluate",
    help="Measure how well particles are named or matched.",
    group_commands=Group("Protocols"),
    group_parameters=Group("Options"),
)
evaluate.command(ranks, name="ranks")
evaluate.command(few_shot, name="few-shot")
evaluate.command(linear_probe, name="linear-probe")
evaluate.command(zero_shot, name="zero-shot")


@evaluate.command(name="gallery-knn")
def gallery_knn(
    data: Labelled,
    /,
    *,
    model: Annotated[tuple[ModelName, ...], Parameter(negative=(), show_default=False)] = (),
    protocol: Literal["seston", "paper"] = "seston",
    n: Annotated[tuple[int, ...], Parameter(name="-n", negative=())] = (1, 2, 4, 8, 16),
    k: Annotated[int, Parameter(name="-k")] = 3,
    repeats: int = 5,
    split: str | None = None,
    fold: Fold = 0,
    classifier: str = "soft-lda",
    seed: int = 0,
    baselines: bool = True,
    to: ReportFolder = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Name labelled particles by small galleries of others, and say how often the name is right.

    Parameters
    ----------
    model
        The folder of a run, or a word for what needs no training: classical, box, or a released image-text model (see:
        seston models list); without one only chance and the classical features are measured. For the protocol of the
        paper, one run for each fold may be given.
    protocol
        Our own (the same queries for every gallery size), or exactly that of the paper.
    n
        Labelled particles of each class in the gallery; may be given several times.
    k
        Neighbours that vote in the paper's rule.
    repeats
        Galleries drawn for each size.
    split
        Take galleries from the training part and queries from the test part of this saved split.
    classifier
        The rule by which the model names: soft-lda, shrinkage-lda, knn or centroid.
    seed
        The same seed draws the same galleries.
    baselines
        Measure chance, an untrained encoder and classical features beside the model.
    """
    from seston.evaluation import gallery_knn as measure
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        found = measure(
            data,
            model=model or None,
            protocol=protocol,
            n=n,
            k=k,
            repeats=repeats,
            split=split,
            fold=fold,
            classifier=classifier,
            seed=seed,
            baselines=baselines,
            to=to,
            overwrite=overwrite,
            progress=progress,
        )
    return judged(found, naming_table(found))


@evaluate.command(name="retrieval")
def retrieval(
    data: Existing,
    /,
    *,
    model: ModelName,
    split: str | None = None,
    fold: Fold = 0,
    seed: int = 0,
    baselines: bool = True,
    to: ReportFolder = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Search the profile of each picture among all profiles, and the picture of each profile; no labels are needed.

    Parameters
    ----------
    data
        The folder of a data set with pairs of pictures and profiles.
    model
        The folder of a run, or the word classical: measured features, aligned by their pairs.
    split
        Search among the test part of this saved split.
    seed
        Of the shuffled pairs that show what chance gives.
    baselines
        Measure shuffled pairs and an untrained encoder beside the model.
    """
    from seston.evaluation import retrieval as measure
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        found = measure(
            data,
            model=model,
            split=split,
            fold=fold,
            seed=seed,
            baselines=baselines,
            to=to,
            overwrite=overwrite,
            progress=progress,
        )
    columns = ("method", "direction", "depth", "recall", "low", "high", "chance", "candidates")
    rows = [tuple(getattr(row, column) for column in columns) for row in found.retrieval]
    return judged(found, Table(columns, rows, title=found.title))


@evaluate.command(name="ood")
def ood(
    data: Labelled,
    /,
    *,
    model: JudgedModel,
    leave_out: int | None = None,
    n: Annotated[int, Parameter(name="-n")] = 16,
    repeats: int = 5,
    split: str | None = None,
    fold: Fold = 0,
    classifier: str = "soft-lda",
    seed: int = 0,
    baselines: bool = True,
    detectors: bool = True,
    to: ReportFolder = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Leave species out of the gallery, and say how well their particles are told from those that it knows.

    Parameters
    ----------
    leave_out
        How many species the gallery lacks: a quarter of them if not given.
    n
        Gallery particles of each of the others.
    repeats
        Draws; in each other species are left out.
    split
        Take galleries from the training part and queries from the test part of this saved split.
    classifier
        The rule by which the gallery names: soft-lda, shrinkage-lda, knn or centroid.
    seed
        The same seed leaves out the same species.
    baselines
        Show chance, other scores, an untrained encoder and classical features beside the model.
    detectors
        Show the usual detectors beside it: MSP, max-logit, energy, Mahalanobis, KL-matching, ReAct, ViM, k-NN distance.
    """
    from seston.evaluation import ood as measure
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        found = measure(
            data,
            model=model,
            leave_out=leave_out,
            n=n,
            repeats=repeats,
            split=split,
            fold=fold,
            classifier=classifier,
            seed=seed,
            baselines=baselines,
            detectors=detectors,
            to=to,
            overwrite=overwrite,
            progress=progress,
        )
    columns = ("method", "score", "gallery-query", "AUROC", "FPR95", "turned away", "lost", "accuracy")
    rows = [
        (
            row.method,
            row.score,
            f"{row.gallery}-{row.query}",
            row.auroc,
            row.fpr95,
            row.turned_away,
            row.lost,
            row.accuracy,
        )
        for row in found.open_set
    ]
    return judged(found, Table(columns, rows, title=found.title))


def demo(
    *,
    data: Existing | None = None,
    to: Path = Path("seston-demo"),
    minutes: float | None = None,
    seed: int = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Show the whole path, from instrument files to a report.

    Simulates instrument files (or takes yours), imports them, trains, makes a gallery, measures how often names are
    right, and names a fresh measurement. Stopped half-way, the same command goes on where it stood.

    Parameters
    ----------
    data
        Instrument files of your own in place of simulated ones; with labels they go the whole path.
    to
        The folder to write everything into.
    minutes
        How long to train: 3 if not given.
    seed
        Of simulation, training and galleries.
    """
    from seston.evaluation import demo as run_demo
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        result = run_demo(data=data, to=to, minutes=minutes, seed=seed, overwrite=overwrite, progress=progress)
    of = f" ({result.simulated})" if result.simulated else ""
    rows = [(combination, f"{100 * accuracy:.1f}") for combination, accuracy in result.accuracy.items()]
    fresh = result.fresh_accuracy
    return Outcome(
        document={
            "report": str(result.report),
            "accuracy": result.accuracy,
            "seconds": result.seconds,
            "steps": result.steps,
            "fresh_accuracy": fresh,
            "simulated": result.simulated,
            "notes": list(result.notes),
        },
        blocks=(
            Table(("gallery-query", f"accuracy{of}, %"), rows),
            *(() if fresh is None else (f"A fresh measurement: {100 * fresh:.1f} % of the names are right{of}.",)),
            f"Report: {result.report} (after {result.seconds:.0f} s)",
        ),
        notes=tuple(f"note: {note}" for note in result.notes),
    )
