"""How the labels of two pictures that are the same stand to each other.

`renamed folder`
    the same words, written otherwise
`synonym`
    the same taxon under another name
`parent and child`
    one holds the other: a wider taxon, or the same without a stage, part or shape that the other names
`lump`
    one joins several things, and the other is one of them
`contradiction`
    both cannot be right
`unresolved`
    no one can tell, for one of them names no taxon that the tables hold
"""

from __future__ import annotations

import re
from typing import Literal

from seston.taxonomy import Taxon, TaxonTree

__all__ = ["RELATIONS", "Relation", "relation_of"]

Relation = Literal["same label", "renamed folder", "synonym", "parent and child", "lump", "contradiction", "unresolved"]
RELATIONS: tuple[Relation, ...] = (
    "same label",
    "renamed folder",
    "synonym",
    "parent and child",
    "lump",
    "contradiction",
    "unresolved",
)
_ATTRIBUTES = ("stage", "part", "morphology", "qualifier")
_JOINED = re.compile(r"[+/&]|_to_|\band\b|\bmix(?:ed)?\b", re.IGNORECASE)


def relation_of(one: Taxon, other: Taxon, tree: TaxonTree) -> Relation:
    """Tell how two labels stand to each other.

    Parameters
    ----------
    one, other
        What they mean, from `seston.taxonomy.resolve`; the order does not matter.
    tree
        The taxa, for what lies between the seven ranks of a lineage.
    """
    if one.raw_label == other.raw_label:
        return "same label"
    if _words(one) == _words(other):
        return "renamed folder"
    if (one.kind != other.kind) and "unknown" not in (one.kind, other.kind):
        return "contradiction"
    if _is_lump_of(one, other, tree) or _is_lump_of(other, one, tree):
        return "lump"
    if one.name is None or other.name is None:
        return "unresolved"
    if one.name == other.name:
        return _of_one_taxon(one, other)
    if one.name in _above(other, tree) or other.name in _above(one, tree):
        return "parent and child" if _fits(one, other) else "contradiction"
    return "contradiction"


def _of_one_taxon(one: Taxon, other: Taxon) -> Relation:
    if all(getattr(one, name) == getattr(other, name) for name in _ATTRIBUTES):
        renamed = {"synonym", "spelling", "override"} & {one.how, other.how}
        return "synonym" if renamed else "contradiction"
    return "parent and child" if _fits(one, other) else "contradiction"


def _fits(one: Taxon, other: Taxon) -> bool:
    """Whether no attribute that both name is another, and only one of them names more."""
    more = [
        (getattr(one, name) is not None) - (getattr(other, name) is not None)
        for name in _ATTRIBUTES
        if getattr(one, name) != getattr(other, name)
    ]
    return 0 not in more and len(set(more)) <= 1


def _is_lump_of(whole: Taxon, part: Taxon, tree: TaxonTree) -> bool:
    if whole.parts:
        above = {*_above(part, tree), part.name}
        return bool(above & {*whole.parts}) or bool({*_above(whole, tree)} & {part.name})
    return bool(_JOINED.search(whole.raw_label)) and bool(_words(whole) & _words(part))


def _above(taxon: Taxon, tree: TaxonTree) -> set[str]:
    """Names of the taxa that hold this one."""
    facts = [fact for fact in tree.find(taxon.name or "") if taxon.rank in (None, fact.rank)]
    names = {fact.name for one in facts[:1] for fact in tree.path(one)} | set(taxon.lineage.values())
    return names - {taxon.name or ""}


def _words(taxon: Taxon) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", taxon.raw_label.lower().replace("_", " ")))
