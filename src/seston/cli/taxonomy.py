"""Commands about what labels mean: taxonomy resolve, check, lineage, update, barcodes, sankey."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group, Parameter

from seston.cli.output import Outcome, Table, skipped_document, skipped_lines
from seston.cli.words import AsJson, Existing, Overwrite, check_free
from seston.errors import UsageError

if TYPE_CHECKING:
    from seston.taxonomy.user_facts import UpdateReport

__all__ = ["barcodes", "check", "lineage", "resolve", "sankey", "taxonomy", "update"]

taxonomy = App(
    name="taxonomy",
    help="Say what labels mean.",
    group_commands=Group("Taxonomy"),
    group_parameters=Group("Options"),
)


@taxonomy.command
def resolve(
    label: str, /, *labels: str, source: str = "", overrides: Existing | None = None, as_json: AsJson = False
) -> Outcome:
    """Say what labels mean: accepted name, rank, lineage, AphiaID, kind, stage, part, and how sure that is.

    Parameters
    ----------
    label
        A label, or a text file with one label a line.
    labels
        More labels.
    source
        The collection that they come from; the same words mean different things in different ones.
    overrides
        Your own table of what labels mean, which wins: columns raw_label and, as you need them, source, name, kind,
        stage, part, morphology, qualifier, note, parted by tabs.
    """
    from seston.taxonomy import resolve as resolve_labels

    taxa = resolve_labels(_asked(label, labels), source=source, overrides=overrides)
    rows = [(one.raw_label, one.name, one.rank, one.kind, one.stage, one.part, one.how, one.confidence) for one in taxa]
    return Outcome(
        document={"labels": taxa},
        blocks=(Table(("label", "name", "rank", "kind", "stage", "part", "how", "confidence"), rows),),
    )


@taxonomy.command
def check(path: Existing, /, *, overrides: Existing | None = None, as_json: AsJson = False) -> Outcome:
    """Say what is doubtful about labels: not understood, contradictory, composite, misapplied, and more.

    Parameters
    ----------
    path
        A data set, or a table with a column of labels and, where there are any, of sources and of numbers.
    overrides
        Your own table of what labels mean; else taxonomy.tsv in the data set, if there is one.
    """
    from seston.particle import TerminalProgress
    from seston.taxonomy import check as check_path

    with TerminalProgress() as progress:
        report = check_path(path, overrides=overrides, progress=progress)
    rows = [(one.problem, one.subject, one.source, one.particles, one.detail) for one in report.findings]
    return Outcome(
        document={"labels": report.labels, "resolved": report.resolved, "findings": report.findings},
        blocks=(
            Table(("problem", "label or name", "source", "particles", "what"), rows),
            f"{report.labels:,} labels, {report.resolved:,} of them understood; {len(rows):,} doubtful things.",
        ),
    )


@taxonomy.command
def lineage(
    label: str,
    /,
    *labels: str,
    source: str = "",
    template: str = "lineage",
    overrides: Existing | None = None,
    as_json: AsJson = False,
) -> Outcome:
    """Write a text for each label, to train or ask image–text models with.

    Parameters
    ----------
    label
        A label, or a text file with one label a line.
    labels
        More labels.
    source
        The collection that they come from.
    template
        scientific (the accepted name), common (the common name), lineage (all names from the kingdom down), or photo
        (a photo of …, with stage and part).
    overrides
        Your own table of what labels mean.
    """
    from seston.taxonomy import lineage as write_captions

    captions = write_captions(_asked(label, labels), source=source, template=template, overrides=overrides)
    rows = [(one.raw_label, one.name, one.text) for one in captions]
    return Outcome(
        document={"template": template, "captions": captions},
        blocks=(Table(("label", "name", "text"), rows),),
    )


@taxonomy.command
def update(
    *,
    from_: Annotated[Existing | None, Parameter(name="--from")] = None,
    worms: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=True, show_default=False)] = (),
    from_labels: Existing | None = None,
    to: Path | None = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Take facts about names from a checklist, or from WoRMS, into your own table, which resolve reads.

    What contradicts the facts that are there is told and changes nothing, unless --overwrite is said. A second time
    changes nothing, and WoRMS is never asked the same twice.

    Parameters
    ----------
    from_
        A checklist: a Darwin Core table of taxa or archive (also zipped), or taxa.txt of Nordic Microalgae.
    worms
        Names to ask the World Register of Marine Species about (needs the network).
    from_labels
        A data set, or a table with a column of labels: ask WoRMS about the names in them that are not known.
    to
        Write this table in place of your own.
    """
    if (from_ is None) == (not worms and from_labels is None):
        raise UsageError("say where the facts come from: --from FILE, or --worms NAME, or --from-labels DATA")
    from seston.particle import TerminalProgress
    from seston.taxonomy import update as update_facts

    with TerminalProgress() as progress:
        report = update_facts(
            from_=from_, worms=worms, from_labels=from_labels, to=to, overwrite=overwrite, progress=progress
        )
    return _update_outcome(report)


