"""Building on Ray gives what threads give, also when a worker dies."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

import psutil
import pytest
from collection_making import card, everything, jpeg, tar_of

from seston.collections import build
from seston.errors import NetworkError, UsageError

pytest.importorskip("ray", reason="the extra 'ray' is not installed")


def _kill_a_worker(killed: list[int], stop: threading.Event) -> None:
    """Kill the first process that looks at pictures for this build."""
    while not stop.is_set() and not killed:
        for process in psutil.Process().children(recursive=True):
            try:
                if "ray::_look_at" in " ".join(process.cmdline()):
                    os.kill(process.pid, signal.SIGKILL)
                    killed.append(process.pid)
                    return
            except psutil.Error:
                continue
        time.sleep(0.002)


@pytest.mark.timeout(400)
def test_a_build_on_ray_is_the_same_though_a_worker_is_killed(tmp_path: Path) -> None:
    own = card(tmp_path, "mine")
    members = {f"class {k % 3}/{k}.jpg": jpeg(k, (900, 700)) for k in range(60)}
    members |= {f"class {k % 3}/{k}.jpg": jpeg(k) for k in range(60, 1500)}
    archive = tar_of(tmp_path / "a.tar", members | {"class 0/bad.jpg": b"\xff\xd8\xff no"})
    killed: list[int] = []
    stop = threading.Event()
    killer = threading.Thread(target=_kill_a_worker, args=(killed, stop))
    killer.start()
    try:
        report = build([own], to=tmp_path / "ray", from_=[f"mine={archive}"], ray="local:2").collections[0]
    finally:
        stop.set()
        killer.join()
    assert killed, "no worker was seen at work"
    assert (report.added, report.set_aside) == (1500, 1)
    build([own], to=tmp_path / "threads", from_=[f"mine={archive}"])
    assert everything(tmp_path / "ray") == everything(tmp_path / "threads")


def test_no_worker_is_a_wrong_call(tmp_path: Path) -> None:
    own = card(tmp_path, "mine")
    archive = tar_of(tmp_path / "a.tar", {"a/1.jpg": jpeg(1)})
    with pytest.raises(UsageError, match="1 or more"):
        build([own], to=tmp_path / "d", from_=[f"mine={archive}"], ray="local:0")


def test_an_address_where_no_ray_listens_is_one_plain_line(tmp_path: Path) -> None:
    own = card(tmp_path, "mine")
    archive = tar_of(tmp_path / "a.tar", {"a/1.jpg": jpeg(1)})
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(NetworkError, match="ray start --head"):
            build([own], to=tmp_path / "d", from_=[f"mine={archive}"], ray=nobody)
