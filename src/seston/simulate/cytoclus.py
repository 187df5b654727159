"""Write a measurement as CytoClus 4 exports it: Listmode, Pulses, Info, pictures, and the labels beside.

Two layouts, both taken from real exports: an English one (commas, decimal points, pictures in a folder) and a French
one (semicolons, decimal commas, pictures in a zip, curvature in the Listmode).
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seston.simulate.conditions import CORE_SPEED_M_S
from seston.simulate.detector import BEAM_WIDTH_UM, SAMPLING_RATE_MHZ, TRIGGER_MV
from seston.simulate.listmode import LISTMODE_PARAMETERS, channel_parameters

__all__ = ["ENGLISH", "FRENCH", "SET_NAME", "Layout", "Measured", "Measurement", "write_measurement"]

SET_NAME = "All Imaged Particles"

_LINE_END = "\r\n"
_MARK = "\ufeff"
_SIDEWARD = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How an export looks: locale, names of channels, what stands where."""

    separator: str
    decimal_mark: str
    byte_order_mark: bool
    date_format: str
    channels: tuple[str, ...]
    hardware: tuple[tuple[str, str], ...]
    """Name in the Info text, and the name under which `Measurement.levels` holds its level, or an empty text."""
    parameters: tuple[str, ...]
    curvature_in_listmode: bool
    zipped: bool


_ENGLISH_HARDWARE = (
    ("Forward Scatter Left", ""),
    ("Forward Scatter Right", ""),
    ("Sidewards Scatter", "SWS"),
    ("Fl Yellow", "FL Yellow"),
    ("Fl Orange", "FL Orange"),
    ("Fl Red", "FL Red"),
)
_FRENCH_HARDWARE = (("Trigger1", ""), ("FWS L", ""), ("FWS R", ""), ("SWS", "SWS"), ("FL Yellow", "FL Yellow"))

