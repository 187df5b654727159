"""The arms of the comparison: one recipe with and without texts, contexts and profiles, in the same number of steps."""

from __future__ import annotations

from comparison.contenders import Contender

__all__ = ["ARMS", "BASE"]

BASE = "pairs"
"""What the others are compared with."""

_ALL = ("neighbours.start=1.0", "loss.partial=true", "measured=false")
_TEXT = ('model.text={tower="lineage",width=64,layers=1}', "text={truncate=0.3}", "loss.text=1.0")
_CONTEXT = ("model.context={}", "loss.context=0.25", "loss.context_profile=0.25")
_TEXT_PROFILE = "loss.text_profile=1.0"
_NO_PROFILES = ("loss.cross=0", "loss.within_profile=0", "loss.fused=0")

ARMS = (
    Contender(BASE, "pictures and profiles", "default", _ALL),
    Contender("pairs+text", "and texts, which are made of the labels", "default", (*_ALL, *_TEXT, _TEXT_PROFILE)),
    Contender("pairs+context", "and contexts", "default", (*_ALL, *_CONTEXT)),
    Contender("pairs+both", "and both: the recipe `joint`", "default", (*_ALL, *_TEXT, _TEXT_PROFILE, *_CONTEXT)),
    Contender("image+text", "pictures and texts, without profiles", "default", (*_ALL, *_TEXT, *_NO_PROFILES), "I"),
)
"""All without neighbours and without hand-made features, so that what towers learn is seen."""
