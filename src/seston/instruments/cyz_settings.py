"""What a raw CytoSense file says about its measurement: the `Sample` record, with the source of each value."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from seston.instruments.cyz_counts import Counts, acquisition, count_particles, end_of
from seston.instruments.dotnet_values import (
    DotNetObject,
    as_datetime,
    as_flags,
    as_integer,
    as_integers,
    as_list,
    as_number,
    as_numbers,
    as_text,
)
from seston.particle import Sample, canonical_channel

__all__ = ["SAMPLING_RATE_MHZ", "Measurement", "empty_note", "measurement_of", "sample_of", "split_set_name"]

_T = TypeVar("_T")

SAMPLING_RATE_MHZ = 4.0
"""A constant of the instrument; µm per sample is therefore the core speed (m/s, or µm per µs) ÷ 4."""

_MEASUREMENT_NAME = re.compile(r"^(.*\d{4}-\d{2}-\d{2} \d{2}[hu]\d{2}(?:_\d+)?)_(.+)$")
_WRONG_MAGNIFICATION = "CS-2015-68"
_WRONG_FROM, _WRONG_CONFIGURATION_BEFORE = datetime(2019, 2, 22), datetime(2021, 2, 2)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The parts of a `DataFile` object that the reader asks for more than once."""

    settings: DotNetObject
    """``CytoSenseSetting``: the instrument."""
    protocol: DotNetObject
    """``MeasurementSettings``: what was asked of it."""
    info: DotNetObject
    """``MeasurementInfo``: what came of it."""
    reduction: DotNetObject
    start: datetime | None
    seconds: float | None
    serial_number: str
    software: str
    """Version of CytoUSB as four numbers, or empty."""
    spacing_um: float | None
    pixel_size_um: float | None
    smart_trigger: bool

    @property
    def original_ids(self) -> tuple[int, ...]:
        """Numbers that the particles had before the file was reduced to a set; empty where the file has none."""
        return tuple(as_integers(self.reduction.get("OriginalFileParticleIDs")))


def measurement_of(data_file: DotNetObject) -> Measurement:
    """Gather the facts of a ``DataFile`` object. Whatever is missing or of another kind becomes None or empty."""
    settings, protocol = data_file.object("CytoSenseSetting"), data_file.object("MeasurementSettings")
    info = data_file.object("MeasurementInfo")
    start, seconds = acquisition(info)
    core_speed = _positive(settings.get("Corespeed", "_Corespeed"))
    version = re.search(r"\d+(?:\.\d+){3}", as_text(settings.object("CytoUSBSettings").get("CytoUSBVersion")))
    serial = as_text(settings.get("SerNr", "_SerNr"))
    return Measurement(
        settings=settings,
        protocol=protocol,
        info=info,
        reduction=data_file.object("ReductionInfo"),
        start=start,
        seconds=seconds,
        serial_number=serial,
        software=version[0] if version else "",
        spacing_um=core_speed / SAMPLING_RATE_MHZ if core_speed else None,
        pixel_size_um=_pixel_size(settings, serial, start),
        smart_trigger=bool(len(as_list(protocol.get("_smartTriggerSettings"))))
        or bool(len(as_list(protocol.get("_preSiftSettings")))),
    )


