"""Which files of a folder are one measurement's export."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from seston.errors import InputError
from seston.instruments.export_names import ExportName, export_name, measurement_key, picture_name
from seston.instruments.info_text import looks_like_info
from seston.instruments.listmode import is_listmode_table
from seston.instruments.pictures import PICTURE_SUFFIXES
from seston.instruments.pulses import is_pulse_table
from seston.instruments.source import Listing
from seston.instruments.table_layout import layout_of

__all__ = ["Export", "export_of", "find_exports", "table_kind"]

_TABLES = frozenset({".csv", ".txt", ".tsv"})


@dataclass(slots=True)
class Export:
    """The files of one measurement."""

    folder: Path
    measurement: str
    listmode: list[Path] = field(default_factory=list)
    pulses: list[Path] = field(default_factory=list)
    info: list[Path] = field(default_factory=list)
    labels: list[Path] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)
    """Pictures and zip archives of pictures."""
    set_names: list[str] = field(default_factory=list)
    rclustool: bool = False
    alone: bool = False
    """A table that comes with nothing else, and is not expected to."""

    @property
    def tables(self) -> list[Path]:
        """All files but the pictures."""
        return [*self.listmode, *self.pulses, *self.info, *self.labels]

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file, sorted."""
        return tuple(sorted([*self.tables, *self.images]))

    def describe(self) -> str:
        """Say what there is of the measurement."""
        parts = [
            name
            for name, files in (
                ("Features" if self.rclustool else "Listmode", self.listmode),
                ("Pulses", self.pulses),
                ("Info", self.info),
                ("labels", self.labels),
            )
            if files
        ]
        archives = sum(path.suffix.lower() == ".zip" for path in self.images)
        pictures = len(self.images) - archives
        if archives:
            parts.append("pictures in zip")
        if pictures:
            parts.append(f"{pictures:,} picture files")
        return ", ".join(parts)


def find_exports(listing: Listing) -> list[Export]:
    """Group the files of a listing into exports, those of CytoClus and those of RclusTool."""
    named = {path: name for path in listing.files if (name := _named(path, listing)) is not None}
    infos = _info_names(named)
    exports: dict[tuple[Path, str], Export] = {}
    for path, name in named.items():
        measurement, set_name = _measurement(name, infos[path.parent])
        key = (path.parent, measurement_key(measurement))
        export = exports.setdefault(key, Export(path.parent, measurement))
        _put(path, name.kind, export, listing)
        if set_name and set_name not in export.set_names:
            export.set_names.append(set_name)
    exports = {key: export for key, export in exports.items() if _is_export(export, named, listing)}
    _add_pictures(listing, exports, set(named))
    return [export for _, export in sorted(exports.items()) if export.files]


def export_of(files: Iterable[Path], root: Path) -> Export:
    """Put the files of one source back in their places, as `find_exports` had them."""
    exports = find_exports(Listing(root, tuple(files)))
    if not exports:
        raise InputError(f"{root}: holds no file of an export any more; look for its files and try again")
    return exports[0]


def table_kind(path: Path, listing: Listing) -> str | None:
    """Tell from its header whether a file is ``listmode`` or ``pulses``; None where it is neither."""
    head = listing.head(path)
    if len(head) >= 4096 and b"\n" not in head:  # a header longer than the head that was read
        with path.open("rb") as file:
            head = file.read(1 << 17)
    try:
        columns = layout_of(head).columns
    except InputError:
        return None
    if is_pulse_table(columns):
        return "pulses"
    return "listmode" if is_listmode_table(columns) else None


def _named(path: Path, listing: Listing) -> ExportName | None:
    """Give what a file's name says, where it can be a table, an Info text or an archive of an export."""
    suffix = path.suffix.lower()
    if suffix not in _TABLES and suffix != ".zip":
        return None
    name = export_name(path.stem)
    if name is None or (name.kind == "images") != (suffix == ".zip"):
        return None
    if name.kind == "info" and (suffix != ".txt" or not (name.dated or looks_like_info(listing.head(path)))):
        return None
    return name


def _info_names(named: dict[Path, ExportName]) -> defaultdict[Path, list[str]]:
    infos: defaultdict[Path, list[str]] = defaultdict(list)
    for path, name in named.items():
        if name.kind in ("info", "features") and name.measurement:
            infos[path.parent].append(name.measurement)
    return infos


