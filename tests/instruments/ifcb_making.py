"""Make IFCB bins for the tests: pixels, lines and header of a bin with known content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NEW_BIN = "D20200102T030405_IFCB123"
OLD_BIN = "IFCB1_2010_032_040506"
LAYOUT = (
    "trigger#, ADC_time, PMTA, PMTB, PMTC, PMTD, peakA, peakB, peakC, peakD, time of flight, grabtimestart, "
    "grabtimeend, ROIx, ROIy, ROIwidth, ROIheight,start_byte, comparator_out, STartPoint, SignalLength, status, "
    "runTime, inhibitTime"
)


@dataclass(frozen=True)
class Box:
    trigger: int
    x: int
    y: int
    width: int
    height: int


def some_boxes(n: int, *, seed: int = 1) -> list[Box]:
    generator = np.random.default_rng(seed)
    boxes = []
    for trigger in range(1, n + 1):
        empty = trigger % 4 == 1
        width, height = (0, 0) if empty else generator.integers(1, 40, 2).tolist()
        boxes.append(Box(trigger, 10 * trigger, 7, width, height))
    return boxes


def pixels_of(boxes: Sequence[Box], *, seed: int = 2) -> list[NDArray[np.uint8]]:
    generator = np.random.default_rng(seed)
    return [generator.integers(0, 256, (box.height, box.width), dtype=np.uint8) for box in boxes]


def new_adc(boxes: Sequence[Box]) -> str:
    lines, start = [], 0
    for place, box in enumerate(boxes):
        clock = 1.5 * (place + 1)
        values = [box.trigger, clock, 0.1, 0.2, 0.3, 0.4, 1.1, 1.2, 1.3, 1.4, -999.0, clock, clock + 0.04]
        values += [box.x, box.y, box.width, box.height, start, -999.0, 0, 0, 0, clock + 0.02, 0.08 * place]
        lines.append(",".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values))
        start += box.width * box.height
    return "".join(f"{line}\r\n" for line in lines)


def old_adc(boxes: Sequence[Box]) -> str:
    lines, start = [], 1
    for place, box in enumerate(boxes):
        opened = 0.5 * place
        values = [box.trigger, opened + 0.3, 0.01, -0.02, 0.03, -0.04, -0.5, opened, opened + 0.2]
        values += [box.x, box.y, box.width, box.height, start, -0.25]
        lines.append(",".join(str(value) for value in values) + ",")
        start += box.width * box.height
    return "".join(f"{line}\n" for line in lines)


def write_new(folder: Path, boxes: Sequence[Box], *, name: str = NEW_BIN) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.adc").write_text(new_adc(boxes))
    (folder / f"{name}.roi").write_bytes(b"".join(picture.tobytes() for picture in pixels_of(boxes)))
    header = (
        f"SoftwareVersion: 2.0.0.0\nrunTime: 600\t\ninhibitTime: 30\t\nDataFilePath: /home/x\nADCFileFormat: {LAYOUT}\n"
    )
    (folder / f"{name}.hdr").write_text(header)
    return folder / f"{name}.adc"


def write_old(folder: Path, boxes: Sequence[Box], *, name: str = OLD_BIN) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.adc").write_text(old_adc(boxes))
    pixels = b"".join(picture.tobytes() for picture in pixels_of(boxes))
    (folder / f"{name}.roi").write_bytes(b"\0" + pixels + b"\0")
    header = '"Imaging FlowCytobot Acquisition Software version 1.0; October 2005"\n"Temp Humidity"\n" 11.5"," 32"\n'
    (folder / f"{name}.hdr").write_text(header)
    return folder / f"{name}.adc"
