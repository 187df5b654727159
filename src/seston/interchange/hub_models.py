"""Models as repositories of the Hugging Face Hub: sent with a card and a tower that timm reads, fetched and checked."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from seston.errors import InputError, UsageError
from seston.interchange.hub_push import check_hub, push_folder
from seston.interchange.licences import find_licence, terms_of
from seston.models.config import Inputs
from seston.training.preparation import read_preparation
from seston.training.recipe import read_recipe
from seston.training.run_files import Summary, check_run, kept_config, read_summary, read_weights, weights_id
from seston.training.settings import Recipe

__all__ = ["FetchedModel", "PushedModel", "fetch_model", "push_model"]

_SUFFIXES = (".safetensors", ".toml", ".json", ".jsonl", ".md", ".onnx", ".txt", ".tsv")
"""Files of a model; nothing that could hold a pickle is among them."""
_LEFT = frozenset({"state"})
_TOWER = "tower"
_NETWORK = "image_tower.network."
_TIMM = "timm:"
_OF_ONE_SIZE = ("pos_embed", "relative_position_bias_table")
"""Weights of towers that have learned places, and so a size of picture of their own."""
_OPEN_CLIP = ("open_clip_config.json", "open_clip_model.safetensors")
_OF_TIMM = ("config.json", "model.safetensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedModel:
    """What was sent."""

    repository: str
    url: str
    model_id: str
    files: tuple[str, ...]
    tower: str
    """How others read the image tower; empty where it is Seston's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedModel:
    """What was fetched."""

    repository: str
    to: Path
    kind: str
    """``run``; or ``open-clip`` or ``timm``: weights to begin a training with."""
    model_id: str
    """Of a run; empty for weights."""
    files: tuple[str, ...]
    bytes: int


def push_model(run: Path | str, repository: str, *, private: bool = False, overwrite: bool = False) -> PushedModel:
    """Send a run to a model repository of the Hub: weights (safetensors), recipe, preparation, model card.

    A tower of timm goes along once more by itself, in the folder ``tower``, in timm's own layout.

    Parameters
    ----------
    run
        The folder of a training that has ended.
    repository
        ``OWNER/NAME``; it is made where it is not there.
    overwrite
        Send also where the repository holds other files.

    Raises
    ------
    NotFoundError
        There is no such run.
    UsageError
        The login may not write there, or the repository holds other files.
    DataSetError
        The Hub refuses or does not answer.
    """
    check_hub(repository)
    folder = Path(run)
    check_run(folder)
    recipe, summary = read_recipe(folder / "recipe.toml"), read_summary(folder)
    with tempfile.TemporaryDirectory() as made:
        staged = Path(made) / "model"
        files = _copy(folder, staged)
        tower = _write_tower(folder, staged / _TOWER, recipe)
        if tower:
            files += [f"{_TOWER}/{name}" for name in _OF_TIMM]
        (staged / "README.md").write_text(_card(folder, recipe, summary, repository, tower), encoding="utf-8")
        files = sorted({*files, "README.md"})
        url = push_folder(
            staged, repository, files, private=private, overwrite=overwrite, leave=".nothing", kind="model"
        )
    return PushedModel(repository=repository, url=url, model_id=summary.model_id, files=tuple(files), tower=tower)


