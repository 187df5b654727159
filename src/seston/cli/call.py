"""Run one command line and turn whatever happens into an exit code and, where it went wrong, one plain line."""

from __future__ import annotations

import errno
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seston.errors import MissingExtraError, SestonError, UsageError, nearest_word

if TYPE_CHECKING:
    from cyclopts import CycloptsError

    from seston.cli.output import Outcome

__all__ = ["DONE", "INTERRUPTED", "NOT_DONE", "WRONG_CALL", "call"]

DONE = 0
NOT_DONE = 1
"""Done in part, or not done."""
WRONG_CALL = 2
INTERRUPTED = 130

_EXTRA_OF = {"torch": "train", "timm": "towers", "tensorboard": "tensorboard"}
_LONGEST_MESSAGE = 300
_SHOW_TRACEBACK = "SESTON_TRACEBACK"


def call(tokens: Sequence[str]) -> int:
    """Run the command that `tokens` ask for and return its exit code; never raises, never shows a traceback.

    Set the environment variable ``SESTON_TRACEBACK=1`` to get tracebacks and the warnings of libraries.
    """
    _prepare_streams()
    if not _wants_traceback():
        _silence_libraries()
    as_json = "--json" in tokens
    try:
        return _run(tokens, as_json=as_json)
    except KeyboardInterrupt:
        return _say(INTERRUPTED, "interrupted: nothing that was written is lost; run the same command again to go on")
    except BrokenPipeError:  # the reader of our output went away: nothing is left to say, and no one to hear it
        _close_stdout()
        return DONE
    except Exception as error:
        if _wants_traceback():
            raise
        return _fail(error, as_json=as_json)


def _run(tokens: Sequence[str], *, as_json: bool) -> int:
    from cyclopts import CycloptsError

    from seston.cli.app import build_app

    app = build_app(tokens)
    try:
        command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False, verbose=False)
    except CycloptsError as error:
        return _fail(_wrong_call(error), as_json=as_json)
    result: Outcome | None = command(*bound.args, **bound.kwargs)
    if result is None:  # help, version, completion: they have printed already
        sys.stdout.flush()
        return DONE
    return _show(result, as_json=as_json)


def _show(outcome: Outcome, *, as_json: bool) -> int:
    from seston.cli.output import show

    code = NOT_DONE if outcome.partial else DONE
    try:
        show(outcome, as_json=as_json)
    except BrokenPipeError:
        _close_stdout()
    return code


def _fail(error: Exception, *, as_json: bool) -> int:
    code = WRONG_CALL if isinstance(error, UsageError) else NOT_DONE
    line = _sentence(error)
    if as_json:
        from seston.cli.output import write_json

        try:
            write_json({"error": {"kind": type(error).__name__, "message": line}})
        except OSError:  # the full disk or closed pipe that we are about to report
            _close_stdout()
    return _say(code, line)


def _sentence(error: Exception) -> str:
    """Say in one line what went wrong and what to do."""
    if isinstance(error, SestonError):
        return _squeeze(str(error)) or type(error).__name__
    missing = (getattr(error, "name", None) or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if missing in _EXTRA_OF:
        return str(MissingExtraError(f"the package {missing}", _EXTRA_OF[missing]))
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        where = f" while writing {error.filename}" if error.filename else ""
        return f"the disk is full{where}: nothing committed before is lost; make room and run the same command again"
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror.lower()}"
    if isinstance(error, MemoryError):
        return "the memory of this computer is used up: close other programs, or work on fewer files at once"
    message = _squeeze(str(error)) or "no message"
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]}…"
    return (
        f"unexpected {type(error).__name__}: {message} "
        f"(a fault of Seston; {_SHOW_TRACEBACK}=1 before the command shows where)"
    )


def _wrong_call(error: CycloptsError) -> UsageError:
    """Say in our own words what was wrong with the words of a call."""
    from cyclopts import MissingArgumentError, UnknownCommandError, UnusedCliTokensError

    cause = error.__cause__ or error.__context__
    if isinstance(cause, UsageError):
        return cause
    command = " ".join(("seston", *(error.command_chain or ())))
    if isinstance(error, UnknownCommandError) and error.unused_tokens and error.app:
        word = error.unused_tokens[0]
        names = [name for name in error.app if not name.startswith("-")]
        return UsageError(f"there is no command {word!r}{nearest_word(word, names)} (see: {command} --help)")
    if isinstance(error, MissingArgumentError) and error.argument:
        lacks = f"{error.keyword} needs a value" if error.keyword else f"{command} needs {error.argument.name}"
        suggestion = _squeeze(str(error)).partition(" Did you mean ")[2]
        return UsageError(f"{lacks}{suggestion and f'; did you mean {suggestion}'} (see: {command} --help)")
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return UsageError(f"one word too many: {error.unused_tokens[0]!r} (see: {command} --help)")
    return UsageError(f"{_squeeze(str(error)).removesuffix('.')} (see: {command} --help)")


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _say(code: int, line: str) -> int:
    try:
        sys.stderr.write(f"seston: {line}\n")
        sys.stderr.flush()
    except OSError:  # stderr is closed or on the full disk as well
        return code
    return code


def _wants_traceback() -> bool:
    return os.environ.get(_SHOW_TRACEBACK, "") not in ("", "0")


def _silence_libraries() -> None:
    """Keep the warnings of libraries off the screen: here, and in worker processes that inherit the environment."""
    warnings.simplefilter("ignore")
    os.environ.setdefault("PYTHONWARNINGS", "ignore")


def _prepare_streams() -> None:
    """Let a file name with odd letters, or a terminal that knows few letters, never end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def _close_stdout() -> None:
    """Let Python end without a complaint about an output that no one reads any more."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        return
