"""Rows of Planktonzilla's shards as particles, and the samples that they belong to."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from seston.errors import InputError
from seston.instruments.archive_member import LARGEST_MEMBER
from seston.instruments.pictures import image_format
from seston.instruments.source import Record
from seston.particle import Annotation, Note, Particle, Sample, Skipped, Status

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Rows", "samples_in"]

_READER = "planktonzilla"
_STATUSES: tuple[str, ...] = get_args(Status)
_SPDX = {
    "mit": "MIT", "cc0-1.0": "CC0-1.0", "cc-by-4.0": "CC-BY-4.0", "cc-by-sa-4.0": "CC-BY-SA-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0", "other": "unknown", "": "unknown",
}  # fmt: skip
_MAPPINGS = ("detector_levels", "settings", "provenance")
_NOT_NAMED = "unknown"
"""Author of a label that a person gave: an export does not say who."""


class Rows:
    """Turns rows into particles; remembers the samples that it has given.

    Parameters
    ----------
    samples
        Samples that are known already, by id.
    """

    def __init__(self, samples: Mapping[str, Sample]) -> None:
        self._samples = dict(samples)
        self._odd: Counter[str] = Counter()

    def records(self, batch: pa.RecordBatch, path: Path, shard: int, first: int) -> Iterator[Record]:
        """Give the particles of some rows, and each sample before its first.

        Parameters
        ----------
        shard, first
            Number of the shard, and of the first row in it: rows without an id are called by them.
        """
        for place, row in enumerate(batch.to_pylist(), start=first):
            picture = (row.get("image") or {}).get("bytes")
            dataset = row.get("dataset") or "planktonzilla"
            if len(picture or b"") > LARGEST_MEMBER:
                yield Skipped(str(path), f"row {place}", f"larger than {LARGEST_MEMBER >> 20} MB")
                continue
            sample_id = row.get("sample_id") or _sample_id(dataset, row)
            if sample_id not in self._samples:
                self._samples[sample_id] = self._sample(sample_id, dataset, row)
                yield self._samples[sample_id]
            name = row.get("id") or f"{sample_id}/{_stem(row)}@{shard}.{place}"
            try:
                yield self._particle(name, self._samples[sample_id], dataset, row, picture)
                yield from _annotation(name, row)
            except (ValueError, TypeError, KeyError) as error:
                yield Skipped(str(path), f"row {place}", f"cannot be used ({' '.join(str(error).split())[:120]})")

    def notes(self, path: Path) -> Iterator[Note]:
        """Say what was odd."""
        for what, number in self._odd.items():
            yield Note(str(path), f"{number:,} rows have {what}: left empty")

    def _particle(
        self, name: str, sample: Sample, dataset: str, row: Mapping[str, Any], picture: bytes | None
    ) -> Particle:
        facts = _facts().get(dataset, {})
        channels = tuple(row.get("profile_channels") or ())
        spot = self._spot(row, sample)
        return Particle(
            id=name,
            sample_id=sample.id,
            source=dataset,
            image=picture,
            image_format=image_format(picture) if picture else None,
            raw_label=row.get("original_label") or None,
            raw_status=row.get("original_status") or None,
            pixel_size_um=row.get("pixel_size_um"),
            profile=_profile(row, channels),
            profile_channels=channels,
            profile_spacing_um=row.get("profile_spacing_um"),
            listmode=_listmode(row),
            licence=_spdx(row["license"]) if row.get("license") else facts.get("licence", "unknown"),
            attribution=row.get("attribution") or facts.get("credit", ""),
            flags=tuple(row.get("flags") or ()),
            **spot,
        )

    def _spot(self, row: Mapping[str, Any], sample: Sample) -> dict[str, Any]:
        """Give time, position and depth, as far as they differ from those of the sample."""
        latitude, longitude = _number(row.get("Latitude")), _number(row.get("Longitude"))
        if latitude is None or longitude is None:
            latitude = longitude = None
        spot = {
            "time": self._time(row.get("timestamp")),
            "latitude": latitude,
            "longitude": longitude,
            "depth_min_m": _number(row.get("Depth_min")),
            "depth_max_m": _number(row.get("Depth_max")),
        }
        for names, theirs in (
            (("time",), (sample.start,)),
            (("latitude", "longitude"), (sample.latitude, sample.longitude)),
            (("depth_min_m", "depth_max_m"), (sample.depth_min_m, sample.depth_max_m)),
        ):
            if tuple(spot[name] for name in names) == theirs:
                spot |= dict.fromkeys(names)
        return spot

    def _time(self, text: str | None) -> datetime | None:
        if not text:
            return None
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            self._odd["a time that cannot be read"] += 1
            return None
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)

    def _sample(self, sample_id: str, dataset: str, row: Mapping[str, Any]) -> Sample:
        """Make a sample of what the first row of it says; only one that is a bin has a place and a time of its own."""
        facts = _facts().get(dataset, {})
        settings = {
            name.lower(): str(value)
            for name in ("Humidity", "Temperature")
            if facts.get("sample") and (value := _number(row.get(name))) is not None
        }
        spot = self._spot(row, Sample(id="")) if facts.get("sample") else {}
        start = spot.pop("time", None)
        return Sample(
            id=sample_id,
            source=dataset,
            reader=_READER,
            instrument=facts.get("instrument"),
            licence=facts.get("licence", "unknown"),
            attribution=facts.get("credit", ""),
            settings=settings,
            start=start,
            **spot,
        )


def _annotation(particle_id: str, row: Mapping[str, Any]) -> Iterator[Annotation]:
    """Give what a person or a model said of a particle, as an export of Seston keeps it."""
    label, status, time = row.get("label"), row.get("label_status"), row.get("label_time")
    if label and time and status in _STATUSES:
        yield Annotation(
            particle_id=particle_id,
            label=label,
            status=status,
            author=row.get("label_model") or _NOT_NAMED,
            score=row.get("label_score"),
            time=datetime.fromisoformat(time),
        )


def samples_in(path: Path) -> Iterator[Sample]:
    """Read the samples that an export of Seston keeps beside its shards.

    Raises
    ------
    InputError
        The file is damaged, or holds something else.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = {field.name for field in fields(Sample)}
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=256):
                for row in batch.to_pylist():
                    known = {name: value for name, value in row.items() if name in names and value is not None}
                    for name in _MAPPINGS:
                        known[name] = MappingProxyType(json.loads(known.get(name) or "{}"))
                    known["flags"] = tuple(known.get("flags", ()))
                    yield Sample(**known)
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        said = " ".join(str(error).split())[:160]
        raise InputError(f"{path}: the samples beside the shards cannot be read ({said})") from error


