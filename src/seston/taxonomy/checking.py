"""What is doubtful about the labels of a data set, and about the table of taxa that they lead to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seston.particle import Progress
from seston.taxonomy.knowledge import known_facts
from seston.taxonomy.label_counts import LabelCount, count_labels
from seston.taxonomy.overrides import Overrides, data_set_overrides, read_overrides
from seston.taxonomy.resolving import resolve
from seston.taxonomy.taxon import RANKS, Taxon
from seston.taxonomy.tree import TaxonTree
from seston.taxonomy.words import words_of

__all__ = ["PROBLEMS", "CheckReport", "Finding", "Problem", "check", "check_labels"]

Problem = Literal["unresolved", "contradiction", "rank hole", "identifier twice", "composite", "misapplied"]

PROBLEMS: Mapping[Problem, str] = {
    "unresolved": "labels that were not understood",
    "contradiction": "labels that mean one thing in one collection and another in another",
    "rank hole": "taxa without a name at a rank above them",
    "identifier twice": "AphiaIDs that two names in use share",
    "composite": "labels that join several taxa",
    "misapplied": "names that are used here for another taxon than the one they belong to",
}
"""What is looked for, in a user's words."""

_UNSURE = 0.5
_DEMANDED = ("kingdom", "phylum", "class", "order", "family", "genus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One doubtful thing."""

    problem: Problem
    subject: str
    """The label or the name that it is about."""
    source: str
    """The collection, or several of them; empty where it is about the taxa themselves."""
    detail: str
    """What is found, and what would help."""
    particles: int
    """How many particles are concerned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What was found."""

    labels: int
    """Pairs of collection and label that were looked at."""
    resolved: int
    """Of these, such with a taxon, or known to be none."""
    findings: tuple[Finding, ...]


def check(path: Path, *, overrides: Path | None = None, progress: Progress | None = None) -> CheckReport:
    """Look through the labels of a data set or table.

    Parameters
    ----------
    path
        The folder of a data set, or a table of labels (see `count_labels`).
    overrides
        A user's table of what labels mean; else ``taxonomy.tsv`` in the data set, if there is one.
    progress
        Told of the particles counted.

    Raises
    ------
    NotFoundError
        If there is nothing at `path`.
    InputError
        If a table cannot be read, or rows of it contradict each other.
    """
    own = overrides or data_set_overrides(path)
    table = read_overrides(own) if own is not None else None
    return check_labels(count_labels(path, progress=progress), overrides=table)


def check_labels(counts: Iterable[LabelCount], *, overrides: Overrides | None = None) -> CheckReport:
    """Look through labels with their numbers of particles; see `check`."""
    by_source: dict[str, list[LabelCount]] = defaultdict(list)
    for count in counts:
        if count.raw_label:
            by_source[count.source].append(count)
    read: list[tuple[LabelCount, Taxon]] = []
    for source, same in by_source.items():
        taxa = resolve([count.raw_label for count in same], source=source, overrides=overrides)
        read += zip(same, taxa, strict=True)
    findings = [
        *_unresolved(read),
        *_contradictions(read),
        *_rank_holes(read),
        *_shared_identifiers(read),
        *_composites(read),
        *_misapplied(read, known_facts()),
    ]
    order = list(PROBLEMS)
    findings.sort(key=lambda one: (order.index(one.problem), -one.particles, one.subject))
    resolved = sum(not _is_unresolved(taxon) for _, taxon in read)
    return CheckReport(labels=len(read), resolved=resolved, findings=tuple(findings))


def _is_unresolved(taxon: Taxon) -> bool:
    return taxon.name is None and taxon.confidence < _UNSURE


def _unresolved(read: Sequence[tuple[LabelCount, Taxon]]) -> Iterator[Finding]:
    for count, taxon in read:
        if _is_unresolved(taxon):
            detail = taxon.note or "says that it is not identified, or nothing that is known"
            yield _finding("unresolved", count, detail)


def _contradictions(read: Sequence[tuple[LabelCount, Taxon]]) -> Iterator[Finding]:
    same: dict[str, list[tuple[LabelCount, Taxon]]] = defaultdict(list)
    for count, taxon in read:
        same[" ".join(word.text for word in words_of(count.raw_label))].append((count, taxon))
    for pairs in same.values():
        meanings: dict[str, list[LabelCount]] = defaultdict(list)
        for count, taxon in pairs:
            meanings[f"{taxon.name or 'no taxon'} ({taxon.kind})"].append(count)
        if len(meanings) > 1:
            yield Finding(
                problem="contradiction",
                subject=pairs[0][0].raw_label,
                source=", ".join(sorted({count.source for count, _ in pairs})),
                detail="; ".join(
                    f"{meaning} in {', '.join(sorted(count.source or 'no source' for count in counts))}"
                    for meaning, counts in meanings.items()
                ),
                particles=sum(count.particles for count, _ in pairs),
            )


def _rank_holes(read: Sequence[tuple[LabelCount, Taxon]]) -> Iterator[Finding]:
    for name, taxon, particles in _by_name(read):
        known = [rank for rank in RANKS if rank in taxon.lineage]
        if not known:
            continue
        above = [rank for rank in _DEMANDED if RANKS.index(rank) < RANKS.index(known[-1])]
        missing = [rank for rank in above if rank not in taxon.lineage]
        if missing:
            detail = f"no {' and no '.join(missing)}: add it to your facts by  seston taxonomy update"
            yield Finding(problem="rank hole", subject=name, source="", detail=detail, particles=particles)


def _shared_identifiers(read: Sequence[tuple[LabelCount, Taxon]]) -> Iterator[Finding]:
    names: dict[int, Counter[str]] = defaultdict(Counter)
    for name, taxon, particles in _by_name(read):
        if taxon.aphia_id is not None:
            names[taxon.aphia_id][name] += particles
    for aphia_id, same in names.items():
        if len(same) > 1:
            detail = f"AphiaID {aphia_id} is that of {' and of '.join(same)}"
            subject = ", ".join(same)
            yield Finding(problem="identifier twice", subject=subject, source="", detail=detail, particles=same.total())


def _composites(read: Sequence[tuple[LabelCount, Taxon]]) -> Iterator[Finding]:
    for count, taxon in read:
        if len(taxon.parts) > 1:
            shared = f"all in {taxon.name}" if taxon.name else "they share no taxon"
            yield _finding("composite", count, f"{', '.join(taxon.parts)}: {shared}")


def _misapplied(read: Sequence[tuple[LabelCount, Taxon]], tree: TaxonTree) -> Iterator[Finding]:
    """A label that is a name, but stands for a taxon that this name does not lead to."""
    for count, taxon in read:
        facts = tree.find(" ".join(word.raw for word in words_of(count.raw_label)))
        if taxon.name is None or taxon.how == "override" or not facts:
            continue
        if any(fact.status == "misapplied" for fact in facts):
            yield _finding("misapplied", count, f"a misapplied name of {taxon.name}")
        elif taxon.name not in {tree.accepted(fact).name for fact in facts}:
            yield _finding("misapplied", count, taxon.note or f"stands for {taxon.name}")


def _by_name(read: Sequence[tuple[LabelCount, Taxon]]) -> Iterator[tuple[str, Taxon, int]]:
    """Give each taxon in use once, with the number of its particles."""
    taxa: dict[tuple[str, int | None], tuple[Taxon, int]] = {}
    for count, taxon in read:
        if taxon.name is not None:
            key = (taxon.name, taxon.aphia_id)
            taxa[key] = (taxon, taxa.get(key, (taxon, 0))[1] + count.particles)
    return ((name, taxon, particles) for (name, _), (taxon, particles) in taxa.items())


def _finding(problem: Problem, count: LabelCount, detail: str) -> Finding:
    return Finding(
        problem=problem, subject=count.raw_label, source=count.source, detail=detail, particles=count.particles
    )
