"""Cut the byte stream of the older CytoSense electronics into particles.

A sample is one byte a channel. Between two particles stand five samples (*sync records*) in which each channel has a
value of its own; the stream is not always aligned, because a single byte may have been lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.cyz_profiles import ChannelPlan

__all__ = ["MAX_SAMPLES", "Block", "Spans", "blocks", "find_particles", "judge_block", "particle_before_syncs"]

MAX_SAMPLES = 200_000
"""Longest particle that is believed: 11 cm at 0.55 µm a sample."""
_SHORTEST = 4
_CHUNK = 1 << 23
_BLOCK = 1 << 19
_MOST_EXTENSIONS = 64
_EDGE = 4


@dataclass(frozen=True, slots=True)
class Spans:
    """Where particles lie in a stream, as byte offsets: one entry a pair of neighbouring runs of sync records."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    after_last: int
    """Offset behind the last run of sync records."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some neighbouring particles that share one alignment, and their bytes."""

    samples: NDArray[np.uint8]
    """Shape (samples, hardware channels)."""
    numbers: NDArray[np.int64]
    """Number of each particle in the stream, from 0."""
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    """First sample of each particle in `samples`, and the one after its last."""


def find_particles(data: NDArray[np.uint8], plan: ChannelPlan) -> Spans:
    """Find what lies between the runs of sync records.

    A run needs one sync record in which every channel has its sync value; its neighbours may have one damaged value.
    Bytes before the first run and behind the last belong to particles of which the rest is missing: they are left out.

    Raises
    ------
    InputError
        Where fewer than three channels have sync values, so that a run could not be told from a signal.

    Notes
    -----
    Source: the maker's reading library (CytoBuoy, CyzFile-API), RawDataHandling.vb.
    """
    syncs = _known_syncs(plan)
    record = len(plan.hardware)
    starts, ends = _whole_runs(data, syncs, record)
    starts = _extend(data, starts, -record, syncs, record)
    ends = _extend(data, ends - record, record, syncs, record) + record
    if not len(starts):
        return Spans(starts, starts, 0)
    ends = np.maximum.accumulate(ends)
    apart = starts[1:] - ends[:-1] >= record
    starts = starts[np.concatenate(([True], apart))]
    ends = ends[np.concatenate((apart, [True]))]
    return Spans(ends[:-1], starts[1:], int(ends[-1]))


def blocks(data: NDArray[np.uint8], spans: Spans, record: int) -> Iterator[Block | tuple[int, str]]:
    """Go through the particles in blocks of bounded size; those that cannot be cut into samples come with the reason.

    Yields
    ------
    Block or (number, reason)
    """
    sizes = spans.ends - spans.starts
    broken = sizes % record != 0
    endless = sizes > MAX_SAMPLES * record
    for number in np.flatnonzero(broken | endless):
        yield int(number), _why_not_cut(int(sizes[number]), record)
    usable = np.flatnonzero(~(broken | endless))
    alignment = spans.starts[usable] % record
    turns = np.concatenate((np.flatnonzero(np.diff(alignment)) + 1, [len(usable)]))
    at = 0
    while at < len(usable):
        turn = int(turns[np.searchsorted(turns, at, side="right")])
        base = int(spans.starts[usable[at]])
        stop = at + int(np.searchsorted(spans.ends[usable[at:turn]], base + _BLOCK, side="right"))
        numbers = usable[at : max(stop, at + 1)]
        end = int(spans.ends[numbers[-1]])
        yield Block(
            data[base:end].reshape(-1, record),
            numbers,
            (spans.starts[numbers] - base) // record,
            (spans.ends[numbers] - base) // record,
        )
        at += len(numbers)


def judge_block(block: Block, plan: ChannelPlan) -> dict[int, str]:
    """Find the particles that are no particles, by their place in the block, each with the reason.

    The rules are those of the maker's library: under 4 samples; sync values over 4 in a row in more than 3 shown
    channels; sync values in the first or in the last 4 samples of 3 or more shown channels.
    """
    lengths = block.ends - block.starts
    reasons = {
        int(place): f"only {lengths[place]} sample{'s' if lengths[place] != 1 else ''}; a particle has 4 or more"
        for place in np.flatnonzero(lengths < _SHORTEST)
    }
    places = np.array([place for place in plan.shown if plan.syncs[place] is not None], dtype=np.int64)
    if not len(places):
        return reasons
    values = np.array([plan.syncs[place] for place in places], dtype=np.uint8)
    long = np.flatnonzero(lengths >= _SHORTEST)
    for place in _with_plateaus(block, places, values):
        reasons[place] = "sync values inside: the end of this particle was not recognised"
    steps = np.arange(_EDGE)
    for word, corner in (
        ("begins", block.starts[long][:, None] + steps),
        ("ends", block.ends[long][:, None] - 1 - steps),
    ):
        edge = block.samples[corner[:, :, None], places] == values
        for place in long[edge.any(axis=1).sum(axis=1) >= 3]:
            reasons.setdefault(int(place), f"{word} with sync values in 3 or more channels")
    return reasons


