"""From the archives of collections to one data set, in one pass, without unpacking.

A collection that cannot be read costs only itself. After a kill, the same call goes on where it stood and ends with the
same data set.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seston.collections.adding import add_collection, described
from seston.collections.cards import Card, load_card
from seston.collections.data_card import write_data_card
from seston.collections.duplicates import find_duplicates
from seston.collections.licences import LicenceFilter, is_allowed
from seston.collections.merged import read_merged
from seston.collections.placing import Placed, place_files, read_places
from seston.collections.reports import BuildReport, CollectionReport, SetAside, save_report
from seston.collections.workers import local_workers, ray_workers
from seston.errors import InputError, UsageError
from seston.particle import Progress, Silence

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["build"]


def build(
    names: Sequence[str | Path],
    *,
    to: str | Path,
    from_: Sequence[str] = (),
    licence: LicenceFilter = "any",
    ray: str | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Build a data set out of collections, or add collections to one.

    Parameters
    ----------
    names
        Names of collections, or paths of cards of your own.
    to
        Folder of the data set; made where there is none.
    from_
        Where the files lie: ``NAME=PATH`` for one collection (an archive, or a folder of archives or of class
        folders), or a folder that holds the files of several, each in a folder of its name or under the card's names.
    licence
        ``commercial`` leaves out collections whose licence does not allow use for money, ``attribution`` also those
        that ask for more than credit. A licence that no one states allows neither.
    ray
        Look at the pictures on this Ray (see `ray_workers`) and not in threads; the data set is the same.

    Raises
    ------
    MissingExtraError, NetworkError
        Ray is asked for and not installed, or does not answer.
    NotFoundError
        A collection that no card describes, or whose files are nowhere: before anything is read.
    UsageError
        No collection is named.
    """
    started = time.monotonic()
    progress = progress or Silence()
    if not names:
        raise UsageError("name at least one collection; `seston collections list` shows them")
    cards = [load_card(name) for name in dict.fromkeys(names)]
    wanted = [card for card in cards if is_allowed(card.licence, licence)]
    named, folders = read_places(from_)
    work = [(card, place_files(card, named, folders)) for card in wanted]
    from seston.store import open_data_set

    data = open_data_set(to, create=True)
    report = BuildReport(left_out={card.name: card.licence for card in cards if card not in wanted})
    with local_workers() if ray is None else ray_workers(ray) as workers, data.appending(progress) as appender:
        appender.forget(read_merged(data.path))
        for card, placed in work:
            if not card.layout.reader:
                _run(report, card, partial(add_collection, appender, card, placed, workers, progress))
    for card, placed in work:
        if card.layout.reader:
            _run(report, card, partial(_import_by_reader, data, card, placed, progress))
    for done in report.collections:
        save_report(data.path, done)
    data.refresh()
    duplicates = find_duplicates(data, progress=progress)
    write_data_card(data, duplicates)
    data.info()  # which keeps it
    return replace(report, duplicates=duplicates, seconds=time.monotonic() - started)


def _run(report: BuildReport, card: Card, step: Callable[[], CollectionReport]) -> None:
    """Build one collection; one that cannot be read costs only itself."""
    try:
        done = step()
    except InputError as error:
        report.failed[card.name] = str(error)
    else:
        report.collections.append(done)


def _import_by_reader(data: DataSet, card: Card, placed: Placed, progress: Progress) -> CollectionReport:
    """Take in a collection that holds more than pictures, by the reader that its card names."""
    imported = data.import_(
        [placed.folder],
        reader=card.layout.reader,
        source=card.name,
        licence=card.licence,
        attribution=card.attribution,
        progress=progress,
    )
    aside = SetAside()
    for one in imported.skipped:
        aside.add(one.path, one.item, one.reason)
    return CollectionReport(
        **described(card),
        added=imported.added,
        already_there=imported.already_there + imported.completed,
        duplicates=imported.duplicates,
        set_aside=len(aside),
        reasons=aside.reasons,
        expected=card.images,
        skipped=tuple(aside.first),
        notes=tuple(imported.notes),
        seconds=imported.seconds,
    )
