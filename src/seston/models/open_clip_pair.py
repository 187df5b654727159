"""A pretrained pair of encoders in open_clip's layout, used as it is: pictures and texts to vectors that compare.

The folder holds ``open_clip_config.json`` and ``open_clip_model.safetensors``. Pictures are brought into shape as the
configuration says (size, resizing, mean, deviation), by open_clip's own code; texts are read by its own tokenizer.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor, nn
from torch.nn import functional

from seston.errors import InputError
from seston.models.config import TextInputs
from seston.models.open_clip_image import open_clip_vision, take_pictures_encoder
from seston.models.open_clip_text import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    open_clip_folder,
    open_clip_settings,
    open_clip_text,
    text_config,
)

__all__ = ["OpenClipPair", "load_pair"]

_AT_ONCE = 32
_MOST_ELONGATED = 16
"""Of a longer picture the middle is taken first: resized by its shorter side it would not fit into memory."""
_SCALE = "logit_scale"


@dataclass(frozen=True, eq=False)
class OpenClipPair:
    """Two encoders that give vectors of one space."""

    where: str
    """``hf-hub:ORGANISATION/NAME`` or a folder."""
    folder: Path
    settings: dict[str, Any]
    """As ``open_clip_config.json`` has them."""
    network: nn.Module
    """Of pictures; in evaluation mode."""
    into_shape: Callable[[Any], Tensor]
    """A picture of Pillow → (3, S, S)."""
    model_id: str
    """``open-clip-`` and a hash of the picture encoder and of how pictures are shown to it."""

    def see(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Turn pictures into vectors.

        Parameters
        ----------
        pictures
            (h, w) grey or (h, w, 3) colour each; grey is shown as three equal colours.

        Returns
        -------
        array of float32
            (N, D) unit vectors.
        """
        parts = [np.zeros((0, int(self.settings["model_cfg"]["embed_dim"])), np.float32)]
        for start in range(0, len(pictures), _AT_ONCE):
            shaped = torch.stack([self._shaped(pixels) for pixels in pictures[start : start + _AT_ONCE]])
            with torch.inference_mode():
                parts.append(functional.normalize(self.network(shaped).float(), dim=1).numpy())
        return np.concatenate(parts)

    @cached_property
    def text_config(self) -> dict[str, Any]:
        """The ``model_cfg``, of a pair whose texts can be read.

        Raises
        ------
        InputError
            Its text encoder or tokenizer is not one of open_clip's own.
        """
        return text_config(self.settings, self.where)

    @cached_property
    def texts(self) -> nn.Module:
        """The text encoder, in evaluation mode; errors as for `text_config`."""
        return open_clip_text(str(self.folder), self._text_inputs()).eval()

    @cached_property
    def scale(self) -> float:
        """Factor between cosines and logits, as it was learnt (100 at most); that of CLIP's start where it is not told.

        arXiv 2103.00020, section 2.5.
        """
        from safetensors import safe_open

        with safe_open(self.folder / WEIGHTS_FILE, framework="pt") as file:
            learnt = float(file.get_tensor(_SCALE).exp()) if _SCALE in set(file.keys()) else 1 / 0.07
        return min(learnt, 100.0)

    def untrained_texts(self, seed: int) -> nn.Module:
        """Give the same text encoder with random weights."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return open_clip_text("random", self._text_inputs()).eval()

    def untrained(self, seed: int) -> OpenClipPair:
        """Give the same picture encoder with random weights, which is shown pictures in the same way."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = open_clip_vision(self.settings["model_cfg"]).eval()
        return replace(self, network=network, model_id=f"{self.model_id}-untrained-{seed}")

    def save_pictures_encoder(self, folder: Path) -> None:
        """Write the picture encoder alone in the same layout: a gallery needs no more."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE).write_text(json.dumps(self.settings, indent=2) + "\n", encoding="utf-8")
        weights = {f"visual.{name}": tensor.contiguous() for name, tensor in self.network.state_dict().items()}
        save_file(weights, folder / WEIGHTS_FILE)

    def _text_inputs(self) -> TextInputs:
        text = self.text_config["text_cfg"]
        return TextInputs(
            vocabulary=int(text.get("vocab_size", 49408)),
            length=int(text.get("context_length", 77)),
            open_clip=self.text_config,
        )

    def _shaped(self, pixels: NDArray[np.uint8]) -> Tensor:
        short = _MOST_ELONGATED * min(pixels.shape[:2])
        for axis in (0, 1):
            spare = pixels.shape[axis] - short
            if spare > 0:
                pixels = np.take(pixels, range(spare // 2, spare // 2 + short), axis=axis)
        return self.into_shape(Pillow.fromarray(pixels).convert("RGB"))


def load_pair(where: str) -> OpenClipPair:
    """Load a pair; its text encoder is read when it is first asked.

    Parameters
    ----------
    where
        A folder with ``open_clip_config.json`` and ``open_clip_model.safetensors``, or ``hf-hub:ORGANISATION/NAME``,
        which is fetched once and kept in the Hub's cache.

    Raises
    ------
    NotFoundError
        No such folder, or a file is missing in it.
    MissingExtraError
        open_clip (or, for the Hub, huggingface_hub) is not installed.
    InputError
        The Hub cannot be reached or does not give the files, a file is damaged, or open_clip cannot build it.
    UsageError
        The weights do not fit the configuration.
    """
    folder = open_clip_folder(where)
    settings = open_clip_settings(str(folder))
    config = settings["model_cfg"]
    try:
        network = open_clip_vision(config).eval()
        shown, into_shape = _way_of_pictures(settings)
    except (TypeError, ValueError, KeyError, AttributeError, AssertionError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(f"{folder / CONFIG_FILE}: open_clip cannot build this model ({reason})") from error
    take_pictures_encoder(network, folder / WEIGHTS_FILE)
    return OpenClipPair(where, folder, settings, network, into_shape, _hash(config, shown, network))


def _way_of_pictures(settings: dict[str, Any]) -> tuple[dict[str, Any], Callable[[Any], Tensor]]:
    """Give how pictures are brought into shape: open_clip's defaults, then the configuration, at the encoder's size."""
    transform = importlib.import_module("open_clip.transform")
    size = settings["model_cfg"]["vision_cfg"].get("image_size", 224)
    shown = {**(settings.get("preprocess_cfg") or {}), "size": size}
    asked = transform.PreprocessCfg(**{key: tuple(value) if isinstance(value, list) else value
                                       for key, value in shown.items()})  # fmt: skip
    return shown, transform.image_transform_v2(asked, is_train=False)


def _hash(config: dict[str, Any], shown: dict[str, Any], network: nn.Module) -> str:
    told = {"vision": config["vision_cfg"], "gelu": bool(config.get("quick_gelu")), "shown": shown}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.numpy()).tobytes())
    return f"open-clip-{digest.hexdigest()[:16]}"
