"""Commands that ask servers for collections: fetch, metadata."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from seston.cli.output import Outcome, Table, skipped_document, skipped_lines
from seston.cli.words import AsJson, Existing, Flag

if TYPE_CHECKING:
    from seston.collections import FetchedFile

__all__ = ["fetch", "metadata"]

Projects = Annotated[
    tuple[int, ...],
    Parameter(negative=(), show_default=False, help="Number of an EcoTaxa project to ask; may be given several times."),
]
Addresses = Annotated[
    tuple[str, ...],
    Parameter(
        negative=(),
        show_default=False,
        help="Address of an IFCB dashboard to ask, with the name of a data set for one table in place of a request a "
        "bin (https://ifcb-data.whoi.edu/mvco); may be given several times.",
    ),
]


def fetch(name: str, /, *names: str, to: Path, dry_run: Flag = False, as_json: AsJson = False) -> Outcome:
    """Fetch the archives of public collections from their hosts, into a folder each.

    Archives stay as they are. A fetch that broke off goes on where it stood when it is run again, and what is there is
    not fetched again. Where a host wants a person, it is said what to do and where to put the file.

    Parameters
    ----------
    name
        The name of a collection, or the path of a card of your own (….toml).
    names
        More collections.
    to
        The folder in which each collection gets its own.
    dry_run
        Only show what would be fetched, how large it is, and how much room there is.
    """
    from seston.collections import fetch as fetch_collections
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        report = fetch_collections((name, *names), to=to, dry_run=dry_run, progress=progress)
    lacking = [one for one in report.unfinished if not (dry_run and one.state == "by hand")]
    return Outcome(
        document={
            "files": [_document(one) for one in report.files],
            "needed": report.needed,
            "free": report.free,
            "dry_run": dry_run,
        },
        blocks=(
            Table(("collection", "file", "what", "bytes", "here"), [_row(one) for one in report.files]),
            _sentence(report.files, to=to, needed=report.needed, free=report.free, dry_run=dry_run),
        ),
        notes=tuple(f"{one.state}: {one.collection}: {one.name}: {one.reason}" for one in report.files if one.reason),
        partial=bool(lacking),
    )


def _document(file: FetchedFile) -> dict[str, object]:
    names = ("collection", "name", "url", "state", "size", "have", "sha256", "reason", "optional")
    return {"path": str(file.path), **{name: getattr(file, name) for name in names}}


def _row(file: FetchedFile) -> tuple[object, ...]:
    return (file.collection, file.name, file.state, file.size, file.have)


def _sentence(files: Sequence[FetchedFile], *, to: Path, needed: int, free: int, dry_run: bool) -> str:
    if dry_run:
        unknown = sum(one.size is None for one in files if one.state == "to fetch")
        more = f", and {unknown} files of unknown size" if unknown else ""
        return f"{needed:,} bytes to fetch{more}; {free:,} bytes free."
    fetched = sum(one.state == "fetched" for one in files)
    there = sum(one.state == "there already" for one in files)
    return f"{fetched} files fetched to {to}; {there} were there already; {len(files) - fetched - there} are missing."


def metadata(
    data: Existing,
    /,
    *,
    ecotaxa: Projects = (),
    ifcb: Addresses = (),
    server: str = "https://ecotaxa.obs-vlfr.fr/api",
    source: str | None = None,
    as_json: AsJson = False,
) -> Outcome:
    """Ask EcoTaxa and IFCB dashboards, in bulk, for the places, depths and times that files did not say.

    What a file said is never replaced. Answers are kept with the data set: what was answered is not asked again, even
    after a kill. EcoTaxa shows validated objects alone to those without a login; the token of one is taken from the
    environment variable SESTON_ECOTAXA_TOKEN.

    Parameters
    ----------
    data
        The folder of the data set.
    server
        Address of EcoTaxa's API.
    source
        Only fill in particles whose name begins with this source.
    """
    from seston.collections import metadata as ask_for_metadata
    from seston.particle import TerminalProgress
    from seston.store import open_data_set

    with TerminalProgress() as progress:
        report = ask_for_metadata(
            open_data_set(data), ecotaxa=ecotaxa, ifcb=ifcb, server=server, source=source, progress=progress
        )
    filled = report.filled
    return Outcome(
        document={
            "requests": report.requests,
            "objects": report.objects,
            "particles": filled.particles,
            "samples": filled.samples,
            "values": filled.values,
            "flags": filled.flags,
            "ambiguous": report.ambiguous,
            "failed": skipped_document(report.failed),
        },
        blocks=(
            f"{filled.particles:,} particles and {filled.samples:,} samples filled in; {report.requests:,} requests, "
            f"{report.objects:,} objects are known, {report.ambiguous:,} particles have the name of several.",
            Table(("filled in", "number"), list(filled.values.items())),
            Table(("flag", "number"), list(filled.flags.items())),
        ),
        notes=skipped_lines(report.failed),
        partial=bool(report.failed),
    )
