"""One acquisition of an EcoTaxa table as a sample: volumes, pixel size, place and time in the right columns.

EcoTaxa's own columns say where and when; the free ones of sample, acquisition and process are the instrument's, and
each family of instruments has its own (documentation of the PlanktoScope, `segmentation.md`; ZooProcess; UVPapp). A
value whose unit is not certain for the instrument at hand stays text, in the settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from seston.instruments.ecotaxa_cells import parse_real
from seston.instruments.ecotaxa_clock import clock_fault
from seston.instruments.ecotaxa_survey import Acquisition
from seston.particle import Sample

__all__ = ["SampleFacts", "family_of", "sample_facts", "sample_id"]

_ML_A_LITRE, _ML_A_CUBIC_METRE = 1e3, 1e6
_NOT_GIVEN = frozenset({9999.0, 99999.0, 999999.0})
_OWN_VOLUME = ("acq_sub_part", "acq_imaged_volume", "acq_volume", "acq_pumped_volume")
_OF_SESTON = {
    "sample_volume_sampled_ml": "volume_sampled_ml",
    "acq_volume_analysed_ml": "volume_analysed_ml",
    "acq_volume_imaged_ml": "volume_imaged_ml",
    "acq_dilution": "dilution",
    "acq_subsample_fraction": "subsample_fraction",
    "process_pixel_size_um": "pixel_size_um",
}
"""Numbers of Seston's own exports, which are the same for every instrument."""
_WORDS_OF_SESTON = {"acq_trigger": "trigger", "acq_set_name": "set_name"}
_TIMES_OF_SESTON = {"sample_start": "start", "sample_end": "end"}
_PLACES_OF_SESTON = {
    "sample_latitude": "latitude",
    "sample_longitude": "longitude",
    "sample_depth_min_m": "depth_min_m",
    "sample_depth_max_m": "depth_max_m",
}
_COUNTS_OF_SESTON = {"acq_n_counted": "n_counted", "acq_n_recorded": "n_recorded", "acq_n_imaged": "n_imaged"}
_OF_PERSONS = re.compile(r"mail|operator|scanop|author|person")
"""Columns that say who worked at the instrument: they are not kept."""
_SERIALS = ("acq_sn", "acq_serial_number", "acq_instrument_id")
_UM_A_INCH = 25_400


