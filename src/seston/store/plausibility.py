"""Say of each position, depth and time that comes in whether it can be true, as a flag beside the value.

Nothing is changed and nothing is left out: a flag is a note for whoever draws a map or a profile from the values.
``on_land`` is no fault where a collection is from a lake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seston.particle import Particle, Sample
from seston.store.land import is_inland

__all__ = [
    "CLOCK_SLACK",
    "DEEPEST_M",
    "FLAGS",
    "Values",
    "find_flags",
    "flag_particles",
    "flag_rows",
    "flag_samples",
    "with_flags",
]

DEEPEST_M = 11_000.0
"""Challenger Deep, 10,935 m, is the deepest place of the sea."""
CLOCK_SLACK = timedelta(days=3)
"""How far a particle's time may lie outside its sample's."""

FLAGS: Mapping[str, str] = {
    "position": "no place on the globe, half of one, 0/0, or a pole that stands for an unknown one",
    "on_land": "at least 30 km from the sea: a lake or a river, or a wrong position",
    "depth": "above the surface, below the deepest place of the sea, or upside down",
    "future": "after the moment of the import",
    "clock": "a particle's time lies more than three days outside its sample's; or its reader found a wrong clock",
}
"""Each flag and what it says about the value."""

_NUMBERS = ("latitude", "longitude", "depth_min_m", "depth_max_m")
_ABSENT_DEPTHS = (9_999.0, 99_999.0)


@dataclass(frozen=True, slots=True)
class Values:
    """Places and times of n particles or samples; NaN and NaT where they say nothing.

    Latitudes and longitudes are in degrees, depths in metres, times are ``datetime64[us]`` in UTC.
    """

    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    depth_min_m: NDArray[np.float64]
    depth_max_m: NDArray[np.float64]
    time: NDArray[np.datetime64]
    earliest: NDArray[np.datetime64]
    """Begin of the sampling that the time should belong to."""
    latest: NDArray[np.datetime64]


def find_flags(values: Values, *, now: datetime | None = None) -> dict[str, NDArray[np.bool_]]:
    """Find which values cannot be true, or need a second look.

    Parameters
    ----------
    values
        Of n particles or samples.
    now
        The moment that no time may lie after; the present one if None.

    Returns
    -------
    dict
        Flag → ndarray of bool, shape (n,), with the flags of `FLAGS`.
    """
    lat, lon = values.latitude, values.longitude
    some, both = np.isfinite(lat) | np.isfinite(lon), np.isfinite(lat) & np.isfinite(lon)
    with np.errstate(invalid="ignore"):
        wrong = some & (~both | (abs(lat) > 90) | (abs(lon) > 180) | ((lat == 0) & (lon == 0)) | (lat == -90))
        depths = np.stack([values.depth_min_m, values.depth_max_m])
        depth = ((depths < 0) | (depths > DEEPEST_M) | np.isin(depths, _ABSENT_DEPTHS)).any(axis=0)
        depth |= depths[0] > depths[1]
        future = values.time > np.datetime64(_plain(now or datetime.now(UTC)), "us")
        slack = np.timedelta64(CLOCK_SLACK)
        clock = (values.time < values.earliest - slack) | (values.time > values.latest + slack)
    on_land = np.zeros(len(lat), np.bool_)
    if (fine := both & ~wrong).any():
        on_land[fine] = is_inland(lat[fine], lon[fine])
    return {"position": wrong, "on_land": on_land, "depth": depth, "future": future, "clock": clock}


def flag_particles(
    particles: Sequence[Particle], samples: Mapping[str, Sample], *, now: datetime | None = None
) -> list[tuple[str, ...]]:
    """Give each particle's flags about its own values: what it takes from its sample is flagged there.

    Its time is compared with its sample's start and end.
    """
    own = [row for row, one in enumerate(particles) if _says_something(one)]
    found: list[tuple[str, ...]] = [()] * len(particles)
    if own:
        times = [particles[row].time for row in own]
        spans = [_span(samples.get(particles[row].sample_id)) for row in own]
        values = _values([particles[row] for row in own], times, spans)
        for row, flags in zip(own, _names(find_flags(values, now=now)), strict=True):
            found[row] = flags
    return found


def flag_samples(samples: Sequence[Sample], *, now: datetime | None = None) -> list[tuple[str, ...]]:
    """Give each sample's flags about its values; that its instrument's clock was wrong is for its reader to say."""
    if not samples:
        return []
    latest = [one.end or one.start for one in samples]
    return _names(find_flags(_values(samples, latest, [(None, None)] * len(samples)), now=now))


def with_flags(samples: Sequence[Sample]) -> list[Sample]:
    """Give samples with the flags that their values earn, behind those that they have."""
    return [
        replace(sample, flags=(*sample.flags, *new)) if (new := _others(flags, sample.flags)) else sample
        for sample, flags in zip(samples, flag_samples(samples), strict=True)
    ]


def flag_rows(rows: pa.Table, samples: Mapping[str, Sample], *, now: datetime | None = None) -> pa.Table:
    """Give rows of the table of particles with the flags that their own values earn; see `flag_particles`.

    Whole columns at a time; rows that say nothing of place and time themselves cost nothing.
    """
    if all(rows.column(name).null_count == rows.num_rows for name in (*_NUMBERS, "time")):
        return rows
    encoded = rows.column("sample_id").fill_null("").combine_chunks().dictionary_encode()
    spans = [_span(samples.get(name)) for name in encoded.dictionary.to_pylist()]
    of_row = encoded.indices.to_numpy(zero_copy_only=False)
    values = Values(
        **{name: rows.column(name).to_numpy() for name in _NUMBERS},
        time=rows.column("time").cast(pa.timestamp("us")).to_numpy(),
        earliest=_moments([span[0] for span in spans])[of_row],
        latest=_moments([span[1] for span in spans])[of_row],
    )
    found = _names(find_flags(values, now=now))
    if not any(found):
        return rows
    flags = [
        [*(old or ()), *_others(new, old or ())] if new else old
        for old, new in zip(rows.column("flags").to_pylist(), found, strict=True)
    ]
    field = rows.schema.field("flags")
    return rows.set_column(rows.schema.get_field_index("flags"), field, pa.array(flags, field.type))


def _others(flags: Sequence[str], there: Sequence[str]) -> tuple[str, ...]:
    return tuple(flag for flag in flags if flag not in there)


def _says_something(particle: Particle) -> bool:
    return (
        particle.time is not None
        or particle.latitude is not None
        or particle.longitude is not None
        or particle.depth_min_m is not None
        or particle.depth_max_m is not None
    )


def _span(sample: Sample | None) -> tuple[datetime | None, datetime | None]:
    return (None, None) if sample is None else (sample.start or sample.end, sample.end or sample.start)


def _values(
    records: Sequence[Particle] | Sequence[Sample],
    times: Sequence[datetime | None],
    spans: Sequence[tuple[datetime | None, datetime | None]],
) -> Values:
    numbers = {
        name: np.array([np.nan if (value := getattr(one, name)) is None else value for one in records], np.float64)
        for name in _NUMBERS
    }
    return Values(
        **numbers,
        time=_moments(times),
        earliest=_moments([span[0] for span in spans]),
        latest=_moments([span[1] for span in spans]),
    )


def _moments(times: Sequence[datetime | None]) -> NDArray[np.datetime64]:
    return np.array([None if time is None else _plain(time) for time in times], "datetime64[us]")


def _plain(time: datetime) -> datetime:
    """UTC without saying so, which is all that NumPy knows."""
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


def _names(flags: Mapping[str, NDArray[np.bool_]]) -> list[tuple[str, ...]]:
    names = tuple(flags)
    raised = np.stack([flags[name] for name in names])
    found: list[tuple[str, ...]] = [()] * raised.shape[1]
    for row in np.flatnonzero(raised.any(axis=0)).tolist():
        found[row] = tuple(name for name, there in zip(names, raised[:, row], strict=True) if there)
    return found
