"""A scan of a ZooScan as ZooProcess leaves it: ``SCAN_dat1.pid``, and the vignettes beside it.

The file holds sections of ``key= value`` lines and, last, ``[Data]``: a table with semicolons whose first column is
``!Item`` (ZooProcess 6 to 8). Keys become the columns that ZooProcess writes for EcoTaxa, so a scan is the same sample
whichever of its files is read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seston.errors import InputError
from seston.instruments.archive_member import LARGEST_MEMBER
from seston.instruments.ecotaxa_cells import parse_date, parse_real, parse_time
from seston.instruments.ecotaxa_sample import sample_facts
from seston.instruments.ecotaxa_survey import Acquisition
from seston.instruments.pictures import PICTURE_SUFFIXES, image_format
from seston.instruments.source import Listing, Reader, Record, Source
from seston.particle import Note, Particle, Sample, Skipped

__all__ = ["READER"]

_NAME = "zooscan"
_LONGEST_LINE = 1 << 16
_SECTION = re.compile(r"\[([^\]]+)\]")
_DEGREES_MINUTES = re.compile(r"(-?)(\d{1,3})\.(\d{2})(\d*)")
_NO_PLACE = frozenset({9999.0, 99999.0, 999999.0})
_COLUMNS = {
    "Sample SampleId": "sample_id",
    "Sample Vol": "sample_tot_vol",
    "Sample Ship": "sample_ship",
    "Sample Project": "sample_program",
    "Sample StationId": "sample_stationid",
    "Sample Depth": "sample_bottomdepth",
    "Sample CTDref": "sample_ctdrosettefilename",
    "Sample Otherref": "sample_other_ref",
    "Sample Townb": "sample_tow_nb",
    "Sample Towtype": "sample_tow_type",
    "Sample Nettype": "sample_net_type",
    "Sample Netmesh": "sample_net_mesh",
    "Sample Netsurf": "sample_net_surf",
    "Sample Zmax": "sample_zmax",
    "Sample Zmin": "sample_zmin",
    "Sample Sample_comment": "sample_comment",
    "Sample barcode": "sample_barcode",
    "Fraction Min": "acq_min_mesh",
    "Fraction Max": "acq_max_mesh",
    "Subsample SubPart": "acq_sub_part",
    "Subsample SubMethod": "acq_sub_method",
    "Subsample Observation": "acq_sub_observation",
    "Info Hardware": "acq_hardware",
    "Info Software": "acq_software",
    "Image Scanning_date": "acq_scan_date",
    "Info Resolution": "process_img_resolution",
    "Particules_Process Version": "process_particle_version",
    "Particules_Process Threshold": "process_particle_threshold",
    "Particules_Process PixSize": "process_particle_pixel_size_mm",
    "Particules_Process MinSize": "process_particle_min_size_mm",
    "Particules_Process MaxSize": "process_particle_max_size_mm",
    "Particules_Process Separation_Mask": "process_particle_sep_mask",
}
"""Section and key → the column that ZooProcess writes for EcoTaxa."""


def _claim(listing: Listing) -> list[Source]:
    sources = []
    beside: dict[Path, list[Path]] = {}
    files = [path for path in listing.files if path.suffix.lower() == ".pid" and _is_pid(listing.head(path))]
    for path in listing.files if files else ():
        if path.suffix.lower() in PICTURE_SUFFIXES:
            beside.setdefault(path.parent, []).append(path)
    for path in files:
        vignette = re.compile(re.escape(_scan_of(path)) + r"_\d+")
        pictures = [one for one in beside.get(path.parent, ()) if vignette.fullmatch(one.stem)]
        reason = f"a scan of a ZooScan (ZooProcess), {len(pictures):,} vignettes beside it"
        sources.append(Source(_NAME, path, (path, *pictures), reason))
    return sources


def _is_pid(head: bytes) -> bool:
    return head.lstrip().startswith(b"PID") and b"[" in head


def _scan_of(path: Path) -> str:
    return re.sub(r"_dat\d+$", "", path.stem)


@dataclass(slots=True)
class _Scan:
    """What stands before the table of a scan."""

    keys: dict[str, str] = field(default_factory=dict)
    """``Section key`` → value; the first of each."""
    columns: list[str] = field(default_factory=list)
    first_row: int = 0


def _read(source: Source) -> Iterator[Record]:
    path = source.path
    scan = _read_keys(path)
    sample, records = _sample(path, scan)
    pictures = {one.stem: one for one in source.files if one.suffix.lower() in PICTURE_SUFFIXES}
    yield sample
    yield from records
    seen: Counter[str] = Counter()
    for line, text in _lines(path):
        if line < scan.first_row or not text.strip():
            continue
        record = _particle(path, line, text, scan, sample, pictures)
        seen[type(record).__name__] += 1
        yield record
    stated, _ = parse_real(scan.keys.get("Particules_Process Analysed_Objects", ""))
    rows = seen.total()
    if stated is not None and rows < stated:
        yield Skipped(str(path), path.name, f"it ends after {rows:,} of {stated:,.0f} objects; copy it again")
    if pictures:
        yield Note(str(path), f"{len(pictures):,} vignettes are named by no row of the scan, and left out")


def _read_keys(path: Path) -> _Scan:
    """Read up to the names of the table's columns.

    Raises
    ------
    InputError
        Where there is no table.
    """
    scan, section = _Scan(), ""
    for line, text in _lines(path):
        if text.startswith("!"):
            scan.columns = [name.strip().lstrip("!") for name in text.split(";")]
            scan.first_row = line + 1
            if {"Item", "Label", "Area"} <= set(scan.columns):
                return scan
            break
        if found := _SECTION.fullmatch(text.strip()):
            section = found[1]
        elif "=" in text:
            key, _, value = text.partition("=")
            scan.keys.setdefault(f"{section} {key.strip()}", value.strip())
    raise InputError(f"{path}: no table of objects (a line that begins with !Item); process the scan again")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines with their numbers from 1, without ends; the text is that of an old Windows."""
    with path.open("rb") as file:
        number = 0
        while data := file.readline(_LONGEST_LINE):
            number += 1
            if len(data) == _LONGEST_LINE:
                raise InputError(f"{path}: line {number} is longer than {_LONGEST_LINE:,} bytes: not a ZooScan's file")
            yield number, data.rstrip(b"\r\n").decode("cp1252", errors="replace")


