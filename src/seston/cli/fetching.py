"""Commands that ask servers for collections: fetch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson, Flag

if TYPE_CHECKING:
    from seston.collections import FetchedFile

__all__ = ["fetch"]


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
