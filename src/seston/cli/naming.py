"""Commands that name and count: gallery, identify, count, doctor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seston.cli.output import Outcome, Table, save_rows, skipped_document, skipped_lines
from seston.cli.words import AsJson, Existing, Flag, ModelName, Overwrite, Several, check_free

if TYPE_CHECKING:
    from seston.recognition import Identification
    from seston.recognition.calibration import Calibration

__all__ = ["count", "doctor", "gallery", "identify"]


def gallery(
    data: Existing,
    /,
    *,
    model: ModelName,
    to: Path,
    per_class: int | None = None,
    split: str | None = None,
    fold: int = 0,
    classifier: str = "soft-lda",
    seed: int = 0,
    as_measured: Flag = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Make a gallery of labelled particles to name others by.

    The gallery holds its model, and works without its data set.

    Parameters
    ----------
    data
        The folder of a data set with labels.
    model
        The folder of a run, or a word for what needs no training: classical (measured features), box (the network that
        comes with Seston, for pictures), or a released image-text model (see: seston models list).
    to
        The folder of the gallery to write.
    per_class
        Take at most so many particles of each label; all of them if not given.
    split
        Take only the training part of this saved split.
    fold
        Which fold of the split.
    classifier
        The rule that gives names: soft-lda, shrinkage-lda, knn (the paper's), or centroid.
    seed
        The same seed picks the same particles.
    as_measured
        Leave every run at its own level. Otherwise the level of each run (gain, focus, scale) is told from its own
        particles, of which it takes 50, and taken away: of these runs, and of those that are named later.
    """
    check_free(to, overwrite=overwrite)
    from seston.evaluation.strangers import limits
    from seston.particle import TerminalProgress
    from seston.recognition import Gallery, choose_model
    from seston.recognition.silent import silent_modalities
    from seston.store import open_data_set

    opened = open_data_set(data)
    with TerminalProgress() as progress:
        made = Gallery.from_dataset(
            opened,
            choose_model(opened, model),
            per_class=per_class,
            split=split,
            fold=fold,
            classifier=classifier,
            seed=seed,
            as_measured=as_measured,
            progress=progress,
        )
    made.save(to, overwrite=overwrite)
    left_out = dict(made.left_out)
    return Outcome(
        document={
            "classes": made.classes,
            "particles": len(made),
            "left_out": left_out,
            "routes": [_route(name, route.calibration) for name, route in made.routes.items()],
            "gallery": str(to),
        },
        blocks=(
            Table(("label", "particles"), list(made.classes.items())),
            Table(*limits(made.routes), "How well its own particles are named by the rest of it"),
            f"Gallery {to}: {len(made):,} particles of {len(made.classes):,} labels.",
        ),
        notes=(
            *(f"left out: {label}: {reason}" for label, reason in left_out.items()),
            *silent_modalities(made.routes),
        ),
    )


def _route(name: str, learnt: Calibration) -> dict[str, Any]:
    votes = dict(learnt.votes)
    return {"route": name, "left_out_and_named": learnt.particles, "accuracy": learnt.accuracy, "votes": votes}