def fetch_model(
    repository: str, *, to: Path | str, revision: str | None = None, overwrite: bool = False
) -> FetchedModel:
    """Fetch a run from the Hub, or weights of open_clip or timm to begin a training with.

    Files of other kinds than weights in safetensors and plain texts stay there. Broken off, the same command goes on.
    The folder appears when everything is there and the weights are those that the run names.

    Parameters
    ----------
    repository
        ``OWNER/NAME``.
    to
        The folder to make.
    revision
        A branch, tag or commit.
    overwrite
        Replace the folder.

    Raises
    ------
    UsageError
        The folder is there already, or the repository does not let itself be read.
    InputError
        It holds no model that Seston reads, or a damaged one; or the Hub does not answer.
    """
    check_hub(repository)
    target = Path(to)
    if target.exists() and not overwrite:
        raise UsageError(f"{target} is there already: choose another place, or replace it by --overwrite")
    half = target.with_name(f".{target.name}.half")
    names = _list_files(repository, revision)
    kind, wanted = _wanted(repository, names)
    _download(repository, revision, wanted, half)
    model_id = _check(half, repository) if kind == "run" else ""
    shutil.rmtree(half / ".cache", ignore_errors=True)
    if target.exists():
        shutil.rmtree(target)
    half.replace(target)
    size = sum((target / name).stat().st_size for name in wanted)
    return FetchedModel(repository=repository, to=target, kind=kind, model_id=model_id, files=tuple(wanted), bytes=size)


def _copy(folder: Path, staged: Path) -> list[str]:
    """Copy what belongs to the run: no state of its training, no hidden files."""
    names = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not path.is_file() or inside.parts[0] in _LEFT or any(part.startswith(".") for part in inside.parts):
            continue
        if path.suffix in _SUFFIXES:
            (staged / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, staged / inside)
            names.append(inside.as_posix())
    return names


def _write_tower(folder: Path, to: Path, recipe: Recipe) -> str:
    """Write a timm tower as timm itself reads it, and say how."""
    if not recipe.model.image.tower.startswith(_TIMM):
        return ""
    from safetensors.numpy import save_file

    weights = read_weights(folder)
    own = {name.removeprefix(_NETWORK): array for name, array in weights.items() if name.startswith(_NETWORK)}
    if not own:
        return ""
    inputs = read_preparation(folder / "preparation.json").inputs
    if "norms" in (recipe.model.image.fixed or ()):
        own = _with_norms(own, recipe.model.image.tower, inputs)
    architecture, _, tag = recipe.model.image.tower.removeprefix(_TIMM).partition(".")
    settings: dict[str, Any] = {
        "architecture": architecture,
        "num_classes": 0,
        "pretrained_cfg": {
            "tag": tag,
            "num_classes": 0,
            "input_size": [inputs.picture_channels, inputs.picture_size, inputs.picture_size],
        },
        "model_args": {"in_chans": inputs.picture_channels},
    }
    if any(name.endswith(_OF_ONE_SIZE) for name in own):
        settings["model_args"]["img_size"] = inputs.picture_size
    to.mkdir(parents=True)
    (to / _OF_TIMM[0]).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    save_file(own, to / _OF_TIMM[1])
    return f'timm.create_model("local-dir:PATH/{_TOWER}", pretrained=True, num_classes=0)'


def _with_norms(own: dict[str, NDArray[Any]], tower: str, inputs: Inputs) -> dict[str, NDArray[Any]]:
    """Give a tower's folded norms back, for timm knows it with them alone."""
    import torch

    from seston.models.fixed_parts import unfolded
    from seston.models.timm_tower import timm_tower

    network = timm_tower(tower.removeprefix(_TIMM), "random", inputs).get_submodule("network")
    example = torch.zeros(1, inputs.picture_channels, inputs.picture_size, inputs.picture_size)
    state = unfolded({name: torch.from_numpy(array) for name, array in own.items()}, network, example)
    return {name: tensor.numpy() for name, tensor in state.items()}


def _card(folder: Path, recipe: Recipe, summary: Summary, repository: str, tower: str) -> str:
    """Put what the Hub asks of a card before the run's own."""
    own = folder / "README.md"
    text = own.read_text(encoding="utf-8") if own.is_file() else f"# Run of the recipe `{recipe.name}`\n"
    head = ["---", "library_name: seston", *_licence_of_weights(summary.licences)]
    head += ["tags:", "- seston", "- plankton", "- image-feature-extraction", "---", ""]
    use = ["", "## Use", "", "```console", f"$ seston models fetch {repository} --to run",
           "$ seston gallery DATA --model run --to gallery",
           *(["$ seston identify FILES --model run"] if recipe.supervised is not None else []), "```"]  # fmt: skip
    if tower:
        use += ["", "The image tower alone, with timm, from a copy of this repository at PATH:", ""]
        use += ["```python", tower, "```"]
    return "\n".join([*head, text.rstrip(), *_licences(summary.licences), *use, ""])


