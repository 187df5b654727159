"""What is told to processes that look at pictures and what they find, and a build that outlives them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

import numpy as np
import psutil
import pytest
from collection_making import card, everything, jpeg, png, tar_of

from seston import side_processes
from seston.collections import build, workers
from seston.collections.looking import Looked, look_at
from seston.collections.looking_messages import (
    answer_bytes,
    looked_into,
    question_bytes,
    read_answer,
    read_question,
)
from seston.collections.workers import local_workers

_PICTURES = [jpeg(1), png(2), b"\xff\xd8\xff no", jpeg(3, (300, 200)), b""]


def _equal(one: Looked, other: Looked) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(astuple(one), astuple(other), strict=True))


def test_what_is_sent_arrives() -> None:
    assert read_question(question_bytes(_PICTURES, 40)) == (_PICTURES, 40)
    assert read_question(question_bytes([], 0)) == ([], 0)
    looked = look_at(_PICTURES)
    looked.scale_bars, looked.pixel_sizes = {1: (2, 3, 4, 5)}, {1: 10.4}
    assert _equal(read_answer(answer_bytes(looked)), looked)


@pytest.mark.parametrize("n", [5, 0, 3])
def test_a_question_is_answered_by_what_was_found(n: int) -> None:
    assert _equal(read_answer(looked_into(question_bytes(_PICTURES[:n], 0))), look_at(_PICTURES[:n]))


def _looks(child: psutil.Process) -> bool:
    return child.status() != psutil.STATUS_ZOMBIE and "looked_into" in " ".join(child.cmdline())


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_build_is_the_same_though_its_processes_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = {f"class {k % 3}/{k}.jpg": jpeg(k, (700, 500)) for k in range(40)}
    members |= {f"class {k % 3}/{k}.jpg": jpeg(k) for k in range(40, 1200)}
    archive = f"mine={tar_of(tmp_path / 'a.tar', members | {'class 0/bad.jpg': b'no'})}"
    own = card(tmp_path, "mine")
    build([own], to=tmp_path / "threads", from_=[archive])
    monkeypatch.setattr(workers, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr(side_processes, "core_count", lambda: 2)
    with local_workers() as crew:  # so that they are up when the build asks
        until = time.monotonic() + 60
        while time.monotonic() < until and not crew.ask([], 0).__qualname__.endswith("answered"):
            time.sleep(0.01)
    killed: list[int] = []
    stop = threading.Event()

    def kill() -> None:
        while not stop.is_set() and len(killed) < 2:
            with suppress(psutil.Error, StopIteration):
                one = next(one for one in psutil.Process().children() if _looks(one) and one.pid not in killed)
                os.kill(one.pid, signal.SIGKILL)
                killed.append(one.pid)
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        report = build([own], to=tmp_path / "processes", from_=[archive]).collections[0]
    finally:
        stop.set()
        killer.join()
    assert killed
    assert (report.added, report.set_aside) == (1200, 1)
    assert everything(tmp_path / "processes") == everything(tmp_path / "threads")
