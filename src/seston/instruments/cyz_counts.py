"""Counts and volumes of a raw CytoSense file, by the rules of the maker's own reading library.

A file keeps up to four numbers of particles under names that say little; which of them was *saved*, *downloaded* or
*counted* depends on smart triggering and on whether the file was reduced to a set. Volumes follow from them.

Source: the maker's reading library (CytoBuoy, CyzFile-API), Data.vb, Datafilewrapper.vb, SamplePump.vb.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from seston.instruments.dotnet_values import (
    DotNetObject,
    as_datetime,
    as_integer,
    as_integers,
    as_list,
    as_number,
    as_numbers,
)

__all__ = ["Counts", "acquisition", "count_particles", "end_of"]

_ACQUIRING = 6
_LONGEST_S = 3.2e8  # ten years: what is longer is damage
_BEGINNING, _ENDING = 0, 1


@dataclass(frozen=True, slots=True)
class Counts:
    """How many particles, how much water; None where the file does not say."""

    saved: int | None
    saved_from: str
    """Those left in the file after the smart trigger and any reduction to a set."""
    downloaded: int | None
    """Those whose data reached the computer."""
    counted: int | None
    counted_from: str
    """Those that the hardware triggered on."""
    imaged: int | None
    pump_ul_s: float | None
    pumped_ml: float | None
    analysed_ml: float | None
    analysed_from: str


def acquisition(info: DotNetObject) -> tuple[datetime | None, float | None]:
    """Give when acquiring began and for how many seconds it went on.

    Whole seconds, cut off and not rounded, as in the exports and volumes of CytoClus. From the log of tasks where there
    is one, else from the time of the last block, else from the (longer) time of the whole measurement.
    """
    start = _date(info, "MeasurementStartTime", "_MeasurementStartTime")
    tasks = as_list(info.object("log").get("tasklog"))
    begins = [_date(task, "time") for task in tasks if _is_task(task, _BEGINNING)]
    ends = [_date(task, "time") for task in tasks if _is_task(task, _ENDING)]
    if begins and begins[0] is not None:
        start = begins[0]
        if ends and ends[0] is not None:
            return start, _whole_seconds(start, ends[0])
    blocks = info.object("BlockInfo")
    count, dates = as_integer(blocks.get("count")) or 0, as_integers(blocks.get("d"))
    if not tasks and start is not None and 0 < count <= len(dates):
        last = as_datetime(dates[count - 1])
        if last is not None and (seconds := _whole_seconds(start, last)) is not None:
            return start, seconds
    seconds = as_number(info.get("MeasureTime"))
    return start, seconds if seconds is not None and 0 <= seconds <= _LONGEST_S else None


def end_of(start: datetime | None, seconds: float | None) -> datetime | None:
    """Give when acquiring ended; None where a damaged date is beyond the calendar."""
    if start is None or not seconds:
        return None
    try:
        return start + timedelta(seconds=seconds)
    except OverflowError:
        return None


def count_particles(
    settings: DotNetObject,
    protocol: DotNetObject,
    info: DotNetObject,
    reduction: DotNetObject,
    *,
    smart_trigger: bool,
    start: datetime | None,
    seconds: float | None,
    found: int | None = None,
) -> Counts:
    """Work out the counts and volumes of one measurement.

    Parameters
    ----------
    found
        How many particles the data hold; stands in where the file (of early 2011, or older) keeps no count.
    """
    downloaded, saved, saved_from = _downloaded_and_saved(info, reduction, smart_trigger)
    if not downloaded and not saved and found:
        downloaded, saved, saved_from = found, found, "particles between the sync records of Data"
    counted, counted_from = _counted(info, seconds)
    pump = _pump_speed(settings, protocol)
    pumped = pump * seconds if pump and seconds else None
    analysed, analysed_from = _analysed(settings, info, downloaded, counted, pumped, pump, start, seconds)
    imaged = as_integer(info.get("_numberOfPictures"))
    return Counts(
        saved=saved,
        saved_from=saved_from,
        downloaded=downloaded,
        counted=counted,
        counted_from=counted_from,
        imaged=imaged if imaged is not None and imaged >= 0 else None,
        pump_ul_s=pump,
        pumped_ml=pumped / 1000 if pumped else None,
        analysed_ml=analysed / 1000 if analysed else None,
        analysed_from=analysed_from,
    )


def _downloaded_and_saved(
    info: DotNetObject, reduction: DotNetObject, smart_trigger: bool
) -> tuple[int | None, int | None, str]:
    plain, underscored = as_integer(info.get("NumberofParticles")), as_integer(info.get("_NumberofParticles"))
    triggered = as_integer(info.get("NumberofParticles_smartTriggered"))
    if plain is None and underscored is None and triggered is None:
        return None, None, ""
    name = "NumberofParticles" if plain else "_NumberofParticles"
    downloaded = plain or underscored or 0
    original = as_integer(reduction.get("OriginalNumber")) or 0
    if reduction.get("WasReduced") is True and original > downloaded:
        return original, downloaded, f"MeasurementInfo.{name} (what is left of ReductionInfo.OriginalNumber)"
    if smart_trigger or triggered:
        return downloaded, triggered or 0, "MeasurementInfo.NumberofParticles_smartTriggered"
    return downloaded, underscored or plain or 0, f"MeasurementInfo.{'_' if underscored else ''}NumberofParticles"


def _counted(info: DotNetObject, seconds: float | None) -> tuple[int | None, str]:
    counters = info.get("MeasurementCounters")
    if isinstance(counters, DotNetObject):
        return as_integer(counters.get("ValidTriggerCount")), "MeasurementInfo.MeasurementCounters.ValidTriggerCount"
    rates = _rates(info)
    if not rates or not seconds:
        return None, ""
    mean = math.fsum(rate for _, rate in rates) / len(rates)
    return round(mean * seconds), "mean of sensorLogs.PICConcentration (particles/s) x duration"


def _analysed(
    settings: DotNetObject,
    info: DotNetObject,
    downloaded: int | None,
    counted: int | None,
    pumped: float | None,
    pump: float | None,
    start: datetime | None,
    seconds: float | None,
) -> tuple[float | None, str]:
    """Give the analysed volume in µL, and how it came about."""
    if not downloaded:
        return None, ""
    if settings.get("hasFJDataElectronics") is True:
        if not counted or not pumped:
            return None, ""
        return downloaded / counted * pumped, "downloaded / counted x pumped volume"
    end = end_of(start, round(seconds) if seconds else None)
    if start is None or end is None or not pump:
        return None, ""
    during = [rate for date, rate in _rates(info) if date is not None and start < date <= end]
    if not during or not math.fsum(during):
        return None, ""
    concentration = math.fsum(during) / len(during) / pump
    return downloaded / concentration, "downloaded / concentration (mean PICConcentration / pump speed)"


def _rates(info: DotNetObject) -> list[tuple[datetime | None, float]]:
    """Give what the concentration counter logged: when, and particles a second."""
    points = info.object("sensorLogs").object("PICConcentration")
    count = max(as_integer(points.get("count")) or 0, 0)
    rates, dates = as_numbers(points.get("data"))[:count], as_integers(points.get("d"))[:count]
    return [(as_datetime(date), rate) for date, rate in zip(dates, rates, strict=False) if math.isfinite(rate)]


def _pump_speed(settings: DotNetObject, protocol: DotNetObject) -> float | None:
    """Give the speed of the sample pump in µL/s.

    Only for the DC pump with its table: what the speed byte of the older stepper pump means is told in two ways that
    differ a hundredfold, so no volume is made from it.
    """
    pump = settings.get("DCSamplePump")
    if settings.get("hasDCSamplePump") is not True or not isinstance(pump, DotNetObject):
        return None
    setting = as_integer(protocol.get("_actualSamplePumpSpeedSetting"))
    if setting is None or setting < 0:
        byte = as_integer(protocol.get("_SamplePompSpeed"))
        if byte is None:
            return None
        setting = 256 - byte
    place = setting - (as_integer(pump.get("_stopSpeed")) or 0)
    table = as_numbers(pump.get("_byteToSpeed"))
    if not 0 <= place < len(table):
        return None
    speed = table[place]
    return round(speed, 2) if math.isfinite(speed) and speed > 0 else None


def _is_task(task: object, edge: int) -> bool:
    return (
        isinstance(task, DotNetObject)
        and as_integer(task.get("task")) == _ACQUIRING
        and as_integer(task.get("BeginorEnd")) == edge
    )


def _date(owner: object, *names: str) -> datetime | None:
    return as_datetime(owner.get(*names)) if isinstance(owner, DotNetObject) else None


def _whole_seconds(start: datetime, end: datetime) -> float | None:
    if (start.tzinfo is None) != (end.tzinfo is None) or end < start:
        return None
    return float((end - start) // timedelta(seconds=1))
