"""Read raw CytoSense files of 100 MB completely; print seconds, MB/s, peak memory, and the ratio to `nrbf`.

    python benchmarks/read_cyz.py [--megabytes 100]

The files are made here, one of each layout: one object of the older electronics with the sizes of particles of a real
file (median 28 samples), and segments of the V10 electronics with pictures. Each is read in a fresh process, so that
the peak is its own (from /proc, so Linux only). `nrbf`, which only parses, is timed on a smaller file of the same kind.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

_SMALL_MB = 2.0

_READ = """
import sys, time
from pathlib import Path
from seston.instruments.cyz import READER
from seston.instruments.source import Source
from seston.particle import Particle
path = Path(sys.argv[1])
begin, begin_cpu = time.perf_counter(), time.process_time()
particles = pictures = samples = 0
for record in READER.read(Source("cyz", path, (path,), "")):
    if isinstance(record, Particle):
        particles += 1
        pictures += record.image is not None
        samples += 0 if record.profile is None else record.profile.shape[1]
seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(particles, pictures, samples, seconds, cpu, peak / 1024)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=100.0)
    megabytes = parser.parse_args().megabytes
    words = ("particles", "pictures", "seconds", "CPU s", "MB/s", "peak MB", "x nrbf")
    print(f"{'file':<12} {'MB':>6} " + " ".join(f"{word:>9}" for word in words))
    with tempfile.TemporaryDirectory() as folder:
        for name, write in (("one object", write_one_object), ("segments", write_segments)):
            path, small = Path(folder) / "big.cyz", Path(folder) / "small.cyz"
            write(path, megabytes)
            write(small, _SMALL_MB)
            size = path.stat().st_size / 1e6
            particles, pictures, _, seconds, cpu, peak = _read_in_own_process(path)
            ratio = (_nrbf_seconds(small) / small.stat().st_size) / (seconds / path.stat().st_size)
            print(
                f"{name:<12} {size:6.1f} {particles:9.0f} {pictures:9.0f} {seconds:9.2f} {cpu:9.2f} "
                f"{size / seconds:9.0f} {peak:9.0f} {ratio:9.1f}"
            )


def write_one_object(path: Path, megabytes: float) -> None:
    """Write the layout of the older electronics."""
    make = _writer()
    random = np.random.default_rng(0)
    channels = make.OLD_CHANNELS
    mean_bytes = 38 * len(channels)
    lengths = _lengths(random, int(megabytes * 1e6 / mean_bytes))
    particles = [random.integers(1, 128, (length, len(channels)), dtype=np.uint8) for length in lengths.tolist()]
    with path.open("wb") as out:
        make.Writer(out).write(make.data_file(channels, data=make.multiplex(particles, channels)))


def write_segments(path: Path, megabytes: float) -> None:
    """Write the layout of the V10 electronics: half of the bytes are pictures of 20 kB."""
    make = _writer()
    random = np.random.default_rng(0)
    channels = make.NEW_CHANNELS
    settings = make.data_file(
        channels,
        data=None,
        newer=True,
        settings={"PIC": make.Thing("CytoSense.CytoSettings.PICSettings", {"hasPICIIF": True})},
    )
    pictures = max(int(megabytes / 2 * 1e6 / 20_500), 1)
    count = max(int(megabytes / 2 * 1e6 / 480), 1)
    columns = [
        [random.integers(0, 256, length, dtype=np.uint8).tobytes() for _ in channels]
        for length in _lengths(random, count).tolist()
    ]
    particles = [make.raw_particle(number, own) for number, own in enumerate(columns)]
    every = max(count // pictures, 1)
    pictured = [
        make.pictured_particle(number, columns[number], b"\xff\xd8\xff\xe0" + random.bytes(20_000) + b"\xff\xd9")
        for number in range(0, count, every)
    ]
    segments = [(2, particles[at : at + 1000]) for at in range(0, count, 1000)]
    segments += [(4, pictured[at : at + 100]) for at in range(0, len(pictured), 100)]
    with path.open("wb") as out:
        make.segmented_file(settings, segments, out)


def _lengths(random: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Give numbers of samples like those of a real file: multiples of 4, median 28, a few hundred at most."""
    return (4 * np.clip(np.round(random.lognormal(np.log(7), 0.5, count)), 1, 300)).astype(np.int64)


def _read_in_own_process(path: Path) -> list[float]:
    done = subprocess.run([sys.executable, "-c", _READ, str(path)], check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def _nrbf_seconds(path: Path) -> float:
    """Give the time in which `nrbf` parses all streams of a file."""
    import nrbf

    data = path.read_bytes()
    begin = time.perf_counter()
    root = nrbf.loads(data)
    if "_segments" in root:
        for place in (root["_df_info"], *root["_segments"]):
            nrbf.loads(data[place["_offset"] : place["_offset"] + place["_count"]])
    return time.perf_counter() - begin


def _writer() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "tests" / "instruments" / "dotnet_writer.py"
    spec = importlib.util.spec_from_file_location("dotnet_writer", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is missing: this benchmark makes its files with it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
