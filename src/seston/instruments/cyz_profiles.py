"""From a CytoSense's bytes to profiles in mV: conversion tables, repairs, sums of halves, smoothing.

Every step works on a block of many particles at once; `convert_block` is the whole of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.dotnet_values import DotNetObject, as_integer, as_list, as_text
from seston.particle import canonical_channel, is_signal

__all__ = ["ChannelPlan", "conversion_table", "convert_block", "plan_channels"]

_LEFT, _RIGHT = "FWS L", "FWS R"
_STEP_MV = 0.125
Kind = Literal["single", "sum", "curvature"]


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """Which bytes of a sample make which row of a profile."""

    hardware: tuple[str, ...]
    """Names of the instrument's channels, as the file spells them, in the order of the bytes."""
    syncs: tuple[int | None, ...]
    """Sync byte of each hardware channel, or None where it has none."""
    shown: tuple[int, ...]
    """Hardware channels that carry a visible signal."""
    tables: tuple[NDArray[np.float32], ...]
    """For each hardware channel, the mV of each byte."""
    names: tuple[str, ...]
    """Canonical names of the rows of a profile."""
    rows: tuple[tuple[Kind, tuple[int, ...]], ...]
    """For each row, how it is made and from which hardware channels."""


def plan_channels(settings: DotNetObject, codes: Sequence[int]) -> ChannelPlan:
    """Read the channel list of a `CytoSenseSetting` and decide what a profile shows.

    As CytoClus does: visible signal channels, the two halves of the forward scatter as their sum and their curvature,
    high and low sensitivity apart.

    Parameters
    ----------
    settings
        Object of class ``CytoSenseSetting``.
    codes
        Conversion code of each channel (`_channelDataConversion`); may be empty for the older electronics.

    Raises
    ------
    InputError
        Where there is no channel, or none that is shown, or a conversion code that is not known.
    """
    channels = [item for item in as_list(settings.get("channels")) if isinstance(item, DotNetObject)]
    names = tuple(as_text(channel.get("name", "_name")) for channel in channels)
    if not channels:
        raise InputError("the settings list no channels, so that the bytes of a sample cannot be told apart")
    shown = tuple(
        place
        for place, channel in enumerate(channels)
        if channel.get("visible", "_visible") is not False and is_signal(names[place])
    )
    if not shown:
        raise InputError(f"none of the channels ({', '.join(names)}) carries a signal")
    newer = settings.get("hasFJDataElectronics") is True
    tables = tuple(conversion_table(newer, codes[place] if place < len(codes) else 1) for place in range(len(channels)))
    rows, row_names = _rows(names, shown)
    return ChannelPlan(names, tuple(_sync(channel) for channel in channels), shown, tables, row_names, rows)


def conversion_table(newer: bool, code: int = 1) -> NDArray[np.float32]:
    """Give the mV of each of the 256 bytes.

    Parameters
    ----------
    newer
        Whether the instrument has the V10 electronics (`hasFJDataElectronics`).
    code
        How the V10 electronics packed a sample: 1 and 2 logarithmic, 8 to 16 linear. The older ones have one way only.

    Raises
    ------
    InputError
        For a code that is not known.

    Notes
    -----
    Source: the maker's reading library (CytoBuoy, CyzFile-API), ChannelData.vb and Measurement.vb.
    """
    byte = np.arange(256, dtype=np.float64)
    if not newer:
        return (0.5 * 10.0 ** (byte / 63.75)).astype(np.float32)
    high, low = np.divmod(byte, 16.0)
    if code == 1:
        steps = np.where(high < 4, low, (16 + low) * 2.0 ** (high - 4))
    elif code == 2:
        steps = np.select(
            [high < 4, high < 10, high < 13],
            [
                byte,
                2.0 ** (high + 2) + low * 2.0 ** (high - 2) + 2.0 ** (high - 3),
                (high - 9) * 4096 + 256 * low + 128,
            ],
            (high - 12) * 16384 + 1024 * low + 512,
        )
    elif 8 <= code <= 16:
        steps = byte * 2.0 ** (code - 8)
    else:
        raise InputError(f"conversion code {code} of the V10 electronics is not known, so bytes cannot become mV")
    return (steps * _STEP_MV).astype(np.float32)


