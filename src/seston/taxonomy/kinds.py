"""What kind of thing a label speaks of: an organism, its remains, a lifeless thing, a fault of the picture."""

from __future__ import annotations

from collections.abc import Sequence

from seston.taxonomy.mentions import Mention
from seston.taxonomy.taxon import Kind

__all__ = ["kind_of"]


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
    kinds: dict[str, set[str]] = {role: set() for role in ("state", "part", "kind", "shape", "stage")}
    for mention in mentions:
        kinds.get(mention.entry.role, set()).add(mention.entry.kind)
    of_states, of_parts, of_words, of_shapes, of_stages = kinds.values()
    if "detritus" in of_states:
        return "detritus"
    if "inert" in of_parts or ("inert" in of_words and not named):
        return "inert"
    if "detritus" in of_parts and not ("living" in of_parts and named):
        return "detritus"
    if "detritus" in of_words:
        return "detritus"
    if named:
        return "living"
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
