"""Darwin Core archives, as OBIS and GBIF take them: occurrences, events, and what they are.

No picture is read, so an export that was broken off is simply made again; the archive appears when it is whole.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seston.errors import DataSetError, UsageError
from seston.interchange.about import read_about
from seston.interchange.darwin_core_documents import Coverage, eml_document, meta_document
from seston.interchange.darwin_core_rows import (
    REQUIRED,
    event_values,
    is_whole_organism,
    line,
    occurrence_values,
    terms_of_table,
)
from seston.interchange.licences import LicenceChoice, check_licence_choice
from seston.interchange.outgoing import Outgoing, outgoing
from seston.interchange.sharding import ExportReport
from seston.interchange.taxa import Taxa
from seston.particle import Progress, Sample, Silence
from seston.store import DataSet, open_data_set
from seston.taxonomy import Taxon

__all__ = ["export_darwin_core"]

_Occurrence = tuple[Outgoing, Taxon | None, dict[str, Any]]
_Key = tuple[tuple[str, Any], ...]
_WHEN = (1980, 1, 1, 0, 0, 0)
_TAKEN_BY_GBIF = frozenset({"CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"})
_IN_WORDS = {"date": "no date", "latitude": "no position", "longitude": "no position"}


@dataclass(slots=True)
class _Work:
    """What an export is about to write, and what it has counted."""

    data: DataSet
    core: Literal["occurrence", "event"]
    media: str
    keep_unresolved: bool
    keep_incomplete: bool
    volumes: dict[str, float]
    """Sample → what its counts are divided by, ml."""
    taxa: Taxa = field(init=False)
    coverage: Coverage = field(default_factory=Coverage)
    events: dict[str, Sample] = field(default_factory=dict)
    counted: dict[str, Counter[str]] = field(default_factory=lambda: {"left_out": Counter(), "licences": Counter()})

    def __post_init__(self) -> None:
        self.taxa = Taxa(self.data.path)

    def count(self, what: str, key: str) -> None:
        self.counted.setdefault(what, Counter())[key] += 1


def export_darwin_core(
    data: DataSet | Path | str,
    to: Path | str,
    *,
    core: Literal["occurrence", "event"] = "occurrence",
    rows: Literal["particles", "counts"] = "particles",
    licence: LicenceChoice = "any",
    about: Path | str | None = None,
    media: str = "",
    keep_unresolved: bool = False,
    keep_incomplete: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a data set as a Darwin Core archive.

    Only organisms go out: detritus, artefacts and lifeless things, labels that someone doubts, simulated particles, and
    labels that give no taxon are left out, each with its count.

    Parameters
    ----------
    to
        The archive, a ``.zip``.
    core
        ``occurrence``: one table in which each row stands alone; ``event``: samples as events, and their occurrences.
    rows
        ``particles``: one occurrence a particle. ``counts``: one a taxon, stage, place and sample, with the number
        of particles and, where the volume is known, how many there are in a litre.
    licence
        ``commercial`` leaves out what must not be used for money, ``attribution`` also what asks for more than credit.
    about
        TOML file with title, description, citation and creators; see `seston.interchange.about`.
    media
        Address below which you publish the pictures, for ``associatedMedia``; their names are as in an export to
        EcoTaxa.
    keep_unresolved
        Also write labels that give no taxon, as *Incertae sedis*.
    keep_incomplete
        Also write occurrences without a date or a position, which OBIS does not take.

    Raises
    ------
    UsageError
        Something is at `to` and `overwrite` is False, or nothing can be exported.
    """
    check_licence_choice(licence)
    path, said = Path(to), read_about(about)
    _check(path, core, rows, overwrite=overwrite)
    opened = data if isinstance(data, DataSet) else open_data_set(data)
    work = _Work(opened, core, media, keep_unresolved, keep_incomplete, _volumes(opened))
    progress = progress or Silence()
    progress.start("exporting", opened.count_rows())
    written = _occurrences(work, licence, progress)
    lines = _lines(work, written) if rows == "particles" else _counted_lines(work, written)
    half = path.with_name(f".{path.name}.half")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        day = opened.versions()[-1].time.date()
        _write(half, work, lines, lambda: eml_document(said, opened.path.resolve().name, work.coverage, day))
        if not work.counted["licences"]:
            raise UsageError(f"no particle of {opened.path} can be exported ({_reasons(work)})")
        half.replace(path)
    except OSError as error:
        raise DataSetError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        half.unlink(missing_ok=True)
    progress.finish()
    return _report(path, work, has_creators=bool(said.creators))


def _occurrences(work: _Work, licence: LicenceChoice, progress: Progress) -> Iterator[_Occurrence]:
    for one in outgoing(work.data, work.data.standing(), licence=licence, heavy=False):
        progress.advance(1)
        taxon = work.taxa.of(one)
        reason = one.left_out or _refuse(one, taxon, keep_unresolved=work.keep_unresolved)
        volume = work.volumes.get(one.particle.sample_id)
        values = {} if reason else occurrence_values(one, taxon, volume, work.media)
        if not reason and not work.keep_incomplete:
            reason = next((_IN_WORDS[name] for name in REQUIRED if values[name] is None), "")
        if reason:
            work.count("left_out", reason)
            continue
        work.events[one.sample.id] = one.sample
        work.coverage.add(values, one.particle.licence)
        work.count("licences", one.particle.licence)
        work.count("statuses", one.naming.status if one.naming else "unnamed")
        if values.get("name_id") is None:
            work.count("without_id", values["name"])
        yield one, taxon, values


