"""What more particles cost: a build of 50 thousand, 200 thousand and a million pictures, then info and a split.

    python benchmarks/growth.py ARCHIVE [--rows 50000 200000 1000000]

Pictures of the archive, the smallest first, are repeated under new names until there are as many as asked for, each
within one sample, so that samples can be kept apart; all go through `seston collections build`, which looks at each,
and for repeats at its end. Every step is a process of its own,
whose memory, with that of its children, is sampled every 10 ms. Seconds are those of the clock and, in brackets, of the
processor: on a machine that does other work too, the second tell more.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path

from build_collections import watch

_PICTURES = 4096
_A_SAMPLE = 700
_CARD = """
name = "growth"
title = "Pictures repeated for a measurement"
instrument = "FlowCam"
licence_source = "a measurement"
[layout]
pictures = ["{sample}/{label}/{file}"]
"""
_TIMED = """
import json, os, resource, sys, time
{prepare}
started, used = time.perf_counter(), os.times()
{do}
now = os.times()
print(json.dumps([time.perf_counter() - started, now.user + now.system - used.user - used.system]))
"""
_BUILD = _TIMED.format(
    prepare="from seston.collections import build",
    do="build([sys.argv[1]], to=sys.argv[2], from_=[sys.argv[3]])",
)
_OPEN = "from seston.store import open_data_set\ndata = open_data_set(sys.argv[1])"
_INFO = _TIMED.format(prepare=_OPEN, do="data.info()")
_SPLIT = _TIMED.format(prepare=_OPEN, do="data.split('growth', overwrite=True)")
_DUPLICATES = _TIMED.format(
    prepare=f"from seston.collections import find_duplicates\n{_OPEN}", do="find_duplicates(data)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 200_000, 1_000_000])
    arguments = parser.parse_args()
    pictures = read_pictures(arguments.archive)
    print(f"{len(pictures):,} pictures of {sum(map(len, pictures)) / len(pictures):.0f} bytes on average")
    print("| rows | build, s | µs a picture | peak MB | disk / image bytes | info, s | split, s | duplicates, s |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as scratch:
            measure(rows, pictures, Path(scratch))


def read_pictures(archive: Path) -> list[bytes]:
    with tarfile.open(archive) as file:
        read = [content.read() for member in file if (content := file.extractfile(member)) is not None]
    return sorted(read, key=len)[:_PICTURES]


def measure(rows: int, pictures: list[bytes], scratch: Path) -> None:
    archive, card, data = scratch / "growth.tar", scratch / "growth.toml", scratch / "data"
    card.write_text(_CARD, "utf-8")
    image_bytes = write_archive(archive, rows, pictures)
    build, memory = timed(_BUILD, card, data, f"growth={archive}")
    archive.unlink()
    disk = sum(file.stat().st_size for file in data.rglob("*") if file.is_file())
    info, split, duplicates = (timed(program, data) for program in (_INFO, _SPLIT, _DUPLICATES))
    print(
        f"| {rows:,} | {build[0]:.1f} ({build[1]:.1f}) | {build[0] / rows * 1e6:.0f} ({build[1] / rows * 1e6:.0f}) | "
        f"{memory / 1e6:,.0f} | {disk / image_bytes:.3f} | "
        + " | ".join(f"{one[0]:.2f} ({one[1]:.2f}), {peak / 1e6:,.0f} MB" for one, peak in (info, split, duplicates))
        + " |",
        flush=True,
    )


def write_archive(path: Path, rows: int, pictures: list[bytes]) -> int:
    total, own = 0, max(1, len(pictures) * _A_SAMPLE // rows)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for row in range(rows):
            data = pictures[(row // _A_SAMPLE * own + row % own) % len(pictures)]
            member = tarfile.TarInfo(f"s{row // _A_SAMPLE}/class {row % 97}/{row}.jpg")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
            total += len(data)
    return total


def timed(program: str, *words: object) -> tuple[tuple[float, float], int]:
    """Run a program in a process of its own; give its seconds, those of the processor, and its largest memory."""
    peak = [0]
    command = [sys.executable, "-c", program, *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watcher = threading.Thread(target=watch, args=(process, peak))
    watcher.start()
    printed, _ = process.communicate()
    watcher.join()
    seconds, used = json.loads(printed)
    return (seconds, used), peak[0]


if __name__ == "__main__":
    main()