def _update_outcome(report: UpdateReport) -> Outcome:
    sentence = (
        f"{report.to}: {report.added:,} names added, {report.completed:,} completed, {report.changed:,} changed, "
        f"{report.already_there:,} there already, {report.contradictory:,} contradictory."
    )
    unanswered = f", {len(report.unanswered):,} are without an answer" if report.unanswered else ""
    asked = f" Of {report.asked:,} names WoRMS has {report.found:,}{unanswered} ({report.requests:,} requests)."
    rows = [
        (one.name, one.field, one.known, one.known_source, one.says, one.source) for one in report.contradictions[:20]
    ]
    table = Table(("name", "differs in", "known", "from", "new", "from"), rows)
    return Outcome(
        document={
            "to": report.to,
            "added": report.added,
            "completed": report.completed,
            "changed": report.changed,
            "already_there": report.already_there,
            "contradictory": report.contradictory,
            "contradictions": report.contradictions,
            "left_out": report.left_out,
            "skipped": skipped_document(report.skipped),
            "notes": report.notes,
            "asked": report.asked,
            "found": report.found,
            "requests": report.requests,
            "unknown": report.unknown,
            "similar": report.similar,
            "unanswered": report.unanswered,
        },
        blocks=(*((table,) if rows else ()), sentence + (asked if report.asked else "")),
        notes=(
            *(f"note: {note}" for note in report.notes),
            *(f"note: WoRMS has no {name}; it has a {similar}" for name, similar in report.similar),
            *((f"note: WoRMS has no {', '.join(report.unknown)}",) if report.unknown else ()),
            *skipped_lines(report.skipped),
        ),
        partial=bool(report.unanswered),
    )


@taxonomy.command
def barcodes(
    *,
    from_: Annotated[Existing, Parameter(name="--from")],
    to: Path,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Write the COX1 barcodes of a BOLD-like table with the taxon and AphiaID of each.

    Parameters
    ----------
    from_
        A table from BOLD, plain or zipped: processid, species and genus, marker, nucleotides.
    to
        Table to write: taxon, aphia_id, sequence_id, sequence.
    """
    check_free(to, overwrite=overwrite)
    from seston.particle import TerminalProgress
    from seston.taxonomy import attach_barcodes

    with TerminalProgress() as progress:
        report = attach_barcodes(from_, to, overwrite=overwrite, progress=progress)
    return Outcome(
        document={
            "to": report.to,
            "attached": report.attached,
            "taxa": report.taxa,
            "other_markers": report.other_markers,
            "left_out": report.left_out,
            "skipped": skipped_document(report.skipped),
        },
        blocks=(
            f"{report.to}: {report.attached:,} barcodes of {report.taxa:,} taxa; {report.other_markers:,} rows of "
            f"other genes, {report.left_out:,} that could not be used.",
        ),
        notes=skipped_lines(report.skipped),
    )


@taxonomy.command
def sankey(data: Existing, /, *, to: Path, overwrite: Overwrite = False, as_json: AsJson = False) -> Outcome:
    """Draw where labels lead: one page from collections by kind and rank to taxa, as wide as their particles.

    Parameters
    ----------
    data
        A data set, or a table with a column of labels and, where there are any, of sources and of numbers.
    to
        The page to write, one HTML file that needs nothing beside it.
    """
    check_free(to, overwrite=overwrite)
    from seston.particle import TerminalProgress
    from seston.taxonomy import sankey as draw_flow

    with TerminalProgress() as progress:
        report = draw_flow(data, to, overwrite=overwrite, progress=progress)
    without = f" {report.unlabelled:,} without a label are left out." if report.unlabelled else ""
    return Outcome(
        document={
            "to": report.to,
            "particles": report.particles,
            "unlabelled": report.unlabelled,
            "unresolved": report.unresolved,
            "sources": report.sources,
            "labels": report.labels,
            "paths": report.paths,
        },
        blocks=(
            f"{report.to}: {report.particles:,} particles of {report.sources:,} collections under {report.labels:,} "
            f"labels; {report.unresolved:,} under labels that name no known taxon.{without}",
        ),
    )


def _asked(label: str, labels: tuple[str, ...]) -> list[str]:
    return [line for one in (label, *labels) for line in _lines(one)]


def _lines(label: str) -> list[str]:
    """Give the lines of the file of that name, or else the label itself."""
    path = Path(label)
    try:
        if not path.is_file():
            return [label]
    except (OSError, ValueError):  # a label that can be no path
        return [label]
    return [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
