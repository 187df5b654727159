"""How fast archives become a data set, against decoding alone on the same cores in the same run; memory and disk.

    python benchmarks/build_collections.py FOLDER_OF_ARCHIVES [--rounds 3] [--times 4]

Each round decodes every picture from memory in as many threads as there are cores (to its own colours, and to grey),
then builds all collections in a process of its own, whose memory with that of its children is sampled every 10 ms. The
build is done with the archives as they are, and once with each taken several times under other names. Its process has
built them once before, so that what Python loads once is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from seston.collections import card_names, load_card
from seston.collections.placing import place_files
from seston.collections.walking import walk
from seston.errors import NotFoundError
from seston.instruments import decode_image

_BUILD = """
import json, sys
import psutil
from seston.collections import build, find_duplicates
def used():
    this = psutil.Process()
    times = [one.cpu_times() for one in [this, *this.children(recursive=True)]]
    return sum(one.user + one.system for one in times) + times[0].children_user + times[0].children_system
build(json.loads(sys.argv[4]), to=sys.argv[2] + "-first", from_=[sys.argv[5]])
started = used()
report = build(json.loads(sys.argv[1]), to=sys.argv[2], from_=json.loads(sys.argv[3]))
built = used()
find_duplicates(sys.argv[2])
searched = used() - built
collections = [[one.name, one.pictures, one.image_bytes, one.expected, one.seconds] for one in report.collections]
seconds = sum(one.seconds for one in report.collections)
print(json.dumps([*collections, seconds, report.duplicates.seconds, built - started - searched, searched]))
"""
_CHUNK = 64


@dataclass(frozen=True)
class Build:
    pictures: int
    image_bytes: int
    missing: list[str]
    seconds: float
    """From the archives into the data set."""
    search_seconds: float
    """For pictures that stand more than once, after that."""
    cpu_seconds: float
    search_cpu_seconds: float
    memory: int
    disk: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=int, default=4)
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    names = [name for name in card_names() if is_there(name, arguments.folder)]
    pictures = read_pictures(names, arguments.folder)
    print(
        f"{len(names)} collections, {len(pictures):,} pictures, {sum(map(len, pictures)) / 1e6:.1f} MB, {cores} cores"
    )
    ratios = []
    for _ in range(arguments.rounds):
        colours, grey = (decode_in_threads(pictures, cores, grey=grey) for grey in (False, True))
        done = build_once(names, arguments.folder, times=1)
        ratios.append([colours[0] / done.seconds, grey[0] / done.seconds, colours[1] / done.cpu_seconds])
        say(done, 1)
        print(
            f"   decoding alone {len(pictures) / colours[0]:,.0f}/s ({len(pictures) / grey[0]:,.0f}/s to grey): ratio "
            f"{ratios[-1][0]:.2f} ({ratios[-1][1]:.2f}); by processor time {ratios[-1][2]:.2f} "
            f"({grey[1] / done.cpu_seconds:.2f})"
        )
    medians = [statistics.median(column) for column in zip(*ratios, strict=True)]
    print("median ratio: {:.2f} to its own colours, {:.2f} to grey; {:.2f} by processor time".format(*medians))
    say(build_once(names, arguments.folder, times=arguments.times), arguments.times)


def is_there(name: str, folder: Path) -> bool:
    card = load_card(name)
    try:
        place_files(card, {}, [folder])
    except NotFoundError:
        return False
    return bool(card.layout.pictures)


def read_pictures(names: list[str], folder: Path) -> list[bytes]:
    return [
        member.data
        for name in names
        for archive in place_files(load_card(name), {}, [folder]).archives
        for member in walk(archive, lambda path: False)
        if member.data is not None
    ]


def decode_in_threads(pictures: list[bytes], cores: int, *, grey: bool) -> tuple[float, float]:
    """Give seconds, and seconds of processor time."""
    chunks = [pictures[start : start + _CHUNK] for start in range(0, len(pictures), _CHUNK)]

    def decode_all(chunk: list[bytes]) -> None:
        for picture in chunk:
            decode_image(picture, grey=grey)

    started, used = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(decode_all, chunks))
    return time.perf_counter() - started, time.process_time() - used


def build_once(names: list[str], folder: Path, *, times: int) -> Build:
    with tempfile.TemporaryDirectory() as scratch:
        given, places = list(names), [str(folder)]
        if times > 1:
            given, places = copies(names, folder, Path(scratch), times)
        data = Path(scratch) / "data"
        peak = [0]
        command = [sys.executable, "-c", _BUILD, json.dumps(given), str(data), json.dumps(places)]
        command += [json.dumps(names), str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        watcher = threading.Thread(target=watch, args=(process, peak))
        watcher.start()
        printed, _ = process.communicate()
        watcher.join()
        *collections, seconds, search_seconds, cpu_seconds, search_cpu_seconds = json.loads(printed)
        disk = sum(file.stat().st_size for file in data.rglob("*") if file.is_file())
    return Build(
        pictures=sum(one[1] for one in collections),
        image_bytes=sum(one[2] for one in collections),
        missing=[one[0] for one in collections if times == 1 and one[1] != one[3]],
        seconds=seconds,
        search_seconds=search_seconds,
        cpu_seconds=cpu_seconds,
        search_cpu_seconds=search_cpu_seconds,
        memory=peak[0],
        disk=disk,
    )


def copies(names: list[str], folder: Path, scratch: Path, times: int) -> tuple[list[str], list[str]]:
    """Give cards of the same collections under other names, and where their files lie."""
    cards, places = [], []
    for name in names:
        archive = place_files(load_card(name), {}, [folder]).archives[0]
        text = (
            Path(sys.modules["seston.collections.cards"].__file__ or "").parent / "cards" / f"{name}.toml"
        ).read_text("utf-8")
        for number in range(times):
            card = scratch / f"{name}-{number}.toml"
            card.write_text(text.replace(f'name = "{name}"', f'name = "{card.stem}"', 1), "utf-8")
            cards.append(str(card))
            places.append(f"{card.stem}={archive}")
    return cards, places


def watch(process: subprocess.Popen[str], peak: list[int]) -> None:
    """Sample the resident memory of a process and its children."""
    while process.poll() is None:
        try:
            parent = psutil.Process(process.pid)
            total = sum(one.memory_info().rss for one in [parent, *parent.children(recursive=True)])
        except psutil.Error:
            total = 0
        peak[0] = max(peak[0], total)
        time.sleep(0.01)


def say(done: Build, times: int) -> None:
    rate, used = done.pictures / done.seconds, done.cpu_seconds / done.pictures * 1e6
    search = done.search_cpu_seconds / done.pictures * 1e6
    print(
        f"{times}×: build {rate:,.0f} pictures/s ({used:.0f} µs of processor a picture, and {search:.0f} µs to look "
        f"for repeats), peak memory {done.memory / 1e6:,.0f} MB, disk {done.disk / done.image_bytes:.3f} of the image "
        f"bytes; counts that differ from the cards: {', '.join(done.missing) or 'none'}"
    )


if __name__ == "__main__":
    main()
