"""Commands about instrument files: readers, import, simulate."""

from __future__ import annotations

from pathlib import Path

from seston.cli.output import Outcome, Table, note_lines, skipped_document, skipped_lines
from seston.cli.words import AsJson, Existing, Flag, Overwrite, Several

__all__ = ["import_", "readers", "simulate"]


def readers(path: Existing, /, *, why: Flag = False, as_json: AsJson = False) -> Outcome:
    """Say which reader claims which file, and why.

    Parameters
    ----------
    path
        A file, or a folder that is searched with all folders below it.
    why
        Show the reason beside each.
    """
    from seston.instruments import READERS, find_sources

    sources, claims = find_sources([path])
    rows = [(str(source.path), source.reader, len(source.files), source.reason) for source in sources]
    unread = [(claim.path, None, 1, claim.reason) for claim in claims if claim.reader is None]
    width = 4 if why else 3
    ending = f"{len(claims) - len(unread):,} of {len(claims):,} files can be read."
    return Outcome(
        document={"files": claims},
        blocks=(
            Table(("what", "reader", "files", "why")[:width], [row[:width] for row in rows + unread]),
            ending if sources else f"{ending} Seston reads: {', '.join(READERS)}.",
        ),
        partial=not sources,
    )


def import_(
    *paths: Several,
    to: Path,
    reader: str | None = None,
    source: str | None = None,
    licence: str | None = None,
    attribution: str | None = None,
    as_json: AsJson = False,
) -> Outcome:
    """Read instrument files into a data set.

    Every picture is decoded once to prove that it can be. What cannot be read is skipped and listed with its reason.
    Importing the same files again adds nothing; an import that was killed goes on where it stood when it is run again.

    Parameters
    ----------
    paths
        Files, or folders that are searched with all folders below them.
    to
        The folder of the data set; made if it is not there.
    reader
        Read everything with this reader, whatever the files look like.
    source
        A name for where the files come from; it goes in front of each sample's name.
    licence
        The licence of the files as an SPDX identifier, such as CC-BY-4.0.
    attribution
        Whom to credit for the files.
    """
    from seston.particle import TerminalProgress
    from seston.store import open_data_set

    with TerminalProgress() as progress:
        data = open_data_set(to, create=True)
        report = data.import_(
            paths, reader=reader, source=source, licence=licence, attribution=attribution, progress=progress
        )
    counts = {
        key: getattr(report, key)
        for key in ("added", "completed", "already_there", "profiles", "images", "pairs", "duplicates")
    }
    skipped, notes = list(report.skipped), list(report.notes)
    nothing_read = not (report.added or report.completed or report.already_there)
    nothing = ("nothing in these paths could be read: ask  seston readers PATH --why",) if nothing_read else ()
    sentence = (
        f"{report.added:,} particles added to {to} ({report.pairs:,} with picture and profile, {report.images:,} "
        f"pictures, {report.profiles:,} profiles); {report.already_there:,} were there already; "
        f"{len(skipped):,} skipped."
    )
    return Outcome(
        document={
            **counts,
            "skipped": skipped_document(skipped),
            "notes": [[note.path, note.text] for note in notes],
            "seconds": report.seconds,
        },
        blocks=(sentence,),
        notes=(*note_lines(notes), *skipped_lines(skipped), *nothing),
        partial=bool(skipped or nothing),
    )


def simulate(
    *,
    to: Path,
    particles: int = 400,
    runs: int = 2,
    seed: int = 0,
    from_images: Existing | None = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Write instrument files of simulated particles, laid out as CytoClus exports them.

    Parameters
    ----------
    to
        The folder to write into.
    particles
        Particles in each run.
    runs
        Measurements; each has its own gain, focus and background.
    seed
        The same seed gives the same files.
    from_images
        Take real pictures from here and simulate only the profile of each (semi-simulated).
    """
    from seston.particle import TerminalProgress
    from seston.simulate import simulate as write_files

    with TerminalProgress() as progress:
        made = write_files(
            to=to,
            particles=particles,
            runs=runs,
            seed=seed,
            from_images=from_images,
            overwrite=overwrite,
            progress=progress,
        )
    files, species, skipped = [str(path) for path in made.files], list(made.species), list(made.skipped)
    return Outcome(
        document={
            "files": files,
            "species": species,
            "samples": list(made.samples),
            "particles": made.particles,
            "origin": made.origin,
            "skipped": skipped_document(skipped),
        },
        blocks=(
            f"{made.runs:,} {made.origin} runs with {made.particles:,} particles of {len(species):,} labels "
            f"written to {to} ({len(files):,} files).",
        ),
        notes=skipped_lines(skipped),
        partial=bool(skipped),
    )