@dataclass(slots=True)
class SampleFacts:
    """A sample, what could not be used of it, and what is odd about it."""

    sample: Sample
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Column and what is wrong with its value."""
    oddities: list[str] = field(default_factory=list)


def family_of(cells: Mapping[str, str]) -> str:
    """Name the family of instruments: ``PlanktoScope``, ``UVP5``, ``UVP6``, ``ZooScan``, ``IFCB``, or none.

    Parameters
    ----------
    cells
        Column → value of one acquisition.
    """
    instrument = cells.get("acq_instrument", "").lower() or cells.get("acq_id", "").lower()
    for word, family in _FAMILIES.items():
        if instrument.startswith(word):
            return family
    return "ZooProcess" if "zooprocess" in cells.get("process_software", "").lower() else ""


_FAMILIES = {
    "planktoscope": "PlanktoScope",
    "uvp6": "UVP6",
    "uvp5": "UVP5",
    "zooscan": "ZooScan",
    "ifcb": "IFCB",
}


def sample_id(acquisition: Acquisition, names: tuple[str, ...], default: str) -> str:
    """Name the sample of an acquisition.

    The id is that of EcoTaxa's sample; where the acquisition has a volume or a fraction of its own, which counts are
    to be divided by, it is the acquisition's, with the sample's in front unless it names it.

    Parameters
    ----------
    names
        The columns of `Acquisition.cells`.
    default
        Id of the sample where the table has none.
    """
    cells = _said(acquisition, names)
    sample = acquisition.sample_id if "sample_id" in cells else default
    own = acquisition.acquisition_id if "acq_id" in cells else ""
    if not own or f"/{sample}".endswith(f"/{own}") or not any(column in cells for column in _OWN_VOLUME):
        return sample
    return own if sample in own else f"{sample}/{own}"


def sample_facts(acquisition: Acquisition, names: tuple[str, ...], *, file: str, id: str) -> SampleFacts:
    """Make the sample of an acquisition, or of several that are one sample.

    Parameters
    ----------
    names
        The columns of `Acquisition.cells`.
    file
        Name of the table, for the provenance.
    id
        Id of the sample; see `sample_id`.

    Returns
    -------
    SampleFacts
        Its `Sample` lacks ``path`` and ``reader``.
    """
    cells = _said(acquisition, names)
    varying = frozenset(names[place] for place in acquisition.varying)
    work = _Work(cells, file, family_of(cells), varying)
    if any(column in cells for column in _OF_SESTON):
        _own_export(work)
    elif work.family == "PlanktoScope":
        _planktoscope(work)
    else:
        _net_sample(work)
    if "pixel_size_um" not in work.values:
        work.set("pixel_size_um", *_pixel_size(work))
    _place_and_time(work, acquisition)
    _own_place_and_counts(work)
    if work.family == "PlanktoScope" and (fault := clock_fault(cells, acquisition)):
        work.values["flags"] = ("clock",)
        work.oddities.append(fault)
    serial = next((name for name in _SERIALS if name in cells), "")
    work.set("instrument", _instrument(cells, work.family), "acq_instrument")
    work.set("serial_number", cells.get(serial), serial)
    if varying:
        shown = ", ".join(sorted(varying)[:5]) + (", …" if len(varying) > 5 else "")
        work.oddities.append(f"its rows differ in {shown}: the settings are those of its first row")
    settings = {name: value for name, value in cells.items() if not _OF_PERSONS.search(name)}
    settings |= {f"lineage of {category}": lineage for category, lineage in acquisition.lineages.items()}
    sample = Sample(id=id, settings=settings, provenance=work.provenance, **work.values)
    return SampleFacts(sample, work.faults, work.oddities)


def _said(acquisition: Acquisition, names: tuple[str, ...]) -> dict[str, str]:
    """Give the cells that say something, by column."""
    return {
        name: value.strip()
        for name, value in zip(names, acquisition.cells, strict=True)
        if value.strip().lower() not in ("", "nan", "na")
    }


@dataclass(slots=True)
class _Work:
    """A sample in the making."""

    cells: dict[str, str]
    file: str
    family: str
    varying: frozenset[str]
    """Columns in which its rows differ."""
    values: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)

    def set(self, name: str, value: object, source: str) -> None:
        """Set a field and where it comes from; None sets nothing."""
        if value is not None:
            self.values[name] = value
            self.provenance[name] = f"{self.file}: {source}"

    def number(self, column: str) -> float | None:
        """Give a positive number; anything else is None, and a fault unless the cell says that it is not known."""
        value, reason = parse_real(self.cells.get(column, ""))
        if column in self.varying:
            self.faults.append((column, "its rows say different things; left out"))
            return None
        if reason:
            self.faults.append((column, f"{reason}; left out"))
        elif value is not None and value <= 0:
            self.faults.append((column, f"{value:g} cannot be; left out"))
        return value if value is not None and value > 0 and value not in _NOT_GIVEN else None

    def set_volume(self, name: str, column: str, ml: float, unit: str) -> None:
        """Set a volume from a column of a known unit."""
        value = self.number(column) if column in self.cells else None
        if value is not None:
            self.set(name, value * ml, f"{column} ({unit})")


def _own_export(work: _Work) -> None:
    """Take back what Seston itself wrote: each volume under its name and unit."""
    for column, name in _OF_SESTON.items():
        if (value := work.number(column)) is not None:
            work.set(name, value, column)


def _own_place_and_counts(work: _Work) -> None:
    """Take back what Seston itself wrote of a sample's place, time and counts, which its objects do not say."""
    for column, name in _PLACES_OF_SESTON.items():
        value, _ = parse_real(work.cells.get(column, ""))
        if value is not None and column not in work.varying:
            work.set(name, value, column)
    for column, name in _TIMES_OF_SESTON.items():
        if (time := _instant(work.cells.get(column, ""))) is not None and column not in work.varying:
            work.set(name, time, column)
    for column, name in _COUNTS_OF_SESTON.items():
        if column in work.cells and (value := work.number(column)) is not None and value.is_integer():
            work.set(name, int(value), column)
    for column, name in _WORDS_OF_SESTON.items():
        if column in work.cells and column not in work.varying:
            work.set(name, work.cells[column], column)


