"""Commands that make a data set out of collections: build, duplicates."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from seston.cli.output import Outcome, Table, note_lines, skipped_document, skipped_lines
from seston.cli.words import AsJson, Existing, Flag

if TYPE_CHECKING:
    from seston.collections import CollectionReport, DuplicateReport

__all__ = ["build", "duplicates"]

_SHOWN = 20

Places = Annotated[
    tuple[str, ...],
    Parameter(
        name="--from",
        negative=(),
        show_default=False,
        help="Where the files lie: NAME=PATH of one collection (an archive, or a folder), or a folder that holds the "
        "files of several, as fetch leaves it; may be given several times.",
    ),
]


def build(
    name: str,
    /,
    *names: str,
    to: Path,
    from_: Places = (),
    licence: Literal["commercial", "attribution", "any"] = "any",
    ray: str | None = None,
    as_json: AsJson = False,
) -> Outcome:
    """Build one data set out of public collections, or add collections to one.

    Archives are read as they are and never unpacked. A picture that cannot be decoded is set aside and counted with its
    reason. A build that was killed goes on where it stood when it is run again, and ends with the same data set. The
    folder gets a README.md with the licences, their strictest terms and the citations.

    Parameters
    ----------
    name
        The name of a collection, or the path of a card of your own (….toml).
    names
        More collections.
    to
        The folder of the data set; made if it is not there.
    licence
        commercial leaves out collections whose licence does not allow use for money, attribution also those that ask
        for more than credit; where no one states a licence, neither takes it.
    ray
        Look at pictures on a Ray cluster: its address, auto for the one that runs here, or local:2 for two workers of
        its own. The data set is the same.
    """
    from seston.collections import build as build_collections
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        report = build_collections((name, *names), to=to, from_=from_, licence=licence, ray=ray, progress=progress)
    rows = [_row(one) for one in report.collections]
    left_out = [f"{one}: left out, its licence is {terms}" for one, terms in report.left_out.items()]
    failed = [f"{one}: not built: {reason}" for one, reason in report.failed.items()]
    short = [one.name for one in report.collections if one.expected is not None and one.expected != one.pictures]
    columns = ("collection", "added", "there already", "repeated", "set aside", "expected", "classes", "licence")
    return Outcome(
        document={
            "collections": [_document(one) for one in report.collections],
            "left_out": report.left_out,
            "failed": report.failed,
            "duplicates": report.duplicates,
            "added": report.added,
            "seconds": report.seconds,
        },
        blocks=(
            Table(columns, rows),
            *(_about(report.duplicates) if report.duplicates else ()),
            f"{report.added:,} particles added to {to} in {report.seconds:.0f} s; see {to / 'README.md'}.",
        ),
        notes=(
            *skipped_lines([skipped for one in report.collections for skipped in one.skipped]),
            *note_lines([note for one in report.collections for note in one.notes]),
            *(f"{one}: not as many pictures as its card says" for one in short),
            *left_out,
            *failed,
        ),
        partial=bool(report.failed or any(one.set_aside for one in report.collections)),
    )


def duplicates(data: Existing, /, *, merge: Flag = False, as_json: AsJson = False) -> Outcome:
    """Find pictures that stand in a data set more than once, and say how their labels stand to each other.

    Same bytes, or so alike that a person should look. Labels are a renamed folder, synonyms, parent and child, a lump
    and one of its parts, or they contradict each other.

    Parameters
    ----------
    data
        The folder of the data set.
    merge
        Take out the later of two particles whose pictures are the same byte for byte and whose labels mean the same
        (the same label, a renamed folder, a synonym). What goes is listed in collections/merged.tsv of the data set.
        Make splits again afterwards.
    """
    from seston.collections import find_duplicates
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        report = find_duplicates(data, merge=merge, progress=progress)
    merged = (f"{report.merged:,} particles taken out.",) if merge else ()
    return Outcome(document=dataclasses.asdict(report), blocks=(*_about(report), *merged))


def _about(report: DuplicateReport) -> tuple[str | Table, ...]:
    rows = [
        (
            pair.likeness,
            pair.relation,
            pair.pictures,
            _label(pair.source, pair.label),
            _label(pair.other_source, pair.other_label),
        )
        for pair in report.pairs[:_SHOWN]
    ]
    more = len(report.pairs) - _SHOWN
    return (
        Table(("pictures", "labels", "number", "first", "again"), rows, title="Pictures that stand more than once"),
        *((f"… and {more:,} more pairs of labels: see --json",) if more > 0 else ()),
        f"{report.same_bytes:,} particles repeat an earlier picture byte for byte; {report.look_the_same:,} pairs look "
        f"the same; {report.across:,} of both are of two sources.",
    )


def _label(source: str, label: str | None) -> str:
    return f"{source}: {label or '(no label)'}"


def _row(one: CollectionReport) -> tuple[object, ...]:
    counts = (one.added, one.already_there, one.duplicates, one.set_aside, one.expected, one.classes)
    return (one.name, *counts, one.licence)


def _document(one: CollectionReport) -> dict[str, object]:
    document = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    return {**document, "pictures": one.pictures, "skipped": skipped_document(one.skipped)}
