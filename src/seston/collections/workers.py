"""Those who look at pictures while an archive is walked through: threads of this process, or the workers of a Ray.

What they are given is the same, and so is what comes back; whoever asks takes answers in the order of the questions, so
the data set that is built does not depend on who did the work. A Ray worker that dies loses nothing: its task is given
to another.
"""

from __future__ import annotations

import importlib
import os
import re
import socket
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

from seston.collections.looking import Looked, look_at
from seston.errors import MissingExtraError, NetworkError, UsageError

__all__ = ["Workers", "ray_workers", "thread_workers"]

_MOST_THREADS = 8
_PATIENCE_SECONDS = 10.0
_LOCAL = re.compile(r"local(?::(\d+))?")


@dataclass(frozen=True, slots=True)
class Workers:
    """Who looks at pictures."""

    count: int
    """How many look at the same time."""
    ask: Callable[[Sequence[bytes], int], Callable[[], Looked]]
    """Hands pictures over, with the rows to search for scale bars; the answer is called for what was found."""


@contextmanager
def thread_workers() -> Iterator[Workers]:
    """Look at pictures in threads, one a core; decoding lets go of Python's lock."""
    count = min(_MOST_THREADS, _cores())
    with ThreadPoolExecutor(count, thread_name_prefix="seston-build") as pool:

        def ask(pictures: Sequence[bytes], scale_bar_rows: int) -> Callable[[], Looked]:
            return pool.submit(look_at, pictures, scale_bar_rows=scale_bar_rows).result

        try:
            yield Workers(count, ask)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def ray_workers(address: str) -> Iterator[Workers]:
    """Look at pictures on a Ray cluster.

    Parameters
    ----------
    address
        ``local`` or ``local:2`` starts a Ray on this machine, with all cores or so many; ``auto`` finds the one that
        runs here; ``ray://host:port`` or ``host:port`` is any other.

    Raises
    ------
    MissingExtraError
        Ray is not installed.
    UsageError
        A wrong number of local workers.
    NetworkError
        No Ray answers at the address.
    """
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError as error:
        raise MissingExtraError("building on a Ray cluster", "ray") from error
    started = not ray.is_initialized()
    if started:
        with warnings.catch_warnings():  # Ray forks only to start other programs
            warnings.filterwarnings("ignore", message="lance is not fork-safe")
            _connect(ray, address)
    look = ray.remote(max_retries=-1, num_cpus=1)(_look_at)

    def ask(pictures: Sequence[bytes], scale_bar_rows: int) -> Callable[[], Looked]:
        asked = look.remote(list(pictures), scale_bar_rows)
        return lambda: _answer(ray.get(asked))

    try:
        with redirect_stdout(sys.stderr):  # Ray prints there what becomes of its workers
            yield Workers(max(1, int(ray.cluster_resources().get("CPU", 1))), ask)
    finally:
        if started:
            ray.shutdown()


def _look_at(pictures: Sequence[bytes], scale_bar_rows: int) -> Looked:
    return look_at(pictures, scale_bar_rows=scale_bar_rows)


def _answer(looked: Any) -> Looked:
    assert isinstance(looked, Looked)
    return looked


def _connect(ray: Any, address: str) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "include_dashboard": False, "logging_level": "ERROR"}
    local = _LOCAL.fullmatch(address)
    if local:
        cores = int(local[1]) if local[1] else _cores()
        if cores < 1:
            raise UsageError(f"--ray {address}: give 1 or more local workers")
        ray.init(address="local", num_cpus=cores, **quiet)
        return
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise NetworkError(f"no Ray answers at {address} ({reason}); start one with  ray start --head") from error


def _knock(address: str) -> None:
    """See whether anyone listens: Ray itself would wait for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_PATIENCE_SECONDS).close()


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
