"""The folders of the cross-modal paper: pictures, profiles, and a table that pairs them and names their class.

Layout after the code that reads them (Jookare/cross-modal-plankton): ``annotations.csv`` with the columns image,
profile and class; one csv a profile; split files such as ``fold1/train.csv`` whose paths begin with ``../``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from seston.errors import InputError
from seston.instruments.pair_tables import PairRow, PairTable, climbs, has_pair_columns, is_split_file, read_pair_table
from seston.instruments.pictures import PICTURE_SUFFIXES, image_format
from seston.instruments.profile_files import ProfileFiles
from seston.instruments.source import Listing, Reader, Record, Source
from seston.particle import Note, Particle, Sample, Skipped

__all__ = ["READER"]

_TABLES = frozenset({".csv", ".tsv", ".txt"})
_FEW_TABLES = 64
"""In a folder with more tables than this, only one of the usual name is looked into: the others are profiles."""
_LARGEST_PICTURE = 256 << 20


def _claim(listing: Listing) -> list[Source]:
    tables = _pair_tables(listing)
    splits = {path for path in tables if is_split_file(path, listing.head(path))}
    roots: dict[Path, list[Path]] = {path.parent: [path] for path in tables if path not in splits}
    for path in sorted(splits):
        above = next((folder for folder in (path.parent, *path.parents) if folder in roots), None)
        own = path.parent.parent if climbs(listing.head(path)) else path.parent
        roots.setdefault(above or own, []).append(path)
    return [source for root, files in sorted(roots.items()) if (source := _source(root, files, listing)) is not None]


def _pair_tables(listing: Listing) -> list[Path]:
    by_folder: dict[Path, list[Path]] = {}
    for path in listing.files:
        if path.suffix.lower() in _TABLES:
            by_folder.setdefault(path.parent, []).append(path)
    found = []
    for files in by_folder.values():
        for path in files:
            usual = path.stem.lower() == "annotations"
            if (usual or len(files) <= _FEW_TABLES) and has_pair_columns(listing.head(path)):
                found.append(path)
    return sorted(found)


def _source(root: Path, tables: list[Path], listing: Listing) -> Source | None:
    """Make the source of one folder: its tables, what they name, and what else lies beside that."""
    named: set[Path] = set()
    for path in tables:
        try:
            table = read_pair_table(path, root)
        except (InputError, ValueError):
            continue
        named.update(root / name for row in table.rows for name in (row.image, row.profile) if name)
    folders = {path.parent for path in named} - {root}
    files = {path for path in listing.files if path in named or (path.parent in folders and _may_belong(path))}
    reason = f"pairs of pictures and profiles: {tables[0].name} has the columns image and profile"
    return Source("pairs", tables[0], tuple(sorted(files | set(tables))), reason, {"root": str(root)})


def _may_belong(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES or path.suffix.lower() in _TABLES


@dataclass(slots=True)
class _Folder:
    """What is known of a folder while it is read."""

    root: Path
    sample_id: str
    table: PairTable
    profiles: ProfileFiles = field(default_factory=ProfileFiles)
    images_read: set[str] = field(default_factory=set)
    profiles_read: set[str] = field(default_factory=set)


def _read(source: Source) -> Iterator[Record]:
    """Stream the particles of a folder; a missing or bad part costs only that part."""
    root = Path(source.details.get("root", source.path.parent))
    tables, records = _open_tables(source, root)
    splits = [table for table in tables if is_split_file(table.path, _head(table.path))]
    whole = [table for table in tables if table not in splits]
    folder = _Folder(root, root.resolve().name or "pairs", _union(whole or splits))
    numbers = folder.table.numbers()
    members = {_relative(table.path, root): _members(table, folder.table, numbers) for table in splits}
    settings = {f"split {name}": "\n".join(found) for name, (found, _) in members.items()}
    yield Sample(id=folder.sample_id, path=str(source.path), reader="pairs", settings=settings)
    yield from records
    for name, (found, unknown) in members.items():
        yield Note(str(root / name), f"a split file: it names {len(found):,} particles (kept in the sample's settings)")
        if unknown:
            yield Skipped(
                str(root / name), f"{unknown} rows", "they name particles that annotations.csv does not: left out"
            )
    with_profile = [root / row.profile for row in folder.table.rows if row.profile]
    folder.profiles.look_at(with_profile[:: max(1, len(with_profile) // 50)])
    for row in folder.table.rows:
        yield from _particle(row, numbers.get(row.line, ""), folder)
    yield from _remarks(source, folder)


def _open_tables(source: Source, root: Path) -> tuple[list[PairTable], list[Record]]:
    tables: list[PairTable] = []
    records: list[Record] = []
    beneath = [source.path, *(path for path in source.files if path != source.path)]
    for path in beneath:
        if path.suffix.lower() not in _TABLES or not has_pair_columns(_head(path)):
            continue
        try:
            tables.append(read_pair_table(path, root))
        except InputError as error:
            records.append(Skipped(str(path), path.name, str(error).removeprefix(f"{path}: ")))
    if not any(table.rows for table in tables):
        raise InputError(f"{source.path}: no row that names a picture or a profile; look at its columns")
    return tables, records


def _union(tables: list[PairTable]) -> PairTable:
    """Put tables together; a particle that several name is taken once. One table stays as it is."""
    if len(tables) == 1:
        return tables[0]
    rows: dict[tuple[str | None, str | None], PairRow] = {}
    for table in tables:
        for row in table.rows:
            rows.setdefault((row.image, row.profile), row)
    numbered = [
        PairRow(place, row.image, row.profile, row.label, row.reason)
        for place, row in enumerate(rows.values(), start=2)
    ]
    return PairTable(tables[0].path, numbered)


def _members(table: PairTable, whole: PairTable, numbers: dict[int, str]) -> tuple[list[str], int]:
    """Give the numbers of the particles that a split file names, and how many of its rows no one knows."""
    known = {(row.image or row.profile): numbers[row.line] for row in whole.rows if row.line in numbers}
    found = [known[row.image or row.profile] for row in table.rows if (row.image or row.profile) in known]
    return found, len(table.rows) - len(found)


def _particle(row: PairRow, number: str, folder: _Folder) -> Iterator[Record]:
    where = str(folder.table.path)
    if row.reason:
        yield Skipped(where, f"line {row.line}", row.reason)
        return
    if row.image and row.image in folder.images_read:
        yield Skipped(where, f"line {row.line}", f"the picture {row.image} is named a second time: left out")
        return
    image = profile = None
    channels: tuple[str, ...] = ()
    if row.image:
        folder.images_read.add(row.image)
        image, reason = _picture(folder.root / row.image, folder.root)
        if reason:
            yield Skipped(str(folder.root / row.image), f"picture of {number}", reason)
    if row.profile and row.profile in folder.profiles_read:
        yield Skipped(where, f"line {row.line}", f"the profile {row.profile} is named a second time: left out")
    elif row.profile:
        folder.profiles_read.add(row.profile)
        try:
            _check_inside(folder.root / row.profile, folder.root)
            profile, channels = folder.profiles.read(folder.root / row.profile)
        except InputError as error:
            yield Skipped(str(folder.root / row.profile), f"profile of {number}", f"the profile {error}")
    if image is None and profile is None:
        return
    yield Particle(
        id=f"{folder.sample_id}/{number}",
        sample_id=folder.sample_id,
        image=image,
        image_format=image_format(image) if image else None,
        profile=profile,
        profile_channels=channels,
        raw_label=row.label,
    )


def _picture(path: Path, root: Path) -> tuple[bytes | None, str]:
    try:
        _check_inside(path, root)
        if path.stat().st_size > _LARGEST_PICTURE:
            return None, f"the picture is larger than {_LARGEST_PICTURE >> 20} MB"
        data = path.read_bytes()
    except FileNotFoundError:
        return None, "the picture does not exist"
    except InputError as error:
        return None, f"the picture {error}"
    except OSError as error:
        return None, f"the picture cannot be opened ({error.strerror})"
    return (data, "") if data else (None, "the picture is empty")


def _check_inside(path: Path, root: Path) -> None:
    """Refuse a link that leads out of the folder."""
    if path.is_symlink() and root.resolve() not in path.resolve().parents:
        raise InputError("is a link that leads out of the folder")


def _remarks(source: Source, folder: _Folder) -> Iterator[Record]:
    root = folder.root
    named = {root / name for name in folder.images_read | folder.profiles_read}
    pictures = [path for path in source.files if path.suffix.lower() in PICTURE_SUFFIXES and path not in named]
    if pictures:
        some = ", ".join(path.name for path in pictures[:5]) + (", …" if len(pictures) > 5 else "")
        reason = f"{folder.table.path.name} does not name them ({some}): left out"
        yield Skipped(str(pictures[0].parent), f"{len(pictures):,} pictures", reason)
    if folder.profiles.ending_rows:
        yield Note(
            str(root), f"{folder.profiles.ending_rows:,} rows of zeros that end profiles are no samples: left out"
        )
    if folder.profiles.headless:
        yield Note(str(root), f"{folder.profiles.headless:,} profiles have no header: their channels are numbered")
    yield Note(str(root), "no file says flow speed or pixel size: lengths in µm are left empty")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(8192)
    except OSError:
        return b""


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


READER = Reader(
    name="pairs",
    description="Folders of pairs: annotations.csv with image, profile, class; one csv a profile; split files too",
    claim=_claim,
    read=_read,
)
