"""The table of an EcoTaxa import: which columns there are, and a particle's cells in them.

The fixed columns stand in ``ecotaxa_columns.tsv``; the rules are those of the server (ecotaxa/ecotaxa_back,
``py/BO/TSVFile.py``): a second line with types, the prefixes ``object_``, ``sample_``, ``acq_`` and ``process_``, and
at most so many free columns a level. Listmode parameters become free columns of the object, and columns that an EcoTaxa
file brought for sample, acquisition and process go back to where they were.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from seston.interchange.outgoing import Outgoing
from seston.particle import Sample

__all__ = ["EcotaxaTable", "own_number", "survey"]

_MOST_FREE = {"object": 499, "sample": 61, "acq": 31, "process": 31}
"""Free columns that a project can hold: numbers of objects (500, of which the score is one), texts of the others."""
_PARENTS = ("sample", "acq", "process")
_OF_SAMPLES = tuple(field.name for field in fields(Sample))
_SAMPLES_REMEMBERED = 64
_READER = "ecotaxa"
_WORDS_OF_STATUS = {"unstated": "validated"}
"""A source's own label counts as a person's word, as everywhere in a data set."""


@dataclass(frozen=True, slots=True)
class EcotaxaTable:
    """The columns of one export, the same in all its files."""

    fixed: tuple[tuple[str, str, str], ...]
    """Column, type (``t`` or ``f``) and value of `ecotaxa_columns.tsv`."""
    listmode: Mapping[str, str]
    """Listmode parameter → column."""
    settings: tuple[str, ...]
    """Columns of sample, acquisition and process that an EcoTaxa file brought."""
    parents: Mapping[str, tuple[str, str, str]]
    """Sample → ids of sample, acquisition and process."""
    doubled: frozenset[int]
    """Hashes of object ids that two particles would share: these go out under their whole ids."""
    notes: tuple[str, ...] = ()
    shared: dict[str, tuple[dict[str, str], list[str]]] = field(default_factory=dict, repr=False, compare=False)
    """Cells of the samples of late."""

    def head(self) -> str:
        """Give the lines of names and of types."""
        names = [*(column for column, _, _ in self.fixed), *self.listmode.values(), *self.settings]
        types = [*(f"[{kind}]" for _, kind, _ in self.fixed), *("[f]" for _ in self.listmode)]
        return _line(names) + _line([*types, *("[t]" for _ in self.settings)])

    def row(self, one: Outgoing, category: str, picture: str) -> str:
        """Give the line of one particle.

        Parameters
        ----------
        category
            Its name, in the words to use on EcoTaxa; empty where it has none.
        picture
            Path of its picture beside the table.
        """
        of_sample, settings = self._of_sample(one.sample)
        values = {name: _cell(value) for name, value in _values(one, category, self.object_id(one), picture).items()}
        cells = [of_sample.get(column, "") or values.get(value, "") for column, _, value in self.fixed]
        parameters = one.particle.listmode
        cells += [_cell(parameters.get(name)) for name in self.listmode]
        return _line([*cells, *settings])

    def _of_sample(self, sample: Sample) -> tuple[dict[str, str], list[str]]:
        """Give the cells that all particles of a sample share: by column, and those of the settings."""
        if sample.id not in self.shared:
            if len(self.shared) >= _SAMPLES_REMEMBERED:
                self.shared.clear()
            parents = self.parents.get(sample.id, (sample.id,) * 3)
            values = dict(zip(("of_sample", "of_acquisition", "of_process"), parents, strict=True))
            values |= {f"sample.{name}": getattr(sample, name) for name in _OF_SAMPLES}
            cells = {
                column: _cell(values[value]) or _cell(sample.settings.get(column))
                for column, _, value in self.fixed
                if value in values
            }
            self.shared[sample.id] = (cells, [_cell(sample.settings.get(column)) for column in self.settings])
        return self.shared[sample.id]

    def object_id(self, one: Outgoing) -> str:
        """Give the object's own id where it came from EcoTaxa, so that it can be found there again; else the whole."""
        own = own_number(one.particle.id, one.sample)
        return one.particle.id if own == one.particle.id or hash(own) in self.doubled else own


def survey(ids: Iterable[tuple[str, str]], parameters: Iterable[str], samples: Mapping[str, Sample]) -> EcotaxaTable:
    """Find the columns that particles need.

    Parameters
    ----------
    ids
        Particle and sample id of each.
    parameters
        Names of listmode parameters, in the order in which they are met.
    """
    doubled = _doubled(ids, samples)  # first: whoever gives the ids may gather the parameters meanwhile
    fixed = _needed(samples.values())
    taken = {column for column, _, _ in fixed}
    notes: list[str] = []
    listmode = _listmode_columns(list(parameters), taken, notes)
    settings = _settings_columns(samples.values(), taken, notes)
    return EcotaxaTable(fixed, listmode, settings, _parents_of(samples.values()), doubled, tuple(notes))