def _licence_of_weights(licences: Mapping[str, int]) -> list[str]:
    """Say under which licence the Hub lists the weights: that of the training particles, where they have one alone."""
    known = {find_licence(one) for one in licences}
    only = next(iter(known)) if len(known) == 1 else None
    if only is not None:
        return [f"license: {only.hub}"]
    return ["license: other", "license_name: that-of-the-training-data", "license_link: README.md#licences"]


def _licences(licences: Mapping[str, int]) -> list[str]:
    """List the licences of the training particles, and what they come to."""
    lines = ["", "## Licences", ""]
    if not licences:
        return [
            *lines,
            "The licences of the particles that it learnt from were not written down; ask whoever trained it.",
        ]
    lines += ["The weights may be used as the licences of the particles that they were learnt from allow.", ""]
    lines += ["| licence | particles |", "| --- | ---: |"]
    for spdx, particles in sorted(licences.items(), key=lambda item: (-item[1], item[0])):
        licence = find_licence(spdx)
        lines.append(f"| {f'[{licence.spdx}]({licence.url})' if licence else spdx} | {particles:,} |")
    return [*lines, "", terms_of(licences)]


def _list_files(repository: str, revision: str | None) -> list[str]:
    from huggingface_hub import HfApi

    with _Hub(repository):
        return list(HfApi(library_name="seston").list_repo_files(repository, revision=revision))
    raise AssertionError


def _wanted(repository: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """Say what kind of model it is, and which files make it."""
    there = set(names)
    if {"recipe.toml", "run.json", "preparation.json", "model.safetensors"} <= there:
        inside = [name for name in names if Path(name).suffix in _SUFFIXES and not name.startswith((".", f"{_TOWER}/"))]
        return "run", [name for name in inside if ".." not in Path(name).parts and not Path(name).is_absolute()]
    for kind, files in (("open-clip", _OPEN_CLIP), ("timm", _OF_TIMM)):
        if set(files) <= there:
            return kind, [*files, *sorted(there & {"README.md"})]
    raise InputError(
        f"{repository}: holds no model that is read here: neither a run, nor {' and '.join(_OPEN_CLIP)}, nor "
        f"{' and '.join(_OF_TIMM)} (safetensors alone are read)"
    )


def _download(repository: str, revision: str | None, names: Sequence[str], to: Path) -> None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    with _Hub(repository):
        for name in names:
            hf_hub_download(repository, name, revision=revision, local_dir=to, library_name="seston")


def _check(folder: Path, repository: str) -> str:
    check_run(folder)
    recipe, summary = read_recipe(folder / "recipe.toml"), read_summary(folder)
    preparation = read_preparation(folder / "preparation.json")
    found = weights_id(read_weights(folder), kept_config(recipe.model), preparation)
    if found != summary.model_id:
        raise InputError(f"{repository}: its weights are not those of model {summary.model_id}; fetch it again")
    return found


class _Hub:
    """Turn what goes wrong at the Hub into one plain line."""

    def __init__(self, repository: str) -> None:
        self._repository = repository

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

        said = " ".join(str(error).split())[:200]
        if isinstance(error, GatedRepoError):
            raise UsageError(
                f"{self._repository} asks to accept its terms: do so on its page, then run  hf auth login"
            ) from None
        answer = error.response if isinstance(error, HfHubHTTPError) else None
        if answer is not None and answer.status_code in (401, 403, 404):
            raise UsageError(
                f"there is no model {self._repository} on the Hub, or this login may not see it (run  hf auth login)"
            ) from None
        if isinstance(error, HfHubHTTPError | OSError | ValueError | RuntimeError):
            raise InputError(
                f"{self._repository}: cannot be fetched ({said}); run the same command again to go on"
            ) from None
