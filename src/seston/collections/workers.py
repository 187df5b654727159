"""Those who look at pictures while an archive is walked through: on this machine, or the workers of a Ray.

What they are given is the same, and so is what comes back; whoever asks takes answers in the order of the questions, so
the data set that is built does not depend on who did the work. A worker that dies loses nothing: its task is given to
another.
"""

from __future__ import annotations

import importlib
import re
import socket
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from typing import Any

from seston.collections.looking import Looked, look_at
from seston.collections.looking_messages import question_bytes, read_answer
from seston.cores import core_count
from seston.errors import MissingExtraError, NetworkError, UsageError
from seston.side_processes import crew_of

__all__ = ["Workers", "local_workers", "ray_workers"]

_WORTH_PROCESSES = 2048
"""Pictures after which processes are worth their start, which takes as long as looking at some thousand pictures."""
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
def local_workers() -> Iterator[Workers]:
    """Look at pictures on all cores of this machine: in threads, and in processes once these are worth their start.

    What a process was given that dies meanwhile, threads look at.
    """
    seen = 0
    with crew_of("seston.collections.looking_messages:looked_into") as crew:

        def ask(pictures: Sequence[bytes], scale_bar_rows: int) -> Callable[[], Looked]:
            nonlocal seen
            seen += len(pictures)
            if seen >= _WORTH_PROCESSES:
                crew.call_processes()
            return crew.ask(
                partial(question_bytes, pictures, scale_bar_rows),
                read_answer,
                partial(look_at, pictures, scale_bar_rows=scale_bar_rows),
            )

        yield Workers(crew.count, ask)


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
        cores = int(local[1]) if local[1] else core_count()
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
