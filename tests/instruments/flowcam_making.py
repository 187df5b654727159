"""Make FlowCam runs for the tests: a list, collages with known pictures, and the texts beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RUN = "bay-01"
COLUMNS = (
    ("id", "int32"),
    ("image_x", "int32"),
    ("image_y", "int32"),
    ("image_w", "int32"),
    ("image_h", "int32"),
    ("cal_const", "double"),
    ("raw_area", "double"),
    ("abd_diameter", "double"),
    ("elapsed_time", "double"),
    ("timestamp", "timestamp"),
    ("collage_file", "string"),
    ("image_id", "guid"),
)
CONTEXT = """[Software]
SoftwareName=VisualSpreadsheet
SerialNo=77
[General]
TechnicianName=Jane Doe
LocationLatitude=54.18
LocationLongitude=7.9
RunStartTime={start}
RunEndTime={end}
[Camera]
AutoTriggerFlag=0
[Fluorescence]
Ch1Trigger=1
Ch1Threshold=300
[Fluid]
UseDilutionCalculation=1
SampleDilution=4
[CaptureReport]
ClassificationTemplate=C:\\Users\\jane_doe\\template.ctf
[CaptureStats]
SampleVolumeAspirated=0.5
"""
SUMMARY = "List File,{run}.lst\nStart Time,2021-06-01  14:00:00\nCount,{count}\nSample Volume Imaged ml,0.125\n\n"


def collage_pixels(number: int, *, colour: bool = False) -> NDArray[np.uint8]:
    shape = (60, 90, 3) if colour else (60, 90)
    return np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)


def row(particle: int, *, per_collage: int = 5, run: str = RUN) -> list[str]:
    place = (particle - 1) % per_collage
    collage = (particle - 1) // per_collage + 1
    clock = f"2021-06-01T14:00:{particle:02d}.500"
    box = [str(value) for value in (17 * place, 3 * place, 15, 20 + particle % 3)]
    return [
        str(particle),
        *box,
        "0.5",
        "12",
        "3.25",
        f"{particle}.5",
        clock,
        f"{run}_{collage:06d}.tif",
        f"G{particle}",
    ]


def list_text(rows: list[list[str]]) -> str:
    header = ["017", f"num-fields|{len(COLUMNS)}", *(f"{name}|{kind}" for name, kind in COLUMNS)]
    return "".join(f"{line}\r\n" for line in [*header, *("|".join(fields) for fields in rows)])


def write_run(folder: Path, particles: int = 10, *, run: str = RUN, colour: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row(particle, run=run) for particle in range(1, particles + 1)]
    (folder / f"{run}.lst").write_text(list_text(rows), newline="")
    for number in range(1, (particles - 1) // 5 + 2):
        pixels = Image.fromarray(collage_pixels(number, colour=colour))
        pixels.save(folder / f"{run}_{number:06d}.tif", compression="tiff_lzw")
        pixels.convert("L").save(folder / f"{run}_{number:06d}_bin.tif")
    context = CONTEXT.format(start="2021-06-01 12:00:00", end="2021-06-01 12:01:00")
    (folder / f"{run}.ctx").write_text(context)
    (folder / f"{run}_summary.csv").write_text(SUMMARY.format(run=run, count=particles))
    return folder / f"{run}.lst"
