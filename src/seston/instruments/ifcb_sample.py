"""What the files of an IFCB bin say about the measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from seston.instruments.ifcb_adc import Adc, Roi
from seston.instruments.ifcb_header import Header
from seston.instruments.ifcb_names import BinName
from seston.instruments.ifcb_pictures import stitched_pairs
from seston.instruments.ifcb_volume import analysed_volume
from seston.particle import Sample

__all__ = ["particle_time", "sample_of_bin"]

_LONGEST_RUN_S = 48 * 3600.0
_STALE = timedelta(days=1)
_NORMAL = ("", "normal")


@dataclass(slots=True)
class _Place:
    latitude: float | None = None
    longitude: float | None = None


def sample_of_bin(
    name: BinName, header: Header, header_file: str, adc: Adc, rois: Sequence[Roi], *, path: str
) -> tuple[Sample, list[str]]:
    """Make the sample of a bin.

    Returns
    -------
    (sample, remarks)
        And what is odd about it, one sentence each.
    """
    remarks: list[str] = []
    adc_file = f"{name.text}.adc"
    volume = analysed_volume(name, header, adc)
    if volume.reason:
        remarks.append(f"no analysed volume: {volume.reason}")
    place = _place(header, name.start, remarks)
    triggers = len({roi.trigger for roi in rois})
    _compare_counts(header, triggers, rois, remarks)
    halves = len(stitched_pairs(rois)) if name.old_style else 0
    run = volume.run_s if volume.run_s is not None and 0 < volume.run_s < _LONGEST_RUN_S else None
    provenance = {"start": "name of the bin", "serial_number": "name of the bin"}
    provenance |= dict.fromkeys(("n_counted", "n_recorded", "n_imaged"), adc_file)
    if volume.ml is not None:
        provenance["volume_analysed_ml"] = volume.origin
    if run is not None:
        provenance["end"] = f"start and run time ({volume.origin or adc_file})"
    if place.latitude is not None:
        provenance |= {"latitude": f"{header_file}: gpsLatitude", "longitude": f"{header_file}: gpsLongitude"}
    levels = _detector_levels(header)
    if levels:
        provenance["detector_levels"] = f"{header_file}: high voltages of the PMTs"
    if kind := next(
        (word for key in ("sampleType", "runType") if (word := header.text(key)).lower() not in _NORMAL), ""
    ):
        remarks.append(f"the header calls this a run of the type {kind!r}, not a normal one")
    sample = Sample(
        id=name.text,
        path=path,
        reader="ifcb",
        instrument="IFCB",
        serial_number=name.instrument,
        start=name.start,
        end=name.start + timedelta(seconds=run) if run is not None else None,
        latitude=place.latitude,
        longitude=place.longitude,
        volume_analysed_ml=volume.ml,
        n_counted=triggers,
        n_recorded=len(rois) - halves,
        n_imaged=sum(roi.has_picture for roi in rois) - halves,
        detector_levels=levels,
        settings=header.settings(),
        provenance=provenance,
    )
    return sample, remarks


def particle_time(name: BinName, parameters: Mapping[str, float]) -> datetime | None:
    """Give when a particle was seen: the start of the bin and the seconds since then."""
    seconds = parameters.get("frame grab s" if name.old_style else "ADC time s")
    if seconds is None or not abs(seconds) < _LONGEST_RUN_S:
        return None
    return name.start + timedelta(seconds=seconds)


def _place(header: Header, start: datetime, remarks: list[str]) -> _Place:
    latitude, longitude = header.number("gpsLatitude"), header.number("gpsLongitude")
    if latitude is None or longitude is None:
        return _Place()
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180) or latitude == longitude == 0:
        remarks.append(f"the header's position {latitude:g}, {longitude:g} is none: left out")
        return _Place()
    fix = header.fix_time()
    if fix is not None and abs(fix - start) > _STALE:
        days = abs(fix - start).days
        remarks.append(
            f"the header's position was fixed {days:,} days from the start of the bin: it may not be its own"
        )
    return _Place(latitude, longitude)


def _compare_counts(header: Header, triggers: int, rois: Sequence[Roi], remarks: list[str]) -> None:
    pictures = sum(roi.has_picture for roi in rois)
    for key, what, found in (("triggerCount", "triggers", triggers), ("roiCount", "pictures", pictures)):
        said = header.number(key)
        if said is not None and said != found:
            remarks.append(f"the header counts {said:,.0f} {what}, the .adc {found:,}: the .adc counts")


def _detector_levels(header: Header) -> dict[str, float]:
    levels = {f"PMT {letter}": header.number(f"PMT{letter}highVoltage") for letter in "ABCD"}
    return {name: level for name, level in levels.items() if level is not None and np.isfinite(level) and level > 0}