def _sample(path: Path, scan: _Scan) -> tuple[Sample, list[Record]]:
    """Make the sample through the columns of EcoTaxa, with the file's own keys as the source of each value."""
    keys = scan.keys
    cells = {column: keys[key] for key, column in _COLUMNS.items() if key in keys}
    fraction = keys.get("Fraction FracId", "")
    cells.setdefault("sample_id", _scan_of(path))
    cells |= {"acq_instrument": "zooscan", "acq_id": f"{fraction}_{cells['sample_id']}".strip("_")}
    acquisition = Acquisition(cells["sample_id"], cells["acq_id"], 1, tuple(cells.values()))
    facts = sample_facts(acquisition, tuple(cells), file=path.name, id=cells["acq_id"])
    key_of = {column: f"[{key.replace(' ', '] ', 1)}" for key, column in _COLUMNS.items()}
    provenance = {name: _in_own_words(source, key_of) for name, source in facts.sample.provenance.items()}
    records: list[Record] = [Skipped(str(path), key_of.get(column, column), reason) for column, reason in facts.faults]
    if "scans" in (said := keys.get("Subsample Observation", "")):
        text = f"the fraction was scanned in parts ({said[:80]}): whether SubPart counts them is for you to know"
        records.append(Note(str(path), text))
    values: dict[str, Any] = {}
    place = [_degrees(keys.get(f"Sample {name}", ""), name, path, records) for name in ("Latitude", "Longitude")]
    if place[0] is not None and place[1] is not None:
        values |= {"latitude": place[0], "longitude": -place[1] if place[1] else 0.0}
        provenance["latitude"] = f"{path.name}: [Sample] Latitude (degrees.minutes)"
        provenance["longitude"] = f"{path.name}: [Sample] Longitude (degrees.minutes, positive to the west)"
    if (start := _moment(keys.get("Sample Date", ""), path, records)) is not None:
        values["start"], provenance["start"] = start, f"{path.name}: [Sample] Date (UTC)"
    for name, key in (("depth_min_m", "Zmin"), ("depth_max_m", "Zmax")):
        depth, reason = parse_real(keys.get(f"Sample {key}", ""))
        if reason:
            records.append(Skipped(str(path), f"[Sample] {key}", f"{reason}; left out"))
        if depth is not None and depth not in _NO_PLACE:
            values[name], provenance[name] = depth, f"{path.name}: [Sample] {key} (m)"
    objects, _ = parse_real(keys.get("Particules_Process Analysed_Objects", ""))
    if objects is not None:
        values["n_recorded"] = int(objects)
        provenance["n_recorded"] = f"{path.name}: [Particules_Process] Analysed_Objects"
    sample = replace(facts.sample, path=str(path), reader=_NAME, provenance=provenance, **values)
    return sample, records