ENGLISH = Layout(
    separator=",",
    decimal_mark=".",
    byte_order_mark=True,
    date_format="%d/%m/%Y %H:%M:%S",
    channels=("FWS", "Sidewards Scatter", "Fl Yellow", "Fl Orange", "Fl Red", "Curvature"),
    hardware=_ENGLISH_HARDWARE,
    parameters=LISTMODE_PARAMETERS,
    curvature_in_listmode=False,
    zipped=False,
)
FRENCH = Layout(
    separator=";",
    decimal_mark=",",
    byte_order_mark=False,
    date_format="%Y-%m-%d %H:%M:%S",
    channels=("FWS", "SWS", "FL Yellow", "FL Orange", "FL Red", "Curvature"),
    hardware=(*_FRENCH_HARDWARE, ("FL Orange", "FL Orange"), ("FL Red", "FL Red")),
    parameters=LISTMODE_PARAMETERS[:-1],
    curvature_in_listmode=True,
    zipped=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What an export says about a measurement as a whole."""

    name: str
    origin: str
    """``simulated`` or ``semi-simulated``."""
    comment: str
    start: datetime
    levels: Mapping[str, int]
    flow_ul_s: float
    volume_ul: float
    core_speed_m_s: float = CORE_SPEED_M_S

    @property
    def spacing_um(self) -> float:
        """Distance of two samples of a profile."""
        return self.core_speed_m_s / SAMPLING_RATE_MHZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One particle of a measurement, ready to be written."""

    number: int
    arrival_s: float
    label: str
    picture: bytes
    suffix: str
    """Of the picture's file, with its dot."""
    profile: NDArray[np.float64]
    """Shape (6, samples)."""


def write_measurement(
    folder: Path, measurement: Measurement, particles: Sequence[Measured], layout: Layout
) -> list[Path]:
    """Write a measurement into a folder that appears only when all of it is written.

    Returns
    -------
    list of Path
        Info, Listmode, Pulses, labels, and the folder or zip of the pictures.
    """
    partial = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    stem = f"{measurement.name}_{SET_NAME}"
    texts = {
        f"{measurement.name}_Info.txt": _info_text(measurement, particles, layout),
        f"{stem}_Listmode.csv": _listmode_text(particles, layout, measurement.spacing_um),
        f"{stem}_Pulses.csv": _pulses_text(particles, layout),
        f"{measurement.name}_labels.csv": _labels_text(particles, measurement.origin, layout),
    }
    for name, text in texts.items():
        (partial / name).write_bytes(text.encode("utf-8"))
    pictures = {f"{measurement.name}_Cropped_{one.number}{one.suffix}": one.picture for one in particles}
    images = f"{stem}_Images"
    if layout.zipped:
        images += ".zip"
        _write_zip(partial / images, pictures)
    else:
        (partial / images).mkdir()
        for name, data in pictures.items():
            (partial / images / name).write_bytes(data)
    if folder.exists():
        shutil.rmtree(folder)
    partial.rename(folder)
    return [folder / name for name in (*texts, images)]


def _write_zip(path: Path, pictures: Mapping[str, bytes]) -> None:
    """Write pictures into a zip whose bytes do not depend on the clock."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in pictures.items():
            archive.writestr(zipfile.ZipInfo(f"{path.stem}/{name}"), data)


def _pulses_text(particles: Sequence[Measured], layout: Layout) -> str:
    """Write one row a sample, and two rows of zeros (id 0 too) behind each profile."""
    columns = len(layout.channels)
    row = layout.separator.join(["%d"] + ["%.4G"] * columns) + _LINE_END
    zeros = (layout.separator.join(["0"] * (columns + 1)) + _LINE_END) * 2
    parts = [_header(("Particle ID", *layout.channels), layout)]
    for one in particles:
        samples = one.profile.shape[1]
        table = np.empty((samples, columns + 1))
        table[:, 0] = one.number
        table[:, 1:] = one.profile.T
        numbers = (row * samples) % tuple((table + 0.0).ravel().tolist())
        parts.append(numbers.replace(".", layout.decimal_mark))
        parts.append(zeros)
    return "".join(parts)


def _listmode_text(particles: Sequence[Measured], layout: Layout, spacing_um: float) -> str:
    channels = layout.channels if layout.curvature_in_listmode else layout.channels[:-1]
    names = [f"{channel} {parameter}" for channel in channels for parameter in layout.parameters]
    row = layout.separator.join(["%d", "%d", "%.4G"] + ["%.4G"] * len(names)) + _LINE_END
    parts = [_header(("Particle ID", "Sample Length", "Arrival Time", *names), layout)]
    for one in particles:
        signals = one.profile[: len(channels)]
        parameters = channel_parameters(signals, _SIDEWARD, spacing_um, BEAM_WIDTH_UM)
        numbers = (parameters[:, : len(layout.parameters)] + 0.0).ravel().tolist()
        line = row % (one.number, one.profile.shape[1], one.arrival_s, *numbers)
        parts.append(line.replace(".", layout.decimal_mark))
    return "".join(parts)


def _labels_text(particles: Sequence[Measured], origin: str, layout: Layout) -> str:
    lines = [_header(("Particle ID", "label", "origin"), layout)]
    for one in particles:
        label = f'"{one.label}"' if layout.separator in one.label or '"' in one.label else one.label
        lines.append(layout.separator.join((str(one.number), label, origin)) + _LINE_END)
    return "".join(lines)


def _info_text(measurement: Measurement, particles: Sequence[Measured], layout: Layout) -> str:
    """Write the Info text; the concentration is that of all triggers, as instruments state it."""
    lines = [
        f"Trigger level (mV): {_number(TRIGGER_MV, layout)}",
        "CytoUSB Block size: Auto (maxTimeOut: 45s )",
        "",
        "Instrument: Simulated CytoSense",
        f"Beam width: {_number(BEAM_WIDTH_UM, layout)}",
        f"Core speed: {_number(measurement.core_speed_m_s, layout)}",
        f"User Comments: {measurement.comment}",
        "",
        f"Measurement date: {measurement.start.strftime(layout.date_format)}",
        f"Measurement duration: {round(measurement.volume_ul / measurement.flow_ul_s) + 1}",
        f"Flow rate (\u03bcL/sec): {_number(measurement.flow_ul_s, layout)}",
        "",
    ]
    for place, (name, level) in enumerate(layout.hardware, start=1):
        lines.append(f"Channel {place}: {name}{'  - TRIGGER' if level == 'SWS' else ''}")
        if level:
            lines.append(f"  - sensitivity level: {measurement.levels[level]}")
    triggers = max(one.number for one in particles) + 1
    lines += [
        "",
        f"Total number of particles: {len(particles)}",
        f"Smart triggered number of particles: {len(particles)}",
        f"Concentration (part/\u03bcL): {_number(triggers / measurement.volume_ul, layout)}",
        f"Volume (\u03bcL): {_number(measurement.volume_ul, layout)}",
    ]
    return _MARK + _LINE_END.join(lines) + _LINE_END


def _number(value: float, layout: Layout) -> str:
    return f"{value:.15g}".replace(".", layout.decimal_mark)


def _header(names: Sequence[str], layout: Layout) -> str:
    mark = _MARK if layout.byte_order_mark else ""
    return mark + layout.separator.join(names) + _LINE_END
