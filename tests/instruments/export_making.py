"""Small exports of CytoClus, made in the test that reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seston.instruments import Record, find_sources, read
from seston.particle import Note, Particle, Sample, Skipped

MEASUREMENT = "Bay 2023-05-04 09h23"
CHANNELS = ("FWS", "SWS", "FL Red")
PARAMETERS = ("Length", "Total", "Maximum", "Average")

Rows = Sequence[Sequence[float]]

INFO = """Trigger level (mV): 30
Smart Triggered!
\tFL Red Maximum > 10
CytoUSB Block size: Auto (maxTimeOut: 45s )

Instrument: Bay One
Serial #: CS-2020-1
Beam width: 5
Core speed: 2.2
User Comments: {comments}

Measurement date: 05/04/2023 09:23:41
Measurement duration: 100
Flow rate (μL/sec): 5.5

Channel 1: Trigger1
Channel 2: FWS
Channel 3: SWS  - TRIGGER
  - sensitivity level: 60
Channel 4: FL Red
  - sensitivity level: 85

Total number of particles: 1000
Concentration (part/μL): 2
Volume (μL): 500
"""


def text_of(value: float, decimal: str = ".") -> str:
    """Write a number as an export does."""
    return (f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))).replace(
        ".", decimal
    )


def table(header: Sequence[str], rows: Rows, separator: str = ",", decimal: str = ".", end: str = "\r\n") -> str:
    """Write a table."""
    lines = [separator.join(header), *(separator.join(text_of(value, decimal) for value in row) for row in rows)]
    return end.join(lines) + end


def profile(samples: int, channels: int = 3, start: float = 1.5) -> NDArray[np.float64]:
    """Make a profile, shape (samples, channels), of numbers that float32 holds exactly."""
    return start + np.arange(samples * channels, dtype=np.float64).reshape(samples, channels) / 4


def pulse_rows(
    profiles: Mapping[int, NDArray[np.float64]] | Sequence[tuple[int, NDArray[np.float64]]], ending: str = "zero id"
) -> list[list[float]]:
    """Write profiles one after the other, each with its two rows of zeros."""
    rows: list[list[float]] = []
    for number, values in profiles.items() if isinstance(profiles, Mapping) else profiles:
        rows.extend([number, *row] for row in values.tolist())
        if ending != "none":
            rows.extend([[number if ending == "own id" else 0, *[0.0] * values.shape[1]]] * 2)
    return rows


def listmode_header() -> list[str]:
    """Name the columns of a small listmode table."""
    return [
        "Particle ID",
        "Sample Length",
        "Arrival Time",
        *(f"{channel} {name}" for channel in CHANNELS for name in PARAMETERS),
    ]


def listmode_rows(lengths: Mapping[int, int]) -> list[list[float]]:
    """Write one row of parameters a particle."""
    width = len(CHANNELS) * len(PARAMETERS)
    return [
        [number, length, place / 8, *(number + column / 4 for column in range(width))]
        for place, (number, length) in enumerate(lengths.items())
    ]


def write_export(
    folder: Path,
    profiles: Mapping[int, NDArray[np.float64]],
    *,
    pictures: Mapping[str, bytes] | None = None,
    comments: str = "",
    measurement: str = MEASUREMENT,
) -> Path:
    """Write a whole export: Listmode, Pulses, Info and a folder of pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{measurement}_All Imaged Particles"
    lengths = {number: len(values) for number, values in profiles.items()}
    (folder / f"{stem}_Listmode.csv").write_text(table(listmode_header(), listmode_rows(lengths)), newline="")
    (folder / f"{stem}_Pulses.csv").write_text(table(["Particle ID", *CHANNELS], pulse_rows(profiles)), newline="")
    (folder / f"{measurement}_Info.txt").write_text(
        INFO.format(comments=comments), encoding="utf-8-sig", newline="\r\n"
    )
    if pictures:
        images = folder / f"{stem}_Images"
        images.mkdir(exist_ok=True)
        for name, data in pictures.items():
            (images / name).write_bytes(data)
    return folder


def records_of(*paths: Path, reader: str | None = None) -> list[Record]:
    """Read everything below some paths."""
    sources, _ = find_sources(list(paths), reader=reader)
    return [record for source in sources for record in read(source)]


def particles_of(records: Sequence[Record]) -> dict[str, Particle]:
    """Give the particles by what stands behind the sample's id; none may come twice."""
    found = [record for record in records if isinstance(record, Particle)]
    by_number = {particle.id.removeprefix(f"{particle.sample_id}/"): particle for particle in found}
    assert len(by_number) == len(found), "two particles have the same id"
    return by_number


def sample_of(records: Sequence[Record]) -> Sample:
    """Give the only sample; it must come before its particles."""
    places = [place for place, record in enumerate(records) if isinstance(record, Sample)]
    first = next((place for place, record in enumerate(records) if isinstance(record, Particle)), len(records))
    assert len(places) == 1
    assert places[0] < first
    record = records[places[0]]
    assert isinstance(record, Sample)
    return record


def skipped_of(records: Sequence[Record]) -> list[Skipped]:
    """Give what was skipped; each reason must be one plain line."""
    found = [record for record in records if isinstance(record, Skipped)]
    for record in found:
        assert record.reason
        assert "\n" not in record.reason
    return found


def notes_of(records: Sequence[Record]) -> str:
    """Give all notes as one text."""
    return "\n".join(record.text for record in records if isinstance(record, Note))
