"""What the JSON of cyz2json says about its measurement, in all spellings and both forms of its settings.

The *short* form has a few settings; the *rich* form (default since December 2024) has everything below
``measurementSettings.CytoSettings``, where the measurement is, and one ``CytoSettings`` deeper the instrument.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import PureWindowsPath
from typing import Any

from seston.particle import Sample, canonical_channel

__all__ = ["SAMPLING_RATE_MHZ", "measurement_name", "number_of", "sample_of"]

SAMPLING_RATE_MHZ = 4.0
_LEVEL = re.compile(r"([^:,]+):\s*(\d+(?:\.\d+)?)")

_RESULTS: Mapping[str, tuple[str, ...]] = {
    "start": ("start",),
    "duration_s": ("duration", "maximum_measurement_time_s"),
    "n_counted": ("particleCount",),
    "n_recorded": ("particlesInFileCount",),
    "n_imaged": ("pictureCount",),
    "pumped_ul": ("pumpedVolume", "pumped_volume"),
    "analysed_ul": ("analysedVolume", "analysed_volume"),
}
"""What is wanted → its keys below ``measurementResults``, over the versions of cyz2json."""

_AS_TEXT = (
    "particleConcentration", "systemTemperature", "sheathTemperature", "absolutePressure", "differentialPressure",
    "pressureAbsolute", "pressureDifferential", "PMTtemperature", "buoyTemperature", "laserTemperature", "intVoltage",
    "rechargeCurrent", "referenceVoltageRatio",
)  # fmt: skip
_MEASUREMENT_TEXTS: Mapping[str, tuple[str, ...]] = {
    "protocol": ("TabName", "name"),
    "user_remarks": ("UserRemarks",),
    "set_duration_s": ("StopafterTimertext", "sampling_time_s", "duration"),
    "pump_speed_ul_s": ("SamplePompSpeed", "ConfiguredSamplePompSpeed", "sample_pump_ul_s", "pumpSpeed"),
    "smart_trigger": ("SmartTriggerSettingDescription", "smartTriggerDescription", "smart_trigger"),
    "images_taken": ("IIFCheck", "takeImages", "images_in_flow", "enable_images_in_flow"),
    "image_mode": ("SelectedIifMode", "target_mode"),
    "image_region": ("IIFRoiName", "ROI"),
    "detector_levels": ("PMTlevels_str", "easy_display_cytoclus"),
    "detector_preset": ("PMTLevelPreset",),
    "sets_of_the_camera": ("IIFSetDefintionXml",),
}


def measurement_name(filename: Any, stem: str) -> str:
    """Give the name of the measurement: that of the ``.cyz``, else that of the JSON."""
    name = PureWindowsPath(filename).name if isinstance(filename, str) else ""
    name = name[:-4] if name.lower().endswith(".cyz") else name
    return name or (stem[:-4] if stem.lower().endswith(".cyz") else stem)


def number_of(value: Any) -> float | None:
    """Give a finite number; ``"NaN"`` and ``"Infinity"``, as the JSON library writes them, and all else become None."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def sample_of(
    instrument: Mapping[str, Any], sets: Any, *, sample_id: str, path: str, file: str, found: int, pictures: int
) -> Sample:
    """Make the sample record.

    Parameters
    ----------
    instrument
        The object ``instrument``.
    sets
        The object ``set_information`` (or ``region_information``), or None.
    found, pictures
        How many particles and pictures the file holds; they stand in where it does not say.
    """
    results, where = _results(instrument)
    short = _mapping(instrument.get("measurementSettings"))
    rich = _mapping(short.get("CytoSettings"))
    machine = _mapping(rich.get("CytoSettings"))
    measurement = rich or short
    provenance = {name: f"{file}: instrument.measurementResults.{key}" for name, key in where.items()}
    start, seconds = _date(results.get("start")), number_of(results.get("duration_s"))
    values: dict[str, Any] = {
        "instrument": _text(instrument.get("name")) or None,
        "serial_number": _text(instrument.get("serialNumber")) or None,
        "start": start,
        "end": start + timedelta(seconds=seconds) if start and seconds else None,
        "volume_sampled_ml": _millilitres(results.get("pumped_ul")),
        "volume_analysed_ml": _millilitres(results.get("analysed_ul")),
        "n_counted": _count(results.get("n_counted")),
        "n_recorded": _first_count(results.get("n_recorded"), found),
        "n_imaged": _first_count(results.get("n_imaged"), pictures),
        "trigger": _trigger(measurement),
        "detector_levels": _detector_levels(measurement),
        "core_speed_m_s": _positive(instrument.get("sampleCoreSpeed"), machine.get("SampleCorespeed")),
        "beam_width_um": _positive(instrument.get("laserBeamWidth"), machine.get("LaserBeamWidth")),
        "pixel_size_um": _pixel_size(machine),
    }
    names = {"instrument": "name", "serial_number": "serialNumber", "core_speed_m_s": "sampleCoreSpeed"}
    for name, value in values.items():
        if value is not None and value != {} and name not in provenance:
            provenance[name] = f"{file}: instrument.{names.get(name, 'measurementSettings')}"
    return Sample(
        id=sample_id,
        path=path,
        reader="cyz2json",
        settings=_settings(results, instrument, measurement, machine, sets),
        provenance={name: text for name, text in provenance.items() if values.get(name) is not None},
        **values,
    )


