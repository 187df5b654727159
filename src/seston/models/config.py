"""What a model is made of, as a recipe writes it; readable without torch."""

from __future__ import annotations

import msgspec

from seston.errors import nearest_word

__all__ = [
    "IMAGE_TOWERS",
    "PROFILE_TOWERS",
    "ImageTowerConfig",
    "Inputs",
    "ModelConfig",
    "ProfileTowerConfig",
    "check_choice",
]

IMAGE_TOWERS = ("conv", "timm:NAME")
PROFILE_TOWERS = ("conv", "resnet18", "transformer", "lstm")


def check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a word that is not among the choices, and name the nearest one.

    Raises
    ------
    ValueError
        Read by msgspec, which adds the place in the recipe.
    """
    if value not in choices:
        raise ValueError(f"{what} {value!r} is unknown{nearest_word(value, choices)}")


class ImageTowerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The network that reads pictures."""

    tower: str = "conv"
    """``conv`` (Seston's own, quick on a CPU) or ``timm:NAME`` (any tower of timm, extra ``towers``)."""
    weights: str = "random"
    """``random``; for timm also ``hub``, the path of a safetensors file, or ``package:efficientnet-lite0``."""
    width: int = 32
    """Channels after the stem of ``conv``; each stage doubles them."""
    blocks: tuple[int, ...] = (1, 1, 1)
    """Residual blocks in each stage of ``conv``."""
    stem: int = 4
    """Pixels that the first layer of ``conv`` steps over."""
    features: int = 256
    """Width of the answer of ``conv``."""

    def __post_init__(self) -> None:
        if not self.tower.startswith("timm:"):
            check_choice("image tower", self.tower, IMAGE_TOWERS)
            if self.weights != "random":
                raise ValueError(f"weights {self.weights!r} are for timm towers; {self.tower!r} starts from 'random'")


class ProfileTowerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The network that reads optical profiles."""

    tower: str = "conv"
    """``conv`` (Seston's own), or one of the paper's: ``resnet18``, ``transformer``, ``lstm``."""
    width: int = 32
    """Channels after the stem (``conv``, ``resnet18``), or the width of a token or state."""
    blocks: tuple[int, ...] = (1, 1, 1)
    """Residual blocks in each stage of ``conv`` and ``resnet18``."""
    stem: int = 4
    """Samples that the first layer of ``conv`` steps over."""
    features: int = 256
    """Width of the answer of ``conv``."""
    layers: int = 6
    """Layers of ``transformer`` and ``lstm``."""
    heads: int = 4
    feedforward: int = 256
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_choice("profile tower", self.tower, PROFILE_TOWERS)
        if self.tower == "transformer" and self.width % self.heads:
            raise ValueError(f"width {self.width} cannot be shared among {self.heads} heads")


class ModelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Both towers and what joins them."""

    image: ImageTowerConfig = msgspec.field(default_factory=ImageTowerConfig)
    profile: ProfileTowerConfig = msgspec.field(default_factory=ProfileTowerConfig)
    embedding: int = 256
    """Dimensions of the space that both modalities share, and of the fused vector."""
    projection: str = "mlp"
    """``linear`` (one layer without bias, the paper's) or ``mlp`` (one hidden layer)."""
    hidden: int = 256
    """Width of the hidden layers of the heads."""
    within: int = 128
    """Dimensions in which a modality is compared with itself; 0 leaves these heads out."""
    fused: bool = True
    """Whether there is a head that joins both modalities."""
    dropout: float = 0.0
    """Share of each feature vector that is dropped in training, before the heads."""

    def __post_init__(self) -> None:
        check_choice("projection", self.projection, ("linear", "mlp"))


class Inputs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The shapes that a preparation gives and a model takes."""

    picture_size: int
    """Pixels a side."""
    picture_channels: int
    """1 for grey, 3 for colour."""
    picture_sizes: int
    """Numbers that tell the size of a picture."""
    profile_channels: int
    profile_length: int
    profile_sizes: int
    """Numbers that tell the size of a profile."""