def _sample_id(dataset: str, row: Mapping[str, Any]) -> str:
    column = _facts().get(dataset, {}).get("sample")
    return f"{dataset}/{row[column]}" if column and row.get(column) else dataset


def _stem(row: Mapping[str, Any]) -> str:
    path = (row.get("original_path") or row.get("original_label") or "").strip("/")
    stem, point, ending = path.rpartition(".")
    return stem if point and ending.isalnum() and len(ending) <= 4 else path


def _profile(row: Mapping[str, Any], channels: tuple[str, ...]) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    samples = row.get("profile")
    return None if samples is None else np.array(samples, np.float32).reshape(len(channels), row["profile_length"])


def _listmode(row: Mapping[str, Any]) -> dict[str, float]:
    if not row.get("listmode") or not row.get("listmode_names"):
        return {}
    return dict(zip(json.loads(row["listmode_names"]), row["listmode"], strict=True))


def _spdx(text: str) -> str:
    return _SPDX.get(text.strip().lower(), text.strip())


def _number(value: float | None) -> float | None:
    return value if isinstance(value, float) and math.isfinite(value) else None


@lru_cache(maxsize=1)
def _facts() -> dict[str, dict[str, str]]:
    text = files("seston.instruments").joinpath("planktonzilla_sources.tsv").read_text(encoding="utf-8")
    return {row["dataset"]: row for row in csv.DictReader(text.splitlines(), delimiter="\t")}
