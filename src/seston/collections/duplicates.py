"""Pictures that stand in a data set more than once, byte for byte or nearly, and how their labels agree."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seston.collections.fingerprint import look_the_same
from seston.collections.likely_pairs import likely_pairs
from seston.collections.looking import look_at
from seston.collections.merged import remember_merged
from seston.collections.relations import RELATIONS, Relation, relation_of
from seston.errors import InputError
from seston.instruments import decode_image
from seston.particle import Progress, Silence
from seston.store import DataSet, open_data_set
from seston.store.keys import content_keys
from seston.taxonomy import Taxon, resolve
from seston.taxonomy.knowledge import known_facts

__all__ = ["DuplicateReport", "LabelPair", "find_duplicates"]

Likeness = Literal["same bytes", "look the same"]
_COLUMNS = ("source", "raw_label", "image_hash", "image_fingerprint", "width", "height")
_AT_ONCE = 256
_EXAMPLES = 3
_MERGED: frozenset[Relation] = frozenset({"same label", "renamed folder", "synonym"})
_MERGED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPair:
    """Pictures that stand under one label of one source and again under another."""

    likeness: Likeness
    relation: Relation
    source: str
    label: str | None
    other_source: str
    other_label: str | None
    pictures: int
    """Of the second label."""
    examples: tuple[tuple[str, str], ...]
    """The first few, as ids of particles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateReport:
    """What stands in a data set more than once."""

    pictures: int
    same_bytes: int
    """Particles whose picture is, byte for byte, an earlier one."""
    look_the_same: int
    """Pairs of different pictures that look the same; for a person to judge, and never merged."""
    across: int
    """Of both: those of two sources."""
    relations: dict[str, int]
    """How the labels stand to each other → particles or pairs."""
    pairs: list[LabelPair]
    merged: int = 0
    """Particles taken out, for an earlier one has the same picture and the same meaning."""
    seconds: float = 0.0


def find_duplicates(
    data: DataSet | str | Path, *, merge: bool = False, progress: Progress | None = None
) -> DuplicateReport:
    """Find the pictures that stand in a data set more than once, and tell how their labels stand to each other.

    Parameters
    ----------
    data
        The data set, or its folder.
    merge
        Take out the later of two particles whose pictures are the same byte for byte and whose labels mean the same
        (the same label, a renamed folder, a synonym). A build does not bring them back. All others stay.

    Notes
    -----
    Memory is about 60 bytes a particle. Pictures whose fingerprint was not taken when they came are decoded.
    """
    started = time.monotonic()
    progress = progress or Silence()
    data = data if isinstance(data, DataSet) else open_data_set(data)
    rows = _read(data, progress)
    first, later = _repeats(rows.contents)
    counted = _LabelPairs(rows, data)
    counted.add("same bytes", first, later)
    for ones, others in _lookalikes(data, rows, progress):
        counted.add("look the same", ones, others)
    pairs = counted.pairs()
    merged = _merge(data, counted, first, later) if merge else 0
    relations = {relation: sum(pair.pictures for pair in pairs if pair.relation == relation) for relation in RELATIONS}
    return DuplicateReport(
        pictures=int((rows.contents != 0).sum()),
        same_bytes=len(later),
        look_the_same=sum(pair.pictures for pair in pairs if pair.likeness == "look the same"),
        across=sum(pair.pictures for pair in pairs if pair.source != pair.other_source),
        relations={relation: number for relation, number in relations.items() if number},
        pairs=pairs,
        merged=merged,
        seconds=time.monotonic() - started,
    )


@dataclass(slots=True)
class _Rows:
    """What is kept of each row."""

    contents: NDArray[np.int64]
    fingerprints: NDArray[np.int64]
    widths: NDArray[np.int32]
    heights: NDArray[np.int32]
    codes: NDArray[np.int32]
    names: list[tuple[str, str | None]] = field(default_factory=list)
    """Source and label by code."""


def _read(data: DataSet, progress: Progress) -> _Rows:
    parts: list[tuple[NDArray[np.int64], ...]] = []
    names: dict[tuple[str, str | None], int] = {}
    start = 0
    progress.start("looking for pictures that repeat", data.count_rows())
    columns = data.columns()
    for batch in data.particles([name for name in _COLUMNS if name in columns], batch_size=32_768):
        n = batch.num_rows
        texts = zip(batch.column("source").to_pylist(), batch.column("raw_label").to_pylist(), strict=True)
        codes = np.fromiter((names.setdefault(text, len(names)) for text in texts), np.int64, n)
        contents = content_keys(batch.column("image_hash").to_pylist())
        sizes = [batch.column(name).fill_null(0).to_numpy() for name in ("width", "height")]
        prints, there = np.zeros(n, np.int64), np.zeros(n, np.bool_)
        if "image_fingerprint" in columns:
            there = batch.column("image_fingerprint").is_valid().to_numpy(zero_copy_only=False)
            prints = batch.column("image_fingerprint").fill_null(0).to_numpy().copy()
        for places in _chunks(np.flatnonzero(~there & (contents != 0))):
            prints[places] = _fingerprints(data, start + places)
        parts.append((contents, prints, *sizes, codes))
        start += n
        progress.advance(n)
    progress.finish()
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.empty(0, np.int64)] * 5
    contents, prints, widths, heights, codes = joined
    return _Rows(
        contents,
        prints,
        widths.astype(np.int32),
        heights.astype(np.int32),
        codes.astype(np.int32),
        names=list(names),
    )