def _in_own_words(source: str, key_of: dict[str, str]) -> str:
    for column in sorted(key_of, key=len, reverse=True):
        source = source.replace(column, key_of[column])
    return source


def _degrees(text: str, name: str, path: Path, records: list[Record]) -> float | None:
    """Give degrees from degrees and minutes, written ``DD.MMmmm``: 47.5076 is 47° 50.76'."""
    value, reason = parse_real(text)
    if (value is None and not reason) or value in _NO_PLACE:
        return None
    found = _DEGREES_MINUTES.fullmatch(text.strip())
    minutes = float(f"{found[3]}.{found[4] or 0}") if found else 60.0
    if found is None or minutes >= 60 or int(found[2]) > (90 if name == "Latitude" else 180):
        why = f"{text[:40]!r} is not in degrees and minutes (DD.MMmm); left out"
        records.append(Skipped(str(path), f"[Sample] {name}", why))
        return None
    degrees = int(found[2]) + minutes / 60
    return -degrees if found[1] else degrees


def _moment(text: str, path: Path, records: list[Record]) -> datetime | None:
    """Give a moment from ``YYYYMMDD-HHMM``."""
    day, _, clock = text.partition("-")
    date, why_date = parse_date(day)
    time, why_time = parse_time(clock)
    if reason := why_date or why_time:
        records.append(Skipped(str(path), "[Sample] Date", f"{reason}; left out"))
    if date is None or time is None:
        return None
    return datetime.combine(date, time, UTC)


def _particle(
    path: Path, line: int, text: str, scan: _Scan, sample: Sample, pictures: dict[str, Path]
) -> Particle | Skipped:
    """Make the particle of one row; its number is the vignette's, as in the ids of EcoTaxa."""
    fields = text.split(";")
    if len(fields) != len(scan.columns):
        why = f"the row has {len(fields)} fields where the header has {len(scan.columns)}"
        return Skipped(str(path), f"line {line}", f"{why}: left out")
    cells = dict(zip(scan.columns, fields, strict=True))
    name = f"{cells['Label'].strip() or _scan_of(path)}_{cells['Item'].strip()}"
    numbers = {}
    for column, cell in cells.items():
        if column and column not in ("Item", "Label"):
            value, reason = parse_real(cell)
            if reason:
                return Skipped(str(path), f"line {line} ({name})", f"{column}: {reason}: left out")
            numbers[f"object_{column.lower()}"] = float("nan") if value is None else value
    picture = pictures.pop(name, None)
    image = picture.read_bytes() if picture is not None and picture.stat().st_size <= LARGEST_MEMBER else None
    return Particle(
        id=f"{sample.id}/{name}",
        sample_id=sample.id,
        image=image,
        image_format=image_format(image) if image is not None else None,
        pixel_size_um=sample.pixel_size_um,
        listmode=numbers,
    )


READER = Reader(
    name=_NAME,
    description="Scans of a ZooScan by ZooProcess: SCAN_dat1.pid with the vignettes beside it",
    claim=_claim,
    read=_read,
)