def _measurement(name: ExportName, infos: list[str]) -> tuple[str, str | None]:
    """Part measurement and set; without a date, by the name of an Info text in the folder."""
    if name.dated:
        return name.measurement, name.set_name
    for info in sorted(infos, key=len, reverse=True):
        if name.measurement == info:
            return info, None
        if name.measurement.startswith(f"{info}_"):
            return info, name.measurement[len(info) + 1 :]
    return name.measurement, None


def _put(path: Path, kind: str, export: Export, listing: Listing) -> None:
    if kind in ("listmode", "pulses", "features"):
        found = table_kind(path, listing) or kind
        (export.pulses if found == "pulses" else export.listmode).append(path)
        export.rclustool |= kind == "features"
    elif kind == "info":
        export.info.append(path)
    elif kind == "labels":
        export.labels.append(path)
    else:
        export.images.append(path)


def _is_export(export: Export, named: dict[Path, ExportName], listing: Listing) -> bool:
    """Tell an export from files that merely have such a name, like ``labels.csv`` or ``photos.zip``."""
    if any(named[path].dated for path in [*export.listmode, *export.pulses, *export.info, *export.images]):
        return True
    sure = [path for path in [*export.listmode, *export.pulses] if table_kind(path, listing)]
    return bool(sure) or bool(export.info)


def _add_pictures(listing: Listing, exports: dict[tuple[Path, str], Export], taken: set[Path]) -> None:
    by_folder: defaultdict[Path, list[Export]] = defaultdict(list)
    for export in exports.values():
        by_folder[export.folder].append(export)
    root = listing.root

    @cache
    def image_folder(folder: Path) -> tuple[Path, ExportName | None] | None:
        """Give the folder of pictures that a folder is or lies in, with what its name says."""
        name = export_name(folder.name)
        if name is not None and name.kind == "images":
            return folder, name
        if folder.name.lower().startswith("img") and any(export.rclustool for export in by_folder[folder.parent]):
            return folder, None
        inside = folder != root and root in folder.parents
        return image_folder(folder.parent) if inside else None

    for path in listing.files:
        if path in taken or path.suffix.lower() not in PICTURE_SUFFIXES:
            continue
        place = image_folder(path.parent)
        if place is not None:
            home = _export_of_folder(place[0], place[1], by_folder, exports)
        else:
            home = _export_of_picture(path, by_folder, exports)
        if home is not None:
            home.images.append(path)


def _export_of_folder(
    folder: Path,
    name: ExportName | None,
    by_folder: defaultdict[Path, list[Export]],
    exports: dict[tuple[Path, str], Export],
) -> Export | None:
    beside = by_folder[folder.parent]
    if name is None or not name.dated:
        wanted = measurement_key(name.measurement) if name else folder.name.lower().removeprefix("img").strip("_- ")
        fitting = [export for export in beside if wanted and wanted in measurement_key(export.measurement)]
        candidates = fitting or beside
        return candidates[0] if len(candidates) == 1 else None
    key = (folder.parent, measurement_key(name.measurement))
    if key not in exports:
        exports[key] = Export(folder.parent, name.measurement)
        by_folder[folder.parent].append(exports[key])
    if name.set_name and name.set_name not in exports[key].set_names:
        exports[key].set_names.append(name.set_name)
    return exports[key]


def _export_of_picture(
    path: Path, by_folder: defaultdict[Path, list[Export]], exports: dict[tuple[Path, str], Export]
) -> Export | None:
    """Find the export of a picture that lies beside the tables, or in a folder of another name below them."""
    parts = picture_name(path.stem)
    if parts is None or parts.measurement is None:
        return None
    key = measurement_key(parts.measurement)
    for folder in (path.parent, path.parent.parent):
        if (folder, key) in exports:
            return exports[folder, key]
    with_tables = [export for export in by_folder[path.parent] if export.tables]
    if with_tables:
        return with_tables[0]  # where it will be told that it is another measurement's
    exports[path.parent, key] = Export(path.parent, parts.measurement)
    by_folder[path.parent].append(exports[path.parent, key])
    return exports[path.parent, key]
