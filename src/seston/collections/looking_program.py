"""The program of a process that looks at pictures for another: questions come in, answers go out, in their order.

It ends when no more can come, for it was let go or its owner ended, however that came about; and after a minute in
which nothing was asked, if its owner keeps it only in case there will be more.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from queue import Empty, SimpleQueue
from typing import IO

from seston.collections.looking import look_at
from seston.collections.looking_messages import HEAD, answer_bytes, read_pictures

__all__ = ["READY", "REST", "main"]

READY = b"ready\n"
"""What the process says once it can be asked."""
_REST_ROWS = 0xFFFFFFFF
REST = HEAD.pack(0, _REST_ROWS)
"""The question that means: there may be no more for a while."""
_PATIENCE_SECONDS = 60.0
_Questions = SimpleQueue[tuple[list[bytes], int] | None]


def main() -> None:
    """Answer questions from the standard input on the standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the owner too, who knows what to do
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else can get between the answers
    questions: _Questions = SimpleQueue()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, questions), daemon=True).start()
    answers.write(READY)
    answers.flush()
    patience: float | None = None
    while True:
        try:
            question = questions.get(timeout=patience)
        except Empty:
            break
        if question is None:
            break
        pictures, rows = question
        patience = _PATIENCE_SECONDS if rows == _REST_ROWS else None
        if patience is None and not _send(answers, answer_bytes(look_at(pictures, scale_bar_rows=rows))):
            break
    os._exit(0)  # the thread that receives cannot be woken


def _receive(stream: IO[bytes], questions: _Questions) -> None:
    """Take in questions while others are looked into, so that who asks need not wait."""
    try:
        while head := stream.read(HEAD.size):
            n, rows = HEAD.unpack(head)
            questions.put((read_pictures(stream, n), rows))
    except (EOFError, OSError):
        pass
    questions.put(None)


def _send(answers: IO[bytes], data: bytes) -> bool:
    try:
        answers.write(data)
        answers.flush()
    except OSError:
        return False
    return True
