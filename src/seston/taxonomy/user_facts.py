"""Take facts from other registers into the user's own table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from seston.particle import Progress, Skipped
from seston.particle.progress import Silence
from seston.taxonomy.checklist import read_checklist
from seston.taxonomy.fact_files import Fact, read_facts, shipped_facts_path, user_facts_path, write_facts
from seston.taxonomy.fact_shelf import FactShelf, Place
from seston.taxonomy.linking import link_names

__all__ = ["Contradiction", "UpdateReport", "take_facts", "update_from_checklist"]

_LISTED = 1_000
_COMPARED = ("name", "rank", "aphia_id", "status", "accepted_name")
_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two tables that say different things about one taxon."""

    name: str
    field: str
    """What they differ in: ``name``, ``rank``, ``parent``, ``aphia_id``, ``status`` or ``accepted_name``."""
    known: str
    known_source: str
    says: str
    source: str


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What an update did to the user's table of facts."""

    to: Path
    added: int = 0
    """Names that were not known."""
    completed: int = 0
    """Names that were known, and now have an AphiaID, a parent or a nearer parent that they lacked."""
    changed: int = 0
    """Names whose facts were replaced, because that was asked for."""
    already_there: int = 0
    contradictory: int = 0
    """Names of which something else was known; what was known is kept unless replacing was asked for."""
    contradictions: tuple[Contradiction, ...] = ()
    """The first thousand."""
    left_out: int = 0
    skipped: tuple[Skipped, ...] = ()
    """The first thousand names and rows that could not be used."""
    notes: tuple[str, ...] = ()
    asked: int = 0
    """Different names that WoRMS was to be asked about; 0 for a checklist."""
    found: int = 0
    """Of these, names that WoRMS has."""
    unknown: tuple[str, ...] = ()
    """Names that it does not have."""
    similar: tuple[tuple[str, str], ...] = ()
    """Names that it does not have, each with a similar one that it has. None of these was taken."""
    unanswered: tuple[str, ...] = ()
    """Names about which nothing is known because the service was not reached."""
    requests: int = 0
    """Requests that were sent: what was answered before is not asked again."""


def update_from_checklist(
    path: Path, *, to: Path | None = None, overwrite: bool = False, progress: Progress | None = None
) -> UpdateReport:
    """Take the names of a checklist into the user's table of facts; see `read_checklist` for its forms.

    Parameters
    ----------
    path
        The checklist.
    to
        The table to write; the one that `resolve` reads if not given.
    overwrite
        Replace what contradicts the checklist. Without it, contradictions are reported and change nothing.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        The checklist, or the table that is there, cannot be read.
    """
    return take_facts(link_names(read_checklist(path), source=path.name), to=to, overwrite=overwrite, progress=progress)


def take_facts(
    facts: Iterable[Fact | Skipped],
    *,
    to: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    notes: tuple[str, ...] = (),
) -> UpdateReport:
    """Take facts into the user's table: a second time changes nothing, and a kill leaves the table as it was."""
    target = to or user_facts_path()
    target.parent.mkdir(parents=True, exist_ok=True)
    progress = progress or Silence()
    shelf = FactShelf()
    try:
        with FileLock(target.with_name(f".{target.name}.lock")):
            shelf.put(read_facts(shipped_facts_path()), Place.SHIPPED)
            if target.is_file():
                shelf.put(read_facts(target), Place.OWN)
            tally = _Tally()
            progress.start("names read")
            total = shelf.put(tally.without_skipped(facts, progress), Place.NEW)
            progress.start("names compared", total)
            for position, (number, fact) in enumerate(shelf.new(), start=1):
                _compare(shelf, number, fact, tally, overwrite=overwrite)
                if position % _EVERY == 0:
                    progress.advance(_EVERY)
            if tally.added or tally.completed or tally.changed:
                write_facts(target, shelf.of(Place.OWN, Place.TAKEN))
            progress.finish()
    finally:
        shelf.close()
    return tally.report(target, notes)


