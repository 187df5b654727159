"""The arguments that commands share, and the checks that cost no heavy import."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from seston.errors import NotFoundError, UsageError, nearest_word

__all__ = [
    "AsJson",
    "Changes",
    "Existing",
    "Flag",
    "ModelName",
    "Overwrite",
    "Several",
    "check_exists",
    "check_free",
    "check_model",
]


def check_exists(_type: Any, path: Any) -> None:
    """Refuse a path that does not exist, with the nearest name beside it.

    Raises
    ------
    NotFoundError
        If there is no such file or folder.
    """
    for one in path if isinstance(path, list | tuple) else (path,):
        if one is not None and not one.exists():
            raise NotFoundError(f"{one}: no such file or folder{_nearest_path(one)}")


def check_model(_type: Any, model: Any) -> None:
    """Refuse what is neither the folder of a run nor a word for what needs no training.

    Raises
    ------
    NotFoundError
        If there is no such run.
    """
    for one in model if isinstance(model, list | tuple) else (model,):
        if one is not None and str(one) not in _UNTRAINED and not one.exists():
            near = nearest_word(str(one), _UNTRAINED)
            if "did you mean" not in near:
                near = f"{_nearest_path(one)}; without a run there are: {', '.join(_UNTRAINED)}"
            raise NotFoundError(f"{one}: no such run{near}")


def check_free(path: Path, *, overwrite: bool) -> None:
    """Refuse to begin a long job whose result would have no place to go.

    Raises
    ------
    UsageError
        If something is there already and `overwrite` is False.
    """
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already: choose another place, or replace it by --overwrite")


def _nearest_path(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (there is no folder {path.parent} either)"
    names = [entry.name for entry in islice(path.parent.iterdir(), _LOOKED_AT)]
    near = nearest_word(path.name, names)
    return near if "did you mean" in near else ""


_LOOKED_AT = 5_000
_UNTRAINED = ("box", "classical")

AsJson = Annotated[
    bool,
    Parameter(
        name="--json", negative=(), show_default=False, help="Print one JSON document on stdout, and nothing else."
    ),
]
"""The option that every command has."""

Existing = Annotated[Path, Parameter(validator=check_exists)]
"""A file or folder that must be there."""

ModelName = Annotated[Path, Parameter(validator=check_model)]
"""The folder of a run, or a word for what needs no training: classical features, or the model in the box."""

Several = Annotated[Path, Parameter(validator=check_exists, required=True)]
"""One of several files or folders that must be there, and of which one at least must be named."""

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
"""Something that is off unless it is asked for."""

Overwrite = Annotated[
    bool, Parameter(name="--overwrite", negative=(), show_default=False, help="Replace what is there already.")
]
"""Nothing existing is overwritten without this."""

Changes = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        negative=(),
        show_default=False,
        help="Change one key of the recipe, as KEY=VALUE; may be given several times.",
    ),
]
"""Keys of a recipe to change."""
