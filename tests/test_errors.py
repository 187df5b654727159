"""The family of errors."""

from __future__ import annotations

from seston import errors
from seston.errors import MissingExtraError, NotFoundError, SestonError, UsageError, nearest_word


def test_every_error_is_of_the_family() -> None:
    members = [getattr(errors, name) for name in errors.__all__ if name != "nearest_word"]
    assert all(issubclass(member, SestonError) for member in members)


def test_the_nearest_word_is_named() -> None:
    assert nearest_word("splt", ["split", "train"]) == "; did you mean 'split'?"
    assert nearest_word("zzz", ["b", "a"]) == "; there are: a, b"
    assert nearest_word("zzz", []) == ""


def test_a_missing_path_reads_as_one_plain_line() -> None:
    error = NotFoundError("no such folder: data")
    assert str(error) == "no such folder: data"
    assert isinstance(error, UsageError | FileNotFoundError)


def test_a_missing_extra_names_the_command_that_brings_it() -> None:
    assert "pip install 'seston[train]'" in str(MissingExtraError("training", "train"))
