"""One collection into a data set: walked through here, looked at by workers, committed in the order of its archives.

A picture that the data set has is not looked at again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TypedDict

import numpy as np
import pyarrow as pa

from seston.collections.cards import Card, Expected
from seston.collections.gathering import Gathered, Gatherer
from seston.collections.looking import Looked
from seston.collections.picture_rows import picture_rows
from seston.collections.placing import Placed
from seston.collections.reports import CollectionReport, SetAside
from seston.collections.workers import Workers
from seston.particle import Note, Progress
from seston.store.appending import Appender
from seston.store.keys import Keys, id_keys

__all__ = ["add_collection", "described"]

_IN_FLIGHT_BYTES = 24 * 1024 * 1024
_IN_FLIGHT_BYTES_A_WORKER = 6 * 1024 * 1024
_SECOND = "a second picture of the same path: the first is kept"


class _Described(TypedDict):
    """What a report takes from the card."""

    name: str
    title: str
    licence: str
    attribution: str
    doi: str


@dataclass(slots=True)
class _Tally:
    """What is counted while a collection is built."""

    seen: Keys = field(default_factory=Keys)
    already_there: int = 0
    labels: set[str | None] = field(default_factory=set)
    samples: int = 0
    image_bytes: int = 0


def add_collection(
    appender: Appender, card: Card, placed: Placed, workers: Workers, progress: Progress
) -> CollectionReport:
    """Add the pictures of one collection.

    Parameters
    ----------
    appender
        From `DataSet.appending`.
    workers
        Who looks at the pictures.

    Raises
    ------
    InputError
        A table that the card needs cannot be read.
    """
    started = time.monotonic()
    added, duplicates = appender.added, appender.duplicates
    gatherer = Gatherer(card, placed)
    tally = _Tally()
    progress.start(f"building {card.name}", card.images)
    for gathered, looked in _looked_at(_new_ones(gatherer, appender, tally, progress), card, workers):
        for sample in gathered.samples:
            appender.take_sample(sample)
        _add(appender, card, gathered, looked, gatherer.set_aside)
    progress.finish()
    added = appender.added - added
    expected = _fitting(card.expected, added + tally.already_there + len(gatherer.set_aside))
    return CollectionReport(
        **described(card),
        added=added,
        already_there=tally.already_there,
        duplicates=appender.duplicates - duplicates,
        set_aside=len(gatherer.set_aside),
        reasons=gatherer.set_aside.reasons,
        ignored=gatherer.ignored,
        classes=len(tally.labels - {None}),
        samples=tally.samples,
        image_bytes=tally.image_bytes,
        expected=expected.images if expected else card.images,
        expected_what=expected.what if expected else "",
        seconds=time.monotonic() - started,
        skipped=tuple(gatherer.set_aside.first),
        notes=tuple(_notes(gatherer)),
    )


def described(card: Card) -> _Described:
    """Give what a report says of the collection itself."""
    return _Described(
        name=card.name, title=card.title, licence=card.licence, attribution=card.attribution, doi=card.doi
    )


def _new_ones(gatherer: Gatherer, appender: Appender, tally: _Tally, progress: Progress) -> Iterator[Gathered]:
    """Leave out what the data set has, and second pictures of one path; count everything."""
    for gathered in gatherer.gather():
        keys = id_keys(gathered.ids)
        again = tally.seen.hold(keys)
        again[np.setdiff1d(np.arange(len(keys)), np.unique(keys, return_index=True)[1])] = True
        there = appender.are_there(gathered.ids) & ~again
        tally.seen.add(keys)
        tally.already_there += int(there.sum())
        tally.labels.update(gathered.labels)
        tally.samples += len(gathered.samples)
        tally.image_bytes += gathered.size
        for place in np.flatnonzero(again).tolist():
            gatherer.set_aside.add(gathered.archive, gathered.ids[place], f"{_SECOND}: left out")
        progress.advance(len(keys))
        known = there | again
        yield _without(gathered, known.tolist()) if known.any() else gathered


def _without(gathered: Gathered, known: Sequence[bool]) -> Gathered:
    kept = [not one for one in known]
    return Gathered(
        ids=list(compress(gathered.ids, kept)),
        sample_ids=list(compress(gathered.sample_ids, kept)),
        labels=list(compress(gathered.labels, kept)),
        times=list(compress(gathered.times, kept)),
        positions=list(compress(gathered.positions, kept)),
        pictures=list(compress(gathered.pictures, kept)),
        samples=gathered.samples,
        archive=gathered.archive,
        size=gathered.size,
    )


def _looked_at(batches: Iterator[Gathered], card: Card, workers: Workers) -> Iterator[tuple[Gathered, Looked]]:
    """Send pictures to the workers and take them back in their order, a bounded number of bytes at a time."""
    waiting: deque[tuple[Gathered, Callable[[], Looked]]] = deque()
    most = max(_IN_FLIGHT_BYTES, _IN_FLIGHT_BYTES_A_WORKER * workers.count)
    for gathered in batches:
        waiting.append((gathered, workers.ask(gathered.pictures, card.layout.scale_bar_rows)))
        while len(waiting) > 3 * workers.count or sum(one.size for one, _ in waiting) > most:
            first, found = waiting.popleft()
            yield first, found()
    while waiting:
        first, found = waiting.popleft()
        yield first, found()


def _add(appender: Appender, card: Card, gathered: Gathered, looked: Looked, aside: SetAside) -> None:
    for place, fault in looked.faults.items():
        aside.add(gathered.archive, gathered.ids[place], fault)
    if gathered.ids:
        rows, ids, hashes = picture_rows(card, gathered, looked), gathered.ids, looked.hashes
        if looked.faults:
            whole = [place not in looked.faults for place in range(len(ids))]
            rows, ids, hashes = rows.filter(pa.array(whole)), list(compress(ids, whole)), list(compress(hashes, whole))
        appender.add(rows, ids, hashes)


def _fitting(expected: Sequence[Expected], seen: int) -> Expected | None:
    """The count of the card that these archives fulfil."""
    return next((one for one in expected if one.images == seen), None)


def _notes(gatherer: Gatherer) -> Iterator[Note]:
    yield from gatherer.notes
    for broken in gatherer.broken:
        yield Note(broken.path, broken.reason)
    if gatherer.others:
        kinds = ", ".join(f"{number:,} {ending}" for ending, number in sorted(gatherer.others.items()))
        yield Note(gatherer.where, f"{gatherer.others.total():,} members are no pictures and were left: {kinds}")