def _instant(text: str) -> datetime | None:
    """Give a moment that says its zone, as Seston writes it."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else None


def _planktoscope(work: _Work) -> None:
    """Volumes of a PlanktoScope: pumped and imaged in mL, that of the water in L.

    The part that was looked at is what the camera saw of the concentrated sample; the dilution factor is used only
    where it is 1, as its documentation does not say which way it goes.
    """
    pumped = "acq_pumped_volume" if "acq_pumped_volume" in work.cells else "acq_volume"
    work.set_volume("volume_analysed_ml", pumped, 1.0, "mL, pumped")
    work.set_volume("volume_imaged_ml", "acq_imaged_volume", 1.0, "mL")
    work.set_volume("volume_sampled_ml", "sample_total_volume", _ML_A_LITRE, "L")
    imaged = work.values.get("volume_imaged_ml")
    concentrated = work.number("sample_concentrated_sample_volume")
    if imaged and concentrated and imaged <= concentrated:
        source = "acq_imaged_volume / sample_concentrated_sample_volume"
        work.set("subsample_fraction", imaged / concentrated, source)
    factor = work.number("sample_dilution_factor")
    if factor == 1:
        work.set("dilution", 1.0, "sample_dilution_factor")
    elif factor is not None:
        text = f"sample_dilution_factor is {factor:g}, and which way it goes is not documented: no dilution is set"
        work.oddities.append(text)


def _net_sample(work: _Work) -> None:
    """Volumes of a net sample by ZooProcess: filtered water in m³, and one part in `acq_sub_part` that was scanned."""
    if work.family in ("ZooScan", "ZooProcess"):
        work.set_volume("volume_sampled_ml", "sample_tot_vol", _ML_A_CUBIC_METRE, "m³")
    elif "sample_tot_vol" in work.cells:
        work.oddities.append("sample_tot_vol is in no unit that is certain for this instrument: it stays a setting")
    parts = work.number("acq_sub_part") if "acq_sub_part" in work.cells else None
    motoda = "motoda" in work.cells.get("acq_sub_method", "").lower()
    if parts is not None and parts < 1:
        work.faults.append(("acq_sub_part", f"{parts:g}: one part in less than one cannot be; left out"))
    elif parts is not None and motoda and not _is_power_of_two(parts):
        text = f"{parts:g} is no power of 2, and a Motoda box halves and halves again; left out"
        work.faults.append(("acq_sub_part", text))
    elif parts is not None:
        work.set("subsample_fraction", 1 / parts, "1 / acq_sub_part")
    low, high = (work.number(column) for column in ("acq_min_mesh", "acq_max_mesh"))
    if low is not None and high is not None and low >= high:
        text = f"the sieve that holds back ({low:g} µm) is not finer than the one that lets pass ({high:g} µm)"
        work.faults.append(("acq_min_mesh", text))


def _is_power_of_two(value: float) -> bool:
    return value.is_integer() and int(value) & (int(value) - 1) == 0


def _pixel_size(work: _Work) -> tuple[float | None, str]:
    """Give µm a pixel and the column that says so, where its unit is certain."""
    if work.family == "PlanktoScope":
        return work.number("process_pixel"), "process_pixel (µm)"
    if work.family in ("UVP5", "UVP6"):
        return _pixel_size_of_uvp(work)
    if work.family == "IFCB" and (per_um := work.number("acq_resolution_pixels_per_micron")):
        return 1 / per_um, "1 / acq_resolution_pixels_per_micron"
    if mm := work.number("process_particle_pixel_size_mm"):
        return mm * 1000, "process_particle_pixel_size_mm"
    for column in work.cells:  # the µ of this name is written in every way that an encoding can spoil
        if column.startswith("process_particle_pixel_size_") and column.endswith("m") and column[-2:] != "mm":
            return _pixel_size_named_um(work, column)
    if work.family == "ZooProcess" and (um := work.number("process_pixel")):
        return um, "process_pixel (µm)"
    return None, ""


def _pixel_size_of_uvp(work: _Work) -> tuple[float | None, str]:
    """UVP6 writes µm, UVP5 mm; pictures may have been enlarged by `process_scale`."""
    column = "acq_pixel" if "acq_pixel" in work.cells else "process_pixel"
    value = work.number(column)
    if value is None:
        return None, ""
    unit = "mm" if value < 1 else "µm"
    scale = work.number("process_scale") or 1.0
    by_scale = "" if scale == 1 else " / process_scale"
    return value * (1000 if unit == "mm" else 1) / scale, f"{column} ({unit}){by_scale}"


def _pixel_size_named_um(work: _Work, column: str) -> tuple[float | None, str]:
    """Some versions write mm under a name with µm: the resolution of the scan tells."""
    value, dots = work.number(column), work.number("process_img_resolution")
    if value is None or dots is None:
        return None, ""
    expected = _UM_A_INCH / dots
    for factor, unit in ((1.0, "µm"), (1000.0, "mm, whatever its name says")):
        if abs(value * factor / expected - 1) < 0.05:
            return value * factor, f"{column} ({unit}: {dots:g} dots an inch)"
    return None, ""


def _place_and_time(work: _Work, acquisition: Acquisition) -> None:
    if (place := acquisition.usual_place()) is not None:
        of_most = "" if len(acquisition.places) == 1 else " of most objects"
        work.set("latitude", place[0], f"object_lat{of_most}")
        work.set("longitude", place[1], f"object_lon{of_most}")
    first, last, end = acquisition.first_time, acquisition.last_time, acquisition.end
    if first is not None and last is not None:
        work.set("start", first, "object_date, object_time (UTC by EcoTaxa's convention)")
        if end is not None and end >= last and end != first:
            work.set("end", end, "object_date_end, object_time_end")
        elif last != first:
            work.set("end", last, "object_date, object_time of the last object")
    if acquisition.depths_min is not None:
        work.set("depth_min_m", acquisition.depths_min[0], "object_depth_min")
    if acquisition.depths_max is not None:
        work.set("depth_max_m", acquisition.depths_max[1], "object_depth_max")


def _instrument(cells: Mapping[str, str], family: str) -> str | None:
    said = cells.get("acq_instrument")
    if family in ("ZooScan", "UVP5", "UVP6", "IFCB"):
        return family
    return said