def _results(instrument: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Give the results under one spelling, and the key that each came from."""
    given = _mapping(instrument.get("measurementResults"))
    found: dict[str, Any] = {}
    where: dict[str, str] = {}
    fields = {"pumped_ul": "volume_sampled_ml", "analysed_ul": "volume_analysed_ml", "duration_s": "end"}
    for name, keys in _RESULTS.items():
        key = next((key for key in keys if given.get(key) is not None), None)
        if key is not None:
            found[name] = given[key]
            where[fields.get(name, name)] = key
    return found, where


def _settings(
    results: Mapping[str, Any],
    instrument: Mapping[str, Any],
    measurement: Mapping[str, Any],
    machine: Mapping[str, Any],
    sets: Any,
) -> dict[str, str]:
    texts: dict[str, Any] = {
        "duration_s": results.get("duration_s"),
        "Sample Length": "µm: (samples - 1) x µm a sample",
    }
    given = _mapping(instrument.get("measurementResults"))
    texts |= {key: given.get(key) for key in _AS_TEXT}
    for name, keys in _MEASUREMENT_TEXTS.items():
        texts[name] = next((measurement[key] for key in keys if measurement.get(key) not in (None, "")), None)
    texts["software"] = _mapping(machine.get("CytoUSBSettings")).get("CytoUSBVersion")
    newer = machine.get("hasFJDataElectronics")
    texts["electronics"] = None if newer is None else "V10" if newer is True else "older (V08)"
    lasers = machine.get("LaserInfo")
    if isinstance(lasers, list):
        texts["lasers_nm"] = ", ".join(
            str(laser["Wavelength"]) for laser in lasers if _mapping(laser).get("Wavelength")
        )
    texts |= _set_texts(sets)
    return {name: str(value) for name, value in texts.items() if isinstance(value, str | int | float) and value != ""}


def _set_texts(sets: Any) -> dict[str, Any]:
    """Flatten the information on sets: the definition, and the counts of each."""
    information = _mapping(sets)
    texts: dict[str, Any] = {"set_definition": information.get("definition")}
    statistics = information.get("statistics")
    for entry in statistics if isinstance(statistics, list) else ():
        of_set = _mapping(entry)
        parts = [f"{key}={of_set[key]}" for key in ("count", "images", "imaged_volume") if of_set.get(key) is not None]
        if of_set.get("name"):
            texts[f"set: {of_set['name']}"] = ", ".join(parts)
    return texts


def _trigger(measurement: Mapping[str, Any]) -> str | None:
    channel = _text(measurement.get("TriggerChannel") or measurement.get("triggerChannel"))
    level = next(
        (
            number
            for key in ("TriggerLevel1e", "triggerLevel")
            if (number := number_of(measurement.get(key))) is not None
        ),
        None,
    )
    if not channel:
        return None
    names = " or ".join(canonical_channel(name) for name in channel.split(","))
    return names if level is None else f"{names} > {level:g} mV"


def _detector_levels(measurement: Mapping[str, Any]) -> dict[str, float]:
    """Read ``SWS: 55 (25x), Fl Yellow: 80 (192x)``: name, level and gain of each detector."""
    text = _text(measurement.get("PMTlevels_str") or measurement.get("easy_display_cytoclus"))
    return {canonical_channel(name.strip()): float(level) for name, level in _LEVEL.findall(text)}


def _pixel_size(machine: Mapping[str, Any]) -> float | None:
    camera = _mapping(machine.get("iif"))
    stated = _positive(machine.get("ImagePixelSize"), camera.get("ImageScaleMuPerPixelP"))
    pitch = _positive(_mapping(camera.get("CameraFeatures")).get("PixelPitch"), machine.get("CameraPixelSize"))
    magnification = _positive(machine.get("OpticalMagnification"))
    if pitch and magnification:
        return float(f"{pitch / magnification:.6g}")
    return stated


def _date(value: Any) -> datetime | None:
    """Give a date in UTC, or without a zone where the text has none."""
    try:
        date = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if date.year <= 1:  # the empty date of .NET
        return None
    return date.astimezone(UTC) if date.tzinfo else date


def _positive(*values: Any) -> float | None:
    numbers: Iterable[float | None] = (number_of(value) for value in values)
    return next((number for number in numbers if number is not None and number > 0), None)


def _millilitres(microlitres: Any) -> float | None:
    number = number_of(microlitres)
    return number / 1000 if number is not None and number > 0 else None


def _count(value: Any) -> int | None:
    number = number_of(value)
    return round(number) if number is not None and 0 <= number < 1e15 else None


def _first_count(value: Any, found: int) -> int:
    count = _count(value)
    return found if count is None else count


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
