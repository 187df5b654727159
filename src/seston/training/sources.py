"""Prepared particles by number: kept in mapped files during a training, or made anew from the data set each time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from seston.particle import Progress, Skipped
from seston.training.particles import Chosen, take_particles
from seston.training.preparation import Preparation, prepare
from seston.training.prepared import Prepared, map_prepared, take_prepared

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["PreparedSource", "cached_source", "direct_source", "with_shuffled_pairs", "without_pixels"]

_CHUNK = 256
_DONE = "complete.json"
_PICTURE_SIDE = ("picture", "background", "picture_sizes", "has_picture")


class _Take(Protocol):
    def __call__(self, numbers: NDArray[np.int64], /) -> Prepared: ...


@dataclass(frozen=True)
class PreparedSource:
    """Chosen particles, and a way to take them prepared."""

    chosen: Chosen
    take: _Take
    """Numbers within `chosen` → prepared particles in that order; may be called from several threads."""
    take_without_pixels: _Take | None = None
    """The same with pictures of one pixel, where these need not be read at all."""

    def __len__(self) -> int:
        return len(self.chosen)


def direct_source(data: DataSet, chosen: Chosen, blank: Preparation, skipped: list[Skipped]) -> PreparedSource:
    """Decode pictures anew each time that they are taken; what cannot be used is listed once."""
    listed: set[Skipped] = set()

    def take(numbers: NDArray[np.int64]) -> Prepared:
        bad: list[Skipped] = []
        prepared = prepare(take_particles(data, chosen.rows[numbers]), blank, skipped=bad)
        skipped.extend(item for item in bad if item not in listed)
        listed.update(bad)
        return prepared

    return PreparedSource(chosen, take)


def cached_source(
    data: DataSet,
    chosen: Chosen,
    blank: Preparation,
    folder: Path,
    skipped: list[Skipped],
    *,
    threads: int = 2,
    progress: Progress | None = None,
) -> PreparedSource:
    """Prepare all particles once into files of `folder`, and map these into memory.

    Files that a former call completed for the same particles and the same preparation are used again, and what it
    had to skip is listed again.
    """
    mark = {"particles": chosen.fingerprint(), "preparation": repr((blank.pictures, blank.profiles, blank.channels))}
    bad = _skipped_before(folder, mark)
    if bad is None:
        bad = []
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _DONE).unlink(missing_ok=True)
        _fill(data, chosen, blank, folder, bad, threads, progress)
        done = {"mark": mark, "skipped": [astuple(one) for one in bad]}
        (folder / _DONE).write_text(json.dumps(done), encoding="utf-8")
    skipped.extend(bad)
    prepared = map_prepared(folder, len(chosen), blank.inputs)
    bare = replace(prepared, picture=prepared.picture[:, :, :1, :1])
    return PreparedSource(
        chosen, lambda numbers: take_prepared(prepared, numbers), lambda numbers: take_prepared(bare, numbers)
    )


def without_pixels(source: PreparedSource) -> PreparedSource:
    """Leave the pixels of pictures where they are: a frozen tower has looked at them before."""
    bare = source.take_without_pixels
    return source if bare is None else PreparedSource(source.chosen, bare)


def with_shuffled_pairs(source: PreparedSource, order: NDArray[np.int64]) -> PreparedSource:
    """Give each picture the profile of another particle: a control that leaves nothing to learn across modalities."""

    def take(numbers: NDArray[np.int64]) -> Prepared:
        pictures, profiles = source.take(numbers), source.take(order[numbers])
        return replace(profiles, **{name: getattr(pictures, name) for name in _PICTURE_SIDE})

    return PreparedSource(source.chosen, take)


def _skipped_before(folder: Path, mark: dict[str, str]) -> list[Skipped] | None:
    """Give what could not be used when the files of a folder were made; None where they are not there or others."""
    path = folder / _DONE
    done = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return [Skipped(*one) for one in done["skipped"]] if done.get("mark") == mark else None


def _fill(
    data: DataSet,
    chosen: Chosen,
    blank: Preparation,
    folder: Path,
    skipped: list[Skipped],
    threads: int,
    progress: Progress | None,
) -> None:
    """Prepare chunk by chunk; the chunks of all threads together are all that is in memory."""
    target = map_prepared(folder, len(chosen), blank.inputs, create=True)
    if progress is not None:
        progress.start("Preparing particles", len(chosen))
    for start, part in _in_order(data, chosen, blank, skipped, threads):
        for field in fields(Prepared):
            getattr(target, field.name)[start : start + len(part)] = getattr(part, field.name)
        if progress is not None:
            progress.advance(len(part))
    if progress is not None:
        progress.finish()


def _in_order(
    data: DataSet, chosen: Chosen, blank: Preparation, skipped: list[Skipped], threads: int
) -> Iterator[tuple[int, Prepared]]:
    """Prepare chunks in threads and give them in their order, never more than two a thread ahead."""

    def work(start: int) -> tuple[Prepared, list[Skipped]]:
        bad: list[Skipped] = []
        return prepare(take_particles(data, chosen.rows[start : start + _CHUNK]), blank, skipped=bad), bad

    waiting: list[tuple[int, Future[tuple[Prepared, list[Skipped]]]]] = []
    starts = iter(range(0, len(chosen), _CHUNK))
    with ThreadPoolExecutor(threads) as pool:
        while True:
            while len(waiting) < 2 * threads and (start := next(starts, None)) is not None:
                waiting.append((start, pool.submit(work, start)))
            if not waiting:
                return
            start, future = waiting.pop(0)
            part, bad = future.result()
            skipped.extend(bad)
            yield start, part
