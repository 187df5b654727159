"""Where labels lead: from collections by kind and rank to taxa, weighted by particles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seston.taxonomy.label_counts import LabelCount
from seston.taxonomy.ranks import RANK_ORDER
from seston.taxonomy.resolving import resolve
from seston.taxonomy.taxon import RANKS, Taxon

__all__ = ["FlowPath", "FlowStep", "LabelFlow", "label_flow"]

_WIDTH = {rank: position for position, rank in enumerate(RANK_ORDER)}
_LABELS_KEPT = 40


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One taxon, or one label without a taxon, on the way of a path."""

    column: str
    """The one of the seven ranks under which it is drawn."""
    name: str
    rank: str
    """Its own rank, which may lie between the seven; ``label`` for a label that names no taxon."""


@dataclass(slots=True)
class FlowPath:
    """Particles of one source whose labels mean the same kind and taxon."""

    source: str
    kind: str
    steps: tuple[FlowStep, ...]
    """From the widest taxon to the narrowest."""
    aphia_id: int | None = None
    particles: int = 0
    labels: list[tuple[str, int]] = field(default_factory=list)
    """Raw labels with their particles, the most frequent first; at most forty."""
    more_labels: int = 0
    """Labels beyond those."""


@dataclass(frozen=True, slots=True)
class LabelFlow:
    """All paths of some counts."""

    paths: tuple[FlowPath, ...]
    """The most frequent first."""
    particles: int
    """Particles with a label."""
    labels: int
    """Different labels, each source's for itself."""
    unlabelled: int = 0
    """Particles without a label, which are in no path."""
    unresolved: int = 0
    """Particles whose label names nothing that is known here."""


def label_flow(counts: Iterable[LabelCount], *, overrides: Path | None = None) -> LabelFlow:
    """Resolve labels, by a user's own table first, and join those of one source that mean the same."""
    by_source: dict[str, list[LabelCount]] = {}
    unlabelled = 0
    for count in counts:
        if count.raw_label.strip():
            by_source.setdefault(count.source, []).append(count)
        else:
            unlabelled += count.particles
    paths: dict[tuple[str, str, tuple[FlowStep, ...]], FlowPath] = {}
    unresolved = 0
    for source, of_source in by_source.items():
        taxa = resolve([count.raw_label for count in of_source], source=source, overrides=overrides)
        for count, taxon in zip(of_source, taxa, strict=True):
            steps = _steps(taxon)
            path = paths.setdefault((source, taxon.kind, steps), FlowPath(source, taxon.kind, steps, taxon.aphia_id))
            path.particles += count.particles
            path.labels.append((count.raw_label, count.particles))
            unresolved += count.particles if taxon.how == "none" and taxon.kind == "unknown" else 0
    for path in paths.values():
        path.labels.sort(key=lambda label: (-label[1], label[0]))
        path.more_labels = max(0, len(path.labels) - _LABELS_KEPT)
        del path.labels[_LABELS_KEPT:]
    return LabelFlow(
        paths=tuple(sorted(paths.values(), key=lambda path: (-path.particles, path.source))),
        particles=sum(path.particles for path in paths.values()),
        labels=sum(len(of_source) for of_source in by_source.values()),
        unlabelled=unlabelled,
        unresolved=unresolved,
    )


def _steps(taxon: Taxon) -> tuple[FlowStep, ...]:
    steps = [FlowStep(rank, taxon.lineage[rank], rank) for rank in RANKS if rank in taxon.lineage]
    if taxon.name is None:
        return (FlowStep(RANKS[0], " ".join(taxon.raw_label.replace("_", " ").split()).lower(), "label"),)
    if taxon.name not in taxon.lineage.values():
        column = _column(taxon, taxon.lineage)
        # A variety has no column of its own: its species stands for it.
        steps += [] if column in taxon.lineage else [FlowStep(column, taxon.name, taxon.rank or "")]
    return tuple(steps)


def _column(taxon: Taxon, lineage: Mapping[str, str]) -> str:
    """Draw a taxon of a rank in between where the next of the seven would stand, a kingdom's parent as a kingdom."""
    width = _WIDTH.get(taxon.rank or "", 0)
    free: Sequence[str] = RANKS[max((RANKS.index(rank) + 1 for rank in lineage), default=0) :]
    return next((rank for rank in free if _WIDTH[rank] > width), RANKS[-1])
