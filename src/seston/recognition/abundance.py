"""Abundances: particles of each label in each sample, divided by the volume that is theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from seston.errors import NotFoundError, UsageError, nearest_word
from seston.particle import Sample
from seston.taxonomy import RANKS, Taxon, resolve, taxa_of

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["COUNTED_BY", "UNLABELLED", "CountRow", "Tally", "count", "volume_of"]

UNLABELLED = "(no label)"
COUNTED_BY = ("label", "taxon", *RANKS)
_DATA_SET = "seston.json"
_CYTOMETER_READERS = frozenset({"cytoclus", "rclustool", "cyz", "cyz2json", "pairs", "table-alone"})
_CAMERA_READERS = frozenset({"ifcb", "flowcam", "ecotaxa", "zooscan"})
"""Instruments whose volume is that of all their particles, photographed or not, though they measure signals too."""
_NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRow:
    """One label in one sample."""

    sample: str
    label: str
    taxon: str | None = None
    """Accepted scientific name of what the label means; None where it names no taxon."""
    rank: str | None = None
    aphia_id: int | None = None
    n: int
    volume_column: str | None
    """Column of the sample that `n` was divided by; None where none is right or known."""
    volume_ml: float | None
    per_ml: float | None
    """Particles in a millilitre of the sample."""
    reason: str = ""
    """Why there is no `per_ml`; empty where there is."""
    simulated: str = ""
    """``simulated`` or ``semi-simulated``; empty for measured particles."""


@dataclass(slots=True)
class Tally:
    """Particles of one sample that were counted."""

    labels: Counter[str] = field(default_factory=Counter)
    particles: int = 0
    pictures: int = 0
    """Particles with a picture."""
    signals: int = 0
    """Particles with a profile or listmode parameters: a cytometer saved them."""


def count(path: DataSet | Path | str, *, by: str = "label") -> list[CountRow]:
    """Count labels per sample.

    Parameters
    ----------
    path
        A data set (its present labels are counted, predictions too), or a table that `identify` wrote, with the file
        of samples beside it.
    by
        ``label``; ``taxon``, where labels that mean the same taxon are counted as one; or one of the seven ranks, where
        taxa below it are counted as the one they belong to. What names no taxon, or none so narrow, keeps its own row.

    Returns
    -------
    list of CountRow
        Sorted by sample, then the most frequent label first; particles without a label count as ``(no label)``.

    Notes
    -----
    Particles that a cytometer saved are divided by the analysed volume. A set that holds only the photographed ones of
    them is divided by the imaged volume, and so are pictures of an imaging instrument. A net or pump sample of which a
    known part was looked at is divided by that part of the sampled volume. What was diluted is multiplied back. Where
    the right volume is not known, or only some of the recorded particles are there, `per_ml` is None and `reason` says
    why.

    Raises
    ------
    NotFoundError
        Where there is neither.
    InputError
        Where the file is no table of names.
    UsageError
        For something to count by that there is not.
    """
    from seston.store import DataSet, open_data_set

    if by not in COUNTED_BY:
        raise UsageError(f"there is no counting by {by!r}{nearest_word(by, COUNTED_BY)}")
    if isinstance(path, DataSet):
        return _rows(*_tally_data(path), by, path.path)
    place = Path(path)
    if (place / _DATA_SET).is_file():
        return _rows(*_tally_data(open_data_set(place)), by, place)
    if place.is_dir():
        raise NotFoundError(f"{place} is no data set (no seston.json in it); name one, or a table that identify wrote")
    return _rows(*_tally_file(place), by)


def _tally_data(data: DataSet) -> tuple[dict[str, Sample], dict[str, Tally], dict[str, str]]:
    labels = data.labels()
    tallies: dict[str, Tally] = {}
    made_up: dict[str, str] = {}
    columns = ["id", "sample_id", "image_hash", "profile_hash", "listmode_names", "flags"]
    for batch in data.particles(columns, batch_size=8192):
        there = [batch.column(place).is_valid().to_pylist() for place in (2, 3, 4)]
        names, samples, flags = (batch.column(place).to_pylist() for place in (0, 1, 5))
        for name, sample, picture, profile, listmode, marks in zip(names, samples, *there, flags, strict=True):
            _add(tallies.setdefault(sample, Tally()), labels.get(name), picture, profile or listmode)
            made_up.setdefault(sample, _made_up(marks or ()))
    return {sample.id: sample for sample in data.samples()}, tallies, made_up


def _tally_file(path: Path) -> tuple[dict[str, Sample], dict[str, Tally], dict[str, str]]:
    from seston.recognition.names_file import read_names, read_samples

    tallies: dict[str, Tally] = {}
    for one in read_names(path):
        sample = one.sample or one.id.rpartition("/")[0]
        signal = "profile" in one.modality or one.modality == "listmode"
        _add(tallies.setdefault(sample, Tally()), one.label, "image" in one.modality, signal)
    samples = read_samples(path)
    return samples, tallies, {name: _made_up(sample.flags) for name, sample in samples.items()}


def _add(tally: Tally, label: str | None, picture: bool, signal: bool) -> None:
    tally.labels[label or UNLABELLED] += 1
    tally.particles += 1
    tally.pictures += picture
    tally.signals += signal


def _made_up(flags: tuple[str, ...] | list[str]) -> str:
    return next((word for word in ("simulated", "semi-simulated") if word in flags), "")


def _rows(
    samples: Mapping[str, Sample],
    tallies: Mapping[str, Tally],
    made_up: Mapping[str, str],
    by: str,
    data: Path | None = None,
) -> list[CountRow]:
    sources = {name: samples[name].source if name in samples else "" for name in tallies}
    taxa = taxa_of(((sources[name], label) for name, tally in tallies.items() for label in tally.labels), data)
    rows = []
    for name, tally in sorted(tallies.items()):
        sample = samples.get(name)
        column, volume, reason = volume_of(sample, tally)
        times = sample.dilution if sample is not None and sample.dilution else 1.0
        counted: Counter[_Counted] = Counter()
        for label, number in tally.labels.items():
            counted[_counted(label, taxa[sources[name], label], by)] += number
        rows += [
            CountRow(
                sample=name,
                label=one.label,
                taxon=one.taxon,
                rank=one.rank,
                aphia_id=one.aphia_id,
                n=number,
                volume_column=column,
                volume_ml=volume,
                per_ml=None if volume is None else number / volume * times,
                reason=reason,
                simulated=made_up.get(name, ""),
            )
            for one, number in sorted(counted.items(), key=lambda item: (-item[1], item[0].label))
        ]
    return rows


class _Counted(NamedTuple):
    """What is counted as one."""

    label: str
    taxon: str | None
    rank: str | None
    aphia_id: int | None


def _counted(label: str, taxon: Taxon, by: str) -> _Counted:
    if taxon.name is None:
        return _Counted(label, None, None, None)
    if by in RANKS and by in taxon.lineage and taxon.rank != by:
        name = taxon.lineage[by]
        (wider,) = resolve([name])
        return _Counted(name, name, by, wider.aphia_id if wider.rank == by else None)  # a homonym of another rank
    shown = label if by == "label" else taxon.name
    return _Counted(shown, taxon.name, taxon.rank, taxon.aphia_id)


def volume_of(sample: Sample | None, tally: Tally) -> tuple[str | None, float | None, str]:
    """Choose the volume that the particles of a sample stand for.

    Returns
    -------
    (column, volume in ml, reason)
        Column and volume are None where `reason` says why.
    """
    if sample is None:
        return None, None, "nothing is known of this sample"
    if (tally.signals and sample.reader not in _CAMERA_READERS) or sample.reader in _CYTOMETER_READERS:
        return _volume_of_cytometer(sample, tally)
    return _volume_of_pictures(sample)


def _volume_of_cytometer(sample: Sample, tally: Tally) -> tuple[str | None, float | None, str]:
    all_here = sample.n_recorded is not None and tally.particles >= _NEARLY_ALL * sample.n_recorded
    only_imaged = "imag" in (sample.set_name or "").lower() or not tally.signals
    if only_imaged and not all_here:
        if sample.volume_imaged_ml:
            return "volume_imaged_ml", sample.volume_imaged_ml, ""
        of_set = f"the set {sample.set_name!r} holds" if sample.set_name else "these are"
        return None, None, f"{of_set} only photographed particles, and their imaged volume is not known"
    if not sample.volume_analysed_ml:
        return None, None, "the files give no analysed volume"
    if _is_whole(sample) and sample.n_recorded and not all_here:
        return None, None, f"only {tally.particles:,} of {sample.n_recorded:,} recorded particles are here"
    return "volume_analysed_ml", sample.volume_analysed_ml, ""


def _is_whole(sample: Sample) -> bool:
    """Tell whether a sample should hold all recorded particles: it is not the export of a gate."""
    return not sample.set_name or sample.set_name.lower().startswith("default")


def _volume_of_pictures(sample: Sample) -> tuple[str | None, float | None, str]:
    if sample.volume_sampled_ml and sample.subsample_fraction:  # of the water, where the others are of a concentrate
        part = sample.volume_sampled_ml * sample.subsample_fraction
        return "volume_sampled_ml × subsample_fraction", part, ""
    if sample.volume_imaged_ml:
        return "volume_imaged_ml", sample.volume_imaged_ml, ""
    if sample.volume_analysed_ml:
        return "volume_analysed_ml", sample.volume_analysed_ml, ""
    if sample.volume_sampled_ml:
        return None, None, "the sampled volume is known, but not which part of it was looked at"
    return None, None, "the files give no volume"
