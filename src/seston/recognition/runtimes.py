"""With what a run is computed: ONNX Runtime where it was compiled, else torch."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from seston.errors import UsageError, nearest_word
from seston.recognition.compiled import State, compiled_state, run_folder

if TYPE_CHECKING:
    from seston.recognition.encoder import Encoder

__all__ = ["Runtime", "load_encoder"]

Runtime = Literal["auto", "onnx", "torch"]
_RUNTIMES = ("auto", "onnx", "torch")


def load_encoder(folder: Path, runtime: Runtime = "auto") -> Encoder:
    """Load a run with ONNX Runtime where it has graphs of its present weights, else with torch.

    Parameters
    ----------
    folder
        Of the run.
    runtime
        ``onnx`` or ``torch`` to insist on one.

    Raises
    ------
    NotFoundError
        No run.
    UsageError
        Neither is possible, or not the one that was asked for; the message says what to do.
    """
    if runtime not in _RUNTIMES:
        raise UsageError(f"there is no runtime {runtime!r}{nearest_word(runtime, _RUNTIMES)}")
    folder = run_folder(folder)
    if runtime == "torch":
        return _with_torch(folder)
    from seston.recognition.onnx_model import OnnxModel
    from seston.training.preparation import read_preparation
    from seston.training.recipe import read_recipe
    from seston.training.run_files import kept_config, read_weights, weights_id

    recipe, preparation = read_recipe(folder / "recipe.toml"), read_preparation(folder / "preparation.json")
    model_id = weights_id(read_weights(folder), kept_config(recipe.model), preparation)
    state = compiled_state(folder, model_id)
    if state == "fresh":
        return OnnxModel(folder, recipe, preparation, model_id)
    if runtime == "onnx" or not _is_installed("torch"):
        raise UsageError(f"{folder}: {_why_not(state)}; run  seston models compile {folder}  where torch is installed")
    return _with_torch(folder)


def _with_torch(folder: Path) -> Encoder:
    from seston.recognition.encoder import Model
    from seston.training import load_run

    return Model(load_run(folder))


def _why_not(state: State) -> str:
    if state == "stale":
        return "its ONNX graphs are damaged or belong to other weights"
    return "it was not compiled, so it cannot be used without torch"


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False
