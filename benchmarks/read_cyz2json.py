"""Read a large JSON of cyz2json completely; print seconds, MB/s, peak memory, and the ratio to `json.load`.

    python benchmarks/read_cyz2json.py [--megabytes 200]

The file is made here: two thirds particles (seven channels, all parameters, indented as cyz2json writes), one third
pictures in base64. `json.load`, which holds everything at once, reads the same file in a process of its own.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

_CHANNELS = ("FWS", "SWS", "Fl Yellow", "FL Red", "Curvature", "FWS L", "FWS R")
_PARAMETERS = (
    "length", "total", "maximum", "average", "inertia", "centreOfGravity", "fillFactor", "asymmetry", "numberOfCells",
    "sampleLength", "timeOfArrival", "first", "last", "minimum", "swscov", "variableLength",
)  # fmt: skip

_SECONDS_AND_PEAK = """
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.perf_counter() - begin, time.process_time() - begin_cpu, peak)
"""
_OURS = """
import sys, time
from pathlib import Path
from seston.instruments.cyz2json import READER
from seston.instruments.source import Source
path = Path(sys.argv[1])
begin, begin_cpu = time.perf_counter(), time.process_time()
for record in READER.read(Source("cyz2json", path, (path,), "")):
    pass
"""
_WHOLE = """
import json, sys, time
begin, begin_cpu = time.perf_counter(), time.process_time()
json.load(open(sys.argv[1]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=200.0)
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "measurement.json"
        particles, pictures = write(path, megabytes)
        size = path.stat().st_size / 1e6
        print(f"{size:.0f} MB, {particles:,} particles, {pictures:,} pictures")
        ours, whole = _run(_OURS, path), _run(_WHOLE, path)
    for name, (seconds, cpu, peak) in (("seston", ours), ("json.load", whole)):
        print(f"{name:<10} {seconds:6.2f} s ({cpu:.2f} s of CPU) {size / seconds:5.0f} MB/s {peak:6.0f} MB peak")
    print(f"ratio      {whole[0] / ours[0]:6.2f}")


def write(path: Path, megabytes: float) -> tuple[int, int]:
    """Write the file; give the numbers of particles and pictures."""
    random = np.random.default_rng(0)
    head = {
        "filename": "Benchmark 2025-02-13 14h27.cyz",
        "instrument": {
            "name": "A",
            "sampleCoreSpeed": 2.2,
            "measurementSettings": {"name": "a"},
            "measurementResults": {},
        },
    }
    particles = pictures = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head, indent=2)[:-2] + ',\n  "particles": [\n')
        while file.tell() < megabytes * 1e6 * 2 / 3:
            file.write((",\n" if particles else "") + json.dumps(_particle(random, particles), indent=2))
            particles += 1
        file.write('\n  ],\n  "images": [\n')
        image = base64.b64encode(b"\xff\xd8" + random.bytes(100_000)).decode()
        while file.tell() < megabytes * 1e6 and pictures < particles:
            file.write((",\n" if pictures else "") + json.dumps({"particleId": pictures, "base64": image}))
            pictures += 1
        file.write("]\n}\n")
    return particles, pictures


def _particle(random: np.random.Generator, number: int) -> dict[str, object]:
    length = int(random.integers(14, 60))
    return {
        "particleId": number,
        "hasImage": False,
        "pulseShapes": [
            {"description": channel, "values": (random.random(length) * 500).astype(np.float32).astype(float).tolist()}
            for channel in _CHANNELS
        ],
        "parameters": [
            {"description": channel} | dict(zip(_PARAMETERS, random.random(16).tolist(), strict=True))
            for channel in _CHANNELS
        ],
    }


def _run(code: str, path: Path) -> tuple[float, float, float]:
    """Give seconds, seconds of CPU and peak memory in MB of one process."""
    command = [sys.executable, "-W", "ignore", "-c", code + _SECONDS_AND_PEAK, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, cpu, peak = map(float, done.stdout.split())
    return seconds, cpu, peak / 1024


if __name__ == "__main__":
    main()
