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
    "Fold",
    "JudgedModel",
    "Labelled",
    "ModelName",
    "Overwrite",
    "ReportFolder",
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
    from seston.models.released import OPEN_CLIP, RELEASED, open_clip_place

    words = (*_UNTRAINED, *(released.name for released in RELEASED))
    for one in model if isinstance(model, list | tuple) else (model,):
        if one is None or str(one) in words or one.exists():
            continue
        place = open_clip_place(one)
        if place is not None and (place.startswith("hf-hub:") or Path(place).exists()):
            continue
        near = nearest_word(str(one), words)
        if place is not None:
            near = f"; give {OPEN_CLIP}FOLDER, {OPEN_CLIP}hf-hub:ORGANISATION/NAME, or one of: {', '.join(words[2:])}"
        elif "did you mean" not in near:
            near = f"{_nearest_path(one)}; without a run there are: {', '.join(words)}"
        raise NotFoundError(f"{one}: no such {'run' if place is None else 'model'}{near}")


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
"""The folder of a run, or a word for what needs no training: classical features, the model in the box, or a released
image–text model (by its short name, ``open-clip:FOLDER`` or ``open-clip:hf-hub:ORGANISATION/NAME``)."""

Labelled = Annotated[Existing, Parameter(help="The folder of a data set with labels.")]
"""What is judged."""

JudgedModel = Annotated[
    ModelName,
    Parameter(
        help="The folder of a run, or a word for what needs no training: classical (measured features), box (the "
        "network that comes with Seston, for pictures), or a released image-text model (see: seston models list)."
    ),
]
"""What is judged where any encoder will do."""

Fold = Annotated[int, Parameter(help="Which fold of the split.")]
"""Of a saved split."""

ReportFolder = Annotated[Path | None, Parameter(help="Write a report (HTML, JSON, CSV) into this folder.")]
"""Where the report of an evaluation goes."""

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