def _fingerprints(data: DataSet, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return look_at(data.take(rows, ["image"]).column("image").to_pylist()).fingerprints


def _repeats(contents: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give each row whose content stands in an earlier one, after that one."""
    order = np.argsort(contents, kind="stable")
    ordered = contents[order]
    new = np.ones(len(ordered), np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    holders = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    again = ~new & (ordered != 0)
    rank = np.argsort(order[again], kind="stable")
    return holders[again][rank], order[again][rank]


def _lookalikes(
    data: DataSet, rows: _Rows, progress: Progress
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Give pairs of rows whose pictures differ in their bytes but look the same."""
    different = np.unique(rows.contents, return_index=True)[1]
    different = np.sort(different[rows.contents[different] != 0])
    progress.start("comparing pictures that look alike")
    found = likely_pairs(rows.fingerprints[different], rows.widths[different], rows.heights[different])
    for pairs in _gathered(found):
        for places in _chunks(np.arange(len(pairs))):
            ones, others = different[pairs[places, 0]], different[pairs[places, 1]]
            pictures = data.take(np.concatenate([ones, others]), ["image"]).column("image").to_pylist()
            alike = np.array([_alike(*two) for two in zip(pictures[: len(ones)], pictures[len(ones) :], strict=True)])
            yield ones[alike], others[alike]
            progress.advance(len(ones))
    progress.finish()


def _gathered(found: Iterator[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    """Join small arrays of pairs, so that pictures are read some hundred at a time."""
    waiting: list[NDArray[np.int64]] = []
    for pairs in found:
        waiting.append(pairs)
        if sum(map(len, waiting)) >= _AT_ONCE:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)


def _alike(one: bytes, other: bytes) -> bool:
    try:
        return look_the_same(decode_image(one, grey=True), decode_image(other, grey=True))
    except InputError:
        return False


class _LabelPairs:
    """Pairs of rows, counted by the labels that they stand under."""

    def __init__(self, rows: _Rows, data: DataSet) -> None:
        self._rows = rows
        self._data = data
        self._counts: dict[tuple[Likeness, int, int], int] = {}
        self._examples: dict[tuple[Likeness, int, int], list[tuple[int, int]]] = {}
        self._tree = known_facts()
        self._taxa = self._resolve()

    def add(self, likeness: Likeness, ones: NDArray[np.int64], others: NDArray[np.int64]) -> None:
        """Count pairs of rows."""
        codes = np.stack([self._rows.codes[ones], self._rows.codes[others]], axis=1)
        unique, inverse, counts = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
        order = np.argsort(inverse.ravel(), kind="stable")
        starts = np.cumsum(counts) - counts
        for place, (one, other) in enumerate(unique.tolist()):
            key = (likeness, one, other)
            self._counts[key] = self._counts.get(key, 0) + int(counts[place])
            examples = self._examples.setdefault(key, [])
            for row in order[starts[place] : starts[place] + _EXAMPLES - len(examples)].tolist():
                examples.append((int(ones[row]), int(others[row])))

    def mean_the_same(self, ones: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of each pair of rows whether their labels mean the same."""
        codes = np.stack([self._rows.codes[ones], self._rows.codes[others]], axis=1)
        unique, inverse = np.unique(codes, axis=0, return_inverse=True)
        same = np.array([self.relation(one, other) in _MERGED for one, other in unique.tolist()], np.bool_)
        found: NDArray[np.bool_] = same[inverse.ravel()]
        return found

    def relation(self, one: int, other: int) -> Relation:
        """Tell how two labels stand to each other, by their codes."""
        return relation_of(self._taxa[one], self._taxa[other], self._tree)

    def pairs(self) -> list[LabelPair]:
        """Give what was counted, the most frequent first."""
        rows = np.array([row for pairs in self._examples.values() for pair in pairs for row in pair], np.int64)
        ids = iter(self._data.take(rows, ["id"]).column("id").to_pylist())
        examples = {key: tuple((next(ids), next(ids)) for _ in pairs) for key, pairs in self._examples.items()}
        found = []
        for key, count in sorted(self._counts.items(), key=lambda item: (item[0][0] != "same bytes", -item[1])):
            likeness, one, other = key
            (source, label), (other_source, other_label) = self._rows.names[one], self._rows.names[other]
            found.append(
                LabelPair(
                    likeness=likeness,
                    relation=self.relation(one, other),
                    source=source,
                    label=label,
                    other_source=other_source,
                    other_label=other_label,
                    pictures=count,
                    examples=examples[key],
                )
            )
        return found

    def _resolve(self) -> list[Taxon]:
        return [resolve([label or ""], source=source or "", tree=self._tree)[0] for source, label in self._rows.names]


def _merge(data: DataSet, counted: _LabelPairs, first: NDArray[np.int64], later: NDArray[np.int64]) -> int:
    """Take out later particles whose label means the same; what goes is first written down beside the data set."""
    gone: list[str] = []
    for places in _chunks(np.flatnonzero(counted.mean_the_same(first, later)), _MERGED_AT_ONCE):
        table = data.take(np.concatenate([first[places], later[places]]), ["id", "image_hash"]).to_pylist()
        pairs = zip(table[: len(places)], table[len(places) :], strict=True)
        same = [(kept["id"], out["id"]) for kept, out in pairs if kept["image_hash"] == out["image_hash"]]
        remember_merged(data.path, same)
        gone.extend(out for _, out in same)
    if gone:
        data.remove(gone)
    return len(gone)


def _chunks(rows: NDArray[np.int64], size: int = _AT_ONCE) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
