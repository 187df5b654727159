"""FlowCam runs: a list of particles, collages with their pictures, and texts about the measurement.

All files of a run begin with its name: ``RUN.lst``, ``RUN.csv``, ``RUN.ctx``, ``RUN.cla``, ``RUN_000001.tif`` with its
mask ``RUN_000001_bin.tif``, ``RUN_summary.csv``, ``RUN_run_summary.txt``. Layouts after real runs of VisualSpreadsheet
3 and 4 and morphocut/morphocut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path

from seston.errors import InputError
from seston.instruments.flowcam_classes import LARGEST_CLASSES, Classes, parse_classes
from seston.instruments.flowcam_collages import Collages, collage_parts
from seston.instruments.flowcam_facts import LARGEST_TEXT, Facts, parse_facts
from seston.instruments.flowcam_list import BadRow, ListRow, is_list_head, is_table_head, read_list
from seston.instruments.flowcam_sample import ListSummary, RunTexts, sample_of_run
from seston.instruments.png_writing import encode_png
from seston.instruments.source import Listing, Reader, Record, Source
from seston.particle import Note, Particle, Skipped

__all__ = ["READER"]

_NAME = "flowcam"
_OWN_ENDINGS = frozenset({".lst", ".ctx", ".cla", ".edg"})


def _claim(listing: Listing) -> list[Source]:
    by_folder: dict[Path, list[Path]] = {}
    for path in listing.files:
        by_folder.setdefault(path.parent, []).append(path)
    return [source for _, files in sorted(by_folder.items()) for source in _runs(files, listing)]


def _runs(files: list[Path], listing: Listing) -> list[Source]:
    """Find the runs in one folder, and which of its files belong to each."""
    names = {path.stem: path for path in files if _stands_for_a_run(path, listing)}
    runs: dict[str, list[Path]] = {name: [] for name in names}
    if not runs:
        return []
    for path in files:
        run = _run_of(path, runs)
        if run is not None:
            runs[run].append(path)
    sources = []
    for name, found in runs.items():
        kinds = sorted({path.suffix.lower() for path in found})
        sources.append(Source(_NAME, names[name], tuple(found), f"a FlowCam run: {', '.join(kinds)}", {"run": name}))
    return sources


def _stands_for_a_run(path: Path, listing: Listing) -> bool:
    suffix = path.suffix.lower()
    if suffix == ".lst":
        return is_list_head(listing.head(path))
    if suffix == ".ctx":
        head = listing.head(path)
        return b"[Software]" in head and b"[Fluid]" in head
    return suffix == ".csv" and not path.name.lower().endswith("_summary.csv") and is_table_head(listing.head(path))


def _run_of(path: Path, runs: dict[str, list[Path]]) -> str | None:
    """Tell whose a file is; with one run in the folder all collages are its own, as a run may have been renamed."""
    name, suffix = path.name, path.suffix.lower()
    if suffix in _OWN_ENDINGS or suffix == ".csv":
        stem = path.stem.removesuffix("_summary") if path.stem not in runs else path.stem
        return stem if stem in runs else None
    if name.lower().endswith("_run_summary.txt"):
        stem = path.stem[: -len("_run_summary")]
        return stem if stem in runs else None
    if suffix not in (".tif", ".tiff"):
        return None
    parts = collage_parts(name)
    if parts is not None and parts[0] in runs:
        return parts[0]
    belongs = parts is not None or name.lower().startswith(("cal_image_", "rawfile_"))
    return next(iter(runs)) if belongs and len(runs) == 1 else None


@dataclass(slots=True)
class _Run:
    """What there is of one run."""

    name: str
    path: Path
    rows: Path | None
    """List, or the table that was exported of it."""
    table: Path | None
    """The table, where it can add to a list."""
    texts: RunTexts
    classes: Classes
    collages: Collages
    records: list[Record] = field(default_factory=list)


def _read(source: Source) -> Iterator[Record]:
    run = _open(source)
    listed = ListSummary()
    if run.rows is not None:
        listed = _look_through(run.rows)
    sample, ahead, remarks = sample_of_run(run.name, run.texts, listed, path=str(source.path))
    yield sample
    yield from run.records
    yield from (Note(str(source.path), remark) for remark in remarks)
    if run.rows is None:
        lost = "without it no particle can be read; put it beside the .ctx and import again"
        yield Skipped(str(source.path), f"{run.name}.lst", f"is not there, nor a .csv of the run: {lost}")
        return
    yield from _particles(run, run.rows, ahead)
    for name, lost_pictures in sorted(run.collages.lost.items()):
        reason = (
            f"{run.collages.reasons[name]}: {lost_pictures:,} particles have no picture, their parameters were read"
        )
        yield Skipped(str(source.path), name, reason)
    for name in sorted(run.collages.renamed):
        yield Note(str(source.path), f"{name} was found under another name: the run was renamed")


def _open(source: Source) -> _Run:
    name = source.details.get("run") or source.path.stem
    found = {path.name.removeprefix(name).lower(): path for path in source.files if path.name.startswith(name)}
    records: list[Record] = []
    texts = RunTexts(*(_facts(found.get(ending), records) for ending in (".ctx", "_summary.csv", "_run_summary.txt")))
    classes = _classes(found.get(".cla"), records)
    return _Run(
        name=name,
        path=source.path,
        rows=found.get(".lst") or found.get(".csv"),
        table=found.get(".csv") if ".lst" in found else None,
        texts=texts,
        classes=classes,
        collages=Collages([path for path in source.files if path.suffix.lower() in (".tif", ".tiff")]),
        records=records,
    )


def _facts(path: Path | None, records: list[Record]) -> Facts:
    if path is None:
        return Facts("")
    data = _content(path, LARGEST_TEXT, records)
    facts = parse_facts(data, path.name)
    if data is not None and not facts.values:
        records.append(Skipped(str(path), path.name, "holds no value that can be read; left out"))
    return facts


def _classes(path: Path | None, records: list[Record]) -> Classes:
    if path is None:
        return Classes()
    try:
        classes = parse_classes(_content(path, LARGEST_CLASSES, records))
    except InputError as error:
        records.append(Skipped(str(path), path.name, f"{error}; the particles have no labels"))
        return Classes()
    if classes.others:
        text = f"{classes.others} more classifications are in the file: the one of the most particles is taken"
        records.append(Note(str(path), text))
    if classes.doubled:
        records.append(Note(str(path), f"{classes.doubled:,} particles stand in several classes: the first is taken"))
    return classes


def _content(path: Path, largest: int, records: list[Record]) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        records.append(Skipped(str(path), path.name, f"cannot be read ({error.strerror or error})"))
        return b""
    if len(data) > largest:
        records.append(Note(str(path), f"is larger than {largest >> 20} MB: only its beginning is read"))
    return data[:largest]


def _look_through(path: Path) -> ListSummary:
    listed = ListSummary(path.name)
    for row in read_list(path):
        if isinstance(row, ListRow):
            listed.rows += 1
            listed.first = listed.first or row.clock
            listed.last = row.clock or listed.last
            listed.calibrations.add(row.um_per_px)
    return listed


def _particles(run: _Run, path: Path, ahead: timedelta) -> Iterator[Record]:
    beside = _TableBeside(run.table)
    seen: set[int] = set()
    for row in read_list(path):
        if isinstance(row, BadRow):
            yield Skipped(str(path), f"line {row.line}", row.reason)
        elif row.number in seen:
            yield Skipped(str(path), f"line {row.line}", f"a second particle {row.number}: the first is kept")
        else:
            seen.add(row.number)
            yield from _particle(run, row, ahead, beside.parameters_of(row))
    if beside.trouble:
        yield Skipped(str(run.table), f"{run.name}.csv", f"{beside.trouble}; the list was read without it from there")
    if strange := sorted(run.classes.labels.keys() - seen):
        reason = f"names {len(strange):,} particles that the list does not have ({strange[0]}, …)"
        yield Skipped(str(run.path), f"{run.name}.cla", reason)


def _particle(run: _Run, row: ListRow, ahead: timedelta, more: dict[str, float]) -> Iterator[Record]:
    image = None
    try:
        pixels = run.collages.picture(row.collage, row.box)
        image = None if pixels is None else encode_png(pixels)
    except InputError as error:
        yield Skipped(str(run.path), f"{run.name}/{row.number}", f"{error}; its parameters were read")
    label = run.classes.labels.get(row.number)
    yield Particle(
        id=f"{run.name}/{row.number}",
        sample_id=run.name,
        image=image,
        image_format="png" if image is not None else None,
        pixel_size_um=row.um_per_px,
        listmode={**row.parameters, **more},
        raw_label=label,
        raw_status="predicted" if label in run.classes.by_filter else None,
        time=None if row.clock is None else (row.clock - ahead).replace(tzinfo=UTC),
    )


class _TableBeside:
    """The exported table, read row by row beside the list: it has some parameters more, in the same order."""

    def __init__(self, path: Path | None) -> None:
        self._rows = iter(()) if path is None else read_list(path)
        self._following: ListRow | BadRow | None = None
        self.trouble = ""
        """Why it cannot be read on."""
        self._advance()

    def parameters_of(self, row: ListRow) -> dict[str, float]:
        """Give what the table says of a particle and the list does not."""
        following = self._following
        if following is None:
            return {}
        if isinstance(following, BadRow) or following.number != row.number:
            why = following.reason if isinstance(following, BadRow) else f"particle {following.number} out of order"
            self.trouble = f"line {following.line}: {why}"
            self._following = None
            return {}
        self._advance()
        return {name: value for name, value in following.parameters.items() if name not in row.parameters}

    def _advance(self) -> None:
        try:
            self._following = next(self._rows, None)
        except InputError as error:
            self._following, self.trouble = None, str(error).partition(": ")[2]


READER = Reader(
    name=_NAME,
    description="FlowCam runs: .lst or .csv with collages, .ctx, summaries and classes (.cla) of VisualSpreadsheet",
    claim=_claim,
    read=_read,
)
