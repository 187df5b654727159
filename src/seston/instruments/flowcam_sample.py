"""One FlowCam run as a sample: times, volumes and counts, put together from its texts and its list."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from seston.instruments.flowcam_facts import Facts
from seston.particle import Sample

__all__ = ["ListSummary", "RunTexts", "sample_of_run"]

_QUARTER = timedelta(minutes=15)
_NEAR = timedelta(minutes=5)
_WIDEST_ZONE = timedelta(hours=14, minutes=30)


@dataclass(slots=True)
class ListSummary:
    """What a first look through the list found."""

    file: str = ""
    rows: int = 0
    first: datetime | None = None
    last: datetime | None = None
    calibrations: set[float | None] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class RunTexts:
    """The texts of a run; empty where one is not there."""

    context: Facts
    summary: Facts
    run_summary: Facts


def sample_of_run(name: str, texts: RunTexts, listed: ListSummary, *, path: str) -> tuple[Sample, timedelta, list[str]]:
    """Make the sample of a run.

    Returns
    -------
    (sample, ahead, remarks)
        How far the list's clock is ahead of UTC; and what is odd about the run, one sentence each.
    """
    remarks: list[str] = []
    found: dict[str, Any] = {}
    provenance: dict[str, str] = {}

    def take(column: str, *places: tuple[Facts, str]) -> None:
        for facts, key in places:
            if (value := facts.positive(key)) is not None:
                found[column], provenance[column] = value, f"{facts.file}: {key}"
                return

    take(
        "volume_sampled_ml",
        (texts.run_summary, "Run Sample Volume Aspirated"),
        (texts.context, "CaptureStats SampleVolumeAspirated"),
    )
    take(
        "volume_imaged_ml",
        (texts.summary, "Sample Volume Imaged ml"),
        (texts.run_summary, "Run Fluid Volume Imaged"),
        (texts.context, "Fluid FluidVolumeImaged_ml"),
    )
    if texts.context.text("Fluid UseDilutionCalculation") == "1":
        take("dilution", (texts.context, "Fluid SampleDilution"))
    take("n_counted", (texts.summary, "Count"), (texts.run_summary, "Run Particle Count"))
    start, end, ahead = _times(texts, listed, provenance, remarks)
    _place(texts.context, found, provenance, remarks)
    if listed.file:
        provenance["n_recorded"] = f"{listed.file}: rows"
    if "volume_imaged_ml" not in found:
        remarks.append("no imaged volume: no summary of the run gives it")
    pixel = _pixel_size(texts.context, listed, provenance, remarks)
    serial = texts.context.text("Software SerialNo") or texts.run_summary.text("Environment SerialNo")
    counted = found.pop("n_counted", None)
    if counted is not None and listed.file and counted != listed.rows:
        remarks.append(f"the summary counts {counted:,.0f} particles, the list has {listed.rows:,} rows")
    sample = Sample(
        id=name,
        path=path,
        reader="flowcam",
        instrument="FlowCam",
        serial_number=None if serial.lower() in ("", "unknown") else serial,
        start=start,
        end=end,
        n_counted=None if counted is None else int(counted),
        n_recorded=listed.rows if listed.file else None,
        n_imaged=listed.rows if listed.file else None,
        trigger=_trigger(texts.context),
        pixel_size_um=pixel,
        settings={
            key: value
            for facts in (texts.context, texts.summary, texts.run_summary)
            for key, value in facts.settings().items()
        },
        provenance=provenance,
        **found,
    )
    return sample, ahead, remarks


def _times(
    texts: RunTexts, listed: ListSummary, provenance: dict[str, str], remarks: list[str]
) -> tuple[datetime | None, datetime | None, timedelta]:
    """Find the zones: the context's clock is UTC where it is whole quarters of an hour from the others'."""
    context = texts.context
    by_context = [context.moment(f"General Run{which}Time") for which in ("Start", "End")]
    by_summary = [
        texts.run_summary.moment("Date/Time Start") or texts.summary.moment("Start Time"),
        texts.run_summary.moment("Date/Time End"),
    ]
    local = by_summary[0] or listed.first
    ahead = timedelta(0)
    zone = "no time zone said: taken as UTC"
    if by_context[0] is not None and local is not None:
        apart = local - by_context[0]
        quarters = round(apart / _QUARTER) * _QUARTER
        if quarters and abs(quarters) < _WIDEST_ZONE and abs(apart - quarters) <= _NEAR:
            ahead, zone = quarters, "UTC, as list and summaries are whole quarters of an hour off"
            hours = f"{quarters / timedelta(hours=1):g} h"
            remarks.append(f"list and summaries are {hours} ahead of the .ctx: it is taken as UTC, they as local time")
        elif abs(apart) > _NEAR:
            remarks.append(f"the .ctx says that the run began at {by_context[0]}, the others say {local}")
    times: list[datetime | None] = []
    for which, place, others in (("start", 0, listed.first), ("end", 1, listed.last)):
        value = by_context[place]
        origin = f"{context.file}: General Run{which.title()}Time ({zone})"
        if value is None and (value := by_summary[place]) is not None:
            value, origin = value - ahead, f"summary of the run ({zone})"
        if value is None and others is not None:
            value, origin = others - ahead, f"{listed.file}: {'first' if not place else 'last'} particle ({zone})"
        if value is not None:
            provenance[which] = origin
        times.append(None if value is None else value.replace(tzinfo=UTC))
    return times[0], times[1], ahead


def _place(context: Facts, found: dict[str, Any], provenance: dict[str, str], remarks: list[str]) -> None:
    latitude, longitude = (context.number(f"General Location{which}") for which in ("Latitude", "Longitude"))
    if latitude is None or longitude is None:
        return
    if abs(latitude) > 90 or abs(longitude) > 180 or latitude == longitude == 0:
        remarks.append(f"the position {latitude:g}, {longitude:g} in the .ctx is none: left out")
        return
    found["latitude"], found["longitude"] = latitude, longitude
    for which in ("latitude", "longitude"):
        provenance[which] = f"{context.file}: General Location{which.title()}"


def _pixel_size(context: Facts, listed: ListSummary, provenance: dict[str, str], remarks: list[str]) -> float | None:
    if len(listed.calibrations) == 1 and (size := next(iter(listed.calibrations))) is not None:
        provenance["pixel_size_um"] = f"{listed.file}: cal_const"
        return size
    value = context.positive("Fluid CalibrationConstant") if not listed.calibrations else None
    if value is not None and value != 1:
        provenance["pixel_size_um"] = f"{context.file}: Fluid CalibrationConstant"
        return value
    if None in listed.calibrations or value == 1:
        remarks.append("the calibration is 1.0000, which means that it was never set: no size of a pixel")
    return None


def _trigger(context: Facts) -> str | None:
    if context.text("Camera AutoTriggerFlag") == "1":
        return "AutoImage"
    channels = [
        f"{name} > {threshold:g}"
        for name in ("Ch1", "Ch2", "Scatter")
        if context.text(f"Fluorescence {name}Trigger") == "1"
        and (threshold := context.number(f"Fluorescence {name}Threshold")) is not None
    ]
    return " or ".join(channels) or None
