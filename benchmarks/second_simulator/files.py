"""Write a run in the layout of a CytoClus export: Info, Listmode, Pulses, pictures, and labels beside them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from second_simulator.bodies import Array
from second_simulator.conditions import ADJUSTABLE, CHANNELS, Conditions
from second_simulator.signals import BEAM_WIDTH_UM, TRIGGER_MV, spacing_um
from seston.features import cytoclus_parameters

__all__ = ["Measured", "Measurement", "write_measurement"]

_SET = "All Imaged Particles"
_SPOKEN = {"FWS": "FWS", "SWS": "Sidewards Scatter"}
_SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A run as a whole."""

    name: str
    comment: str
    start: datetime
    seconds: int
    flow_ul_s: float
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class Measured:
    """One particle of a run."""

    number: int
    arrival_s: float
    label: str
    picture: bytes
    profile: Array


def write_measurement(folder: Path, measurement: Measurement, particles: Sequence[Measured]) -> None:
    """Write a run into a folder that appears only when all of it is written."""
    partial = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    pictures = partial / f"{measurement.name}_{_SET}_Images"
    pictures.mkdir(parents=True)
    for one in particles:
        (pictures / f"{measurement.name}_Cropped_{one.number}.jpg").write_bytes(one.picture)
    texts = {
        f"{measurement.name}_Info.txt": _info(measurement, particles),
        f"{measurement.name}_{_SET}_Listmode.csv": _listmode(measurement, particles),
        f"{measurement.name}_{_SET}_Pulses.csv": _pulses(particles),
        f"{measurement.name}_labels.csv": _labels(particles),
    }
    for name, lines in texts.items():
        (partial / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    if folder.exists():
        shutil.rmtree(folder)
    partial.rename(folder)


def _info(measurement: Measurement, particles: Sequence[Measured]) -> list[str]:
    conditions = measurement.conditions
    volume = measurement.flow_ul_s * measurement.seconds
    lines = [
        f"Trigger level (mV): {TRIGGER_MV:g}",
        "Instrument: Second simulator",
        f"Simulated: yes, {measurement.comment}",
        f"Beam width: {BEAM_WIDTH_UM:g}",
        f"Core speed: {conditions.flow_m_s:.4f}",
        f"Measurement date: {measurement.start:%d/%m/%Y %H:%M:%S}",
        f"Measurement duration: {measurement.seconds}",
        f"Flow rate (μL/sec): {measurement.flow_ul_s:g}",
    ]
    for place, channel in enumerate(CHANNELS, start=1):
        lines.append(f"Channel {place}: {_name(channel)}{'  - TRIGGER' if channel == 'FWS' else ''}")
        if channel in ADJUSTABLE:
            lines.append(f"  - sensitivity level: {conditions.levels[channel]}")
    triggers = max(one.number for one in particles) + 1
    return [
        *lines,
        f"Total number of particles: {len(particles)}",
        f"Smart triggered number of particles: {len(particles)}",
        f"Concentration (part/μL): {triggers / volume:.6g}",
        f"Volume (μL): {volume:g}",
    ]


def _listmode(measurement: Measurement, particles: Sequence[Measured]) -> list[str]:
    step = spacing_um(measurement.conditions)
    tables = [cytoclus_parameters(one.profile, CHANNELS, step, BEAM_WIDTH_UM) for one in particles]
    names = list(tables[0])
    spoken = [next(n.replace(c, _name(c), 1) for c in sorted(CHANNELS, key=len, reverse=True) if n.startswith(c))
              for n in names]  # fmt: skip
    lines = [",".join(("Particle ID", "Sample Length", "Arrival Time", *spoken))]
    for one, table in zip(particles, tables, strict=True):
        values = ",".join(f"{table[name]:.5g}" for name in names)
        lines.append(f"{one.number},{one.profile.shape[1]},{one.arrival_s:.4f},{values}")
    return lines


def _pulses(particles: Sequence[Measured]) -> list[str]:
    zeros = ",".join(["0"] * (len(CHANNELS) + 1))
    lines = [",".join(("Particle ID", *(_name(channel) for channel in CHANNELS)))]
    for one in particles:
        lines += [f"{one.number}," + ",".join(f"{value:.5g}" for value in sample) for sample in one.profile.T.tolist()]
        lines += [zeros, zeros]
    return lines


def _labels(particles: Sequence[Measured]) -> list[str]:
    return ["Particle ID,label,origin", *(f"{one.number},{one.label} (simulated),{_SIMULATED}" for one in particles)]


def _name(channel: str) -> str:
    return _SPOKEN.get(channel, channel.replace("FL", "Fl"))