def own_number(particle_id: str, sample: Sample) -> str:
    """Give a particle's id in its own EcoTaxa project, or the whole id of particles from elsewhere."""
    return particle_id.removeprefix(f"{sample.id}/") if sample.reader == _READER else particle_id


def _doubled(ids: Iterable[tuple[str, str]], samples: Mapping[str, Sample]) -> frozenset[int]:
    own = (hash(own_number(one, samples[of])) for one, of in ids if of in samples and samples[of].reader == _READER)
    hashes, numbers = np.unique(np.fromiter(own, np.int64), return_counts=True)
    return frozenset(hashes[numbers > 1].tolist())


def _needed(samples: Iterable[Sample]) -> tuple[tuple[str, str, str], ...]:
    """Leave out what no sample has: a project holds few columns of an acquisition."""
    known = {name for sample in samples for name in _OF_SAMPLES if getattr(sample, name) not in (None, "")}
    return tuple(row for row in _fixed() if row[2].partition(".")[2] in known | {""})


def _parents_of(samples: Iterable[Sample]) -> dict[str, tuple[str, str, str]]:
    """Give samples from EcoTaxa the ids that they had there, unless two of them then shared an acquisition."""
    theirs = {
        sample.id: (said["sample_id"], said.get("acq_id", sample.id), said.get("process_id", sample.id))
        for sample in samples
        if sample.reader == _READER and "sample_id" in (said := sample.settings)
    }
    shared = Counter(acquisition for _, acquisition, _ in theirs.values())
    return {name: ids for name, ids in theirs.items() if shared[ids[1]] == 1}


def _listmode_columns(parameters: Sequence[str], taken: set[str], notes: list[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for name in parameters[: _MOST_FREE["object"]]:
        column = "_".join(name.lower().split())
        if not column.startswith("object_"):  # a table of EcoTaxa's brings them with it
            column = f"object_{column}"
        if column in taken or column.startswith("object_annotation_"):
            column = column.replace("object_", "object_parameter_", 1)
        number = 2
        while column in taken:
            column, number = f"{column.rstrip('0123456789')}{number}", number + 1
        taken.add(column)
        columns[name] = column
    if more := len(parameters) - len(columns):
        notes.append(f"{more:,} listmode parameters are left out: EcoTaxa takes 500 numbers an object")
    return columns


def _settings_columns(samples: Iterable[Sample], taken: set[str], notes: list[str]) -> tuple[str, ...]:
    found = dict.fromkeys(
        key
        for sample in samples
        for key in sample.settings
        if key.partition("_")[0] in _PARENTS and key.partition("_")[2] and key == key.lower() and key not in taken
    )
    columns: list[str] = []
    for level in _PARENTS:
        wanted = [key for key in found if key.startswith(f"{level}_")]
        room = _MOST_FREE[level] - sum(name.startswith(f"{level}_") for name in taken) + 1  # its id is not free
        columns += wanted[:room]
        if len(wanted) > room:
            notes.append(f"{len(wanted) - room:,} columns of {level} are left out: EcoTaxa takes {_MOST_FREE[level]}")
    return tuple(columns)


def _values(one: Outgoing, category: str, object_id: str, picture: str) -> dict[str, Any]:
    particle, sample, naming = one.particle, one.sample, one.naming
    time = particle.time or sample.start
    here = particle.latitude is not None and particle.longitude is not None
    deep = particle.depth_min_m is not None or particle.depth_max_m is not None
    place, depth = (particle if here else sample), (particle if deep else sample)
    by_model = naming is not None and naming.status == "predicted"
    by_person = naming is not None and naming.status in ("validated", "dubious") and naming.time is not None
    return {
        "picture": picture,
        "rank": 0,
        "object_id": object_id,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "date": f"{time:%Y%m%d}" if time else None,
        "time": _clock(time),
        "depth_min_m": depth.depth_min_m,
        "depth_max_m": depth.depth_max_m,
        "status": _WORDS_OF_STATUS.get(naming.status, naming.status) if naming else None,
        "category": category or None,
        "annotation_date": f"{naming.time:%Y%m%d}" if by_person and naming and naming.time else None,
        "annotation_time": _clock(naming.time) if by_person and naming else None,
        "score": naming.score if by_model and naming else None,
        "model": naming.author if by_model and naming else None,
        "source": particle.source,
        "licence": particle.licence,
        "attribution": particle.attribution,
        "flags": " ".join(particle.flags),
        "pixel_size_um": particle.pixel_size_um if particle.pixel_size_um is not None else sample.pixel_size_um,
    }


def _clock(time: datetime | None) -> str | None:
    if time is None:
        return None
    return f"{time:%H:%M:%S.%f}" if time.microsecond else f"{time:%H%M%S}"


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    text = str(value)
    return text if text.isprintable() else " ".join(text.split())


def _line(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written, delimiter="\t", lineterminator="\n").writerow(cells)
    return written.getvalue()


@lru_cache(maxsize=1)
def _fixed() -> tuple[tuple[str, str, str], ...]:
    text = files("seston.interchange").joinpath("ecotaxa_columns.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return tuple((row["column"], row["type"], row["value"]) for row in rows)
