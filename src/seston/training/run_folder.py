"""The folder of a run before its training: what may be begun in it, and what may go on there."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from seston.errors import UsageError
from seston.training.recipe import load_recipe
from seston.training.settings import Recipe

__all__ = ["begin_folder", "same_recipe"]

_OWN_FILES = (
    "model.safetensors",
    "classes.json",
    "held-out.safetensors",
    "recipe.toml",
    "preparation.json",
    "metrics.jsonl",
    "README.md",
    "run.json",
)


def begin_folder(folder: Path, recipe: Recipe, *, resume: bool, overwrite: bool) -> None:
    """Make a folder ready for a new training, with its recipe in it; leave a run alone that is to be resumed.

    Raises
    ------
    UsageError
        A file, a folder that holds no run, or a run that is neither to be resumed nor to be replaced.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; give the folder of a run")
    there = (folder / "recipe.toml").is_file()
    if folder.is_dir() and any(folder.iterdir()):
        if there and resume:
            return
        if not (there and overwrite):
            what = "a run is there already; go on with it by --resume, or replace it by --overwrite"
            raise UsageError(f"{folder}: {what if there else 'the folder is not empty and holds no run'}")
        for name in _OWN_FILES:
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "state", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")


def same_recipe(wanted: Recipe, stored: Recipe, folder: Path) -> Recipe:
    """Give the recipe of a run that is resumed.

    Raises
    ------
    UsageError
        Another recipe is asked for than the run was begun with.
    """
    if wanted in (load_recipe("default"), stored):
        return stored
    for key, (new, old) in _differences(msgspec.to_builtins(wanted), msgspec.to_builtins(stored)).items():
        if key in ("name", "description"):
            continue
        raise UsageError(
            f"{folder}: was begun with {key} = {old!r}, and is now to be resumed with {new!r}; "
            "resume it without a recipe and without --set, or train into another folder"
        )
    return stored


def _differences(new: object, old: object, prefix: str = "") -> dict[str, tuple[object, object]]:
    if not (isinstance(new, dict) and isinstance(old, dict)):
        return {} if new == old else {prefix.removesuffix("."): (new, old)}
    found = {}
    for key in new:
        found.update(_differences(new[key], old.get(key), f"{prefix}{key}."))
    return found