def identify(
    *paths: Several,
    gallery: Existing | None = None,
    model: ModelName | None = None,
    texts: Existing | None = None,
    to: Path | None = None,
    precision: float | None = None,
    unfamiliar: float | None = None,
    threshold: float | None = None,
    annotate: Flag = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Name each particle by a gallery, from its picture, its profile, or both where it has both.

    Each particle gets the likeliest label of the gallery, with a score: how likely the name is right, for particles of
    the gallery's labels. With --precision, --unfamiliar or --threshold doubtful ones are called unknown instead.
    Without a gallery a run that learnt names (--model RUN), or else the model in the box, names pictures, offline: each
    by its label, or by a wider group where that is doubtful. What does not look like the pictures that it learned from
    gets a warning, and a wide group or: unknown.
    With --texts and a model that reads texts (--model bioclip) pictures get the closest of the names that you give.

    Parameters
    ----------
    paths
        Pictures, instrument files and folders of them, or a data set.
    gallery
        The folder of a gallery; names come from the run, or from the model in the box, if not given.
    model
        The folder of the run that the gallery was made with, where the gallery does not hold it. Without a gallery, the
        folder of a run that learnt names; or, with --texts, a released image-text model (see: seston models list; or
        open-clip:FOLDER, or open-clip:hf-hub:ORGANISATION/NAME), or a run that was trained with texts.
    texts
        Names to choose from, without a gallery: a file with one a line, or a data set, whose labels are taken. Scores
        are then not calibrated.
    to
        Write the names into this file as they come: CSV, Parquet or JSON, by its ending.
    precision
        A share, such as 0.95: names of which fewer are likely to be right become: unknown. The gallery's own particles,
        each named by the others, tell from which score on that holds. Without a gallery, held-out particles tell it,
        0.8 is asked for if nothing is said, and such names become a wider group first.
    unfamiliar
        A share, such as 0.05: particles less like the gallery's labels than all but that share of its own become:
        unknown. So are most particles of labels that the gallery lacks. Without a gallery, held-out particles tell it;
        if nothing is said, 0.1 with a run and 0.15 with the model in the box.
    threshold
        Names with a lower score become: unknown.
    annotate
        Add the names to the data set, as predictions.
    """
    from seston.particle import TerminalProgress
    from seston.recognition import identify as name_particles

    with TerminalProgress() as progress:
        result = name_particles(
            list(paths),
            gallery=gallery,
            model=model,
            texts=texts,
            to=to,
            precision=precision,
            unfamiliar=unfamiliar,
            threshold=threshold,
            annotate=annotate,
            overwrite=overwrite,
            progress=progress,
        )
    particles, skipped = result.particles, list(result.skipped)
    names = Counter(one.label or "(not named)" for one in particles)
    by = ", ".join(
        f"{number:,} by {modality}" for modality, number in Counter(one.modality for one in particles).items()
    )
    where = f" Names in {to}." if to else ""
    by_box = gallery is None and texts is None
    counted = Table((_heading("label", result.simulated), "particles"), names.most_common())
    particles_named = "1 particle" if result.count == 1 else f"{result.count:,} particles"
    sentence = f"{particles_named}: {by or 'none'}; {len(skipped):,} skipped.{where}"
    return Outcome(
        document={
            "particles": particles,
            "skipped": skipped_document(skipped),
            "simulated": result.simulated,
            "notes": list(result.notes),
            "seconds": result.seconds,
        },
        blocks=(
            _each(particles) if by_box and result.count <= _SHOWN else counted,
            sentence,
        ),
        notes=(*(f"note: {note}" for note in (*result.notes, *_warnings(particles))), *skipped_lines(skipped)),
        partial=bool(skipped),
    )


def count(
    path: Existing,
    /,
    *,
    by: str = "label",
    to: Path | None = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Count names per sample, and per millilitre where the volume is known.

    Parameters
    ----------
    path
        A data set with labels, or the table that identify wrote.
    by
        label, taxon (labels that mean the same are one), or a rank such as genus or class.
    to
        Write the rows into this CSV file as well.
    """
    if to is not None:
        check_free(to, overwrite=overwrite)
    from seston.recognition import count as count_names

    rows = count_names(path, by=by)
    if to is not None:
        save_rows(to, rows)
    made_up = next((row.simulated for row in rows if row.simulated), "")
    columns = ("sample", _heading(by, made_up), "AphiaID", "n", "per ml", "volume column", "why not per ml")
    table = [(row.sample, row.label, row.aphia_id, row.n, row.per_ml, row.volume_column, row.reason) for row in rows]
    return Outcome(
        document={"rows": rows}, blocks=(Table(columns, table), f"{len(rows):,} rows{f', in {to}' if to else ''}.")
    )


def doctor(path: Existing, /, *, gallery: Existing | None = None, as_json: AsJson = False) -> Outcome:
    """Check whether files belong together.

    Parameters
    ----------
    path
        A data set, or instrument files.
    gallery
        Check against this gallery as well: do the detectors stand where they stood for it?
    """
    from seston.particle import TerminalProgress
    from seston.recognition import doctor as check

    with TerminalProgress() as progress:
        checks = check(path, gallery=gallery, progress=progress)
    words = {True: "ok", False: "not ok", None: "cannot tell"}
    rows = [(words[one.ok], one.name, one.detail) for one in checks]
    failed, untold = (sum(one.ok is what for one in checks) for what in (False, None))
    sentence = f"{len(checks) - failed - untold} checks passed, {failed} failed, {untold} could not be told."
    return Outcome(
        document={"checks": checks},
        blocks=(Table(("", "check", "what was found"), rows), sentence),
        partial=bool(failed),
    )


_SHOWN = 20


def _each(particles: Sequence[Identification]) -> Table:
    """Show what a head says of a few pictures, one a line."""
    rows = [
        (
            one.id,
            one.label or "(not named)",
            one.rank,
            "" if one.score is None else f"{one.score:.2f}",
            "; ".join(f"{name} {score:.2f}" for name, score in _wider(one)),
        )
        for one in particles
    ]
    return Table(("picture", "name", "rank", "score", "wider groups"), rows)


def _wider(one: Identification) -> list[tuple[str, float]]:
    """Give the groups that a name lies in, as far as they are likelier than it is."""
    found: list[tuple[str, float]] = []
    for rank, name, score in zip(one.ranks, one.rank_names, one.rank_scores, strict=True):
        if rank in ("genus", "class", "phylum", "kingdom") and name != one.label and score >= (one.score or 0):
            found.append((name, score))
    return found


def _warnings(particles: Sequence[Identification]) -> list[str]:
    said = Counter(one.warning for one in particles if one.warning)
    return [f"{number:,} of {len(particles):,} pictures: {warning}" for warning, number in said.items()]


def _heading(word: str, made_up: str) -> str:
    return f"{word} ({made_up})" if made_up else word
