"""One measurement put together from its tables and pictures: particles joined by their id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from seston.errors import InputError
from seston.instruments.arrival_times import settle_arrival_times
from seston.instruments.export_groups import Export
from seston.instruments.export_names import measurement_minute
from seston.instruments.image_sets import ImageSet
from seston.instruments.info_text import SAMPLING_RATE_MHZ, read_info, sample_of_info
from seston.instruments.label_tables import read_labels
from seston.instruments.listmode import Listmode, read_listmode
from seston.instruments.measurement_notes import Seen, notes_of
from seston.instruments.pictures import image_format
from seston.instruments.pulses import BadProfile, Profile, PulseTable, open_pulses, read_profiles
from seston.instruments.source import Record
from seston.particle import Note, Particle, Sample, Skipped

__all__ = ["read_measurement"]


def read_measurement(export: Export, *, reader: str, path: Path) -> Iterator[Record]:
    """Stream a measurement: the sample, then its particles in the order of Pulses, then those without a profile.

    A particle is what Listmode or Pulses name; a picture joins it by its id. Whatever cannot be read is given as
    `Skipped` and costs only itself: a particle with a bad profile keeps its picture and its listmode.

    Raises
    ------
    InputError
        Where nothing of the measurement can be read.
    """
    with ImageSet(export.measurement) as images:
        parts = _open(export, images, reader, path)
        yield parts.sample
        yield from parts.records
        yield from images.records
        yield from _with_profile(parts)
        yield from _without_profile(parts)
        yield from _unmatched(parts)
        for where, text in notes_of(export, parts.seen):
            yield Note(where, text)


@dataclass(slots=True)
class _Parts:
    """What was opened of a measurement, and what has been seen of it."""

    export: Export
    sample: Sample
    images: ImageSet
    listmodes: list[Listmode]
    pulses: list[PulseTable]
    labels: dict[int, str]
    records: list[Record]
    seen: Seen
    given: set[int] = field(default_factory=set)
    spacing_um: float | None = None


def _open(export: Export, images: ImageSet, reader: str, path: Path) -> _Parts:
    records: list[Record] = []
    sample = Sample(
        id=export.measurement or export.folder.name,
        path=str(path),
        reader=reader,
        set_name="; ".join(export.set_names) or None,
        provenance={"set_name": "name of the files"} if export.set_names else {},
    )
    clock = measurement_minute(export.measurement)
    info = None
    for info_path in export.info[:1]:
        try:
            info = read_info(info_path)
            sample, remarks = sample_of_info(info, sample, info_path.name, clock)
            records.extend(Note(str(info_path), remark) for remark in remarks)
        except InputError as error:
            records.append(_left_out(info_path, error))
    second = "a second Info text of the measurement: the first one is kept"
    records.extend(Skipped(str(more), more.name, second) for more in export.info[1:])
    tried = [_try_pulses(table_path, records) for table_path in export.pulses]
    pulses = [table for table in tried if table is not None]
    found = [_try_listmode(table_path, pulses, records) for table_path in export.listmode]
    listmodes = [rows for rows in found if rows is not None]
    labels = _labels(export, records)
    images.add(export.images)
    if not listmodes and not pulses and not images.pictures and info is None:
        reasons = [record.reason for record in records if isinstance(record, Skipped)]
        reasons += [record.reason for record in images.records if isinstance(record, Skipped)]
        why = reasons[0] if reasons else "no table, no picture"
        why = why.removesuffix("; export it again")
        raise InputError(f"{path}: nothing of this measurement can be read ({why}); export it again")
    listmodes = [rows for rows in listmodes if _can_be_joined(rows, export, records)]
    for rows in listmodes:
        settle_arrival_times(rows, sample.start)
        records.extend(rows.records)
        records.extend(_words_of(rows))
        sample = _with_words(sample, rows)
    seen = Seen(sample, info, images, listmodes, pulses)
    spacing = sample.core_speed_m_s / SAMPLING_RATE_MHZ if sample.core_speed_m_s else None
    return _Parts(export, sample, images, listmodes, pulses, labels, records, seen, spacing_um=spacing)


def _with_profile(parts: _Parts) -> Iterator[Record]:
    for table in parts.pulses:
        try:
            for found in read_profiles(table):
                yield from _of_profile(found, table, parts)
        except (InputError, OSError) as error:
            yield _left_out(table.path, error, "the rest of the file")
        if not table.profiles and not parts.seen.bad_profiles:
            yield Skipped(str(table.path), table.path.name, "holds a header but no profile; export Pulses again")


def _of_profile(found: Profile | BadProfile, table: PulseTable, parts: _Parts) -> Iterator[Record]:
    if isinstance(found, BadProfile):
        parts.seen.bad_profiles.add(found.number if found.number is not None else -1)
        item = f"line {found.line}" if found.number is None else f"profile of particle {found.number}"
        yield Skipped(str(table.path), item, found.reason)
    elif found.number in parts.given:
        parts.seen.in_several_sets += 1
    else:
        yield from _particle(found.number, parts, found, table.channels)


def _without_profile(parts: _Parts) -> Iterator[Record]:
    """Give the particles that Listmode has and Pulses has not, and those whose profile was bad."""
    for table in parts.listmodes:
        for number in table.ids.tolist():
            if number not in parts.given:
                parts.seen.without_profile += 1
                yield from _particle(number, parts)
    for number in sorted(parts.seen.bad_profiles - parts.given):
        if number in parts.images.pictures:
            yield from _particle(number, parts)


def _unmatched(parts: _Parts) -> Iterator[Record]:
    """Give pictures and labels of particles that no table has: particles only where there is no table at all."""
    for number, picture in sorted(parts.images.pictures.items()):
        if parts.listmodes or parts.pulses:
            reason = f"a picture of particle {number}, which no table of this measurement has: left out"
            yield Skipped(str(picture.path), picture.item, reason)
        else:
            yield from _particle(number, parts)
    strange = sorted(parts.labels.keys() - parts.given)
    if strange:
        some = ", ".join(str(number) for number in strange[:5]) + (", …" if len(strange) > 5 else "")
        reason = f"labels of particles that this measurement does not have ({some}): left out"
        yield Skipped(str(parts.export.labels[0]), f"{len(strange)} labels", reason)


def _particle(
    number: int, parts: _Parts, profile: Profile | None = None, channels: tuple[str, ...] = ()
) -> Iterator[Record]:
    listmode: dict[str, float] = {}
    label = parts.labels.get(number)
    for table in parts.listmodes:
        row = table.row_of(number)
        if row is not None:
            listmode = table.parameters(row)
            label = label or (table.labels[row] or None if table.labels else None)
            break
    data = None
    picture = parts.images.pictures.pop(number, None)
    if picture is not None:
        read = parts.images.read(picture)
        if isinstance(read, Skipped):
            yield read
        else:
            data = read
    parts.given.add(number)
    if data is None and profile is None and not listmode:
        return
    parts.seen.particle(profile.values if profile else None, channels, listmode, data is not None, number)
    yield Particle(
        id=f"{parts.sample.id}/{number}",
        sample_id=parts.sample.id,
        image=data,
        image_format=image_format(data) if data else None,
        profile=profile.values if profile else None,
        profile_channels=channels,
        profile_spacing_um=parts.spacing_um if profile else None,
        listmode=listmode,
        raw_label=label,
        flags=parts.sample.flags,
    )


def _try_pulses(path: Path, records: list[Record]) -> PulseTable | None:
    try:
        return open_pulses(path)
    except InputError as error:
        records.append(_left_out(path, error))
        return None


def _try_listmode(path: Path, pulses: list[PulseTable], records: list[Record]) -> Listmode | None:
    def known_ids() -> frozenset[int]:
        fresh = (open_pulses(table.path) for table in pulses)
        return frozenset(
            found.number for table in fresh for found in read_profiles(table) if isinstance(found, Profile)
        )

    try:
        table = read_listmode(path, known_ids=known_ids)
    except (InputError, OSError) as error:
        records.append(_left_out(path, error))
        return None
    if not len(table) and not table.records:
        records.append(Skipped(str(path), path.name, "holds a header but no row; export Listmode again"))
    return table


def _can_be_joined(table: Listmode, export: Export, records: list[Record]) -> bool:
    """Leave out a table without ids where other files would be joined with it by id."""
    if table.numbered or not (export.pulses or export.images):
        return True
    records.extend(table.records)
    reason = "has no column of ids that tells particles apart: it cannot be joined with the other files"
    records.append(Skipped(str(table.path), table.path.name, reason))
    return False


def _labels(export: Export, records: list[Record]) -> dict[int, str]:
    labels: dict[int, str] = {}
    for path in export.labels:
        try:
            more, remarks = read_labels(path)
        except (InputError, OSError) as error:
            records.append(_left_out(path, error))
            continue
        labels = more | labels
        records.extend(remarks)
    return labels


def _with_words(sample: Sample, table: Listmode) -> Sample:
    """Keep, with the sample, columns of words: one value for all, or one for each label."""
    settings = dict(sample.settings)
    for name, words in table.texts.items():
        text = _words_by_label(words, table.labels)
        if text:
            settings[name] = text
    return replace(sample, settings=settings) if settings != sample.settings else sample


def _words_of(table: Listmode) -> Iterator[Note]:
    for name, words in table.texts.items():
        text = _words_by_label(words, table.labels)
        if text is None:
            yield Note(
                str(table.path), f"the column {name!r} holds words that differ from particle to particle: left out"
            )
        elif text:
            yield Note(
                str(table.path),
                f"the column {name!r} has one value a label or one in all: kept in the sample's settings",
            )


def _words_by_label(words: list[str], labels: list[str] | None) -> str | None:
    """Give the words of a column as one text; None where neither all particles nor those of a label share one."""
    different = sorted({word.strip() for word in words})
    if len(different) <= 1:
        return different[0] if different else ""
    if labels is None:
        return None
    pairs = sorted({(label, word.strip()) for label, word in zip(labels, words, strict=True)})
    return "; ".join(f"{label}: {word}" for label, word in pairs) if len(pairs) == len(set(labels)) else None


def _left_out(path: Path, error: Exception, item: str = "") -> Skipped:
    return Skipped(str(path), item or path.name, str(error).removeprefix(f"{path}: "))
