"""What can be said about a taxon: texts of several kinds, for itself and for each wider group that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seston.taxonomy import RANKS, Taxon
from seston.taxonomy.captions import caption, common_name_and_bearer
from seston.taxonomy.knowledge import known_facts

__all__ = ["Said", "is_known", "said_of", "taxon_path"]

_LIVING = "living"


@dataclass(frozen=True)
class Said:
    """A text, and what it says."""

    path: tuple[str, ...]
    """The group that it names, from the widest one down: a longer path with the same beginning is a finer name."""
    detail: str
    """Stage and part of the body, empty where it names none."""
    text: str


def said_of(taxon: Taxon, templates: Sequence[str]) -> tuple[tuple[Said, ...], ...]:
    """Give what can be said of a taxon, the finest first: of itself, and of each of the seven ranks above it.

    Stage and part are said of the finest alone.

    Returns
    -------
    tuple
        One entry a level, each with one text a template.
    """
    wider = [rank for rank in reversed(RANKS) if taxon.lineage.get(rank, taxon.name) != taxon.name]
    levels = [taxon, *(_at_rank(taxon, rank) for rank in wider)]
    return tuple(tuple(_said(level, template) for template in templates) for level in levels)


def taxon_path(taxon: Taxon) -> tuple[str, ...]:
    """Give what a taxon is, from the widest group to itself, with the groups between the seven ranks where known.

    What names no taxon has its kind (``living``, ``detritus``, …) as its path, and organisms begin with ``living``.
    """
    if taxon.name is None:
        return (taxon.kind,)
    tree = known_facts()
    for fact in tree.find(taxon.name):
        if fact.name == taxon.name and tree.lineage(fact) == taxon.lineage:
            return (_LIVING, *(above.name for above in tree.path(fact)))
    names = [taxon.lineage[rank] for rank in RANKS if rank in taxon.lineage]
    return (_LIVING, *names, *(() if taxon.name in names else (taxon.name,)))


def is_known(taxon: Taxon) -> bool:
    """Tell whether a label says anything of a particle: *unidentified* says nothing."""
    return taxon.name is not None or taxon.kind != "unknown" or taxon.stage is not None or taxon.part is not None


def _said(taxon: Taxon, template: str) -> Said:
    """Write a text; a common name says no more than the group that bears it, however narrow the taxon is."""
    path, text = taxon_path(taxon), caption(taxon, template)
    if taxon.name is None or template == "photo":
        return Said(path, _detail(taxon), text)
    borne = common_name_and_bearer(taxon) if template == "common" else None
    if borne is not None and borne[1] in path:
        path = path[: path.index(borne[1]) + 1]
    return Said(path, "", text)


def _at_rank(taxon: Taxon, rank: str) -> Taxon:
    """Give the group of a rank that a taxon belongs to."""
    kept = RANKS[: RANKS.index(rank) + 1]
    return Taxon(
        raw_label=taxon.raw_label,
        source=taxon.source,
        name=taxon.lineage[rank],
        rank=rank,
        lineage={name: taxon.lineage[name] for name in kept if name in taxon.lineage},
        kind="living",
    )


def _detail(taxon: Taxon) -> str:
    return " ".join(word for word in (taxon.stage, taxon.part) if word)
