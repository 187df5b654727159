"""One IFCB bin from the content of its files: the sample, and a particle for each line of the ``.adc``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from seston.errors import InputError
from seston.instruments.ifcb_adc import Adc, Roi, parse_adc
from seston.instruments.ifcb_header import parse_header
from seston.instruments.ifcb_labels import RoiLabel, read_labels_of_bin
from seston.instruments.ifcb_manual import read_manual_labels
from seston.instruments.ifcb_names import BinName
from seston.instruments.ifcb_pictures import RoiFile, bytes_needed, stitched_pairs
from seston.instruments.ifcb_sample import particle_time, sample_of_bin
from seston.instruments.png_writing import encode_png
from seston.instruments.source import Record
from seston.particle import Note, Particle, Skipped

__all__ = ["BinParts", "read_bin"]

_SPARE_BYTES = 2
"""The first instruments leave a byte at each end of a ``.roi``."""


@dataclass(slots=True)
class BinParts:
    """What there is of one bin."""

    name: BinName
    path: str
    """What to show for the whole of it: its ``.adc``, or the archive that it lies in."""
    data: dict[str, bytes] = field(default_factory=dict)
    """Content of ``adc``, ``hdr``, ``labels`` and ``manual``, as far as they are there."""
    roi: RoiFile | None = None


def read_bin(parts: BinParts) -> Iterator[Record]:
    """Stream a bin: its sample, then its particles in the order of the ``.adc``.

    A line without a picture is a trigger and becomes a particle with parameters only. Without a ``.roi`` all do.

    Raises
    ------
    InputError
        Where there is no ``.adc``, or no line of it can be read, so that nothing of the bin can be.
    """
    name = parts.name
    header = parse_header(parts.data.get("hdr", b""))
    adc = _adc(parts, header.text("ADCFileFormat"))
    rois = adc.rois()
    sample, remarks = sample_of_bin(name, header, f"{name.text}.hdr", adc, rois, path=parts.path)
    yield sample
    if not header.values:
        remarks.append(
            f"{'the .hdr holds no setting' if 'hdr' in parts.data else 'no .hdr'}: settings and state are not known"
        )
    yield from (Note(parts.path, f"{name.text}: {remark}") for remark in remarks)
    yield from (Skipped(parts.path, f"{name.text}.adc, {line}", reason) for line, reason in adc.faults)
    yield from _about_pictures(parts, adc, rois)
    labels, faults = _labels(parts)
    yield from faults
    yield from _particles(parts, adc, rois, labels)
    for number in sorted(labels.keys() - {roi.number for roi in rois}):
        reason = f"the labels name it ({labels[number].text}), but the bin does not have it"
        yield Skipped(parts.path, f"{name.text}_{number:05d}", reason)


def _adc(parts: BinParts, layout: str) -> Adc:
    data = parts.data.get("adc")
    if data is None:
        raise InputError(
            f"{parts.path}: {parts.name.text} has no .adc, so nothing of it can be read; copy the bin again"
        )
    if not data and not parts.data.get("hdr"):
        raise InputError(f"{parts.path}: {parts.name.text}: .adc and .hdr are empty; copy the bin again")
    adc = parse_adc(data, old_style=parts.name.old_style, layout=layout)
    if adc.faults and not len(adc):
        line, reason = adc.faults[0]
        raise InputError(f"{parts.path}: no line of {parts.name.text}.adc can be read ({line} {reason})")
    return adc


def _about_pictures(parts: BinParts, adc: Adc, rois: list[Roi]) -> Iterator[Record]:
    """Say what is odd about the ``.roi`` as a whole."""
    roi_file = f"{parts.name.text}.roi"
    needed = bytes_needed(rois)
    if needed and not _has_pixels(parts):
        pictures = sum(roi.has_picture for roi in rois)
        there = "is empty" if parts.roi is not None else "is not there"
        lost = f"the pictures of {pictures:,} ROIs ({needed:,} bytes) are missing, their parameters were read"
        yield Skipped(parts.path, roi_file, f"{there}: {lost}; put it beside the .adc and import again")
    elif parts.roi is not None and parts.roi.size > needed + _SPARE_BYTES and len(adc):
        spare = parts.roi.size - needed
        yield Note(parts.path, f"{roi_file} holds {spare:,} bytes more than the .adc names: the .adc may be cut off")


def _has_pixels(parts: BinParts) -> bool:
    return parts.roi is not None and parts.roi.size > 0


def _labels(parts: BinParts) -> tuple[dict[int, RoiLabel], list[Record]]:
    """Read the labels of a table and of people's own list; a person's word stands before a prediction."""
    labels: dict[int, RoiLabel] = {}
    records: list[Record] = []
    if "manual" in parts.data:
        try:
            labels = read_manual_labels(parts.data["manual"])
        except InputError as error:
            records.append(Skipped(parts.path, f"{parts.name.text}.mat", str(error)))
    if "labels" in parts.data:
        others, faults = read_labels_of_bin(parts.data["labels"], parts.name.text)
        records += [Skipped(parts.path, f"{parts.name.text}.csv, {line}", reason) for line, reason in faults]
        by_person = {number: label for number, label in labels.items() if label.status == "validated"}
        labels = {**labels, **others, **by_person}
    return labels, records


def _particles(parts: BinParts, adc: Adc, rois: list[Roi], labels: Mapping[int, RoiLabel]) -> Iterator[Record]:
    name = parts.name
    halves = stitched_pairs(rois) if name.old_style else {}
    second_halves = {roi.number for roi in halves.values()}
    for row, roi in enumerate(rois):
        if roi.number in second_halves:
            continue
        image = None
        if roi.has_picture and parts.roi is not None and parts.roi.size:
            try:
                image = encode_png(parts.roi.picture(roi, halves.get(roi.number)))
            except InputError as error:
                yield Skipped(parts.path, f"{name.text}_{roi.number:05d}", f"{error}; its parameters were read")
        parameters = adc.parameters(row)
        label = labels.get(roi.number)
        yield Particle(
            id=f"{name.text}/{roi.number:05d}",
            sample_id=name.text,
            image=image,
            image_format="png" if image is not None else None,
            listmode=parameters,
            raw_label=label.text if label else None,
            raw_status=label.status if label else None,
            time=particle_time(name, parameters),
        )
