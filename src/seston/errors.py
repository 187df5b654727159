"""Every error that Seston raises on purpose.

::

    SestonError
    ├── UsageError (ValueError)            the call was wrong: exit code 2
    │   └── NotFoundError (FileNotFoundError)   a path, run or name that does not exist
    ├── InputError (ValueError)            a file or an item in it cannot be used: exit code 1
    ├── DataSetError (RuntimeError)        the data set on disk cannot be used as asked
    ├── TrainingError (RuntimeError)       a training had to stop
    ├── NetworkError (RuntimeError)        a server that did not give what it was asked for: exit code 1
    └── MissingExtraError (ImportError)    an optional part is not installed

A caller who wants one net catches the base::

    try:
        data.import_(paths)
    except seston.SestonError as error:
        print(error)

Each message is one line: what was found, where, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "DataSetError",
    "InputError",
    "MissingExtraError",
    "NetworkError",
    "NotFoundError",
    "SestonError",
    "TrainingError",
    "UsageError",
    "nearest_word",
]


class SestonError(Exception):
    """Base of all errors that Seston raises on purpose."""


class UsageError(SestonError, ValueError):
    """The call itself was wrong: an unknown key, name, column or option."""


class NotFoundError(UsageError, FileNotFoundError):
    """A path, run, gallery or named thing that does not exist."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class InputError(SestonError, ValueError):
    """A file, or an item in it, that cannot be read or used."""


class DataSetError(SestonError, RuntimeError):
    """The data set on disk cannot be used as asked (newer format, full disk, damage)."""


class TrainingError(SestonError, RuntimeError):
    """A training that had to stop, with the particles that were in the batch."""


class NetworkError(SestonError, RuntimeError):
    """A server that did not give what it was asked for: it said no, was busy too long, or could not be reached."""


class MissingExtraError(SestonError, ImportError):
    """An optional part of Seston that is not installed.

    Parameters
    ----------
    what
        What the user asked for ("training").
    extra
        The extra of the package that brings it ("train").
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part of Seston: install it with  pip install 'seston[{extra}]'")
        self.extra = extra


def nearest_word(word: str, words: Iterable[str]) -> str:
    """Say which of `words` the user probably meant.

    Returns
    -------
    str
        ``"; did you mean 'split'?"``, or ``"; there are: a, b, c"`` where nothing is near, or an empty string where
        there are no words at all.
    """
    choices = sorted(set(words))
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are: {', '.join(choices)}" if choices else ""
