"""Commands that write a data set in a form that others read: ecotaxa, darwin-core, huggingface, webdataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Group, Parameter

from seston.cli.output import Outcome, Table
from seston.cli.words import AsJson, Existing, Flag, Overwrite

if TYPE_CHECKING:
    from seston.interchange import ExportReport

__all__ = ["darwin_core", "ecotaxa", "export", "huggingface", "webdataset"]

export = App(
    name="export",
    help="Write a data set for EcoTaxa, OBIS and GBIF, the Hugging Face Hub, or as WebDataset shards.",
    group_commands=Group("Forms"),
    group_parameters=Group("Options"),
)

_Licence = Annotated[
    Literal["any", "commercial", "attribution"],
    Parameter(
        help="commercial: leave out what must not be used for money; attribution: also what asks for more than credit."
    ),
]


@export.command
def darwin_core(
    data: Existing,
    /,
    *,
    to: Path,
    core: Literal["occurrence", "event"] = "occurrence",
    rows: Literal["particles", "counts"] = "particles",
    licence: _Licence = "any",
    about: Existing | None = None,
    media: str = "",
    keep_unresolved: Flag = False,
    keep_incomplete: Flag = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Write a Darwin Core archive for OBIS and GBIF: organisms with names of WoRMS, dates, places and who named them.

    What is no organism, what someone doubts, what is simulated, and labels that give no taxon are left out and counted.

    Parameters
    ----------
    data
        The folder of the data set.
    to
        The archive, a .zip.
    core
        occurrence: one table whose rows stand alone; event: samples as events, and their occurrences.
    rows
        particles: one occurrence a particle; counts: one a taxon, place and sample, with how many a litre.
    about
        A TOML file with title, description, citation and creators.
    media
        Address below which you publish the pictures, named as in an export to EcoTaxa.
    keep_unresolved
        Also write labels that give no taxon, as Incertae sedis.
    keep_incomplete
        Also write occurrences without a date or a position, which OBIS does not take.
    """
    from seston.interchange import export_darwin_core
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        report = export_darwin_core(
            data,
            to,
            core=core,
            rows=rows,
            licence=licence,
            about=about,
            media=media,
            keep_unresolved=keep_unresolved,
            keep_incomplete=keep_incomplete,
            overwrite=overwrite,
            progress=progress,
        )
    return _outcome(report)


@export.command
def ecotaxa(
    data: Existing,
    /,
    *,
    to: Path,
    names: Literal["label", "taxon"] = "label",
    licence: _Licence = "any",
    part_mb: int = 500,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Write archives that EcoTaxa imports: pictures with a table of names, places, times, volumes and parameters.

    What a person named goes out as validated, what only a model named as predicted, with its score. An export that was
    broken off goes on when the same command is run again.

    Parameters
    ----------
    data
        The folder of the data set.
    to
        Folder for the archives.
    names
        Call particles by their label, or by the accepted name of its taxon where there is one.
    part_mb
        Largest size of an archive, in MB; EcoTaxa takes uploads of up to 500.
    """
    from seston.interchange import export_ecotaxa
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        report = export_ecotaxa(
            data, to, names=names, licence=licence, part_mb=part_mb, overwrite=overwrite, progress=progress
        )
    return _outcome(report)


@export.command
def huggingface(
    data: Existing,
    /,
    *,
    to: Path,
    split: str | None = None,
    fold: int = 0,
    licence: _Licence = "any",
    about: Existing | None = None,
    push: str | None = None,
    private: Flag = False,
    shard_mb: int = 500,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Write Parquet shards with pictures and a card, as the Hugging Face Hub and its datasets library read them.

    An export, or a push, that was broken off goes on when the same command is run again.

    Parameters
    ----------
    data
        The folder of the data set.
    to
        Folder for the shards, the samples and the card.
    split
        The parts of this saved split become the splits there.
    fold
        Which fold of the split.
    about
        A TOML file with title, description, citation and creators for the card.
    push
        Send it to this repository of the Hub, as OWNER/NAME; log in first with: hf auth login.
    private
        Make the repository a private one, if it is made.
    shard_mb
        Size at which a shard is ended, in MB.
    """
    from seston.interchange import export_huggingface
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        report = export_huggingface(
            data,
            to,
            split=split,
            fold=fold,
            licence=licence,
            about=about,
            push=push,
            private=private,
            shard_mb=shard_mb,
            overwrite=overwrite,
            progress=progress,
        )
    return _outcome(report)


@export.command
def webdataset(
    data: Existing,
    /,
    *,
    to: Path,
    split: str | None = None,
    fold: int = 0,
    licence: _Licence = "any",
    template: Literal["lineage", "scientific", "common", "photo"] = "lineage",
    shard_mb: int = 500,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Write tar shards to train from: pictures as they were, what is known of each, a caption.

    An export that was broken off goes on when the same command is run again.

    Parameters
    ----------
    data
        The folder of the data set.
    to
        Folder for the shards.
    split
        Put the parts of this saved split into shards of their own.
    fold
        Which fold of the split.
    template
        What the caption is: the lineage, the scientific or common name, or a sentence.
    shard_mb
        Largest size of a shard, in MB.
    """
    from seston.interchange import export_webdataset
    from seston.particle import TerminalProgress

    with TerminalProgress() as progress:
        report = export_webdataset(
            data,
            to,
            split=split,
            fold=fold,
            licence=licence,
            template=template,
            shard_mb=shard_mb,
            overwrite=overwrite,
            progress=progress,
        )
    return _outcome(report)


def _outcome(report: ExportReport) -> Outcome:
    files = "1 file" if len(report.files) == 1 else f"{len(report.files):,} files"
    sentence = f"{report.particles:,} particles in {files}, {report.bytes:,} bytes: {report.to}."
    return Outcome(
        document={
            "to": report.to,
            "files": report.files,
            "particles": report.particles,
            "left_out": report.left_out,
            "licences": report.licences,
            "statuses": report.statuses,
            "bytes": report.bytes,
            "resumed": report.resumed,
            "notes": report.notes,
        },
        blocks=(
            sentence,
            Table(("licence", "particles"), list(report.licences.items())),
            Table(("left out", "particles"), list(report.left_out.items())),
        ),
        notes=tuple(f"note: {note}" for note in report.notes),
    )
