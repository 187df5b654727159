"""Processes that work for this one, and stay for a while in case there is more.

Threads hand Python's lock to and fro at every small step; processes do not. They are plain subprocesses that run
`seston.side_program`: the program that calls needs no guard around its main part. What goes between them is bytes, and
no pickle.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from seston.cores import core_count
from seston.side_program import READY, read_frame, write_frame, write_rest

__all__ = ["Crew", "SideProcess", "borrow_processes", "crew_of", "give_back_processes"]

Made = TypeVar("Made")

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from seston.side_program import main; main(sys.argv[2])"
)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_PIPE_BYTES = 1 << 20
_PATIENCE_SECONDS = 5.0
_MOST_WORKERS = 8


@contextlib.contextmanager
def crew_of(work: str) -> Iterator[Crew]:
    """Give threads and processes for some work, on all cores of this machine.

    Parameters
    ----------
    work
        ``package.module:function`` of what turns the bytes of a question into those of its answer.
    """
    count = min(_MOST_WORKERS, core_count())
    with ThreadPoolExecutor(count, thread_name_prefix="seston-crew") as pool:
        crew = Crew(work, count, pool)
        try:
            yield crew
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            give_back_processes(crew.processes)


class Crew:
    """Threads, and processes as soon as any are up."""

    def __init__(self, work: str, count: int, pool: ThreadPoolExecutor) -> None:
        self.count = count
        """How many work at the same time."""
        self.processes: list[SideProcess] = []
        self._work, self._pool = work, pool
        self._wanted = count if count > 1 and sys.executable else 0

    def call_processes(self) -> None:
        """Have processes come, as there is enough to do to be worth their start; threads go on meanwhile."""
        if self._wanted:
            with contextlib.suppress(OSError):  # no room for more processes, say: threads do it all
                self.processes = borrow_processes(self._work, self._wanted)
        self._wanted = 0

    def ask(
        self, question: Callable[[], bytes], read: Callable[[bytes], Made], here: Callable[[], Made]
    ) -> Callable[[], Made]:
        """Hand work over; what comes back is called for the answer.

        Parameters
        ----------
        question, read
            Write the question to a process, and read its answer.
        here
            Does the same in a thread of this process, also where the process dies that was asked.
        """
        ready = [one for one in self.processes if one.is_ready]
        if not ready:
            return self._pool.submit(here).result
        answer = min(ready, key=lambda one: one.load).ask(question())

        def answered() -> Made:
            try:
                return read(answer.result())
            except EOFError:
                return here()

        return answered


class SideProcess:
    """A process that is starting or works.

    Parameters
    ----------
    work
        As for `crew_of`.

    Raises
    ------
    OSError
        It cannot be started.
    """

    def __init__(self, work: str) -> None:
        self.work = work
        self.is_ready = False
        self.is_gone = False
        self._owner = os.getpid()
        self._asked: deque[Future[bytes]] = deque()
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(sys.path), work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | _ONE_THREAD,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._questions, self._answers = self._process.stdin, self._process.stdout
        _widen(self._questions.fileno())
        self._receiver = threading.Thread(target=self._receive, name="seston-answers", daemon=True)
        self._receiver.start()

    @property
    def load(self) -> int:
        """How many questions are not answered yet."""
        return len(self._asked)

    @property
    def is_of_this_process(self) -> bool:
        """False in a process that was forked off since: the pipes are not its own."""
        return self._owner == os.getpid()

    def ask(self, question: bytes) -> Future[bytes]:
        """Hand a question over; where the process dies, the answer is an EOFError."""
        answer: Future[bytes] = Future()
        with self._lock:
            if self.is_gone:
                answer.set_exception(EOFError())
                return answer
            self._asked.append(answer)
        try:
            write_frame(self._questions, question)
        except OSError:
            self._process.kill()  # what was asked before is answered by the end of its stream
        return answer

    def rest(self) -> None:
        """Say that nothing may be asked for a while."""
        try:
            write_rest(self._questions)
        except OSError:
            self._process.kill()

    def end(self) -> None:
        """Let it go, or end it where it has work that no one waits for, or does not go."""
        if self.load or not self.is_ready:
            self._process.kill()
        with contextlib.suppress(OSError):
            self._questions.close()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._receiver.join()
        self._answers.close()

    def _receive(self) -> None:
        try:
            self.is_ready = self._answers.read(len(READY)) == READY
            while self.is_ready:
                answer = read_frame(self._answers)
                self._asked.popleft().set_result(answer or b"")
        except (EOFError, OSError):
            pass
        with self._lock:
            self.is_ready, self.is_gone = False, True
        while self._asked:
            self._asked.popleft().set_exception(EOFError())


_resting: list[SideProcess] = []


def borrow_processes(work: str, count: int) -> list[SideProcess]:
    """Give so many processes for some work, those that rest first.

    Raises
    ------
    OSError
        None can be started.
    """
    borrowed: list[SideProcess] = []
    for one in [one for one in _resting if one.work == work or one.is_gone or not one.is_of_this_process]:
        if len(borrowed) == count:
            break
        _resting.remove(one)
        if not one.is_of_this_process:
            continue
        if one.is_gone:
            one.end()
        else:
            borrowed.append(one)
    while len(borrowed) < count:
        borrowed.append(SideProcess(work))
    return borrowed


def give_back_processes(processes: Sequence[SideProcess]) -> None:
    """Let processes rest for whoever comes next; those that still have work, after something broke, end."""
    for one in processes:
        if one.is_gone or one.load:
            one.end()
        else:
            one.rest()
            _resting.append(one)


def _end_all() -> None:
    while _resting:
        one = _resting.pop()
        if one.is_of_this_process:
            one.end()


atexit.register(_end_all)


def _widen(pipe: int) -> None:
    """Let a question of usual size pass at once; only Linux can."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
