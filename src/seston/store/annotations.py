"""The history of labels: events that are only ever added, and which one of them holds now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC
from functools import lru_cache
from typing import get_args

import pyarrow as pa
import pyarrow.compute as pc

from seston.errors import UsageError, nearest_word
from seston.particle import Annotation, Status
from seston.store.folder import Folder
from seston.store.journal import Event, append_events, empty_journal, last_number, read_events
from seston.store.schema import ANNOTATIONS
from seston.store.tables import Table

__all__ = [
    "RANKS",
    "Annotations",
    "checked",
    "counts_for_source",
    "current_labels",
    "doubted_particles",
    "outranks_source",
]

_FOLD_BYTES = 512 * 1024
_AT_ONCE = 256
"""More events than this in one call go into the table straight away."""
_STATUSES: tuple[str, ...] = get_args(Status)
_WORDS_OF_SOURCES = {"p": "predicted", "d": "dubious", "x": "discarded"}
"""Statuses as letters, and their words."""
RANKS = {"validated": 3, "dubious": 2, "predicted": 0}
"""How much a status counts; what a source says without calling it predicted counts 1."""
_RANK_OF_SOURCE = 1
_DISCARDED = -1
_TRUSTED_RANKS = frozenset({RANKS["validated"], _RANK_OF_SOURCE})
_NO_CLAIM = (-1, 0.0, "")


class Annotations:
    """The annotation events of a data set: a Lance table, and a journal of the newest.

    Parameters
    ----------
    folder
        Where they lie.
    table
        The events that have been folded in.
    frozen
        Look at the table as it was opened and leave the journal aside: for a checkout.
    """

    def __init__(self, folder: Folder, table: Table, *, frozen: bool = False) -> None:
        self._folder = folder
        self._table = table
        self._frozen = frozen

    @property
    def table(self) -> Table:
        """The events that have been folded in."""
        return self._table

    def add(self, annotations: Sequence[Annotation]) -> None:
        """Add events; when this returns, the disk has them all."""
        if not annotations:
            return
        journal = self._folder.journal
        with self._folder.annotating():
            first = self._last_number() + 1
            events = [Event(first + index, annotation) for index, annotation in enumerate(annotations)]
            if len(events) > _AT_ONCE:
                self._fold([*read_events(journal), *events])
                return
            append_events(journal, events)
            if journal.stat().st_size >= _FOLD_BYTES:
                self._fold(read_events(journal))

    def fold(self) -> None:
        """Bring the journal into the table."""
        with self._folder.annotating():
            self._fold(read_events(self._folder.journal))

    def read(self) -> pa.Table:
        """Give all events, oldest first."""
        # The journal comes first: what is folded meanwhile then stands in both, and its number tells.
        waiting = [] if self._frozen else read_events(self._folder.journal)
        if not self._frozen:
            self._table.refresh()
        rows = self._table.read(ANNOTATIONS.names)
        last = _highest(rows)
        return pa.concat_tables([rows, _rows([event for event in waiting if event.number > last])])

    def history(self, particle_id: str) -> list[Annotation]:
        """Give the events of one particle, oldest first."""
        rows = self.read()
        rows = rows.filter(pc.equal(rows.column("particle_id"), particle_id)).drop_columns("event")
        return [Annotation(**row) for row in rows.to_pylist()]

    def _last_number(self) -> int:
        last = last_number(self._folder.journal)
        if last is not None:
            return last
        self._table.refresh()
        return _highest(self._table.read(["event"]))

    def _fold(self, events: Sequence[Event]) -> None:
        self._table.refresh()
        last = _highest(self._table.read(["event"]))
        missing = [event for event in events if event.number > last]
        if missing:
            self._table.append(_rows(missing))
            self._table.flush_to_disk()
        empty_journal(self._folder.journal)


def checked(annotation: Annotation) -> Annotation:
    """Refuse an annotation that says nothing or has a status that no one knows; give its time a zone."""
    if annotation.status not in _STATUSES:
        raise UsageError(
            f"status {annotation.status!r} of {annotation.particle_id}{nearest_word(annotation.status, _STATUSES)}"
        )
    if not annotation.label.strip():
        raise UsageError(f"the annotation of {annotation.particle_id} has no label")
    if annotation.time.tzinfo is None:
        return replace(annotation, time=annotation.time.replace(tzinfo=UTC))
    return annotation


def current_labels(
    raw: Iterable[tuple[str, str | None, str | None]], events: pa.Table, *, trusted: bool = False
) -> dict[str, str]:
    """Give the label that holds now for each particle that has one.

    The newest validated label comes first; then a person's doubt (``dubious``); then what the source said; then the
    newest prediction. So a prediction never hides a person's word, and a source's label counts as one unless the
    source itself calls it predicted. Newest goes by time, then by the order of the events.

    Parameters
    ----------
    raw
        Id, raw label and raw status of each particle.
    events
        Annotation events, oldest first.
    trusted
        Leave out particles whose label is a prediction or a doubt.
    """
    best = _strongest(events)
    labels: dict[str, str] = {}
    for particle_id, label, status in raw:
        said = best.get(particle_id, _NO_CLAIM)
        if said is _NO_CLAIM:  # most particles of a large data set: no one said more than its source
            if label and counts_for_source(status, trusted=trusted):
                labels[particle_id] = label
            continue
        by_source = (_rank_of_source(status), 0.0, label) if label else _NO_CLAIM
        rank, _, name = said if said[0] >= by_source[0] else by_source
        if rank in _TRUSTED_RANKS if trusted else rank >= 0:
            labels[particle_id] = name
    return labels


@lru_cache(maxsize=256)
def counts_for_source(status: str | None, *, trusted: bool = False) -> bool:
    """Tell whether a source's own label holds where no one else said anything.

    Parameters
    ----------
    status
        What the source calls it.
    trusted
        Whether it may be learnt from.
    """
    rank = _rank_of_source(status)
    return rank in _TRUSTED_RANKS if trusted else rank >= 0


def doubted_particles(events: pa.Table) -> set[str]:
    """Give the particles that a person looked at and could not name: doubted, and not validated by anyone."""
    return {particle_id for particle_id, (rank, _, _) in _strongest(events).items() if rank == RANKS["dubious"]}


def outranks_source(annotation: Annotation, raw_label: str | None, raw_status: str | None) -> bool:
    """Tell whether an annotation counts more than what the source said of the particle."""
    # A person discarded the name: only a person may put another one there.
    return not raw_label or RANKS[annotation.status] >= abs(_rank_of_source(raw_status))


def _strongest(events: pa.Table) -> dict[str, tuple[int, float, str]]:
    """Give the event that counts for each particle, as its rank, time and label."""
    best: dict[str, tuple[int, float, str]] = {}
    names = ("particle_id", "label", "status", "time")
    columns = [events.column(name) for name in names[:3]] + [events.column("time").cast(pa.int64())]
    for particle_id, label, status, time in zip(*(column.to_pylist() for column in columns), strict=True):
        claim = (RANKS[status], time, label)
        if particle_id not in best or claim[:2] >= best[particle_id][:2]:
            best[particle_id] = claim
    return best


def _rank_of_source(status: str | None) -> int:
    """Give how much a source's label counts: ``discarded`` says that it is not this, and so names nothing."""
    word = (status or "").strip().lower()
    word = _WORDS_OF_SOURCES.get(word, word)
    return {"predicted": RANKS["predicted"], "dubious": RANKS["dubious"], "discarded": _DISCARDED}.get(
        word, _RANK_OF_SOURCE
    )


def _highest(rows: pa.Table) -> int:
    return int(pc.max(rows.column("event")).as_py() or 0)


def _rows(events: Iterable[Event]) -> pa.Table:
    rows = [
        {
            "event": number,
            "particle_id": said.particle_id,
            "label": said.label,
            "status": said.status,
            "author": said.author,
            "score": said.score,
            "time": said.time,
        }
        for number, said in events
    ]
    return pa.Table.from_pylist(rows, schema=ANNOTATIONS)
