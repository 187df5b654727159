"""Runs that were compiled to ONNX: making the graphs, and telling whether they still belong to the weights beside them.

::

    RUN/onnx/image.onnx      pictures → features and shared vectors
    RUN/onnx/profile.onnx    the same of profiles
    RUN/onnx/fused.onnx      both together, where the model has a head for that
    RUN/onnx/compiled.json   hash of the weights that they were made of, and of each graph
"""

from __future__ import annotations

import hashlib
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from seston import __version__
from seston.errors import InputError, MissingExtraError, UsageError

__all__ = ["Compiled", "State", "compile_model", "compiled_state", "copy_run", "run_folder"]

State = Literal["fresh", "stale", "none"]

_FOLDER, _CARD = "onnx", "compiled.json"
_FORMAT = 1
_OF_RUN = (
    "recipe.toml", "preparation.json", "classes.json", "held-out.safetensors", "model.safetensors", "run.json",
    "README.md",
)  # fmt: skip


class _Card(msgspec.Struct, kw_only=True):
    model_id: str
    """Of the weights that the graphs were made of."""
    graphs: dict[str, str]
    """Name → SHA-256 of its file."""
    seston_version: str = ""
    format: int = _FORMAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What `compile_model` made."""

    run: Path
    """The run that has the graphs now."""
    model_id: str
    graphs: tuple[str, ...]
    bytes: int
    seconds: float


def compile_model(run: Path | str, *, to: Path | str | None = None, overwrite: bool = False) -> Compiled:
    """Compile a run to ONNX, so that it embeds and identifies without torch.

    Parameters
    ----------
    run
        The folder of a run, or of a gallery, whose model is then compiled.
    to
        Write a copy of the run with the graphs here; else they go into the run's own folder.
    overwrite
        Replace what is at `to`. Graphs in the run itself are always made anew.

    Raises
    ------
    NotFoundError
        No run.
    UsageError
        A model of measured features, which needs no torch as it is; or `to` is there already.
    MissingExtraError
        torch or onnx is not installed.
    """
    started = time.perf_counter()
    folder = run_folder(Path(run))
    target = folder if to is None else Path(to)
    if to is not None and target.exists() and not overwrite:
        raise UsageError(f"{target} is already there; name another folder, or add --overwrite")
    model_id, made = _made(folder)
    try:
        if to is not None:
            shutil.rmtree(target, ignore_errors=True)
            copy_run(folder, target, compiled=False)
        shutil.rmtree(target / _FOLDER, ignore_errors=True)
        made.rename(target / _FOLDER)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    files = sorted((target / _FOLDER).glob("*.onnx"))
    return Compiled(
        run=target,
        model_id=model_id,
        graphs=tuple(path.stem for path in files),
        bytes=sum(path.stat().st_size for path in files),
        seconds=time.perf_counter() - started,
    )


def run_folder(folder: Path) -> Path:
    """Give the folder of a run, or that of the run which a gallery keeps.

    Raises
    ------
    NotFoundError
        No run, or one whose training has not ended.
    UsageError
        Measured features in place of a run.
    """
    from seston.training.run_files import check_run

    if (folder / "gallery.json").is_file():
        folder = folder / "model"
    if (folder / "classical.json").is_file():
        raise UsageError(f"{folder}: measured features; they need no torch, so there is nothing to compile")
    check_run(folder)
    return folder


def compiled_state(folder: Path, model_id: str) -> State:
    """Tell whether a run has graphs, and whether they were made of these weights and are whole.

    Raises
    ------
    InputError
        The graphs were made by a newer Seston.
    """
    card = _card(folder)
    if card is None:
        return "none"
    if card.format > _FORMAT:
        raise InputError(f"{folder / _FOLDER}: was made by a newer Seston; install a newer one (pip install -U seston)")
    whole = all(_hash(folder / _FOLDER / f"{name}.onnx") == known for name, known in card.graphs.items())
    return "fresh" if whole and card.model_id == model_id else "stale"


def copy_run(folder: Path, to: Path, *, compiled: bool = True) -> None:
    """Copy what makes a run usable, with its graphs or without."""
    to.mkdir(parents=True, exist_ok=True)
    for name in _OF_RUN:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, to / name)
    if compiled and _card(folder) is not None:
        shutil.copytree(folder / _FOLDER, to / _FOLDER, dirs_exist_ok=True)


def _made(folder: Path) -> tuple[str, Path]:
    """Make the graphs of a run in a folder beside its own ones; give the hash of the weights too."""
    try:
        from seston.models.export import write_graphs
    except ModuleNotFoundError as error:
        if error.name == "torch":
            raise MissingExtraError("compiling a model", "onnx") from error
        raise
    from seston.training import load_run

    run = load_run(folder)
    made = folder / f".{_FOLDER}.{uuid.uuid4().hex[:8]}"
    made.mkdir()
    try:
        names = write_graphs(run.model, made)
        graphs = {name: _hash(made / f"{name}.onnx") or "" for name in names}
        card = _Card(model_id=run.model_id, graphs=graphs, seston_version=__version__)
        (made / _CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=1))
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return run.model_id, made


def _card(folder: Path) -> _Card | None:
    path = folder / _FOLDER / _CARD
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Card)
    except msgspec.DecodeError:
        return None


def _hash(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
