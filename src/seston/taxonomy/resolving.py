"""From raw labels to taxa."""

from __future__ import annotations

from collections.abc import Iterable

from seston.taxonomy.facts import Fact, Facts
from seston.taxonomy.known_facts import known_facts
from seston.taxonomy.taxon import Taxon

__all__ = ["resolve"]


def resolve(labels: Iterable[str], *, source: str = "", facts: Facts | None = None) -> list[Taxon]:
    """Say what raw labels mean.

    Parameters
    ----------
    labels
        Raw labels, exactly as the source has them. Each is read by itself: the others change nothing.
    source
        The collection or import they come from; the same words mean different things in different ones.
    facts
        Table of taxa; if not given, the one that comes with Seston and the user's own (see `known_facts`).

    Returns
    -------
    list of Taxon
        One for each label, in the same order. A name that the table does not hold is never made up.
    """
    known = known_facts() if facts is None else facts
    return [_read(label, source, known) for label in labels]


def _read(label: str, source: str, facts: Facts) -> Taxon:
    found = facts.find(label.replace("_", " ").strip())
    if not found:
        return Taxon(raw_label=label, source=source)
    return _taxon(label, source, found[0], facts)


def _taxon(label: str, source: str, fact: Fact, facts: Facts) -> Taxon:
    accepted = facts.accepted(fact)
    return Taxon(
        raw_label=label,
        source=source,
        name=accepted.name,
        rank=accepted.rank,
        lineage=facts.lineage(accepted),
        aphia_id=accepted.aphia_id,
        kind="living",
        how="exact" if accepted is fact else "synonym",
        confidence=1.0,
    )