class _Tally:
    """Counts, with the first of those that are listed."""

    def __init__(self) -> None:
        self.added = self.completed = self.changed = self.already_there = self.contradictory = self.left_out = 0
        self.contradictions: list[Contradiction] = []
        self.skipped: list[Skipped] = []

    def without_skipped(self, facts: Iterable[Fact | Skipped], progress: Progress) -> Iterator[Fact]:
        for position, fact in enumerate(facts, start=1):
            if position % _EVERY == 0:
                progress.advance(_EVERY)
            if isinstance(fact, Fact):
                yield fact
                continue
            self.left_out += 1
            if len(self.skipped) < _LISTED:
                self.skipped.append(fact)

    def contradicted(self, contradictions: list[Contradiction]) -> None:
        self.contradictory += 1
        if len(self.contradictions) < _LISTED:
            self.contradictions.extend(contradictions)

    def report(self, to: Path, notes: tuple[str, ...]) -> UpdateReport:
        return UpdateReport(
            to=to,
            added=self.added,
            completed=self.completed,
            changed=self.changed,
            already_there=self.already_there,
            contradictory=self.contradictory,
            contradictions=tuple(self.contradictions),
            left_out=self.left_out,
            skipped=tuple(self.skipped),
            notes=notes,
        )


def _compare(shelf: FactShelf, number: int, fact: Fact, tally: _Tally, *, overwrite: bool) -> None:
    found = shelf.same(fact)
    if found is None:
        tally.added += 1
        shelf.move(number, Place.TAKEN)
        return
    known_number, place, known = found
    nearer = _has_nearer_parent(shelf, fact, known)
    contradictions = _contradictions(shelf, fact, known, nearer=nearer)
    if contradictions:
        tally.contradicted(contradictions)
    if contradictions and not overwrite:
        shelf.move(number, Place.LEFT)
        return
    result = _replaced(fact, known) if contradictions else _completed(fact, known, nearer=nearer)
    if result == known:
        tally.already_there += 1
        shelf.move(number, Place.LEFT)
        return
    if contradictions:
        tally.changed += 1
    else:
        tally.completed += 1
    if place is Place.SHIPPED:
        shelf.replace(number, result)
        shelf.move(number, Place.TAKEN)
    else:
        shelf.replace(known_number, result)
        shelf.move(number, Place.LEFT)


def _completed(fact: Fact, known: Fact, *, nearer: bool) -> Fact:
    """Fill what is not known yet; the source stays that of the first where nothing is filled."""
    aphia_id = known.aphia_id if known.aphia_id is not None else fact.aphia_id
    parent = fact.parent if nearer or not known.parent else known.parent
    accepted_name = known.accepted_name or fact.accepted_name
    filled = replace(known, aphia_id=aphia_id, parent=parent, accepted_name=accepted_name)
    return known if filled == known else replace(filled, source=f"{known.source}; {fact.source}".strip("; "))


def _replaced(fact: Fact, known: Fact) -> Fact:
    return fact if fact.aphia_id is not None else replace(fact, aphia_id=known.aphia_id)


def _has_nearer_parent(shelf: FactShelf, fact: Fact, known: Fact) -> bool:
    """Say whether the new parent lies between the taxon and the parent that is known."""
    return (
        bool(known.parent)
        and fact.parent.lower() != known.parent.lower()
        and shelf.is_above(known.parent, fact, (Place.NEW, Place.TAKEN, Place.LEFT))
    )


def _contradictions(shelf: FactShelf, fact: Fact, known: Fact, *, nearer: bool) -> list[Contradiction]:
    differing = [field for field in _COMPARED if _differ(getattr(known, field), getattr(fact, field))]
    if (
        not nearer
        and _differ(known.parent, fact.parent)
        and not shelf.is_above(fact.parent, known, (Place.OWN, Place.TAKEN, Place.SHIPPED))
    ):
        differing.append("parent")
    return [
        Contradiction(
            fact.name, field, _text(getattr(known, field)), known.source, _text(getattr(fact, field)), fact.source
        )
        for field in differing
    ]


def _differ(known: str | int | None, new: str | int | None) -> bool:
    return known not in ("", None) and new not in ("", None) and _text(known).lower() != _text(new).lower()


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)
