"""What is odd, or worth knowing, about a measurement that was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seston.instruments.export_groups import Export
from seston.instruments.image_sets import ImageSet
from seston.instruments.info_text import SAMPLING_RATE_MHZ, InfoText
from seston.instruments.listmode import Listmode
from seston.instruments.pulses import PulseTable
from seston.particle import Sample, split_parameter

__all__ = ["Seen", "notes_of"]

_STEP_MV = 0.5 / 3.2767
"""Values of the older electronics are whole multiples of this in exports of CytoClus 3 (CytoBuoy's CyzFile-API)."""
_LOOK_AT_PROFILES = 500


@dataclass(slots=True)
class Seen:
    """What was seen of a measurement while it was read."""

    sample: Sample
    info: InfoText | None
    images: ImageSet
    listmodes: list[Listmode]
    pulses: list[PulseTable]
    particles: int = 0
    with_profile: int = 0
    with_picture: int = 0
    without_profile: int = 0
    in_several_sets: int = 0
    largest_number: int = -1
    no_picture: list[int] = field(default_factory=list)
    """The first few particles without a picture."""
    bad_profiles: set[int] = field(default_factory=set)
    lengths: list[int] = field(default_factory=list)
    """Samples of each profile whose particle has a Sample Length."""
    said: list[float] = field(default_factory=list)
    """That Sample Length."""
    least_mv: float = float("inf")
    steps: int = 0
    values: int = 0

    def particle(
        self,
        profile: NDArray[np.float32] | None,
        channels: tuple[str, ...],
        listmode: dict[str, float],
        picture: bool,
        number: int,
    ) -> None:
        """Take note of one particle."""
        self.particles += 1
        self.with_picture += picture
        self.largest_number = max(self.largest_number, number)
        if not picture and len(self.no_picture) < 12:
            self.no_picture.append(number)
        if profile is None:
            return
        self.with_profile += 1
        if "Sample Length" in listmode:
            self.lengths.append(profile.shape[1])
            self.said.append(listmode["Sample Length"])
        if self.with_profile <= _LOOK_AT_PROFILES:
            self._values(profile[[place for place, name in enumerate(channels) if name != "Curvature"]])

    def _values(self, light: NDArray[np.float32]) -> None:
        if not light.size:
            return
        self.least_mv = min(self.least_mv, float(light.min()))
        self.steps += round(_share_of_steps(light) * light.size)
        self.values += light.size


def _share_of_steps(values: NDArray[np.floating]) -> float:
    """Give the share of values that are whole multiples of the older electronics' step, and are not all zero."""
    steps = values.astype(np.float64) / _STEP_MV
    return (
        float((np.abs(steps - np.rint(steps)) < np.maximum(1e-3, 2e-6 * np.abs(steps))).mean()) if values.any() else 0.0
    )


def notes_of(export: Export, seen: Seen) -> Iterator[tuple[str, str]]:
    """Say, file by file, what is odd about a measurement and what is missing of it."""
    where = str(export.folder)
    yield from ((where, text) for text in _missing(export, seen))
    for table in seen.listmodes:
        yield from ((str(table.path), text) for text in _of_listmode(table))
    for pulses in seen.pulses:
        yield from ((str(pulses.path), text) for text in _of_pulses(pulses, seen))
    yield from ((where, text) for text in _of_lengths(export, seen))
    yield from ((where, text) for text in _of_pictures(seen))
    if seen.info is not None:
        yield from ((str(export.info[0]), text) for text in _of_info(export, seen))


def _missing(export: Export, seen: Seen) -> Iterator[str]:
    absent = [
        name
        for name, files in (
            ("Features" if export.rclustool else "Listmode", export.listmode),
            ("Pulses", export.pulses),
            ("Info", export.info),
            ("pictures", export.images),
        )
        if not files
    ]
    if export.alone:
        yield "a table alone: no file says which instrument measured it, when, or which volume"
    if absent and not export.alone:
        yield f"the measurement {export.measurement!r} comes without {' and without '.join(absent)}: the rest was read"
    if seen.listmodes and seen.pulses:
        listed = {split_parameter(name)[0] for table in seen.listmodes for name in table.names} - {None}
        measured = {name for pulses in seen.pulses for name in pulses.channels}
        if listed and (listed | {"Curvature"}) != (measured | {"Curvature"}):
            yield f"Listmode is of the channels {_names(listed)}, Pulses of {_names(measured)}"
    if seen.in_several_sets:
        yield f"{seen.in_several_sets:,} particles are in more than one exported set: each was read once"
    if seen.listmodes and seen.pulses and seen.without_profile:
        yield f"{seen.without_profile:,} particles of Listmode have no profile in Pulses"
    more = seen.particles - sum(len(table) for table in seen.listmodes)
    if seen.listmodes and seen.pulses and more > 0 and not seen.in_several_sets:
        yield f"{more:,} particles of Pulses have no row in Listmode"


def _names(channels: set[str | None] | set[str]) -> str:
    return ", ".join(sorted(str(name) for name in channels))


def _of_listmode(table: Listmode) -> Iterator[str]:
    yield f"{len(table):,} rows and {table.layout.width} columns; {table.layout.describe()}"
    if any("." in name for name in table.layout.columns):
        yield "names of columns have dots in place of spaces, as R writes them"
    if table.labels:
        names, counts = np.unique(np.array(table.labels), return_counts=True)
        some = ", ".join(f"{name} {count}" for name, count in zip(names.tolist()[:20], counts.tolist(), strict=False))
        yield f"{len(names)} labels: {some}{', …' if len(names) > 20 else ''}"
    if not np.isfinite(table.values).all():
        yield f"{int((~np.isfinite(table.values)).sum()):,} values are no number: left out of their particles"
    if not table.numbered:
        yield "particles are numbered by row"
    light = [
        place for place, name in enumerate(table.names) if name.endswith((" Maximum", " First")) and "Curv" not in name
    ]
    if light and len(table) and _share_of_steps(table.values[:, light]) >= 0.95:
        yield "maxima are whole multiples of 0.1525926 mV: unsmoothed values of the older electronics"
    ranges = [name for name in table.names if name.endswith(" Range")]
    if ranges:
        yield f"{len(ranges)} columns named Range are not CytoClus's own: someone has added them"
    arrival = table.column("Time of Arrival")
    if arrival is not None and len(arrival) > 1:
        shared = len(arrival) - len(np.unique(arrival))
        if shared:
            yield f"{shared:,} particles share their time of arrival with another"
    halves = [name for name in table.names if name.endswith("Length(50%)")]
    if halves and all(_equal(table, name, name.removesuffix("(50%)")) for name in halves):
        yield "Length(50%) equals Length in every row: the slider stood at 50 %"


def _equal(table: Listmode, first: str, second: str) -> bool:
    one, other = table.column(first), table.column(second)
    return one is not None and other is not None and bool(np.array_equal(one, other, equal_nan=True))


def _of_pulses(table: PulseTable, seen: Seen) -> Iterator[str]:
    yield (
        f"{table.profiles:,} profiles of {table.samples:,} samples, {len(table.channels)} channels "
        f"({', '.join(table.channels)}); {table.layout.describe()}"
    )
    if table.ending_rows:
        whose = "with id 0" if table.ending == "zero id" else "with their particle's id"
        yield f"{table.ending_rows:,} rows of zeros that end profiles ({whose}) are no samples: left out"
    else:
        yield "profiles do not end in rows of zeros: a change of id parts them"
    if table.particle_zero and table.ending == "zero id":
        yield "there is a particle 0, whose id the rows of zeros have too"
    if table.unsorted:
        yield "particles are not sorted by id"
    if table.left_out:
        yield f"columns that are no signal are left out: {', '.join(table.left_out)}"
    if seen.values and seen.steps >= 0.95 * seen.values:
        share = 100 * seen.steps // seen.values
        yield f"{share} % of the values are whole multiples of 0.1525926 mV: unsmoothed values of the older electronics"
    elif 0.499 < seen.least_mv < 0.501:
        yield "the least value is 0.5 mV: older electronics (the newer ones go down to 0)"


def _of_lengths(export: Export, seen: Seen) -> Iterator[str]:
    """Compare Sample Length, which has two meanings, with the profiles."""
    if not seen.lengths:
        return
    lengths, said = np.array(seen.lengths), np.array(seen.said)
    multiples = int((lengths % 4 == 0).sum())
    if len(lengths) >= 5 and multiples >= 0.9 * len(lengths):
        yield f"the number of samples is a multiple of 4 in {multiples} of {len(lengths)} profiles (older electronics)"
    if np.array_equal(lengths, said):
        yield "Sample Length is the number of samples here, not µm"
        return
    speed = seen.sample.core_speed_m_s
    wrong = int((lengths != said).sum())
    if speed:
        implied = said / (speed / SAMPLING_RATE_MHZ) + 1
        close = np.abs(implied - lengths) < 0.05 * lengths + 0.5
        if close.all():
            yield "Sample Length is in µm here: (samples − 1) × µm a sample"
            return
        if close.sum() > len(lengths) - wrong:
            wrong = int((~close).sum())
    source = "Features" if export.rclustool else "Listmode"
    yield (
        f"Sample Length of {source} disagrees with the number of samples in Pulses for {wrong} of {len(lengths)} "
        "particles: these files may not be of the same particles (seston doctor looks closer)"
    )


def _of_pictures(seen: Seen) -> Iterator[str]:
    images = seen.images
    missing = seen.particles - seen.with_picture
    if missing and seen.with_picture:
        few = f" ({', '.join(str(number) for number in sorted(seen.no_picture))})" if missing <= 12 else ""
        yield f"{missing:,} of {seen.particles:,} particles have no picture{few}"
    if images.uncropped_aside:
        yield f"{images.uncropped_aside:,} uncropped pictures are left aside: those particles have cropped ones"
    if images.uncropped_taken:
        yield f"{images.uncropped_taken:,} particles have an uncropped picture only: it is taken"
    if images.with_bar_aside:
        yield f"{images.with_bar_aside:,} pictures with a scale bar are left aside: those without one are taken"
    if images.litter:
        yield f"{images.litter:,} members of the archive are what macOS leaves behind (__MACOSX, dot files): left out"
    if seen.with_picture:
        yield "no file of the export says the camera's pixel size: it is left empty"


def _of_info(export: Export, seen: Seen) -> Iterator[str]:
    info = seen.info
    if info is None:
        return
    if export.set_names:
        sets = "; ".join(export.set_names)
        yield f"Info is of the whole measurement, the other files are of the set {sets}"
    if info.decimal_commas:
        yield "numbers have decimal commas"
    recorded = seen.sample.n_recorded
    if recorded is not None and seen.particles and recorded != seen.particles:
        yield f"Info counts {recorded:,} particles, {seen.particles:,} are here"
    if recorded is not None and seen.largest_number > recorded:
        yield f"particle ids go up to {seen.largest_number:,}, beyond the {recorded:,} particles: they count triggers"
