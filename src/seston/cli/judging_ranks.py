"""The command that judges names rank by rank."""

from __future__ import annotations

from typing import Literal

from seston.cli.judged import judged, rank_table
from seston.cli.output import Outcome
from seston.cli.words import AsJson, Existing, Fold, Labelled, ModelName, Overwrite, ReportFolder

__all__ = ["ranks"]


def ranks(
    data: Labelled,
    /,
    *,
    predictions: Existing | None = None,
    gallery: Existing | None = None,
    model: ModelName | None = None,
    per_class: int | None = None,
    split: str | None = None,
    fold: Fold = 0,
    rule: Literal["known-ranks", "first-words"] = "known-ranks",
    classifier: str = "soft-lda",
    seed: int = 0,
    map_by: Literal["kingdom", "phylum", "class", "order", "family", "genus", "species"] | None = None,
    to: ReportFolder = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Say how often names are right at each rank, from kingdom to species, in all and by source and instrument.

    Parameters
    ----------
    predictions
        A file of names, as identify writes it.
    gallery
        Name by this gallery; its own particles are not asked about.
    model
        Name by this run: by its head where it is a supervised one, else by a gallery of the split's training part made
        with it (or with the word classical).
    per_class
        At most so many particles of each label in that gallery.
    split
        Ask about the test part of this saved split.
    rule
        known-ranks: a particle counts at a rank only where its label has that rank. first-words: as Planktonzilla was
        evaluated, lineages as strings cut to their first words.
    classifier
        The rule by which that gallery names: soft-lda, shrinkage-lda, knn or centroid.
    seed
        Of the gallery and of the resamples.
    map_by
        Draw the particles by the gallery's vectors into the report, coloured by their taxa of this rank.
    """
    from seston.evaluation import ranks as measure
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        found = measure(
            data,
            predictions=predictions,
            gallery=gallery,
            model=model,
            per_class=per_class,
            split=split,
            fold=fold,
            rule=rule,
            classifier=classifier,
            seed=seed,
            map_by=map_by,
            to=to,
            overwrite=overwrite,
            progress=progress,
        )
    return judged(found, rank_table(found))