def particle_before_syncs(data: NDArray[np.uint8], plan: ChannelPlan) -> int | str:
    """Say how many samples a buffer of one particle and its closing sync records holds.

    Returns
    -------
    int or str
        Number of samples before the closing run, or why the buffer cannot be trusted.
    """
    syncs = _known_syncs(plan)
    record = len(plan.hardware)
    if len(data) % record:
        return f"{len(data):,} bytes are no whole number of samples of {record} channels: bytes are missing"
    places = np.array([place for place, _ in syncs])
    good = (data.reshape(-1, record)[:, places] == np.array([value for _, value in syncs], np.uint8)).sum(axis=1)
    closing = int((good[::-1] < len(syncs) - 1).argmax()) if (good < len(syncs) - 1).any() else len(good)
    if closing < 4 or not (good[len(good) - closing :] == len(syncs)).any():
        return "the sync records that close a particle are missing or damaged, so no channel can be told from another"
    if (good[: len(good) - closing] >= len(syncs) - 1).any():
        return "sync records stand inside: several particles, or parts of them, run together"
    return len(good) - closing


def _known_syncs(plan: ChannelPlan) -> list[tuple[int, int]]:
    syncs = [(place, sync) for place, sync in enumerate(plan.syncs) if sync is not None]
    if len(syncs) < 3:
        raise InputError(f"only {len(syncs)} of the channels have a sync value, so particles cannot be told apart")
    return syncs


def _whole_runs(
    data: NDArray[np.uint8], syncs: list[tuple[int, int]], record: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the runs of complete sync records, looking at a part of the data at a time."""
    starts: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    ends: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    positions = len(data) - record + 1
    for base in range(0, max(positions, 0), _CHUNK):
        part = data[base : base + _CHUNK + record - 1]
        count = min(_CHUNK, positions - base)
        place, value = syncs[0]
        found = np.flatnonzero(part[place : place + count] == value)
        for place, value in syncs[1:]:
            found = found[part[found + place] == value]
        if not len(found):
            continue
        turn = np.flatnonzero(np.diff(found) != record)
        starts.append(base + found[np.concatenate(([0], turn + 1))])
        ends.append(base + found[np.concatenate((turn, [len(found) - 1]))] + record)
    return np.concatenate(starts), np.concatenate(ends)


def _extend(
    data: NDArray[np.uint8], records: NDArray[np.int64], step: int, syncs: list[tuple[int, int]], size: int
) -> NDArray[np.int64]:
    """Move each position on by whole records while those records have at most one value that is not a sync."""
    records = records.copy()
    moving = np.arange(len(records))
    for _ in range(_MOST_EXTENSIONS):
        target = records[moving] + step
        inside = (target >= 0) & (target <= len(data) - size)
        moving, target = moving[inside], target[inside]
        good = np.zeros(len(moving), np.int64)
        for place, value in syncs:
            good += data[target + place] == value
        kept = good >= len(syncs) - 1
        moving = moving[kept]
        if not len(moving):
            break
        records[moving] += step
    return records


def _with_plateaus(block: Block, places: NDArray[np.int64], values: NDArray[np.uint8]) -> list[int]:
    """Give the particles in which more than 3 channels hold their sync value over 4 samples."""
    channels_hit: dict[int, set[int]] = {}
    for column, (place, value) in enumerate(zip(places, values, strict=True)):
        sync = block.samples[:, place] == value
        if len(sync) < _EDGE or not sync.any():
            continue
        four = np.flatnonzero(sync[:-3] & sync[1:-2] & sync[2:-1] & sync[3:])
        owner = np.searchsorted(block.starts, four, side="right") - 1
        for particle in np.unique(owner[(owner >= 0) & (four + _EDGE <= block.ends[owner])]):
            channels_hit.setdefault(int(particle), set()).add(column)
    return [particle for particle, hit in channels_hit.items() if len(hit) > 3]


def _why_not_cut(size: int, record: int) -> str:
    if size > MAX_SAMPLES * record:
        return f"{size // record:,} samples between two sync runs: the sync records in between are damaged"
    return f"misaligned: {size:,} bytes are no whole number of samples of {record} channels"
