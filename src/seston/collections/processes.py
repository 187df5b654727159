"""Processes that look at pictures for this one, and stay for a while in case there are more.

Threads hand Python's lock to and fro at every picture of some microseconds; processes do not. They are plain
subprocesses that run `seston.collections.looking_program`: the program that calls needs no guard around its main part.
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
from collections.abc import Sequence
from concurrent.futures import Future

from seston.collections.looking import Looked
from seston.collections.looking_messages import question_bytes, read_answer
from seston.collections.looking_program import READY, REST

__all__ = ["LookingProcess", "borrow_processes", "give_back_processes"]

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from seston.collections.looking_program import main; main()"
)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_PIPE_BYTES = 1 << 20
_PATIENCE_SECONDS = 5.0


class LookingProcess:
    """A process that is starting or looks at pictures.

    Raises
    ------
    OSError
        It cannot be started.
    """

    def __init__(self) -> None:
        self.is_ready = False
        self.is_gone = False
        self._owner = os.getpid()
        self._asked: deque[Future[Looked]] = deque()
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(sys.path)],
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

    def ask(self, pictures: Sequence[bytes], scale_bar_rows: int) -> Future[Looked]:
        """Hand pictures over; where the process dies, the answer is an EOFError."""
        answer: Future[Looked] = Future()
        with self._lock:
            if self.is_gone:
                answer.set_exception(EOFError())
                return answer
            self._asked.append(answer)
        self._send(question_bytes(pictures, scale_bar_rows))
        return answer

    def rest(self) -> None:
        """Say that nothing may be asked for a while."""
        self._send(REST)

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

    def _send(self, data: bytes) -> None:
        try:
            self._questions.write(data)
            self._questions.flush()
        except OSError:
            self._process.kill()  # what was asked before is answered by the end of its stream

    def _receive(self) -> None:
        try:
            self.is_ready = self._answers.read(len(READY)) == READY
            while self.is_ready:
                looked = read_answer(self._answers)
                self._asked.popleft().set_result(looked)
        except (EOFError, OSError):
            pass
        with self._lock:
            self.is_ready, self.is_gone = False, True
        while self._asked:
            self._asked.popleft().set_exception(EOFError())


_resting: list[LookingProcess] = []


def borrow_processes(count: int) -> list[LookingProcess]:
    """Give so many processes, those that rest first.

    Raises
    ------
    OSError
        None can be started.
    """
    borrowed: list[LookingProcess] = []
    while _resting and len(borrowed) < count:
        one = _resting.pop()
        if not one.is_of_this_process:
            continue
        if one.is_gone:
            one.end()
        else:
            borrowed.append(one)
    while len(borrowed) < count:
        borrowed.append(LookingProcess())
    return borrowed


def give_back_processes(processes: Sequence[LookingProcess]) -> None:
    """Let processes rest for whoever comes next; those that still have work, after a build that broke, end."""
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
