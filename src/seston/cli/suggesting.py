"""The command that says which particles to label next: suggest."""

from __future__ import annotations

from pathlib import Path

from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson, Existing, ModelName, Overwrite

__all__ = ["suggest"]


def suggest(
    data: Existing,
    /,
    *,
    gallery: Existing | None = None,
    model: ModelName | None = None,
    n: int = 50,
    to: Path | None = None,
    seed: int = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Say which unlabelled particles' labels would help most.

    Without labels: the most typical particle of each cluster. With some: new clusters first, then what lies between
    two labels, and labels with few particles. Labelled particles are never suggested.

    Parameters
    ----------
    data
        The folder of a data set.
    gallery
        The folder of a gallery: compare by its model. Labels that the data set got since count as well.
    model
        Without a gallery: the folder of a run, or the word classical (measured features), which it is if not given.
    n
        How many particles.
    to
        Write a table with an empty column label into this CSV file, to fill in and give to annotate; and beside it,
        with the ending html, a contact sheet with the pictures.
    seed
        Of very many particles some are drawn; the same seed draws the same.
    """
    from seston.particle import TerminalProgress
    from seston.recognition import suggest as suggest_particles

    with TerminalProgress() as progress:
        result = suggest_particles(
            data, gallery=gallery, model=model, n=n, to=to, seed=seed, overwrite=overwrite, progress=progress
        )
    heading = f"suggested ({result.simulated})" if result.simulated else "suggested"
    rows = [(one.id, one.suggested, one.score, one.why) for one in result.particles]
    sentence = f"{len(rows):,} particles to label, of {result.candidates:,} without a label."
    where = f" Fill in the column label of {result.to} ({result.sheet} shows them)." if result.to else ""
    return Outcome(
        document={
            "particles": result.particles,
            "candidates": result.candidates,
            "labels": dict(result.labels),
            "notes": list(result.notes),
            "simulated": result.simulated,
            "to": result.to,
            "sheet": result.sheet,
        },
        blocks=(Table(("id", heading, "score", "why"), rows), sentence + where),
        notes=tuple(f"note: {note}" for note in result.notes),
    )
