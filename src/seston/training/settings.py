"""The parts of a recipe. Each field is a key of its TOML file; none needs torch to be read."""

from __future__ import annotations

from typing import Any

import msgspec

from seston.models.config import ContextTowerConfig, ModelConfig, TextTowerConfig, check_choice
from seston.training.context_settings import ContextSettings
from seston.training.dino_settings import DinoSettings
from seston.training.label_settings import LabelSettings
from seston.training.supervised_settings import SupervisedSettings
from seston.training.text_settings import TextSettings

__all__ = [
    "AugmentationSettings",
    "LossSettings",
    "NeighbourSettings",
    "OptimiserSettings",
    "PictureSettings",
    "ProfileSettings",
    "Recipe",
    "TrainingSettings",
]


class PictureSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a picture becomes a square of numbers."""

    size: int = 48
    """Pixels a side of the square that the model sees."""
    colour: bool = False
    frame: str = "particle"
    """``particle``: the square shows the particle with a margin; ``picture``: all of the picture."""
    centre: str = "background"
    """``background``: a pixel is its difference from the picture's own background; ``range``: black -1, white 1."""

    def __post_init__(self) -> None:
        check_choice("frame", self.frame, ("particle", "picture"))
        check_choice("centre", self.centre, ("background", "range"))
        if self.size < 8:
            raise ValueError(f"size is {self.size}; a picture needs at least 8 pixels a side")


class ProfileSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a profile becomes a table of numbers."""

    length: int = 96
    """Samples to which each profile is stretched or averaged."""
    channels: tuple[str, ...] = ()
    """Channels in order; empty: those that the training particles have."""
    scaling: str = "channel"
    """``channel``: logarithm over its root mean square, channel by channel; ``paper``: 2 ln(x + 1) / 8.9211 - 1."""

    def __post_init__(self) -> None:
        check_choice("scaling", self.scaling, ("channel", "paper"))


class LossSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the model is asked to do. A weight of 0 leaves a term out."""

    kind: str = "clip"
    """Cross-modal loss: ``clip`` or ``siglip``."""
    cross: float = 1.0
    """Weight of picture against profile."""
    within_image: float = 1.0
    """Weight of one view of a picture against another view of it."""
    within_profile: float = 1.0
    """Weight of one view of a profile against another view of it."""
    fused: float = 1.0
    """Weight of both modalities together in one view against both in another view."""
    text: float = 0.0
    """Weight of a picture against texts about it; needs the tables `text` and `model.text`."""
    text_profile: float = 0.0
    """Weight of a profile against texts about it."""
    context: float = 0.0
    """Weight of a picture against contexts (place, season, hour, depth); needs the table `model.context`."""
    context_profile: float = 0.0
    """Weight of a profile against contexts."""
    partial: bool = False
    """Learn also from particles that lack a picture or a profile, by the terms that can do without."""
    start_scale: float = 14.2857
    """Inverse temperature at the start; it is learned."""
    start_bias: float = -10.0
    """Bias at the start of ``siglip``; it is learned."""
    within_scale: float = 10.0
    """Inverse temperature of the within and fused terms; it stays."""
    hide_share: float = 0.3
    """Share of particles whose picture, and as many whose profile, the fused vector must do without."""
    same_sample_negatives: bool = True
    """Only particles of the same sample are negatives of each other."""
    buckets: int = 1
    """Consecutive parts of a batch inside which the negatives stay."""
    paper_row_max: bool = False
    """Subtract each row's maximum before both cross-entropies, a fault of the paper's code (see `clip_loss`)."""

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, ("clip", "siglip"))
        if not 0 <= self.hide_share <= 0.5:
            raise ValueError(f"hide_share is {self.hide_share}; it must lie between 0 and 0.5")
        weights = (
            self.cross, self.within_image, self.within_profile, self.fused, self.text, self.text_profile,
            self.context, self.context_profile,
        )  # fmt: skip
        if min(weights) < 0:
            raise ValueError("a weight is below 0")
        if not any(weights):
            raise ValueError("all weights are 0: there is nothing to learn")

    @property
    def views(self) -> int:
        """Views of each particle that a step needs."""
        return 2 if self.within_image or self.within_profile or self.fused else 1

    @property
    def texts_alone(self) -> bool:
        """Whether a particle of which nothing is said teaches nothing."""
        return not (self._of_particles or self.context or self.context_profile)

    @property
    def contexts_alone(self) -> bool:
        """Whether there is nothing to learn but from contexts."""
        return not (self._of_particles or self.text or self.text_profile)

    @property
    def _of_particles(self) -> bool:
        """Whether particles themselves teach something."""
        return bool(self.cross or self.within_image or self.within_profile or self.fused)

    @property
    def needs(self) -> tuple[bool, bool]:
        """Whether a particle without a picture, and one without a profile, is of no use."""
        if self.partial:
            return False, False
        both = bool(self.cross or self.fused)
        both |= bool(self.text and self.text_profile) or bool(self.context and self.context_profile)
        image = bool(self.within_image or self.text or self.context)
        profile = bool(self.within_profile or self.text_profile or self.context_profile)
        return both or image, both or (profile and not image)


class NeighbourSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether a neighbour may stand in for the second view of a particle, and from when on."""

    start: float = 0.3
    """Share of the budget after which neighbours stand in; 1 for never."""
    every: float = 0.12
    """Share of the budget from one search for neighbours to the next."""
    nearest: int = 3
    """How many of the nearest may stand in."""
    share: float = 1.0
    """Probability that one does."""
    spared: int = 10
    """How many of the nearest are no negatives of a particle."""

    def __post_init__(self) -> None:
        if not 0 <= self.start <= 1 or not 0 < self.every <= 1 or not 0 <= self.share <= 1:
            raise ValueError("start, every and share are shares, from 0 to 1 (every above 0)")
        if self.nearest < 1 or self.spared < 0:
            raise ValueError("nearest must be 1 or more, spared 0 or more")


class AugmentationSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much a view may differ from the particle as it was measured."""

    rotation: float = 10.0
    """Degrees to either side."""
    zoom: tuple[float, float] = (0.9, 1.1)
    """Least and greatest share of the square's side that is seen; below 1 enlarges."""
    stretch: float = 1.0
    """Greatest ratio of the horizontal to the vertical zoom, and the least as its inverse."""
    shift: float = 0.05
    """Share of the side by which a picture may move; where the zoom is below 1, also what the zoom sets free."""
    turn_over: float = 0.5
    """Probability of turning the picture upside down."""
    reverse: float = 0.5
    """Probability of mirroring the picture along the flow *and* reversing the profile, together."""
    brightness: float = 0.1
    """Added to all pixels, as a share of the range from black to white, to either side."""
    contrast: float = 0.2
    """Factor 1 ± this about the background."""
    blur: float = 0.5
    """Probability of a blur of up to two pixels (focus)."""
    invert: float = 0.0
    """Probability of turning dark on bright into bright on dark, and the reverse."""
    gamma: float = 1.0
    """Greatest exponent of the light, black 0 and white 1, and the least as its inverse."""
    background: float = 0.0
    """Greatest change of the level of the background, as a share of the range; only seen where ``pictures.centre``
    is ``range``."""
    tint: float = 0.0
    """Standard deviation of ln(gain) of each colour about the background, of colour pictures."""
    grey: float = 0.0
    """Probability of taking the colour out of a colour picture."""
    coarse: float = 0.0
    """Probability of pixels two to four times as large."""
    bar: float = 0.0
    """Probability of a scale bar near an edge."""
    pixel_noise: float = 0.02
    """Greatest standard deviation of noise, as a share of the range from black to white."""
    gain: float = 0.1
    """Standard deviation of ln(gain), common to all channels; it multiplies the signal before the logarithm."""
    channel_gain: float = 0.1
    """The same, for each channel on its own."""
    drop_channels: float = 0.1
    """Probability that some channels (one to a third of them) have no signal."""
    time_stretch: float = 0.1
    """Greatest change of the profile's length within its frame: 1 ± this."""
    time_shift: float = 0.03
    """Greatest shift, as a share of the frame."""
    signal_noise: float = 0.02
    """Greatest standard deviation of ln(signal), sample by sample."""
    size_noise: float = 0.1
    """Standard deviation added to the standardised size numbers."""

    def __post_init__(self) -> None:
        low, high = self.zoom
        if not 0.1 <= low <= high <= 4:
            raise ValueError(f"zoom is {list(self.zoom)}; it must be two numbers from 0.1 to 4, the lesser first")
        if self.stretch < 1 or self.gamma < 1:
            raise ValueError(f"stretch is {self.stretch} and gamma {self.gamma}; each must be 1 or more")


class OptimiserSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the weights move."""

    name: str = "adamw"
    """``adamw``, or ``sgd`` with Nesterov momentum."""
    learning_rate: float = 2e-3
    """At the end of the warm-up."""
    final_share: float = 0.01
    """Share of the learning rate at the end of the budget (cosine)."""
    warmup: float = 0.05
    """Share of the budget during which the learning rate rises."""
    tower_rate: float = 1.0
    """Learning rate of the picture tower, as a share of that of all else."""
    weight_decay: float = 0.05
    decay_all: bool = False
    """Let the weight decay act on biases, norms and scales too, as the paper does."""
    momentum: float = 0.9
    """Of ``sgd``; the first beta of ``adamw``."""
    clip_norm: float = 1.0
    """Greatest norm of the gradient; 0 for no limit."""

    def __post_init__(self) -> None:
        check_choice("optimiser", self.name, ("adamw", "sgd"))
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup is {self.warmup}; it is a share of the budget, from 0 to below 1")
        if self.tower_rate < 0:
            raise ValueError(f"tower_rate is {self.tower_rate}; it must not be below 0")


class TrainingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long, in what pieces and on what."""

    epochs: int = 100
    """Times that each particle is seen; 0 for no limit."""
    minutes: float = 0.0
    """Wall-clock time; 0 for no limit. Whichever limit comes first ends the training and its schedule."""
    batch: int = 128
    """Greatest number of particles a step and process group; an epoch is cut into parts of nearly equal size."""
    accumulation: int = 1
    """Batches whose gradients are added before a step."""
    ema: float = 0.99
    """Decay of the running mean of the weights, which is what is kept; 0 keeps the weights themselves."""
    patience: int = 0
    """Epochs without a better validation loss after which the training stops; 0 never stops early."""
    validation_steps: int = 20
    """Validate at the end of an epoch, but not before so many steps after the last time."""
    validation_share: float = 0.05
    """Share of the training particles held out where the split has no validation part."""
    precision: str = "auto"
    """``float32``, ``bfloat16``, ``float16`` (GPU), or ``auto``: bfloat16 on a GPU or a processor
    that computes in it, else float32."""
    workers: int = 1
    """Threads that gather batches ahead of the step."""
    cache: bool = True
    """Keep the prepared particles on disk during the training; without, pictures are decoded again each epoch."""
    frozen_views: int = 2
    """With ``model.image.frozen`` or ``frozen_blocks``: how many views of each particle are kept; the first is the
    particle as it was measured."""
    thaw: float = 0.0
    """With ``model.image.frozen_blocks``: share of the budget during which the blocks behind them stay as they are too,
    so that steps are quick; then they learn."""
    checkpoint_minutes: float = 2.0
    """Time between checkpoints."""
    checkpoint_steps: int = 0
    """Steps between checkpoints, in addition; 0 for none."""
    device: str = "auto"
    """``auto`` (a CUDA GPU if there is one, else the CPU), ``cpu``, ``cuda`` or ``mps``."""
    tensorboard: bool = False

    def __post_init__(self) -> None:
        check_choice("precision", self.precision, ("auto", "float32", "bfloat16", "float16"))
        check_choice("device", self.device, ("auto", "cpu", "cuda", "mps"))
        if self.batch < 2:
            raise ValueError(f"batch is {self.batch}; contrast needs at least 2 particles")
        if self.accumulation < 1 or self.workers < 1:
            raise ValueError("accumulation and workers must be 1 or more")
        if not 0 <= self.thaw < 1:
            raise ValueError(f"thaw is {self.thaw}; it is a share of the budget, from 0 to below 1")
        if self.frozen_views < 1:
            raise ValueError(f"frozen_views is {self.frozen_views}; it must be 1 or more")
        if self.epochs < 0 or self.minutes < 0 or not (self.epochs or self.minutes):
            raise ValueError("the training needs a limit: set epochs or minutes above 0")


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that decides a training, apart from the data."""

    name: str = ""
    description: str = ""
    seed: int = 0
    sizes: str = "log"
    """``log``: logarithms of size, length and signal; ``paper``: height, width and length over 224; ``none``."""
    pictures: PictureSettings = msgspec.field(default_factory=PictureSettings)
    profiles: ProfileSettings = msgspec.field(default_factory=ProfileSettings)
    model: ModelConfig = msgspec.field(default_factory=ModelConfig)
    loss: LossSettings = msgspec.field(default_factory=LossSettings)
    augmentation: AugmentationSettings = msgspec.field(default_factory=AugmentationSettings)
    optimiser: OptimiserSettings = msgspec.field(default_factory=OptimiserSettings)
    training: TrainingSettings = msgspec.field(default_factory=TrainingSettings)
    neighbours: NeighbourSettings = msgspec.field(default_factory=NeighbourSettings)
    measured: bool = True
    """Whether hand-made features stand beside what the towers find."""
    dino: DinoSettings | None = None
    """Where it is there, the recipe learns from pictures alone, by DINO."""
    supervised: SupervisedSettings | None = None
    """Where it is there, the recipe learns the names of labelled pictures."""
    labels: LabelSettings = msgspec.field(default_factory=LabelSettings)
    """What counts as one class, where the recipe learns from labels."""
    text: TextSettings | None = None
    """Where it is there, the recipe learns from texts about labelled particles too."""
    context: ContextSettings = msgspec.field(default_factory=ContextSettings)
    """How the recipe learns from contexts, where `loss.context` or `loss.context_profile` has a weight."""

    def __post_init__(self) -> None:
        check_choice("sizes", self.sizes, ("log", "paper", "none"))
        if self.dino is not None and self.supervised is not None:
            raise ValueError("dino and supervised are two ways to learn; use one of them")
        if self.supervised is not None and self.supervised.low_rank is not None and self.model.image.frozen is True:
            raise ValueError("model.image.frozen leaves nothing for supervised.low_rank to learn; use one of them")
        if self.training.thaw and not self.model.image.frozen_blocks:
            raise ValueError("training.thaw thaws what is behind model.image.frozen_blocks; set both or neither")
        if self.pictures_alone:
            if self.model.image.frozen_blocks:
                raise ValueError("model.image.frozen_blocks is for recipes of pictures and profiles or texts")
            if self.text is not None:
                raise ValueError("text goes neither with dino nor with supervised; use one of them")
            return
        if (self.loss.within_image or self.loss.within_profile) and not self.model.within:
            raise ValueError("loss.within_image and loss.within_profile need model.within above 0")
        if self.loss.fused and not self.model.fused:
            raise ValueError("loss.fused needs model.fused = true")
        reads = isinstance(self.model.text, TextTowerConfig)
        if not (bool(self.loss.text or self.loss.text_profile) == (self.text is not None) == reads):
            raise ValueError("a recipe with texts needs a weight (loss.text) and both tables, text and model.text")
        if self.uses_contexts != isinstance(self.model.context, ContextTowerConfig):
            raise ValueError("a recipe with contexts needs a weight (loss.context) and the table model.context")

    @property
    def needs(self) -> tuple[bool, bool]:
        """Whether a particle without a picture, and one without a profile, is of no use."""
        return (True, False) if self.pictures_alone else self.loss.needs

    @property
    def pictures_alone(self) -> bool:
        """Whether profiles are not looked at."""
        return self.dino is not None or self.supervised is not None

    @property
    def uses_contexts(self) -> bool:
        """Whether it is learnt where and when particles were taken."""
        return not self.pictures_alone and bool(self.loss.context or self.loss.context_profile)

    @property
    def uses_neighbours(self) -> bool:
        """Whether neighbours stand in for second views; there are none to stand in for without a loss between views."""
        return not self.pictures_alone and self.neighbours.start < 1 and self.loss.views > 1

    def to_toml(self) -> str:
        """Write the recipe as TOML, every key with its value."""
        import tomlkit

        table = _without_none(msgspec.to_builtins(self))
        plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
        return tomlkit.dumps(plain | {key: value for key, value in table.items() if isinstance(value, dict)})


def _without_none(table: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not set, which TOML has no word for."""
    kept = {key: value for key, value in table.items() if value is not None}
    return {key: _without_none(value) if isinstance(value, dict) else value for key, value in kept.items()}