def sample_of(
    measurement: Measurement,
    path: Path,
    *,
    sample_id: str,
    set_name: str | None,
    found: int | None = None,
    pictures: int | None = None,
) -> Sample:
    """Make the sample record.

    Parameters
    ----------
    found
        How many particles the data hold, or None where that is not known before reading them.
    pictures
        How many pictures the file holds; stands in where it keeps no count (before 2014 or so).
    """
    facts = _Facts(path.name)
    settings, protocol, info = measurement.settings, measurement.protocol, measurement.info
    counts = count_particles(
        settings,
        protocol,
        info,
        measurement.reduction,
        smart_trigger=measurement.smart_trigger,
        start=measurement.start,
        seconds=measurement.seconds,
        found=found,
    )
    end = end_of(measurement.start, measurement.seconds)
    return Sample(
        id=sample_id,
        path=str(path),
        reader="cyz",
        instrument=facts.take("instrument", as_text(settings.get("name", "_name")) or None, "CytoSenseSetting.name"),
        serial_number=facts.take("serial_number", measurement.serial_number or None, "CytoSenseSetting.SerNr"),
        start=facts.take("start", measurement.start, "MeasurementInfo: begin of acquiring"),
        end=facts.take("end", end, "MeasurementInfo: begin of acquiring and its duration"),
        volume_sampled_ml=facts.take("volume_sampled_ml", counts.pumped_ml, "pump speed x duration"),
        volume_analysed_ml=facts.take("volume_analysed_ml", counts.analysed_ml, counts.analysed_from),
        n_counted=facts.take("n_counted", counts.counted, counts.counted_from),
        n_recorded=facts.take("n_recorded", counts.saved, counts.saved_from),
        n_imaged=facts.take("n_imaged", *_imaged(counts, pictures)),
        trigger=facts.take(
            "trigger", _trigger(settings, protocol), "MeasurementSettings._TriggerChannelArray and level"
        ),
        set_name=set_name,
        detector_levels=facts.take(
            "detector_levels", _detector_levels(settings, protocol), "MeasurementSettings._PMTlevels"
        ),
        core_speed_m_s=facts.take(
            "core_speed_m_s", _positive(settings.get("Corespeed", "_Corespeed")), "CytoSenseSetting.Corespeed"
        ),
        beam_width_um=facts.take(
            "beam_width_um", _positive(settings.get("BeamWidth", "_BeamWidth")), "CytoSenseSetting.BeamWidth"
        ),
        pixel_size_um=facts.take("pixel_size_um", measurement.pixel_size_um, "CytoSenseSetting.iif"),
        settings=_other_settings(measurement, counts),
        provenance=facts.provenance,
    )


def _imaged(counts: Counts, pictures: int | None) -> tuple[int | None, str]:
    if counts.imaged is not None or not pictures:
        return counts.imaged, "MeasurementInfo._numberOfPictures"
    return pictures, "pictures in the file"


def empty_note(sample: Sample, why: str) -> str:
    """Say that a file holds no particle, which is normal, and what the instrument counted all the same."""
    counted = f"; the instrument counted {sample.n_counted:,}" if sample.n_counted else ""
    return f"empty: the file holds no particle ({why}){counted}"


def split_set_name(stem: str) -> tuple[str, str | None]:
    """Split the name of a file that was cut to a set: measurement (it ends in date and time) and set."""
    match = _MEASUREMENT_NAME.match(stem)
    return (match[1], match[2]) if match else (stem, None)


@dataclass(slots=True)
class _Facts:
    """Collects where each value came from, and only of values that are there."""

    file: str
    provenance: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, value: _T, where: str) -> _T:
        if value is not None and value != {}:
            self.provenance[name] = f"{self.file}: {where}"
        return value


def _positive(value: Any) -> float | None:
    number = as_number(value)
    # Newer files keep these as 32-bit numbers: 2.2 comes out as 2.200000047683716.
    return float(f"{number:.7g}") if number is not None and number > 0 else None


def _pixel_size(settings: DotNetObject, serial: str, start: datetime | None) -> float | None:
    """Give µm per pixel: camera pitch ÷ magnification, else what the file states.

    One instrument wrote a wrong magnification from 2019 to 2021; 16 is right (CyzFile-API, Data.vb).
    """
    camera = settings.object("iif")
    pitch = _positive(camera.object("CameraFeatures").get("PixelPitch"))
    magnification = _positive(camera.get("opticalMagnification", "_opticalMagnification"))
    if serial == _WRONG_MAGNIFICATION and start is not None:
        configured = as_datetime(settings.object("machineConfigurationRelease").get("_ClassReleaseDate"))
        if start.replace(tzinfo=None) > _WRONG_FROM and configured and configured < _WRONG_CONFIGURATION_BEFORE:
            magnification = 16.0
    if pitch and magnification:
        return float(f"{pitch / magnification:.6g}")
    return _positive(camera.get("ImageScaleMuPerPixel", "_ImageScaleMuPerPixel"))


