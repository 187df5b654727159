"""What a model is made of, as a recipe writes it; readable without torch."""

from __future__ import annotations

from typing import Any

import msgspec

from seston.errors import nearest_word

__all__ = [
    "FIXED_PARTS",
    "IMAGE_TOWERS",
    "PROFILE_TOWERS",
    "TEXT_TOWERS",
    "ContextTowerConfig",
    "ImageTowerConfig",
    "Inputs",
    "ModelConfig",
    "ProfileTowerConfig",
    "TextInputs",
    "TextTowerConfig",
    "check_choice",
]

FIXED_PARTS = ("norms", "within-channels")
IMAGE_TOWERS = ("conv", "timm:NAME", "open_clip:NAME")
PROFILE_TOWERS = ("conv", "resnet18", "transformer", "lstm")
TEXT_TOWERS = ("lineage", "open-clip")


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
    """``conv`` (Seston's own, quick on a CPU), ``timm:NAME`` (any tower of timm, extra ``towers``) or
    ``open_clip:NAME`` (any picture encoder of open_clip, extra ``clip``)."""
    weights: str = "random"
    """``random``; for timm also ``hub``, the path of a safetensors file, or ``package:efficientnet-lite0``; for
    open_clip a folder of a model, or ``hf-hub:ORGANISATION/NAME``."""
    width: int = 32
    """Channels after the stem of ``conv``; each stage doubles them."""
    frozen: bool | msgspec.UnsetType = msgspec.UNSET
    """Leave the tower's weights as they are; what it says of each picture is then computed once and kept."""
    frozen_blocks: int | msgspec.UnsetType = msgspec.UNSET
    """So many first blocks of a tower of timm's EfficientNet family, and what stands before them, stay as they are;
    what they find in each picture is then computed once and kept, and the blocks behind them learn."""
    fixed: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """Parts of a timm tower that keep the weights they begin with: ``norms`` (batch norms, folded into the convolutions
    before them) and ``within-channels`` (convolutions of each channel by itself); a step then takes half the time on a
    CPU, but the tower wants small learning rates."""
    blocks: tuple[int, ...] = (1, 1, 1)
    """Residual blocks in each stage of ``conv``."""
    stem: int = 4
    """Pixels that the first layer of ``conv`` steps over."""
    features: int = 256
    """Width of the answer of ``conv``."""

    def __post_init__(self) -> None:
        for part in self.fixed or ():
            check_choice("fixed part", part, FIXED_PARTS)
        if self.frozen_blocks and not self.tower.startswith("timm:"):
            raise ValueError(f"frozen blocks are for towers of timm, not for {self.tower!r}")
        if self.frozen_blocks and (self.frozen is True or self.frozen_blocks < 0):
            raise ValueError("frozen_blocks is a number of blocks, and goes without frozen, which is all of them")
        if self.fixed and not self.tower.startswith("timm:"):
            raise ValueError(f"fixed parts are for towers of timm, not for {self.tower!r}")
        if not self.tower.startswith(("timm:", "open_clip:")):
            check_choice("image tower", self.tower, IMAGE_TOWERS)
            if self.weights != "random":
                raise ValueError(
                    f"weights {self.weights!r} are for towers of timm or open_clip; {self.tower!r} begins 'random'"
                )


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


class TextTowerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The network that reads texts about what pictures show."""

    tower: str = "lineage"
    """``lineage``: a small transformer that learns from nothing; ``open-clip``: a text encoder of open_clip."""
    weights: str = "random"
    """Of ``open-clip``: ``hf-hub:ORGANISATION/NAME``, or a folder that holds ``open_clip_config.json`` and
    ``open_clip_model.safetensors``. ``lineage`` starts from ``random``."""
    frozen: bool = False
    """Leave the tower's weights as they are and learn the head alone."""
    width: int = 128
    """Of a token in ``lineage``."""
    layers: int = 2
    """Of ``lineage``."""
    heads: int = 4
    dropout: float = 0.1
    """Of ``lineage``, in training."""

    def __post_init__(self) -> None:
        check_choice("text tower", self.tower, TEXT_TOWERS)
        if self.tower == "lineage" and self.weights != "random":
            raise ValueError(
                f"weights {self.weights!r} are for the text tower 'open-clip'; 'lineage' starts from 'random'"
            )
        if self.width % self.heads:
            raise ValueError(f"width {self.width} cannot be shared among {self.heads} heads")


class ContextTowerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The network that reads contexts: position, season, hour and depth of a particle."""

    width: int = 64
    """Of the hidden layers."""
    layers: int = 2
    """Hidden layers."""
    harmonics: int = 2
    """Sine and cosine of the year and of the day, so many times round."""
    octaves: int = 1
    """Sine and cosine of the coordinates of the position, each octave twice as fine; 0 for the coordinates alone."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.layers < 1:
            raise ValueError("width and layers must be 1 or more")
        if not (1 <= self.harmonics <= 8 and 0 <= self.octaves <= 8):
            raise ValueError("harmonics must lie between 1 and 8, octaves between 0 and 8")


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
    text: TextTowerConfig | msgspec.UnsetType = msgspec.UNSET
    """The network that reads texts; not there where the model reads none."""
    context: ContextTowerConfig | msgspec.UnsetType = msgspec.UNSET
    """The network that reads contexts; not there where the model reads none."""

    def __post_init__(self) -> None:
        check_choice("projection", self.projection, ("linear", "mlp"))


class TextInputs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a text tower must know of the texts that it reads."""

    vocabulary: int
    """Number of different tokens; 0 stands for none (padding)."""
    length: int
    """Tokens of the longest text; longer ones are cut."""
    open_clip: dict[str, Any] = {}
    """``model_cfg`` of an open_clip model whose text encoder this is, as its ``open_clip_config.json`` has it."""


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
    text: TextInputs | None = None
    """Of texts; None where the model reads none."""
    context: bool = False
    """Whether the training had contexts to learn from; without any, a model has no tower for them."""
