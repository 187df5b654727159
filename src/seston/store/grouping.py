"""Which particles were taken at one station, or are of one IFCB bin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from seston.errors import UsageError
from seston.instruments.ifcb_names import bin_of_roi
from seston.particle import Sample

__all__ = ["bins_of", "stations_of"]

_ABOUT_A_KILOMETRE = 2
_NONE = frozenset({"", "nan", "na", "none", "unknown", "-"})


def bins_of(ids: Sequence[str], samples: Sequence[str]) -> list[str]:
    """Give the IFCB bin that each particle's name tells; the sample where it tells none.

    Pictures that were sorted into folders keep the name of their bin, though the folder is their sample.

    Raises
    ------
    UsageError
        Where no name tells a bin.
    """
    bins = [bin_of_roi(name) for name in ids]
    if not any(bins):
        raise UsageError("no particle's name tells an IFCB bin; use --by sample")
    return [found or sample for found, sample in zip(bins, samples, strict=True)]


def stations_of(samples: Iterable[Sample]) -> dict[str, str]:
    """Give the station of each sample.

    What the files call a station (any setting whose name ends in ``station``, ``stationid`` or ``stationname``); else
    the position to a hundredth of a degree; else the sample stands for itself.

    Raises
    ------
    UsageError
        Where no sample has either.
    """
    stations: dict[str, str] = {}
    known = False
    for sample in samples:
        found = _named(sample) or _placed(sample)
        known = known or found is not None
        stations[sample.id] = f"station {found}" if found is not None else f"sample {sample.id}"
    if not known:
        raise UsageError("no sample has a station or a position; use --by sample")
    return stations


def _named(sample: Sample) -> str | None:
    for key, value in sample.settings.items():
        plain = re.sub(r"[^a-z]+", "", key.lower())
        if plain.endswith(("station", "stationid", "stationname")) and value.strip().lower() not in _NONE:
            return value.strip()
    return None


def _placed(sample: Sample) -> str | None:
    if sample.latitude is None or sample.longitude is None:
        return None
    return f"{sample.latitude:.{_ABOUT_A_KILOMETRE}f}, {sample.longitude:.{_ABOUT_A_KILOMETRE}f}"
