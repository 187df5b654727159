"""Read a large IFCB bin completely; print seconds, peak memory, and the ratio to cutting its pictures out with Pillow.

    python benchmarks/read_ifcb.py [--rois 5000]

The bin is made here. The rival reads the same pixels and does nothing but write each picture as PNG with Pillow at its
fastest compression: no table, no header, no times; each in a process of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

_NAME = "D20200102T030405_IFCB123"
_SECONDS_AND_PEAK = """
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.process_time() - begin, peak / 1024)
"""
_OURS = """
import sys, time
from pathlib import Path
from seston.instruments import find_sources, read
begin = time.process_time()
(source,), _ = find_sources([Path(sys.argv[1])])
for record in read(source):
    pass
"""
_PILLOW = """
import io, sys, time
from pathlib import Path
from PIL import Image
begin = time.process_time()
adc = next(Path(sys.argv[1]).glob("*.adc"))
with adc.with_suffix(".roi").open("rb") as pixels:
    for line in adc.open():
        width, height, start = map(int, line.split(",")[15:18])
        pixels.seek(start)
        picture = Image.frombytes("L", (width, height), pixels.read(width * height))
        picture.save(io.BytesIO(), "PNG", compress_level=1)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rois", type=int, default=5000)
    rois = parser.parse_args().rois
    with tempfile.TemporaryDirectory() as folder:
        size = write(Path(folder), rois)
        print(f"{rois:,} ROIs, {size / 1e6:.0f} MB of pixels")
        ours, pillow = _run(_OURS, folder), _run(_PILLOW, folder)
    for name, (seconds, peak) in (("seston", ours), ("Pillow", pillow)):
        print(f"{name:<7} {seconds:6.2f} s of CPU {rois / seconds:8,.0f} ROIs/s {peak:6.0f} MB peak")
    print(f"ratio   {pillow[0] / ours[0]:6.2f}")


def write(folder: Path, rois: int) -> int:
    """Write the bin; give the bytes of its pixels."""
    random = np.random.default_rng(0)
    start = 0
    adc, roi = folder / f"{_NAME}.adc", folder / f"{_NAME}.roi"
    with adc.open("w", encoding="ascii") as lines, roi.open("wb") as pixels:
        for number in range(1, rois + 1):
            width, height = random.integers(40, 200, 2).tolist()
            pixels.write(np.clip(random.normal(200, 8, width * height), 0, 255).astype(np.uint8).tobytes())
            clock = 0.25 * number
            values = [number, clock, *random.random(8).round(5).tolist(), -999.0, clock, clock + 0.04]
            values += [700, 500, width, height, start, -999.0, 0, 0, 0, clock + 0.01, 0.08 * number]
            lines.write(",".join(map(str, values)) + "\n")
            start += width * height
    (folder / f"{_NAME}.hdr").write_text(
        f"runTime: {0.25 * rois + 0.01}\ninhibitTime: {0.08 * rois}\n", encoding="ascii"
    )
    return start


def _run(code: str, folder: str) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", code + _SECONDS_AND_PEAK, folder], check=True, capture_output=True, text=True
    )
    seconds, peak = done.stdout.split()
    return float(seconds), float(peak)


if __name__ == "__main__":
    main()