def _refuse(one: Outgoing, taxon: Taxon | None, *, keep_unresolved: bool) -> str:
    if one.naming is None:
        return "no label"
    if not one.naming.is_trusted:
        return f"label {one.naming.status}"
    if "simulated" in one.particle.flags or "semi-simulated" in one.particle.flags:
        return "simulated"
    if taxon is not None and taxon.kind in ("detritus", "artefact", "inert"):
        return f"no organism ({taxon.kind})"
    if (taxon is None or taxon.name is None) and not keep_unresolved:
        return "label gives no taxon"
    return ""


def _lines(work: _Work, written: Iterator[_Occurrence]) -> Iterator[str]:
    terms = terms_of_table("occurrence")
    for _, _, values in written:
        yield line(terms, values)


def _counted_lines(work: _Work, written: Iterator[_Occurrence]) -> Iterator[str]:
    """Join the occurrences that differ in nothing but the particle; as many are held as there are different ones."""
    terms = terms_of_table("occurrence")
    apart = {"id", "date_identified", "identification_remarks", "media", "individuals", "quantity", "quantity_type"}
    numbers: Counter[_Key] = Counter()
    singles: set[_Key] = set()
    for _, taxon, values in written:
        date = event_values(work.events[values["sample_id"]], None)["date"] or values["date"]
        kept = {name: value for name, value in (values | {"date": date}).items() if name not in apart}
        key = tuple(sorted((name, value) for name, value in kept.items() if value is not None))
        numbers[key] += 1
        if is_whole_organism(taxon):
            singles.add(key)
    for number, (key, n) in enumerate(numbers.items()):
        values, single = dict(key), key in singles
        volume, sample = values.get("size"), work.events[values["sample_id"]]
        kind = "individuals" if single else "objects"
        values |= {"id": f"{values['sample_id']}/occurrence-{number}", "individuals": n if single else None}
        if volume:
            values |= {"quantity": 1000 * n / volume * (sample.dilution or 1.0), "quantity_type": f"{kind} per litre"}
        elif not single:
            values |= {"quantity": n, "quantity_type": kind}
        yield line(terms, values)


def _write(path: Path, work: _Work, lines: Iterator[str], eml: Callable[[], bytes]) -> None:
    occurrence, event = terms_of_table("occurrence"), terms_of_table("event")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(_member("occurrence.txt"), "w", force_zip64=True) as file:
            file.write(("\t".join(term.name for term in occurrence) + "\n").encode())
            for text in lines:
                file.write(text.encode())
        tables = {"occurrence": occurrence}
        if work.core == "event":
            tables = {"event": event, **tables}
            with archive.open(_member("event.txt"), "w", force_zip64=True) as file:
                file.write(("\t".join(term.name for term in event) + "\n").encode())
                for sample in work.events.values():
                    file.write(line(event, event_values(sample, work.volumes.get(sample.id))).encode())
        archive.writestr(_member("meta.xml"), meta_document(work.core, tables))
        archive.writestr(_member("eml.xml"), eml())


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _WHEN)
    member.compress_type, member.create_system = zipfile.ZIP_DEFLATED, 3
    return member


def _volumes(data: DataSet) -> dict[str, float]:
    from seston.recognition import count

    return {row.sample: row.volume_ml for row in count(data) if row.volume_ml}


def _check(path: Path, core: str, rows: str, *, overwrite: bool) -> None:
    if path.suffix.lower() != ".zip":
        raise UsageError(f"{path}: a Darwin Core archive is a .zip; name it so")
    if core not in ("occurrence", "event"):
        raise UsageError(f"the core is 'occurrence' or 'event', not {core!r}")
    if rows not in ("particles", "counts"):
        raise UsageError(f"rows are 'particles' or 'counts', not {rows!r}")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already: choose another place, or replace it by --overwrite")


def _reasons(work: _Work) -> str:
    left_out = work.counted["left_out"]
    return ", ".join(f"{number:,}: {reason}" for reason, number in left_out.most_common()) or "it is empty"


def _report(path: Path, work: _Work, *, has_creators: bool) -> ExportReport:
    licences, notes = work.counted["licences"], []
    if not has_creators:
        notes.append("eml.xml names no authors: give them by --about before you publish the archive")
    if others := sum(number for spdx, number in licences.items() if spdx not in _TAKEN_BY_GBIF):
        notes.append(
            f"{others:,} occurrences have other licences than CC0, CC BY and CC BY-NC, which GBIF does not take"
        )
    if unidentified := work.counted.get("without_id"):
        names = ", ".join(name for name, _ in unidentified.most_common(3))
        notes.append(f"{unidentified.total():,} occurrences have a name without an AphiaID ({names}, …)")
    return ExportReport(
        to=path,
        files=[path.name],
        particles=licences.total(),
        left_out=dict(work.counted["left_out"].most_common()),
        licences=dict(licences.most_common()),
        statuses=dict(work.counted.get("statuses", Counter()).most_common()),
        bytes=path.stat().st_size,
        notes=notes,
    )
