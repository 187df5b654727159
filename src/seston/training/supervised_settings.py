"""The part of a recipe that makes it learn from labels; readable without torch."""

from __future__ import annotations

import msgspec

from seston.models.class_loss_names import CLASS_LOSSES
from seston.models.config import check_choice
from seston.training.sampling import SAMPLINGS

__all__ = ["ClassLossSettings", "LowRankSettings", "SupervisedSettings"]


class ClassLossSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a wrong name is punished; see `seston.models.class_losses` for formulas and sources."""

    kind: str = "cross-entropy"
    """``cross-entropy``, ``focal``, ``ldam``, ``maximum-margin``, ``asymmetric``, ``robust-asymmetric``,
    ``balanced-softmax`` or ``logit-adjustment``."""
    smoothing: float = 0.0
    """Share of the target that is spread evenly over all classes (``cross-entropy``, ``asymmetric``)."""
    focus: float = 2.0
    """γ of ``focal``; of ``maximum-margin`` the factor of the margin of what is named right."""
    focus_wrong: float = 4.0
    """γ₋ of ``asymmetric`` and ``robust-asymmetric``."""
    focus_right: float = 0.0
    """γ₊ of the same."""
    margin: float = 0.5
    """Margin of the rarest class (``ldam``), or greatest one (``maximum-margin``), before `head_scale`."""
    strength: float = 1.0
    """τ of ``logit-adjustment``."""
    reweight_from: float = 1.0
    """Share of the budget after which classes are weighted by their effective number (deferred re-weighting); 1 for
    never."""
    effective_number: float = 0.9999
    """β of the effective number of particles, (1 - βⁿ) / (1 - β)."""

    def __post_init__(self) -> None:
        check_choice("loss", self.kind, CLASS_LOSSES)
        if not 0 <= self.smoothing < 1 or not 0 <= self.reweight_from <= 1 or not 0 <= self.effective_number < 1:
            raise ValueError("smoothing, reweight_from and effective_number are shares, from 0 to 1")
        if min(self.focus, self.focus_wrong, self.focus_right, self.margin) < 0:
            raise ValueError("focus, focus_wrong, focus_right and margin must not be below 0")


class LowRankSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Small matrices that learn beside the frozen linear layers of a tower (LoRA)."""

    rank: int = 8
    alpha: float = 16.0
    """The added matrix is scaled by alpha / rank."""
    dropout: float = 0.0
    layers: tuple[str, ...] = ("qkv", "q_proj", "v_proj", "proj", "out_proj", "fc1", "fc2", "c_fc", "c_proj")
    """Last parts of the names of the linear layers that get one; others stay frozen as they are."""

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            raise ValueError("rank must be 1 or more, alpha above 0, and dropout a share below 1")


class SupervisedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Learning names from labelled pictures."""

    head: str = "linear"
    """``linear``; ``cosine`` (of unit vectors); or ``ranks``: the probability of a coarse taxon is the sum over its
    classes, and a coarse label trains the ranks that it has."""
    head_scale: float = 16.0
    """By which ``cosine`` multiplies its answers."""
    bottleneck: bool = True
    """Whether the head sees the embedding (`model.embedding` numbers), or what the tower found itself."""
    loss: ClassLossSettings = msgspec.field(default_factory=ClassLossSettings)
    sampling: str = "plain"
    """``plain``: each particle once an epoch; ``balanced``: each class as often as any other; ``square-root``: a class
    of n particles as often as √n says."""
    coarse: str = "ranks"
    """Of ``ranks``: a label with finer classes below it trains its ranks alone (``ranks``), or is also a class beside
    them (``class``)."""
    rank_weight: float = 1.0
    """Of ``ranks``: weight of the mean loss over the ranks beside that of the class itself."""
    frozen_layers: tuple[str, ...] = ()
    """Layers of the tower that stay as they are, by the beginnings of their names (``blocks.0``)."""
    layer_decay: float = 1.0
    """Factor of the learning rate from each layer of the tower to the one before it."""
    low_rank: LowRankSettings | None = None
    """Where it is there, the tower learns by small matrices alone."""
    begin: str = "random"
    """The head's first weights: ``random``, or ``discriminants`` (linear ones of what the tower finds in all training
    particles, looked at once before the first step; for a head without ``bottleneck``, and a tower without batch norms
    or with fixed ones)."""
    keep: str = "macro-f1"
    """Keep the weights of the highest ``macro-f1`` on held-out particles, of the lowest ``loss``, or the ``last``."""

    def __post_init__(self) -> None:
        check_choice("head", self.head, ("linear", "cosine", "ranks"))
        check_choice("sampling", self.sampling, SAMPLINGS)
        check_choice("coarse", self.coarse, ("ranks", "class"))
        check_choice("begin", self.begin, ("random", "discriminants"))
        check_choice("keep", self.keep, ("macro-f1", "loss", "last"))
        if self.begin == "discriminants" and (self.bottleneck or self.head == "cosine"):
            raise ValueError("begin 'discriminants' goes with bottleneck = false and a head that is not 'cosine'")
        if self.head == "ranks" and self.loss.kind not in ("cross-entropy", "balanced-softmax", "logit-adjustment"):
            raise ValueError(f"head 'ranks' goes with a loss over one softmax, not with {self.loss.kind!r}")
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f"layer_decay is {self.layer_decay}; it lies above 0 and at most at 1")
