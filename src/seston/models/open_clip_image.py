"""Picture encoders of open_clip (CLIP, LAION, BioCLIP, …), from the Hub or a local folder, or untrained."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from seston.errors import InputError, MissingExtraError, UsageError, nearest_word
from seston.models.config import Inputs
from seston.models.open_clip_text import WEIGHTS_FILE, open_clip_folder
from seston.models.torchvision_shim import mend_torchvision

__all__ = ["open_clip_image", "open_clip_vision", "take_pictures_encoder"]

_PART = "visual."
"""Begins the names of the picture encoder's weights."""
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def open_clip_image(name: str, weights: str, inputs: Inputs) -> nn.Module:
    """Build a picture encoder of open_clip.

    Parameters
    ----------
    name
        open_clip's own name of the architecture (``ViT-B-16``; OpenAI's weights want ``ViT-B-16-quickgelu``).
    weights
        ``random``, a folder with ``open_clip_model.safetensors``, or ``hf-hub:ORGANISATION/NAME``.
    inputs
        Picture size and channels; grey pictures are shown as three equal colours. The places that an encoder has learnt
        are interpolated where its pictures were of another size.

    Raises
    ------
    MissingExtraError
        open_clip is not installed.
    UsageError
        No such architecture, or weights that do not fit.
    """
    open_clip = _open_clip("open_clip")
    config = open_clip.get_model_config(name)
    if config is None:
        raise UsageError(f"open_clip has no architecture {name!r}{nearest_word(name, open_clip.list_models())}")
    network = open_clip_vision({**config, "vision_cfg": {**config["vision_cfg"], "image_size": inputs.picture_size}})
    if weights != "random":
        take_pictures_encoder(network, open_clip_folder(weights) / WEIGHTS_FILE)
    return _OpenClipTower(network, int(config["embed_dim"]))


def open_clip_vision(config: Mapping[str, Any]) -> nn.Module:
    """Build the picture encoder of a configuration, with random weights.

    Parameters
    ----------
    config
        ``model_cfg`` of open_clip.

    Raises
    ------
    MissingExtraError
        open_clip is not installed.
    TypeError, ValueError, KeyError
        It is none that open_clip can build.
    """
    model = _open_clip("open_clip.model")
    of_timm = str(config["vision_cfg"].get("timm_model_name") or "")
    if not re.fullmatch(r"[\w.]*", of_timm):  # timm would ask the Hub for others
        raise ValueError(f"timm_model_name {of_timm!r}")
    vision = model.CLIPVisionCfg(**{**config["vision_cfg"], "timm_model_pretrained": False})
    network = model._build_vision_tower(config["embed_dim"], vision, quick_gelu=config.get("quick_gelu", False))
    assert isinstance(network, nn.Module)
    return network


class _OpenClipTower(nn.Module):
    """Give a network the three colours and the pixel scale that its weights expect."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: Any, features: int) -> None:
        super().__init__()
        self.network, self.features = network, features
        self.register_buffer("mean", torch.tensor(_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Turn pictures in [-1, 1] into (B, features)."""
        colours = pictures.expand(-1, 3, -1, -1)
        features: Tensor = self.network(((colours + 1) / 2 - self.mean) / self.deviation)
        return features


def take_pictures_encoder(network: nn.Module, path: Path) -> None:
    """Put in the weights of a model's picture encoder; nothing else of the file is read.

    Raises
    ------
    InputError
        The file is damaged.
    UsageError
        The weights do not fit.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            given = {name: file.get_tensor(name) for name in file.keys() if name.startswith(_PART)}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be loaded: {str(error).splitlines()[0]}") from error
    _open_clip("open_clip.model").resize_pos_embed(given, SimpleNamespace(visual=network))
    state = {}
    for name, own in network.state_dict().items():
        value = given.get(f"{_PART}{name}")
        if value is None or value.shape != own.shape:
            found = "is missing" if value is None else f"has the shape {tuple(value.shape)}"
            raise UsageError(f"{path}: {_PART}{name} {found}; the architecture asks for {tuple(own.shape)}")
        state[name] = value.to(torch.float32)
    network.load_state_dict(state)


def _open_clip(module: str) -> Any:
    mend_torchvision()
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError("a picture encoder of open_clip", "clip") from error