def _trigger(settings: DotNetObject, protocol: DotNetObject) -> str | None:
    """Say which channel triggered, and above which level in mV."""
    channels = [
        as_text(item.get("name")) for item in as_list(settings.get("channels")) if isinstance(item, DotNetObject)
    ]
    chosen = [place for place, on in enumerate(as_flags(protocol.get("_TriggerChannelArray"))) if on]
    names = [canonical_channel(channels[place]) for place in chosen if place < len(channels)]
    if not names:
        return None
    constant = as_number(settings.get("triggerlevelConstant"))
    if settings.get("hasFJDataElectronics") is True:
        levels = as_integers(protocol.get("_TriggerLevelsFJ"))
        raw = as_number(levels[chosen[0]]) if chosen[0] < len(levels) else None
        offset = 0.0
    else:
        raw = as_number(protocol.get("_TriggerLevel1e"))
        offset = as_number(settings.get("triggerlevelOffset")) or 0.0
    if raw is None or constant is None:
        return " or ".join(names)
    return f"{' or '.join(names)} > {raw * constant + offset:g} mV"


def _detector_levels(settings: DotNetObject, protocol: DotNetObject) -> dict[str, float]:
    levels = as_numbers(protocol.get("_PMTlevels", "PMTlevels"))
    found: dict[str, float] = {}
    for channel in as_list(settings.get("channels")):
        if not isinstance(channel, DotNetObject) or channel.get("hasI2CPMTLevel") is not True:
            continue
        place = as_integer(channel.get("_PMT_id"))
        if place is not None and 0 <= place < len(levels):
            found[canonical_channel(as_text(channel.get("name")))] = float(levels[place])
    return found


def _other_settings(measurement: Measurement, counts: Counts) -> dict[str, str]:
    """Give what else the file says, as text, under the names of its members."""
    settings, protocol, info = measurement.settings, measurement.protocol, measurement.info
    zone = "UTC" if measurement.start and measurement.start.tzinfo else "local time of the instrument's computer"
    texts: dict[str, Any] = {
        "protocol": as_text(protocol.get("_TabName")),
        "user_remarks": as_text(protocol.get("_userRemarks")),
        "software": measurement.software and f"CytoUSB {measurement.software}",
        "electronics": "V10" if settings.get("hasFJDataElectronics") is True else "older (V08)",
        "profiles": "mV, smoothed (1/4, 1/2, 1/4)",
        "time_zone": zone if measurement.start else None,
        "duration_s": measurement.seconds,
        "pump_speed_ul_s": counts.pump_ul_s,
        "pump_speed_byte": as_integer(protocol.get("_SamplePompSpeed")),
        "particles_downloaded": counts.downloaded,
        "smart_trigger": _smart_trigger(protocol),
        "reduced_from": as_integer(measurement.reduction.get("OriginalNumber")) or None,
        "source_file": as_text(measurement.reduction.get("SourceFileName")),
        "images_taken": protocol.get("_IIFCheck"),
        "lasers_nm": ", ".join(_lasers(settings, "Wavelength")),
        "laser_beam_widths_um": ", ".join(_lasers(settings, "BeamWidth")),
        "gps_positions": len(as_list(info.get("_GPSData"))) or None,
    }
    for name in ("NumberofParticles", "_NumberofParticles", "NumberofParticles_smartTriggered"):
        texts[name] = as_integer(info.get(name))
    return {name: str(value) for name, value in texts.items() if value is not None and value != ""}


def _smart_trigger(protocol: DotNetObject) -> str:
    rules = [
        rule
        for rule in as_list(protocol.get("_smartTriggerSettings", "_preSiftSettings"))
        if isinstance(rule, DotNetObject)
    ]
    word = " or " if as_integer(protocol.get("_smartTriggerCombinationType")) else " and "
    return word.join(_rule(rule) for rule in rules)


def _rule(rule: DotNetObject) -> str:
    parts = zip(rule.layout.members, rule.values, strict=True)
    return " ".join(f"{name.lstrip('_')}={value}" for name, value in parts if isinstance(value, str | int | float))


def _lasers(settings: DotNetObject, member: str) -> list[str]:
    lasers = [laser for laser in as_list(settings.get("_laserInfo")) if isinstance(laser, DotNetObject)]
    values = [as_number(laser.get(member)) for laser in lasers]
    return [f"{value:g}" for value in values if value is not None and math.isfinite(value)]
