"""The part of a recipe that makes it learn from pictures alone, by DINO. None of it needs torch to be read."""

from __future__ import annotations

import msgspec

from seston.models.config import check_choice

__all__ = ["DinoSettings", "DinoViewSettings"]


class DinoViewSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the student and the teacher are shown of a picture: two large crops, and small ones for the student alone.

    A pair of numbers is for the first and the second large crop, or for the least and the greatest value.
    """

    small: int = 0
    """Small crops of each picture; they cost time, and ask much of a tower that starts from nothing."""
    small_share: float = 0.5
    """Side of a small crop, as a share of `pictures.size`, which is the side of a large one."""
    large_area: tuple[float, float] = (0.5, 1.0)
    """Least and greatest share of the picture's area that a large crop shows."""
    small_area: tuple[float, float] = (0.2, 0.6)
    """The same of a small crop."""
    ratio: float = 1.3333
    """Greatest ratio of a crop's width to its height in the picture, and the least as its inverse."""
    mirror: float = 0.5
    """Probability of mirroring along the flow."""
    turn_over: float = 0.5
    """Probability of turning upside down."""
    jitter: float = 0.8
    """Probability of other light: both of the next two."""
    brightness: float = 0.1
    """Factor 1 ± this on the light of every pixel."""
    contrast: float = 0.4
    """Factor 1 ± this about the background, or about the mean where ``pictures.centre`` is ``range``."""
    blur: tuple[float, float] = (0.5, 0.5)
    """Probability of a blur of the first and of the second large crop."""
    small_blur: float = 0.5
    """Probability of a blur of a small crop."""
    blur_width: tuple[float, float] = (0.1, 0.5)
    """Least and greatest standard deviation of a blur, in pixels of the crop."""
    solarise: float = 0.0
    """Probability of turning the brighter half of the range into its negative, in the second large crop."""

    def __post_init__(self) -> None:
        if self.small < 0:
            raise ValueError(f"small is {self.small}; it must be 0 or more")
        if not 0 < self.small_share <= 1:
            raise ValueError(f"small_share is {self.small_share}; it must lie above 0 and not above 1")
        for name in ("large_area", "small_area"):
            low, high = getattr(self, name)
            if not 0 < low <= high <= 1:
                raise ValueError(f"{name} is {[low, high]}; it must be two shares of the area, the lesser first")
        if self.ratio < 1:
            raise ValueError(f"ratio is {self.ratio}; it must be 1 or more")
        low, high = self.blur_width
        if not 0 < low <= high:
            raise ValueError(f"blur_width is {[low, high]}; it must be two numbers above 0, the lesser first")


class DinoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Self-distillation without labels (Caron et al. 2021, arXiv 2104.14294).

    A recipe with this table learns from pictures alone: `loss`, `augmentation`, `model.profile` and the other heads of
    `model` have no say. Schedules run over the share of the budget that is used up, be it epochs or minutes.
    """

    prototypes: int = 512
    """Width of the head's answer."""
    head_hidden: int = 256
    """Width of the head's two hidden layers."""
    head_narrow: int = 64
    """Width of its unit vectors, before the last layer."""
    head_batch_norm: bool = True
    """Normalise the head's hidden layers over the batch. Without, a tower that starts from random weights, whose
    answers are all alike, may settle on one constant answer within a short budget."""
    frozen_epochs: int = 1
    """First epochs in which the student's last layer stays as it is."""
    student_temperature: float = 0.1
    teacher_temperature: tuple[float, float] = (0.04, 0.06)
    """At the beginning, and after `teacher_warmup`; a line between."""
    teacher_warmup: float = 0.1
    """Share of the budget during which the teacher's temperature changes."""
    centre_momentum: float = 0.9
    """Decay of the running mean of the teacher's answers, which is subtracted from them."""
    momentum: tuple[float, float] = (0.99, 1.0)
    """Decay of the running mean of the student's weights, which is the teacher: at both ends of the budget (cosine)."""
    final_weight_decay: float = 0.04
    """Weight decay at the end of the budget (cosine); it begins with `optimiser.weight_decay`."""
    schedule: str = "step"
    """``step``: momentum, weight decay and temperature change at every step; ``epoch``: only between epochs."""
    drop_path: float = 0.0
    """Share of residual branches that a timm tower leaves out in training mode."""
    teacher_mode: str = "evaluation"
    """``evaluation``: the teacher answers as it will when it is used; ``training``: with drop-path and its own batch
    statistics, as in the paper's code, so that what the student is to reach is noisy."""
    teacher_head: str = "copy"
    """``copy``: the teacher's head begins as the student's; ``own``: with other random weights, as the paper's does."""
    keep: str = "last"
    """``last``: the weights at the end; ``training-loss``: those after the epoch of lowest loss, as in the paper's
    code, where `training.patience` counts epochs without a lower one."""
    views: DinoViewSettings = msgspec.field(default_factory=DinoViewSettings)

    def __post_init__(self) -> None:
        check_choice("schedule", self.schedule, ("step", "epoch"))
        check_choice("teacher_mode", self.teacher_mode, ("evaluation", "training"))
        check_choice("teacher_head", self.teacher_head, ("copy", "own"))
        check_choice("keep", self.keep, ("last", "training-loss"))
        if not all(0 <= momentum <= 1 for momentum in (*self.momentum, self.centre_momentum)):
            raise ValueError("a momentum must lie between 0 and 1")
        if min(self.student_temperature, *self.teacher_temperature) <= 0:
            raise ValueError("a temperature must lie above 0")
        if not 0 <= self.teacher_warmup < 1:
            raise ValueError(f"teacher_warmup is {self.teacher_warmup}; it is a share of the budget, from 0 to below 1")
