"""Which models lie in a folder: runs, and those that galleries keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seston.errors import InputError, NotFoundError, UsageError
from seston.recognition.compiled import State, compiled_state

__all__ = ["ListedModel", "list_models"]

_DEEPEST = 4
_NOT_LOOKED_INTO = (".lance",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """One model on disk."""

    path: str
    recipe: str
    model_id: str
    steps: int
    """Of its training."""
    compiled: State
    """``fresh``: it runs without torch; ``stale``: its graphs are damaged or of other weights; ``none``."""
    problem: str = ""
    """Why it cannot be used; empty where it can."""


def list_models(path: Path | str = ".") -> list[ListedModel]:
    """List the models in a folder and in what lies up to four folders below it, by path.

    Raises
    ------
    NotFoundError
        No such folder.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise NotFoundError(f"{folder}: no such folder")
    return [_describe(run) for run in sorted(_runs(folder, _DEEPEST))]


def _runs(folder: Path, deeper: int) -> Iterator[Path]:
    if (folder / "recipe.toml").is_file() and (folder / "run.json").is_file():
        yield folder
    elif deeper:
        for child in folder.iterdir():
            if child.is_dir() and not child.name.startswith(".") and child.suffix not in _NOT_LOOKED_INTO:
                yield from _runs(child, deeper - 1)


def _describe(run: Path) -> ListedModel:
    from seston.training.preparation import read_preparation
    from seston.training.recipe import read_recipe
    from seston.training.run_files import kept_config, read_summary, read_weights, weights_id

    try:
        recipe, summary = read_recipe(run / "recipe.toml"), read_summary(run)
        preparation = read_preparation(run / "preparation.json")
        model_id = weights_id(read_weights(run), kept_config(recipe.model), preparation)
        state = compiled_state(run, model_id)
    except (InputError, UsageError) as error:
        return ListedModel(path=str(run), recipe="", model_id="", steps=0, compiled="none", problem=str(error))
    return ListedModel(path=str(run), recipe=recipe.name, model_id=model_id, steps=summary.steps, compiled=state)
