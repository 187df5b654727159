"""Commands that judge features by simple rules: few-shot, linear-probe."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from seston.cli.judged import judged, naming_table, rank_table
from seston.cli.output import Outcome
from seston.cli.words import AsJson, Fold, JudgedModel, Labelled, Overwrite, ReportFolder

__all__ = ["few_shot", "linear_probe"]


def few_shot(
    data: Labelled,
    /,
    *,
    model: JudgedModel,
    k: Annotated[tuple[int, ...], Parameter(name="-k", negative=())] = (1, 5, 10),
    repeats: int = 5,
    split: str | None = None,
    fold: Fold = 0,
    seed: int = 0,
    baselines: bool = True,
    to: ReportFolder = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Name particles by the nearest mean of a few labelled ones of each class (SimpleShot).

    Parameters
    ----------
    k
        Labelled particles of each class; may be given several times.
    repeats
        Supports drawn for each, by other seeds.
    split
        Draw the support from the training part, and ask about the test part, of this saved split.
    seed
        The same seed draws the same supports.
    baselines
        Measure an untrained encoder, classical features and chance beside the model.
    """
    from seston.evaluation import few_shot as measure
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        found = measure(
            data,
            model=model,
            k=k,
            repeats=repeats,
            split=split,
            fold=fold,
            seed=seed,
            baselines=baselines,
            to=to,
            overwrite=overwrite,
            progress=progress,
        )
    return judged(found, naming_table(found))


def linear_probe(
    data: Labelled,
    /,
    *,
    model: JudgedModel,
    most: int = 20_000,
    split: str | None = None,
    fold: Fold = 0,
    seed: int = 0,
    baselines: bool = True,
    to: ReportFolder = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Say how much of the labels a linear rule finds in the features of a model, by label and rank.

    Parameters
    ----------
    most
        Learn from at most so many particles.
    split
        Learn from the training part, and ask about the test part, of this saved split.
    seed
        Of what is drawn, and of the resamples.
    baselines
        Probe an untrained encoder and classical features beside the model.
    """
    from seston.evaluation import linear_probe as measure
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        found = measure(
            data,
            model=model,
            most=most,
            split=split,
            fold=fold,
            seed=seed,
            baselines=baselines,
            to=to,
            overwrite=overwrite,
            progress=progress,
        )
    return judged(found, rank_table(found))