def convert_block(
    plan: ChannelPlan, columns: Mapping[int, NDArray[np.uint8]], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Turn the bytes of many particles into smoothed profiles in mV.

    Parameters
    ----------
    columns
        The bytes of each channel of `plan.shown`, one a sample, all of one length; samples between particles are
        ignored.
    starts, ends
        First sample of each particle, and the one after its last; ascending, without overlap, none empty.

    Returns
    -------
    array, shape (rows of the plan, samples)
        Only the samples inside particles mean anything.

    Notes
    -----
    A sync value in the first or last sample is replaced by its neighbour, a single 0 between two values above 0 by
    their mean byte; forward scatter is left + right before smoothing; smoothing has the weights 1/4, 1/2, 1/4, and
    (2 own + neighbour) / 3 at the ends; curvature, (right - left) / (left + right + 1) less its mean over the
    particle, is never smoothed. Profiles of one or two samples stay as they are. Source: as `conversion_table`.
    """
    size = len(columns[plan.shown[0]])
    inner = _inner_samples(size, starts, ends)
    out = np.empty((len(plan.rows), size), np.float32)
    cache: dict[int, NDArray[np.float32]] = {}

    def millivolts(place: int) -> NDArray[np.float32]:
        if place not in cache:
            repaired = _repair(columns[place], plan.syncs[place], inner, starts, ends)
            cache[place] = plan.tables[place].take(repaired)
        return cache[place]

    for row, (kind, places) in enumerate(plan.rows):
        if kind == "single":
            _smooth(millivolts(places[0]), out[row], starts, ends)
        elif kind == "sum":
            _smooth(millivolts(places[0]) + millivolts(places[1]), out[row], starts, ends)
        else:
            left, right = (millivolts(place) for place in places)
            _curvature(left, right, out[row], starts, ends)
    return out


def _rows(
    names: tuple[str, ...], shown: tuple[int, ...]
) -> tuple[tuple[tuple[Kind, tuple[int, ...]], ...], tuple[str, ...]]:
    canonical = {place: canonical_channel(names[place]) for place in shown}
    by_name = {name: place for place, name in canonical.items()}
    halves = (by_name[_LEFT], by_name[_RIGHT]) if _LEFT in by_name and _RIGHT in by_name else None
    rows: list[tuple[Kind, tuple[int, ...]]] = []
    row_names: list[str] = []
    if halves:
        rows.append(("sum", halves))
        row_names.append("FWS")
    for place, name in canonical.items():
        if halves and name in (_LEFT, _RIGHT):
            continue
        rows.append(("single", (place,)))
        row_names.append(name if name not in row_names else f"{name} ({place})")
    if halves:
        rows.append(("curvature", halves))
        row_names.append("Curvature")
    return tuple(rows), tuple(row_names)


def _sync(channel: DotNetObject) -> int | None:
    value = as_integer(channel.get("SyncPulseValue", "_SyncPulseValue"))
    return value if value is not None and 0 < value < 256 else None


def _inner_samples(size: int, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the samples that have a neighbour of their own particle on both sides."""
    change = np.zeros(size + 1, np.int8)
    long = ends - starts > 2
    change[starts[long] + 1] += 1
    change[ends[long] - 1] -= 1
    return change[:-1].cumsum(dtype=np.int8) > 0


def _repair(
    column: NDArray[np.uint8],
    sync: int | None,
    inner: NDArray[np.bool_],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> NDArray[np.uint8]:
    zero = np.flatnonzero((column == 0) & inner)
    before, after = column[zero - 1], column[zero + 1]
    lone = (before > 0) & (after > 0)
    repaired = column
    if lone.any():
        repaired = column.copy()
        mean = (before[lone].astype(np.float64) + after[lone]) / 2
        repaired[zero[lone]] = np.rint(mean).astype(np.uint8)  # half to even, as the maker's library rounds
    if sync is None:
        return repaired
    last = ends - 1
    first_bad, last_bad = (column[starts] == sync) & (last > starts), (column[last] == sync) & (last > starts)
    if first_bad.any() or last_bad.any():
        repaired = column.copy() if repaired is column else repaired
        repaired[starts[first_bad]] = column[starts[first_bad] + 1]
        repaired[last[last_bad]] = column[last[last_bad] - 1]
    return repaired


def _smooth(
    signal: NDArray[np.float32], out: NDArray[np.float32], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> None:
    np.add(signal[:-2], signal[2:], out=out[1:-1])
    out[1:-1] *= np.float32(0.25)
    out[1:-1] += np.float32(0.5) * signal[1:-1]
    last = ends - 1
    long = last - starts >= 2
    first, final = starts[long], last[long]
    out[first] = (2 * signal[first] + signal[first + 1]) / np.float32(3)
    out[final] = (2 * signal[final] + signal[final - 1]) / np.float32(3)
    if not long.all():
        for place in (starts[~long], last[~long]):
            out[place] = signal[place]


def _curvature(
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    out: NDArray[np.float32],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    np.divide(right - left, left + right + np.float32(1), out=out)
    lengths = ends - starts
    inside = np.repeat(starts - np.concatenate(([0], lengths.cumsum()[:-1])), lengths) + np.arange(lengths.sum())
    values = out[inside].astype(np.float64)
    means = np.add.reduceat(values, np.concatenate(([0], lengths.cumsum()[:-1]))) / lengths
    out[inside] = (values - np.repeat(means, lengths)).astype(np.float32)
