"""Side processes give the answers that this one gives, outlive nothing and are outlived."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from seston import side_processes
from seston.side_processes import SideProcess, crew_of

_WORK = "base64:b64encode"
_SLOW = "lzma:compress"
_MUCH = os.urandom(8_000_000)
"""Takes the slow work seconds."""


def _until_ready(*processes: SideProcess) -> None:
    until = time.monotonic() + 60
    while not all(one.is_ready for one in processes) and time.monotonic() < until:
        time.sleep(0.01)
    assert all(one.is_ready for one in processes)


@pytest.fixture
def process() -> Iterator[SideProcess]:
    one = SideProcess(_WORK)
    _until_ready(one)
    yield one
    one.end()


def test_questions_of_any_size_are_answered_in_their_order(process: SideProcess) -> None:
    answers = [process.ask(data) for data in (b"a", b"", bytes(3_000_000), b"bc")]
    assert [len(answer.result(timeout=60)) for answer in answers] == [4, 0, 4_000_000, 4]
    assert process.load == 0
    process.rest()
    assert process.ask(b"a").result(timeout=60) == b"YQ=="


def test_questions_to_a_process_that_dies_have_an_end() -> None:
    process = SideProcess(_SLOW)
    _until_ready(process)
    answers = [process.ask(_MUCH), process.ask(b"a")]
    psutil.Process(process._process.pid).kill()
    answers.append(process.ask(b"a"))
    for answer in answers:
        with pytest.raises(EOFError):
            answer.result(timeout=60)
    process.end()


def test_a_crew_works_in_threads_until_its_processes_are_up_and_where_they_die(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(side_processes, "core_count", lambda: 2)
    with crew_of(_SLOW) as crew:
        assert crew.ask(lambda: b"a", lambda _: "there", lambda: "here")() == "here"
        crew.call_processes()
        _until_ready(*crew.processes)
        assert crew.ask(lambda: b"a", lambda _: "there", lambda: "here")() == "there"
        asked = [crew.ask(lambda: _MUCH, lambda _: "there", lambda: "here") for _ in range(2)]
        for one in crew.processes:
            psutil.Process(one._process.pid).kill()
        assert [answer() for answer in asked] == ["here", "here"]
    assert all(one.is_gone for one in crew.processes)


def test_a_process_that_cannot_do_its_work_leaves_it_to_threads(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(side_processes, "core_count", lambda: 2)
    with crew_of("base64:no_such_function") as crew:
        crew.call_processes()
        for one in crew.processes:
            one._process.wait(60)
        assert crew.ask(lambda: b"a", bytes.decode, lambda: "here")() == "here"
    assert "no_such_function" in capfd.readouterr().err


def test_a_script_needs_no_guard_and_leaves_no_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import time\n"
        "from seston.side_processes import borrow_processes, give_back_processes\n"
        f"two = borrow_processes({_WORK!r}, 2)\n"
        "while not all(one.is_ready for one in two):\n"
        "    time.sleep(0.01)\n"
        "print(*(one.ask(b'a').result().decode() for one in two), flush=True)\n"
        "give_back_processes(two)\n"
        f"assert borrow_processes({_WORK!r}, 1)[0] in two\n"
        "assert borrow_processes('base64:b64decode', 1)[0] not in two\n"
        "print(*(one._process.pid for one in two))\n",
        "utf-8",
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=True)
    said, pids = done.stdout.splitlines()
    assert said == "YQ== YQ=="
    assert done.stderr == ""
    until = time.monotonic() + 30
    while any(psutil.pid_exists(int(pid)) for pid in pids.split()) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(psutil.pid_exists(int(pid)) for pid in pids.split())
