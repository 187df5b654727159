"""How long `seston identify` takes from a raw CytoClus export to a CSV, from a cold start, and where the time goes.

    python benchmarks/identify.py EXPORT GALLERY [--rounds 3]
    python benchmarks/identify.py --make FOLDER [--particles 10000]

The gallery has to hold a compiled model (seston models compile GALLERY). `--make` simulates an export. The command
runs as a process of its own; then each part of the way runs by itself in this process, on all particles.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from seston.features import Measures
from seston.particle import Particle
from seston.recognition import Gallery, OnnxModel
from seston.recognition.source_particles import open_source
from seston.simulate import simulate
from seston.training.plain import make_arrays

_AT_ONCE = 256
Made = TypeVar("Made")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("paths", type=Path, nargs="*")
    parser.add_argument("--make", type=Path)
    parser.add_argument("--particles", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.make is not None:
        simulate(arguments.make, particles=arguments.particles, runs=1, seed=77)
        return
    export, gallery = arguments.paths
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    measured = []
    for _ in range(arguments.rounds):
        seconds, busy, named = from_cold(export, gallery)
        measured.append(seconds)
        print(f"{named:,} particles named in {seconds:.1f} s ({busy:.1f} s of processor) on {cores} cores, "
              f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"median: {statistics.median(measured):.1f} s")
    split(export, gallery)


def from_cold(export: Path, gallery: Path) -> tuple[float, float, int]:
    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder) / "names.csv"
        command = [sys.executable, "-m", "seston", "identify", str(export), "--gallery", str(gallery)]
        before, started = os.times(), time.perf_counter()
        subprocess.run([*command, "--to", str(names)], check=True, capture_output=True)
        seconds, after = time.perf_counter() - started, os.times()
        busy = sum(after[2:4]) - sum(before[2:4])
        with names.open(encoding="utf-8") as file:
            named = sum(bool(row["label"]) for row in csv.DictReader(file))
    return seconds, busy, named


def split(export: Path, folder: Path) -> None:
    gallery = clock("load the gallery and its model", lambda: Gallery.load(folder))
    model = gallery.model
    assert isinstance(model, OnnxModel)
    preparation = model.preparation
    particles = clock("read the files", lambda: list(open_source([export]).particles()))
    parts = [particles[start : start + _AT_ONCE] for start in range(0, len(particles), _AT_ONCE)]
    arrays = clock("decode and prepare", lambda: [make_arrays(part, preparation, skipped=[]) for part in parts])
    clock(
        "run the towers", lambda: [model._forward(ids_of(part), one) for part, one in zip(parts, arrays, strict=True)]
    )
    measures = preparation.measures
    if isinstance(measures, Measures):
        clock("measure by hand-made features", lambda: [measures(part) for part in parts])
    embeddings = [model.encode(part, []) for part in parts]
    clock("name", lambda: [gallery.identify(one, part) for one, part in zip(embeddings, parts, strict=True)])


def ids_of(particles: list[Particle]) -> tuple[str, ...]:
    return tuple(one.id for one in particles)


def clock(what: str, function: Callable[[], Made]) -> Made:
    started, busy = time.perf_counter(), time.process_time()
    made = function()
    print(f"  {what:32} {time.perf_counter() - started:6.1f} s ({time.process_time() - busy:6.1f} s of processor)")
    return made


if __name__ == "__main__":
    main()
