"""Recipes: named TOML files, complete after loading, checked to the last key before anything heavy loads."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from seston.errors import NotFoundError, UsageError, nearest_word
from seston.training.settings import Recipe

__all__ = ["all_keys", "asked_recipe", "load_recipe", "read_recipe", "recipe_names"]


def load_recipe(name_or_path: str | Path = "default", overrides: Sequence[str] = ()) -> Recipe:
    """Load a recipe of Seston's by its name, or a TOML file by its path, and change some keys.

    Parameters
    ----------
    name_or_path
        One of `recipe_names`, or a path (ending in ``.toml``, or with a folder in it). A file may begin with
        ``extends = "NAME"`` and then holds only what differs from that recipe.
    overrides
        ``KEY=VALUE`` with dotted keys and TOML values; a value that is no TOML is taken as text:
        ``("optimiser.learning_rate=1e-3", "loss.kind=siglip")``.

    Raises
    ------
    NotFoundError
        No such recipe or file.
    UsageError
        An unknown key (with the nearest right one), a value of the wrong kind, or TOML that cannot be read.

    Examples
    --------
    >>> load_recipe("default", ["training.batch=64"]).training.batch
    64
    """
    return asked_recipe(name_or_path, overrides, None, None)


def asked_recipe(
    recipe: Recipe | str | Path, overrides: Sequence[str], minutes: float | None, epochs: int | None
) -> Recipe:
    """Give the recipe that a call of `train` asks for: a recipe, changed keys, and a budget.

    A budget replaces both limits of the recipe. Errors as for `load_recipe`.
    """
    if isinstance(recipe, Recipe):
        table, name = (
            {key: value for key, value in msgspec.to_builtins(recipe).items() if value is not None},
            recipe.name,
        )
    else:
        name = str(recipe)
        table = _read_table(name, seen=())
    for override in overrides:
        _override(table, override)
    if minutes is not None or epochs is not None:
        table["training"] = dict(table.get("training", {})) | {"minutes": minutes or 0.0, "epochs": epochs or 0}
    return _decode(table, name)


def recipe_names() -> list[str]:
    """Name the recipes that come with Seston, in alphabetical order."""
    folder = resources.files("seston.training") / "recipes"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def read_recipe(path: Path) -> Recipe:
    """Read the complete recipe of a run."""
    table = _read_table(str(path), seen=())
    return _decode(table, str(path))


def _read_table(name: str, seen: tuple[str, ...]) -> dict[str, Any]:
    """Read a recipe's table with what it extends below it."""
    if name in seen:
        raise UsageError(f"recipe {name!r} extends itself ({' → '.join((*seen, name))})")
    text, stem = _text(name)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"recipe {name}: not TOML: {error}") from error
    table = {"name": stem} | table
    base = table.pop("extends", None)
    return table if base is None else _merge(_read_table(str(base), (*seen, name)), table)


def _text(name: str) -> tuple[str, str]:
    """Give the text of a recipe and the name that it has if it states none."""
    path = Path(name)
    if name.endswith(".toml") or len(path.parts) > 1:
        if not path.is_file():
            raise NotFoundError(f"recipe {name}: no such file")
        try:
            return path.read_text(encoding="utf-8"), path.stem
        except UnicodeDecodeError as error:
            raise UsageError(f"recipe {name}: not text in UTF-8") from error
    name = name.replace("_", "-")
    if name not in recipe_names():
        raise NotFoundError(f"no recipe {name!r}{nearest_word(name, recipe_names())}")
    return (resources.files("seston.training") / "recipes" / f"{name}.toml").read_text(encoding="utf-8"), name


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _override(table: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {override}: write it as KEY=VALUE, for instance training.batch=64")
    *parents, last = key.strip().split(".")
    for parent in parents:
        child = table.setdefault(parent, {})
        if not isinstance(child, dict):
            raise UsageError(f"--set {override}: {parent!r} holds a value and no further keys")
        table = child
    table[last] = _toml_value(value.strip())


def _toml_value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if len(parsed) == 1 else text


def _decode(table: dict[str, Any], name: str) -> Recipe:
    try:
        return msgspec.convert(table, Recipe)
    except msgspec.ValidationError as error:
        raise UsageError(f"recipe {name}: {_explain(str(error))}") from error


def _explain(message: str) -> str:
    """Turn a message of msgspec into one with the dotted key and the nearest right word."""
    text, _, place = message.partition(" - at `$")
    parents = re.sub(r"\[\.\.\.\]|`$", "", place).strip(".").removesuffix("`")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", text)
    if unknown:
        key = f"{parents}.{unknown[1]}" if parents else unknown[1]
        return f"unknown key {key!r}{_nearest_key(key)}"
    return f"{parents}: {text[0].lower()}{text[1:]}".removeprefix(": ")


def _nearest_key(key: str) -> str:
    """Look by the last part of the key: beside it first (initials count: ``lr``), then in all other tables."""
    parent, _, last = key.rpartition(".")
    keys = {other: other.rpartition(".")[2] for other in all_keys(Recipe)}
    beside = {name: other for other, name in keys.items() if other.rpartition(".")[0] == parent}
    elsewhere = {name: other for other, name in keys.items()}
    by_initials = [name for name in beside if "".join(word[0] for word in name.split("_")) == last]
    near = by_initials or difflib.get_close_matches(last, beside, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {beside[near[0]]!r}?"
    near = difflib.get_close_matches(last, elsewhere, n=1, cutoff=0.6)
    return f"; did you mean {elsewhere[near[0]]!r}?" if near else nearest_word(last, beside)


def all_keys(kind: type[msgspec.Struct], prefix: str = "") -> list[str]:
    """Name all keys of a recipe or of a part of it, dotted, tables before what is in them."""
    keys = []
    for name, annotation in get_type_hints(kind).items():
        if name.startswith("__"):
            continue
        keys.append(prefix + name)
        for part in get_args(annotation) or (annotation,):
            if isinstance(part, type) and issubclass(part, msgspec.Struct):
                keys.extend(all_keys(part, f"{prefix}{name}."))
    return keys
