"""What counts as one class, as a recipe writes it; readable without torch."""

from __future__ import annotations

import msgspec

from seston.models.config import check_choice

__all__ = ["LabelSettings"]

_BY = ("label", "taxon")


class LabelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What counts as one class, where a recipe learns from labels."""

    by: str = "label"
    """``label``: each distinct label is a class; ``taxon``: labels of one taxon, kind, stage and part are one class."""
    fewest: int = 1
    """Labels of fewer training particles than this are no class; their particles count as unlabelled."""

    def __post_init__(self) -> None:
        check_choice("labels.by", self.by, _BY)
        if self.fewest < 1:
            raise ValueError(f"fewest is {self.fewest}; it must be 1 or more")
