"""Reader of pictures in folders that are named after their class, plain or in a tar or zip archive.

``<class>/<picture>`` is the way in which most picture collections are shared. The folder's path is the raw label,
``a/b`` where folders are nested; pictures in no folder have none. Archives are streamed, never unpacked to disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from seston.errors import InputError
from seston.instruments.archive_member import LARGEST_MEMBER, Member, Wanted
from seston.instruments.image_sets import is_litter
from seston.instruments.pictures import PICTURE_SUFFIXES, image_format
from seston.instruments.source import Listing, Reader, Record, Source
from seston.instruments.tar_members import tar_members
from seston.instruments.zip_members import zip_members
from seston.particle import Note, Particle, Sample, Skipped

__all__ = ["READER"]

_NAME = "class-folders"
_TAR_ENDINGS = (".tar.gz", ".tgz", ".tar")
_ZIP_ENDING = ".zip"
_LOOKED_AT = 500
"""Members of an archive among which a picture must be for the archive to be claimed."""


def _claim(listing: Listing) -> list[Source]:
    sources = []
    pictures = tuple(path for path in listing.files if path.suffix.lower() in PICTURE_SUFFIXES)
    if pictures:
        folders = {path.parent for path in pictures}
        where = "pictures in folders named after their class" if folders - {listing.root} else "pictures"
        details = {"root": str(listing.root), "sample": listing.root.resolve().name or "pictures"}
        sources.append(Source(_NAME, listing.root, pictures, where, details))
    archives = [path for path in listing.files if _ending(path) and _holds_pictures(path)]
    known = Counter(_stem(path) for path in archives) + Counter(source.details["sample"] for source in sources)
    for path in archives:
        sample = _stem(path)
        if known[sample] > 1:  # two sources must not share their particles' ids
            sample = f"{path.parent.relative_to(listing.root).as_posix()}/{path.name}".removeprefix("./")
        reason = "an archive of pictures in folders named after their class"
        sources.append(Source(_NAME, path, (path,), reason, {"sample": sample}))
    return sources


def _read(source: Source) -> Iterator[Record]:
    sample = source.details.get("sample") or _stem(source.path) or source.path.resolve().name
    yield Sample(id=sample, path=str(source.path), reader=_NAME)
    if "root" in source.details:
        members = _files(source, Path(source.details["root"]))
    else:
        members = _archive_members(source.path, _is_wanted_picture)
    yield from _records(members, sample, str(source.path))


def _records(members: Iterator[Member], sample: str, where: str) -> Iterator[Record]:
    names: dict[int, str] = {}  # by hash, so that a million names take little memory
    others: Counter[str] = Counter()
    litter = given = 0
    broken: InputError | None = None
    while True:
        try:
            member = next(members, None)
        except InputError as error:
            broken = error
            break
        if member is None:
            break
        if member.folder and not member.trouble:
            continue
        if _is_litter(member.name):
            litter += 1
        elif member.trouble:
            yield Skipped(where, _shown(member.name), f"{member.trouble}: left out")
        elif member.data is None:
            others[PurePosixPath(member.name).suffix.lower() or "no ending"] += 1
        else:
            record = _particle(member.name, member.data, sample, where, names)
            given += isinstance(record, Particle)
            yield record
    if broken is not None and not given:
        raise InputError(f"{where}: {broken}")
    if broken is not None:
        yield Skipped(where, Path(where).name, f"{broken}; the {given:,} pictures before were read")
    yield from _notes(where, others, litter)


def _particle(name: str, data: bytes, sample: str, where: str, names: dict[int, str]) -> Particle | Skipped:
    """Make a particle; its number is its path, with the ending only where another picture differs in nothing else."""
    path = _tidy(name)
    stem, _, ending = path.rpartition(".")
    if hash(stem) not in names:
        names[hash(stem)], number = ending, stem
    elif names[hash(stem)] != ending and hash(path) not in names:
        names[hash(path)], number = "", path
    else:
        return Skipped(where, _shown(name), "a second member of the same name: the first is kept")
    label = path.rpartition("/")[0]
    return Particle(
        id=f"{sample}/{number}",
        sample_id=sample,
        image=data,
        image_format=image_format(data),
        raw_label=label or None,
    )


def _notes(where: str, others: Counter[str], litter: int) -> Iterator[Note]:
    if others:
        kinds = ", ".join(f"{number:,} {ending}" for ending, number in sorted(others.items()))
        yield Note(where, f"{others.total():,} members are no pictures and were left: {kinds}")
    if litter:
        yield Note(where, f"{litter:,} members are dot files or what macOS leaves behind, and were left")


def _files(source: Source, root: Path) -> Iterator[Member]:
    """Give the files of a folder as if they were members of an archive."""
    for path in source.files:
        name = path.relative_to(root).as_posix()
        try:
            if path.stat().st_size > LARGEST_MEMBER:
                yield Member(name, None, f"larger than {LARGEST_MEMBER >> 20} MB")
            else:
                yield Member(name, path.read_bytes())
        except OSError as error:
            yield Member(name, None, f"cannot be read ({error.strerror or error})")


def _archive_members(path: Path, wanted: Wanted) -> Iterator[Member]:
    members = zip_members if _ending(path) == _ZIP_ENDING else tar_members
    try:
        yield from members(path, wanted)
    except OSError as error:
        raise InputError(f"the archive cannot be read ({error.strerror or error})") from None


def _holds_pictures(path: Path) -> bool:
    """Look through the first members' names for a picture."""
    try:
        return any(
            _is_wanted_picture(member.name) and not member.folder
            for member in islice(_archive_members(path, lambda name: False), _LOOKED_AT)
        )
    except InputError:
        return False


def _is_wanted_picture(name: str) -> bool:
    stem, point, ending = name.rpartition(".")
    named = stem and stem[-1] != "/"
    return bool(named) and (point + ending).lower() in PICTURE_SUFFIXES and not _is_litter(name)


def _is_litter(name: str) -> bool:
    """Ask `is_litter` only where it may say yes: this is asked of every member."""
    return (name[:1] == "." or "/." in name or "__MACOSX" in name) and is_litter(name)


def _tidy(name: str) -> str:
    """Path without the ``./`` and doubled slashes that some programs write."""
    if name[:2] != "./" and "//" not in name and "/./" not in name:
        return name
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _ending(path: Path) -> str:
    """Ending of an archive that can be read, else an empty text."""
    name = path.name.lower()
    return next((ending for ending in (*_TAR_ENDINGS, _ZIP_ENDING) if name.endswith(ending)), "")


def _stem(path: Path) -> str:
    ending = _ending(path)
    return path.name[: -len(ending)] if ending else path.name


def _shown(name: str) -> str:
    """Name of a member fit to be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:200]


READER = Reader(
    name=_NAME,
    description="Pictures in folders named after their class, plain or in a .tar, .tar.gz, .tgz or .zip",
    claim=_claim,
    read=_read,
)
