"""Write particles into shards, one after the other, none larger than asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from seston.errors import DataSetError, UsageError
from seston.interchange.export_folder import ExportFolder
from seston.interchange.licences import LicenceChoice
from seston.interchange.outgoing import Outgoing, outgoing
from seston.particle import Progress, Silence
from seston.store import PARTS, DataSet, Standing

__all__ = ["ExportReport", "Part", "ShardWriter", "made_up_notes", "parts_of", "report_of", "write_shards"]

_MADE_UP = ("simulated", "semi-simulated")


@dataclass(frozen=True, slots=True)
class Part:
    """Some particles that go into shards of their own."""

    name: str
    ids: Sequence[str] | None
    """All particles of the data set where None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What an export wrote."""

    to: Path
    files: list[str]
    """Paths below `to`."""
    particles: int
    left_out: dict[str, int]
    """Reason → particles that were not written."""
    licences: dict[str, int]
    """Licence → particles written."""
    statuses: dict[str, int]
    """Who stands behind the names → particles; ``unnamed`` for those without a name."""
    bytes: int
    resumed: bool = False
    """Whether this run went on with one that was broken off."""
    notes: list[str] = field(default_factory=list)


class ShardWriter(Protocol):
    """A file that is being written."""

    def has_room_for(self, one: Outgoing) -> bool:
        """Tell whether a particle still fits; one always fits into an empty file."""
        ...

    def add(self, one: Outgoing) -> None:
        """Write a particle."""
        ...

    def close(self) -> None:
        """Write what is left, and close the file."""
        ...


def parts_of(data: DataSet, split: str | None, fold: int = 0) -> list[Part]:
    """Give what goes into shards of its own: the parts of a split, or everything as ``train``."""
    if split is None:
        return [Part("train", None)]
    loaded = data.load_split(split)
    parts = [Part(part, loaded.ids_of(fold, part)) for part in PARTS]
    return [part for part in parts if part.ids]


def write_shards(
    data: DataSet,
    folder: ExportFolder,
    standing: Standing,
    parts: Sequence[Part],
    *,
    name_of: Callable[[str, int], str],
    open_shard: Callable[[Path], ShardWriter],
    licence: LicenceChoice = "any",
    refuse: Callable[[Outgoing], str] = lambda one: "",
    progress: Progress | None = None,
) -> None:
    """Write particles into the shards of a folder, from where an earlier run was broken off.

    Parameters
    ----------
    name_of
        Part and number → path of a shard below the folder.
    open_shard
        Begin a shard at this path.
    refuse
        Say why a particle cannot be written; empty where it can.
    """
    progress = progress or Silence()
    done = [part.name for part in parts].index(folder.part) if folder.part else 0
    before = sum(_size(data, part) for part in parts[:done]) + folder.position
    progress.start("exporting", sum(_size(data, part) for part in parts))
    progress.advance(before)
    for part in parts[done:]:
        start = folder.position if part.name == folder.part else 0
        if start >= _size(data, part):
            continue
        stream = _refused(outgoing(data, standing, ids=part.ids, start=start, licence=licence), refuse)
        try:
            _write_part(folder, part, stream, name_of, open_shard, progress)
        except OSError as error:
            raise DataSetError(
                f"{folder.path}: cannot be written ({error.strerror or error}); finished files are kept: make room "
                "and run the same command again"
            ) from error
    _refuse_nothing(folder)
    progress.finish()


def report_of(folder: ExportFolder, notes: Sequence[str] = (), *, resumed: bool = False) -> ExportReport:
    """Say what was written into a folder."""
    return ExportReport(
        to=folder.path,
        files=folder.files(),
        particles=sum(shard.particles for shard in folder.shards),
        left_out=dict(folder.counted("left_out").most_common()),
        licences=dict(folder.counted("licences").most_common()),
        statuses=dict(folder.counted("statuses").most_common()),
        bytes=folder.bytes(),
        resumed=resumed,
        notes=[*notes, *made_up_notes(folder)],
    )


def made_up_notes(folder: ExportFolder) -> list[str]:
    """Say how many of the particles that were written no instrument ever saw."""
    return [f"{number:,} particles are {mark}" for mark, number in sorted(folder.counted("made_up").items())]


def _write_part(
    folder: ExportFolder,
    part: Part,
    stream: Iterator[Outgoing],
    name_of: Callable[[str, int], str],
    open_shard: Callable[[Path], ShardWriter],
    progress: Progress,
) -> None:
    number = sum(shard.part == part.name for shard in folder.shards)
    shard: ShardWriter | None = None
    particles = position = 0
    for one in stream:
        position = one.position
        if one.left_out:
            folder.count("left_out", one.left_out)
        else:
            if shard is not None and not shard.has_room_for(one):
                shard.close()
                folder.finish_shard(name_of(part.name, number), part=part.name, position=position, particles=particles)
                shard, number, particles = None, number + 1, 0
            if shard is None:
                shard = open_shard(folder.half(name_of(part.name, number)))
            shard.add(one)
            particles += 1
            _count(folder, one)
        progress.advance(1)
    if shard is not None:
        shard.close()
        folder.finish_shard(name_of(part.name, number), part=part.name, position=position + 1, particles=particles)


def _refused(stream: Iterator[Outgoing], refuse: Callable[[Outgoing], str]) -> Iterator[Outgoing]:
    for one in stream:
        reason = one.left_out or refuse(one)
        yield one if reason == one.left_out else Outgoing(one.position, one.particle, one.sample, one.naming, reason)


def _count(folder: ExportFolder, one: Outgoing) -> None:
    folder.count("licences", one.particle.licence)
    folder.count("statuses", one.naming.status if one.naming else "unnamed")
    folder.count("sources", one.particle.source)
    if one.naming is not None:
        folder.count("labels", one.naming.label)
    for mark in _MADE_UP:
        if mark in one.particle.flags:
            folder.count("made_up", mark)
    if one.particle.attribution:
        folder.count("attributions", one.particle.attribution)


def _refuse_nothing(folder: ExportFolder) -> None:
    """An export of nothing is a wrong call."""
    if not folder.shards:
        folder.give_up()
        reasons = ", ".join(f"{number:,}: {reason}" for reason, number in folder.counted("left_out").items())
        raise UsageError(f"no particle of the data set can be exported ({reasons or 'it is empty'})")


def _size(data: DataSet, part: Part) -> int:
    return data.count_rows() if part.ids is None else len(part.ids)
