"""The clock of a PlanktoScope, which names objects and frames, against the day that its operator gave.

Many come up at a day that never was, or years behind, as nothing sets them in the field
(prakashlab/tots-planktoscope-analysis; patcdaniel/santa-cruz-wharf-planktoscope).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from seston.instruments.ecotaxa_survey import Acquisition

__all__ = ["clock_fault"]

_NEVER_SET = ("2019-02-14", "2019-02-15")
"""Days on which a clock begins that was never set."""
_ZONES = timedelta(days=1)
"""What time zones alone may put between two clocks, in whole days."""


def clock_fault(cells: Mapping[str, str], acquisition: Acquisition) -> str:
    """Say by how much the instrument's clock is off; empty where it is not, or where nothing tells.

    Parameters
    ----------
    cells
        Column → value of the acquisition.
    """
    if acquisition.first_time is None:
        return ""
    told = acquisition.first_time.date()
    if told.isoformat() in _NEVER_SET:
        return f"object_date is {told}, the day on which a clock begins that was never set"
    for day, source in _days_of_clock(cells, acquisition):
        if abs(day - told) > _ZONES:
            apart = abs((day - told).days)
            return (
                f"its clock was not set: {source} say {day}, object_date {told} ({apart:,} days apart); "
                "object_date is kept, and the particles are flagged 'clock'"
            )
    return ""


def _days_of_clock(cells: Mapping[str, str], acquisition: Acquisition) -> Iterator[tuple[date, str]]:
    says = [("frames (acq_local_datetime)", cells.get("acq_local_datetime", "")[:10])]
    if acquisition.id_days:
        says.insert(0, ("ids of objects", acquisition.id_days.most_common(1)[0][0]))
    for source, text in says:
        try:
            yield datetime.strptime(text, "%Y-%m-%d").date(), source
        except ValueError:
            continue
