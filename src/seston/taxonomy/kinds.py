"""What kind of thing a label speaks of: an organism, its remains, a lifeless thing, a fault of the picture."""

from __future__ import annotations

from collections.abc import Sequence

from seston.taxonomy.mentions import Mention
from seston.taxonomy.taxon import Kind

__all__ = ["kind_of"]


def kind_of(mentions: Sequence[Mention], *, named: bool) -> Kind:
    """Weigh the words of a label against each other.

    What happened to an organism (dead, empty, moult) and a loose part of it go before its name; a name goes before
    words for other things, which then tell what hangs on it; these go before shapes, which say least.

    Parameters
    ----------
    mentions
        What the label mentions.
    named
        Whether it names a taxon.
    """
    of_states = _kinds(mentions, "state")
    of_parts = _kinds(mentions, "part")
    of_words = _kinds(mentions, "kind")
    of_shapes = _kinds(mentions, "shape")
    of_stages = _kinds(mentions, "stage")
    if "detritus" in of_states:
        return "detritus"
    if "inert" in of_parts or ("inert" in of_words and not named):
        return "inert"
    if "detritus" in of_parts and not ("living" in of_parts and named):
        return "detritus"
    if named:
        return "living"
    if "detritus" in of_words:
        return "detritus"
    if "living" in of_words | of_stages | of_parts | of_states:
        return "living"
    if "unknown" in of_words:
        return "unknown"
    if "artefact" in of_words | of_states:
        return "artefact"
    if "living" in of_shapes:
        return "living"
    if "artefact" in of_shapes:
        return "artefact"
    return "detritus" if "detritus" in of_shapes else "unknown"


def _kinds(mentions: Sequence[Mention], role: str) -> set[str]:
    return {mention.entry.kind for mention in mentions if mention.entry.role == role}
