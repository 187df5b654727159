"""How fast pictures come into a data set, against decoding alone on the same cores in the same run.

    python benchmarks/import_pictures.py PICTURES.tar [--rounds 3]

Each round decodes all pictures from memory (in threads, and again in one process a core), then imports the archive
into a new data set by a process of its own, whose memory, with all its children, is sampled every 10 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import psutil

from seston.instruments import decode_image

_IMPORT = """
import json, os, sys
from seston.store import open_data_set
report = open_data_set(sys.argv[2], create=True).import_(sys.argv[1])
used = os.times()
print(json.dumps([report.added, report.duplicates, len(report.skipped), report.seconds, used.user + used.system]))
"""
_CHUNK = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    pictures = read_pictures(arguments.archive)
    print(f"{len(pictures):,} pictures, {sum(map(len, pictures)) / 1e6:.1f} MB, {cores} cores")
    ratios = []
    for _ in range(arguments.rounds):
        threads, processes = decode_in_threads(pictures, cores), decode_in_processes(pictures, cores)
        done = import_archive(arguments.archive)
        rate = done.added / done.seconds
        ratios.append(rate / threads)
        print(
            f"import {rate:,.0f} pictures/s (skipped {done.skipped}, duplicates flagged {done.duplicates}, "
            f"peak memory {done.memory / 1e6:,.0f} MB, {done.cpu_seconds / done.added * 1e6:.0f} µs of processor a "
            f"picture with the start); decoding alone {threads:,.0f}/s in threads, {processes:,.0f}/s in processes; "
            f"ratio {rate / threads:.2f} and {rate / processes:.2f}"
        )
    print(f"median ratio to decoding alone in threads: {statistics.median(ratios):.2f}")


def read_pictures(archive: Path) -> list[bytes]:
    pictures = []
    with tarfile.open(archive) as file:
        for member in file:
            content = file.extractfile(member)
            if content is not None:
                pictures.append(content.read())
    return pictures


def decode_all(pictures: list[bytes]) -> None:
    for picture in pictures:
        decode_image(picture, grey=True)


def decode_in_threads(pictures: list[bytes], cores: int) -> float:
    chunks = [pictures[start : start + _CHUNK] for start in range(0, len(pictures), _CHUNK)]
    with ThreadPoolExecutor(cores) as pool:
        started = time.perf_counter()
        list(pool.map(decode_all, chunks))
        return len(pictures) / (time.perf_counter() - started)


def decode_in_processes(pictures: list[bytes], cores: int) -> float:
    parts = [pictures[core::cores] for core in range(cores)]
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(rate_of_one_process, parts))


def rate_of_one_process(pictures: list[bytes]) -> float:
    started = time.perf_counter()
    decode_all(pictures)
    return len(pictures) / (time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class Done:
    added: int
    duplicates: int
    skipped: int
    seconds: float
    cpu_seconds: float
    memory: int


def import_archive(archive: Path) -> Done:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _IMPORT, str(archive), str(Path(folder) / "data")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            peak = MemoryWatch(process.pid)
            output, _ = process.communicate()
            memory = peak.stop()
        added, duplicates, skipped, seconds, cpu_seconds = json.loads(output)
        return Done(added, duplicates, skipped, seconds, cpu_seconds, memory)


class MemoryWatch:
    """The largest resident memory of a process and its children together."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            try:
                tree = [self._process, *self._process.children(recursive=True)]
                self._peak = max(self._peak, sum(process.memory_info().rss for process in tree))
            except psutil.NoSuchProcess:
                return


if __name__ == "__main__":
    main()
