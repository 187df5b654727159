"""What kind of thing a label speaks of: an organism, its remains, a lifeless thing, a fault of the picture."""

from __future__ import annotations

from collections.abc import Sequence

from seston.taxonomy.mentions import Mention
from seston.taxonomy.taxon import Kind

__all__ = ["kind_of"]

_LIVING = frozenset((role, "living") for role in ("kind", "stage", "part", "state"))
_OF_SHAPES: tuple[Kind, ...] = ("living", "artefact", "detritus")
"""What a shape alone tells, the weightiest first."""


def kind_of(mentions: Sequence[Mention], *, named: bool) -> Kind:
    """Weigh the words of a label against each other.

    What is left of an organism (dead, empty, moult, faeces, detritus, a loose part) goes before its name; a name goes
    before words for other things; these go before shapes, which say least.

    Parameters
    ----------
    mentions
        What the label mentions.
    named
        Whether it names a taxon.
    """
    said = {(mention.entry.role, mention.entry.kind) for mention in mentions}
    if ("state", "detritus") in said:
        return "detritus"
    if ("part", "inert") in said or (("kind", "inert") in said and not named):
        return "inert"
    if ("part", "detritus") in said and not (("part", "living") in said and named):
        return "detritus"
    if ("kind", "detritus") in said:
        return "detritus"
    if named or not said.isdisjoint(_LIVING):
        return "living"
    if ("kind", "unknown") in said:
        return "unknown"
    if ("kind", "artefact") in said or ("state", "artefact") in said:
        return "artefact"
    return next((kind for kind in _OF_SHAPES if ("shape", kind) in said), "unknown")
