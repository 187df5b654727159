"""The record of what a raw label means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

__all__ = ["RANKS", "How", "Kind", "Taxon"]

RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
"""The seven ranks of a lineage, from the widest to the narrowest."""

Kind = Literal["living", "detritus", "artefact", "inert", "unknown"]
"""What a picture shows: an organism, what is left of one, a fault of the picture, a lifeless thing, or no telling."""

How = Literal["exact", "synonym", "override", "spelling", "lowest common ancestor", "none"]
"""How the taxon was found."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxon:
    """What one raw label of one source means."""

    raw_label: str
    """Exactly what the source said."""
    source: str = ""
    """The collection or import; the same words mean different things in different ones."""
    name: str | None = None
    """Accepted scientific name of the narrowest taxon that the label gives; None where it gives none."""
    rank: str | None = None
    """Rank of `name`, which may lie between the seven (suborder, subphylum, …)."""
    lineage: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """Rank of `RANKS` → accepted name, as far as known; a species as binomial."""
    aphia_id: int | None = None
    """Identifier in WoRMS."""
    ids: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """Other registers (``ncbi``, ``wikidata``, ``bold``, ``ecotaxa``, …) → identifier."""
    kind: Kind = "unknown"
    stage: str | None = None
    """Life stage: ``egg``, ``nauplius``, ``larva``, …"""
    part: str | None = None
    """Part of a body or colony: ``head``, ``tentacle``, ``nectophore``, …"""
    morphology: str | None = None
    """Shape or arrangement: ``chain``, ``colony``, ``spherical``, …"""
    qualifier: str | None = None
    """Doubt or vagueness: ``cf.``, ``sp.``, ``like``, …"""
    how: How = "none"
    confidence: float = 0.0
    """From 0 to 1."""
    parts: tuple[str, ...] = ()
    """Accepted names that a composite label joins; `name` is then their lowest common ancestor."""
    note: str = ""
    """Why, in a user's words, where that is not plain."""
