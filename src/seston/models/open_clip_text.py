"""Text encoders of open_clip, from the Hugging Face Hub or from a local folder, without unpickling anything."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seston.errors import InputError, MissingExtraError, NotFoundError, UsageError
from seston.models.config import TextInputs
from seston.models.torchvision_shim import mend_torchvision

__all__ = [
    "CONFIG_FILE",
    "WEIGHTS_FILE",
    "open_clip_config",
    "open_clip_folder",
    "open_clip_settings",
    "open_clip_text",
    "open_clip_tokenizer",
    "text_config",
]

_HUB = "hf-hub:"
CONFIG_FILE, WEIGHTS_FILE = "open_clip_config.json", "open_clip_model.safetensors"
_ELSEWHERE = ("hf_model_name", "hf_tokenizer_name")
"""Keys of a text encoder that is made by another library."""
_OPTIONS = (
    "context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "ls_init_value", "embed_cls", "pad_id",
    "eos_id", "no_causal_mask", "pool_type", "proj_type", "proj_bias",
)  # fmt: skip
"""Keys of ``text_cfg`` that open_clip's `TextTransformer` takes as they are."""
_WORD_OPTIONS = ("additional_special_tokens", "clean", "reduction_mask")
"""Keys of ``tokenizer_kwargs`` that are passed on: none that names a file."""
_SILENT = ("output_tokens", "tokenizer_kwargs", "tokenizer_mode")
"""Keys that change nothing of the network."""


def open_clip_folder(where: str) -> Path:
    """Give the folder of an open_clip model; of one of the Hub, two files are fetched and kept in the Hub's cache.

    Parameters
    ----------
    where
        ``hf-hub:ORGANISATION/NAME`` or a folder.

    Raises
    ------
    NotFoundError
        No such folder, or a file is missing in it.
    MissingExtraError
        The Hub is asked for and huggingface_hub is not installed.
    InputError
        The Hub cannot be reached or does not give the files.
    """
    folder = _fetched(where.removeprefix(_HUB)) if where.startswith(_HUB) else Path(where)
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise NotFoundError(
                f"{where}: no {name} in it; give a folder with {CONFIG_FILE} and {WEIGHTS_FILE} (safetensors alone)"
            )
    return folder


def open_clip_settings(where: str) -> dict[str, Any]:
    """Read how an open_clip model is built (``model_cfg``) and shown pictures (``preprocess_cfg``).

    Raises
    ------
    InputError
        The file is damaged, or is no configuration of open_clip.
    """
    path = open_clip_folder(where) / CONFIG_FILE
    try:
        settings = json.loads(path.read_bytes())
        config = settings["model_cfg"]
        int(config["embed_dim"])
        for key in ("text_cfg", "vision_cfg"):
            dict(config[key])
        dict(settings.get("preprocess_cfg") or {})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: no configuration of open_clip: {error}") from error
    return dict(settings)


def open_clip_config(where: str) -> dict[str, Any]:
    """Read the ``model_cfg`` of an open_clip model; its text encoder must be one of open_clip's own.

    Raises
    ------
    InputError
        The file is damaged, or the text encoder is made by another library.
    """
    return text_config(open_clip_settings(where), str(open_clip_folder(where) / CONFIG_FILE))


