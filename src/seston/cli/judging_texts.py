"""The command that judges naming by texts alone."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from seston.cli.judged import judged
from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson, Fold, Labelled, ModelName, Overwrite, ReportFolder

__all__ = ["zero_shot"]

_COLUMNS = ("part", "rank", "particles", "texts", "macro-F1", "95 %", "commonest", "permuted", "p", "untrained", "best")


def zero_shot(
    data: Labelled,
    /,
    *,
    model: ModelName,
    split: str | None = None,
    fold: Fold = 0,
    classes: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    templates: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    permutations: int = 1000,
    untrained: int = 20,
    seed: int = 0,
    to: ReportFolder = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Name pictures by the closest text, classes that training saw and others, and judge that rank by rank.

    Parameters
    ----------
    model
        The folder of a run that was trained with texts (recipes clip-text, siglip-text), or a pretrained image-text
        model: bioclip or another short name (see: seston models list), open-clip:FOLDER, or
        open-clip:hf-hub:ORGANISATION/NAME.
    split
        Ask about the test part of this saved split.
    classes
        A taxon to choose from, in place of those that occur; may be given several times.
    templates
        A kind of text: scientific, common, lineage or photo; may be given several times. Those of the training if not
        given; lineage for a pretrained model.
    permutations
        How many times the texts are dealt out anew among the classes.
    untrained
        How many sets of random weights of the text tower are measured beside it.
    seed
        Of permutations, random weights and resamples.
    """
    from seston.evaluation import zero_shot as measure
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        found = measure(
            data,
            model=model,
            split=split,
            fold=fold,
            classes=classes,
            templates=templates,
            permutations=permutations,
            untrained=untrained,
            seed=seed,
            to=to,
            overwrite=overwrite,
            progress=progress,
        )
    rows = [
        (
            row.part,
            row.rank,
            row.particles,
            row.classes,
            _percent(row.macro_f1),
            f"{_percent(row.macro_f1_low)}–{_percent(row.macro_f1_high)}",
            _percent(row.most_frequent),
            _percent(row.permuted),
            None if row.p_value is None else f"{row.p_value:.3f}",
            _percent(row.untrained),
            _percent(row.untrained_best),
        )
        for row in found.zero_shot
    ]
    return judged(found, Table(_COLUMNS, rows, title=f"{found.title}, %"))


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f}"
