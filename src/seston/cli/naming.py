"""Commands that name and count: gallery, identify, count, doctor."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from seston.cli.output import Outcome, Table, skipped_document, skipped_lines
from seston.cli.words import AsJson, Existing, Overwrite, Several

__all__ = ["count", "doctor", "gallery", "identify"]


def gallery(
    data: Existing,
    /,
    *,
    model: Existing,
    to: Path,
    per_class: int | None = None,
    split: str | None = None,
    seed: int = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Make a gallery of labelled particles to name others by.

    Parameters
    ----------
    data
        The folder of a data set with labels.
    model
        The folder of a run.
    to
        The folder of the gallery to write; it works without its data set.
    per_class
        Take at most so many particles of each label; all of them if not given.
    split
        Take only the training part of this saved split.
    seed
        The same seed picks the same particles.
    """
    from seston.recognition import Gallery, load
    from seston.store import open_data_set

    made = Gallery.from_dataset(open_data_set(data), load(model), per_class=per_class, split=split, seed=seed)
    made.save(to, overwrite=overwrite)
    document = {"classes": made.classes, "particles": len(made), "left_out": made.left_out}
    return Outcome(document=document, blocks=(f"Gallery {to}: {len(made):,} particles of {len(made.classes)} labels.",))


def identify(
    *paths: Several,
    gallery: Existing | None = None,
    model: Existing | None = None,
    to: Path | None = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Name each particle by a gallery, from its picture, its profile, or both where it has both.

    Parameters
    ----------
    paths
        Instrument files, folders of them, or a data set.
    gallery
        The folder of a gallery.
    model
        The folder of the run that the gallery was made with, where the gallery does not know it any more.
    to
        Write the names into this CSV file as well.
    """
    from seston.particle import TerminalProgress
    from seston.recognition import identify as identify_particles

    with TerminalProgress() as progress:
        result = identify_particles(paths, gallery=gallery, model=model, to=to, progress=progress)
    names = Counter(one.label for one in result.particles)
    by = Counter(one.modality for one in result.particles)
    skipped = list(result.skipped)
    how = ", ".join(f"{number:,} by {modality}" for modality, number in by.most_common())
    sentence = f"{len(result.particles):,} particles named ({how}); {len(skipped):,} skipped."
    return Outcome(
        document={"particles": result.particles, "skipped": skipped_document(skipped)},
        blocks=(Table(("label", "particles"), names.most_common()), sentence),
        notes=skipped_lines(skipped),
        partial=bool(skipped),
    )


def count(path: Existing, /, *, as_json: AsJson = False) -> Outcome:
    """Count names per sample, and per millilitre where the volume is known.

    Parameters
    ----------
    path
        A data set with labels, or the table that identify wrote.
    """
    from seston.recognition import count as count_names

    rows = count_names(path)
    columns = ("sample", "label", "n", "volume_column", "per_ml", "reason")
    table = [tuple(getattr(row, column) for column in columns) for row in rows]
    return Outcome(document={"rows": rows}, blocks=(Table(columns, table),))


def doctor(path: Existing, /, *, gallery: Existing | None = None, as_json: AsJson = False) -> Outcome:
    """Check whether files belong together.

    Parameters
    ----------
    path
        A data set, or instrument files.
    gallery
        Check against this gallery as well: do the detectors stand where they stood for it?
    """
    from seston.recognition import doctor as check

    checks = check(path, gallery=gallery)
    rows = [("ok" if one.ok else "not ok", one.name, one.detail) for one in checks]
    failed = sum(not one.ok for one in checks)
    return Outcome(
        document={"checks": [{"name": one.name, "ok": one.ok, "detail": one.detail} for one in checks]},
        blocks=(
            Table(("", "check", "what was found"), rows),
            f"{len(checks) - failed} of {len(checks)} checks passed.",
        ),
        partial=bool(failed),
    )
