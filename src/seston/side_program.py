"""The program of a side process: questions come in, answers go out, in their order, all of them plain bytes.

It ends when no more can come, for it was let go or its owner ended, however that came about; and after a minute in
which nothing was asked, if its owner keeps it only in case there will be more.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from enum import Enum
from queue import Empty, SimpleQueue
from struct import Struct
from typing import IO

__all__ = ["READY", "main", "read_frame", "write_frame", "write_rest"]

READY = b"ready\n"
"""What the process says once it can be asked."""
_LENGTH = Struct("<Q")
_NO_LENGTH = 2**64 - 1
_PATIENCE_SECONDS = 60.0


class _Word(Enum):
    """What may come in place of a question: there may be none for a while, or none any more."""

    REST = "rest"
    END = "end"


def main(work: str) -> None:
    """Answer questions from the standard input on the standard output.

    Parameters
    ----------
    work
        ``package.module:function`` of what turns a question into its answer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the owner too, who knows what to do
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else can get between the answers
    module, _, name = work.partition(":")
    answer: Callable[[bytes], bytes] = getattr(importlib.import_module(module), name)
    questions: SimpleQueue[bytes | _Word] = SimpleQueue()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, questions), daemon=True).start()
    try:
        answers.write(READY)
        answers.flush()
        patience: float | None = None
        while (question := questions.get(timeout=patience)) is not _Word.END:
            if isinstance(question, _Word):
                patience = _PATIENCE_SECONDS
            else:
                write_frame(answers, answer(question))
                patience = None
    except (Empty, OSError):
        pass
    os._exit(0)  # the thread that receives cannot be woken


def write_frame(stream: IO[bytes], data: bytes) -> None:
    """Write a question or an answer, its length before it."""
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def write_rest(stream: IO[bytes]) -> None:
    """Write, in place of a question, that there may be none for a while."""
    stream.write(_LENGTH.pack(_NO_LENGTH))
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Read a question or an answer; None where `write_rest` was called in place of one.

    Raises
    ------
    EOFError
        The stream ends before.
    """
    (length,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    return None if length == _NO_LENGTH else _read(stream, length)


def _receive(stream: IO[bytes], questions: SimpleQueue[bytes | _Word]) -> None:
    """Take in questions while others are worked on, so that who asks need not wait."""
    try:
        while True:
            question = read_frame(stream)
            questions.put(_Word.REST if question is None else question)
    except (EOFError, OSError):
        questions.put(_Word.END)


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
