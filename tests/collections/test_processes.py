"""Processes that look at pictures find what this one does, and a build outlives them."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

import numpy as np
import psutil
import pytest
from collection_making import card, everything, jpeg, png, tar_of

from seston.collections import build, workers
from seston.collections.looking import Looked, look_at
from seston.collections.looking_messages import HEAD, answer_bytes, question_bytes, read_answer, read_pictures
from seston.collections.processes import LookingProcess
from seston.collections.workers import local_workers

_PICTURES = [jpeg(1), png(2), b"\xff\xd8\xff no", jpeg(3, (300, 200)), b""]


@pytest.fixture
def process() -> Iterator[LookingProcess]:
    one = LookingProcess()
    until = time.monotonic() + 60
    while not one.is_ready and time.monotonic() < until:
        time.sleep(0.01)
    yield one
    one.end()


def _equal(one: Looked, other: Looked) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(astuple(one), astuple(other), strict=True))


def test_what_is_sent_arrives() -> None:
    question = io.BytesIO(question_bytes(_PICTURES, 40))
    assert HEAD.unpack(question.read(HEAD.size)) == (len(_PICTURES), 40)
    assert read_pictures(question, len(_PICTURES)) == _PICTURES
    looked = look_at(_PICTURES)
    looked.scale_bars, looked.pixel_sizes = {1: (2, 3, 4, 5)}, {1: 10.4}
    assert _equal(read_answer(io.BytesIO(answer_bytes(looked))), looked)


def test_a_process_finds_the_same(process: LookingProcess) -> None:
    answers = [process.ask(_PICTURES[:n], 0) for n in (5, 0, 3)]
    for n, answer in zip((5, 0, 3), answers, strict=True):
        assert _equal(answer.result(), look_at(_PICTURES[:n]))
    assert process.load == 0


def test_questions_to_a_process_that_dies_have_an_end(process: LookingProcess) -> None:
    answers = [process.ask([jpeg(1, (2000, 2000))] * 20, 0) for _ in range(3)]
    psutil.Process().children()[-1].kill()
    answers.append(process.ask(_PICTURES, 0))
    for answer in answers[1:]:
        with pytest.raises(EOFError):
            answer.result(timeout=60)


def _looks(child: psutil.Process) -> bool:
    return child.status() != psutil.STATUS_ZOMBIE and "looking_program" in " ".join(child.cmdline())


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_build_is_the_same_though_its_processes_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = {f"class {k % 3}/{k}.jpg": jpeg(k, (700, 500)) for k in range(40)}
    members |= {f"class {k % 3}/{k}.jpg": jpeg(k) for k in range(40, 1200)}
    archive = f"mine={tar_of(tmp_path / 'a.tar', members | {'class 0/bad.jpg': b'no'})}"
    own = card(tmp_path, "mine")
    build([own], to=tmp_path / "threads", from_=[archive])
    monkeypatch.setattr(workers, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr(workers, "_cores", lambda: 2)
    with local_workers() as crew:  # so that they are up when the build asks
        until = time.monotonic() + 60
        while time.monotonic() < until and not crew.ask([], 0).__qualname__.endswith("looked"):
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


def test_a_script_needs_no_guard_and_leaves_no_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import time\n"
        "from seston.collections.processes import borrow_processes, give_back_processes\n"
        "two = borrow_processes(2)\n"
        "while not all(one.is_ready for one in two):\n"
        "    time.sleep(0.01)\n"
        "print(*(one.ask([b'no'], 0).result().faults for one in two), flush=True)\n"
        "give_back_processes(two)\n"
        "assert borrow_processes(1)[0] in two\n"
        "print(*(one._process.pid for one in two))\n",
        "utf-8",
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=True)
    said, pids = done.stdout.splitlines()
    assert said.count("not a picture") == 2
    assert done.stderr == ""
    until = time.monotonic() + 30
    while any(psutil.pid_exists(int(pid)) for pid in pids.split()) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(psutil.pid_exists(int(pid)) for pid in pids.split())
