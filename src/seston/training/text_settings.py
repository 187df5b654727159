"""The part of a recipe that makes it learn from texts about what pictures show; readable without torch."""

from __future__ import annotations

import msgspec

from seston.models.config import check_choice
from seston.training.sampling import SAMPLINGS

__all__ = ["TextSettings"]

_TEMPLATES = ("scientific", "common", "lineage", "photo")


class TextSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is said about labelled particles in training; `loss.text` is the weight of the term."""

    templates: tuple[str, ...] = _TEMPLATES
    """Kinds of text, of which each particle gets one at random in each epoch: ``scientific``, ``common``, ``lineage``
    and ``photo``, as `seston.taxonomy.captions` writes them."""
    truncate: float = 0.3
    """Share of the texts that name a wider group instead: any rank above, each as often."""
    merges: int = 1000
    """Greatest number of word pieces beyond single bytes, learnt from the training's texts (tower ``lineage``)."""
    length: int = 48
    """Tokens of the longest text (tower ``lineage``)."""
    sampling: str = "plain"
    """How often particles of rare taxa are shown, as `supervised.sampling`: ``plain``, ``balanced`` or
    ``square-root``."""
    keep: str = "loss"
    """Keep the weights of the lowest ``loss`` on held-out particles, or of the highest ``macro-f1`` where the texts
    name their pictures."""
    start_scale: float = 14.2857
    """Inverse temperature at the start; it is learned."""
    start_bias: float = -10.0
    """Bias at the start where `loss.kind` is ``siglip``; it is learned."""

    def __post_init__(self) -> None:
        if not self.templates:
            raise ValueError("templates is empty; name at least one kind of text")
        for template in self.templates:
            check_choice("text.templates", template, _TEMPLATES)
        check_choice("text.sampling", self.sampling, SAMPLINGS)
        check_choice("text.keep", self.keep, ("loss", "macro-f1"))
        if not 0 <= self.truncate <= 1:
            raise ValueError(f"truncate is {self.truncate}; it is a share, from 0 to 1")
        if self.merges < 0 or self.length < 4:
            raise ValueError("merges must be 0 or more, length 4 or more")