def text_config(settings: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Give the ``model_cfg`` of settings whose text encoder and tokenizer are open_clip's own; refuse others.

    Parameters
    ----------
    settings
        As `open_clip_settings` gives them.
    what
        Begins the message of an error.

    Raises
    ------
    InputError
        For others.
    """
    config = settings["model_cfg"]
    text = config["text_cfg"]
    if text.get("hf_model_name"):
        raise InputError(
            f"{what}: its text encoder comes from transformers (hf_model_name); only open_clip's own are read"
        )
    if text.get("hf_tokenizer_name"):
        raise InputError(
            f"{what}: its tokenizer {text['hf_tokenizer_name']!r} is not known here (it comes from transformers); "
            "only open_clip's own is"
        )
    strange = sorted(set(text) - {*_OPTIONS, *_SILENT, *_ELSEWHERE})
    if strange:
        raise InputError(
            f"{what}: text_cfg.{strange[0]} is not known here; only open_clip's plain text encoders are read"
        )
    return dict(config)


def open_clip_tokenizer(config: Mapping[str, Any]) -> Callable[[Sequence[str]], NDArray[np.int64]]:
    """Make the tokenizer that open_clip uses for a model."""
    text = config["text_cfg"]
    options = text.get("tokenizer_kwargs") or {}
    strange = sorted(set(options) - set(_WORD_OPTIONS))
    if strange:
        raise InputError(f"text_cfg.tokenizer_kwargs.{strange[0]} is not known here; the tokenizer cannot be made")
    try:
        tokenizer = _open_clip("tokenizer").SimpleTokenizer(context_length=text.get("context_length", 77), **options)
    except (TypeError, ValueError, AssertionError) as error:
        raise InputError(
            f"text_cfg.tokenizer_kwargs {options}: not known to open_clip's tokenizer ({error})"
        ) from error

    def numbers(texts: Sequence[str]) -> NDArray[np.int64]:
        table: NDArray[np.int64] = tokenizer(list(texts)).numpy().astype(np.int64)
        return table

    return numbers


def open_clip_text(weights: str, inputs: TextInputs) -> nn.Module:
    """Build a text encoder, with random weights or with those of a model.

    Parameters
    ----------
    weights
        ``random``, or as for `open_clip_folder`.
    inputs
        Whose `open_clip` is the configuration.

    Raises
    ------
    UsageError
        The weights do not fit the configuration.
    """
    tower = _OpenClipText(inputs.open_clip)
    if weights != "random":
        tower.take(open_clip_folder(weights) / WEIGHTS_FILE)
    return tower


class _OpenClipText(nn.Module):
    """open_clip's text transformer, whose answer is what a CLIP model compares with pictures, before it is scaled."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        transformer, text = _open_clip("transformer"), config["text_cfg"]
        activation = transformer.QuickGELU if config.get("quick_gelu") else nn.GELU
        options = {key: text[key] for key in _OPTIONS if key in text}
        self.features = int(config["embed_dim"])
        self.network = transformer.TextTransformer(output_dim=self.features, act_layer=activation, **options)

    def forward(self, tokens: Tensor) -> Tensor:
        """Turn (T, length) tokens into (T, features)."""
        features: Tensor = self.network(tokens)
        return features

    def take(self, path: Path) -> None:
        """Put in the weights of a model; it may hold its text encoder apart (``text.…``) or among its own."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            given = load_file(path)
        except (OSError, SafetensorError) as error:
            raise InputError(f"{path}: cannot be loaded: {str(error).splitlines()[0]}") from error
        state = {}
        for name, own in self.network.state_dict().items():
            value = given.get(f"text.{name}", given.get(name))
            if value is None or value.shape != own.shape:
                found = "is missing" if value is None else f"has the shape {tuple(value.shape)}"
                raise UsageError(f"{path}: {name} {found}; the configuration asks for {tuple(own.shape)}")
            state[name] = value.to(torch.float32)
        self.network.load_state_dict(state)


def _fetched(name: str) -> Path:
    """Give the folder in the Hub's cache; what is there already is not asked for again."""
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
        from huggingface_hub.utils import logging
    except ModuleNotFoundError as error:
        raise MissingExtraError("a model of the Hugging Face Hub", "hub") from error
    loudness = logging.get_verbosity()
    try:
        logging.set_verbosity_error()  # each of its attempts would be told on several lines
        paths = []
        for file in (CONFIG_FILE, WEIGHTS_FILE):
            try:
                paths.append(Path(hf_hub_download(name, file, local_files_only=True)))
            except LocalEntryNotFoundError:
                paths.append(Path(hf_hub_download(name, file)))
    except (EntryNotFoundError, OSError, ValueError) as error:
        raise InputError(f"hf-hub:{name}: {_why_not(error)}") from error
    finally:
        logging.set_verbosity(loudness)
    return paths[0].parent


def _why_not(error: Exception) -> str:
    """Say in one line why the Hub gave no file."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    answer = error.__cause__.response if isinstance(error.__cause__, HfHubHTTPError) else None
    if isinstance(error, LocalEntryNotFoundError) and answer is not None:
        return (
            f"the Hub gives no {CONFIG_FILE} or no {WEIGHTS_FILE} of it (answer {answer.status_code}): is the name "
            "right, were its terms accepted, and does it have weights as safetensors?"
        )
    if isinstance(error, LocalEntryNotFoundError):
        return "was not fetched before, and the Hub cannot be reached; a folder with its files does as well"
    if isinstance(error, GatedRepoError):
        return "asks to accept its terms: do so on its page, then run  hf auth login"
    if isinstance(error, RepositoryNotFoundError):
        return "there is no such model on the Hub, or this login may not see it (run  hf auth login)"
    if isinstance(error, EntryNotFoundError):
        return f"has no {CONFIG_FILE} or no {WEIGHTS_FILE}; weights are read from safetensors alone"
    return f"cannot be fetched: {str(error).strip().splitlines()[0]}; a folder with its files does as well"


def _open_clip(module: str) -> Any:
    mend_torchvision()
    try:
        return importlib.import_module(f"open_clip.{module}")
    except ModuleNotFoundError as error:
        raise MissingExtraError("a text encoder of open_clip", "clip") from error
