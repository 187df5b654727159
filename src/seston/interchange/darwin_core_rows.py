"""Particles as Darwin Core occurrences, samples as events.

Terms: https://dwc.tdwg.org/terms/, listed in ``darwin_core_terms.tsv``. Which words stand in them follows the OBIS
manual (https://manual.obis.org/) and the recommendations for plankton imaging of Martin-Cabrera et al. 2022
(https://doi.org/10.25607/OBP-1742): ``MachineObservation``, ``PredictedByMachine`` or ``ValidatedByHuman``, names with
the LSID of WoRMS.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any

from seston.interchange.licences import find_licence
from seston.interchange.outgoing import Outgoing
from seston.interchange.picture_names import picture_name
from seston.particle import Particle, Sample
from seston.taxonomy import Taxon

__all__ = ["REQUIRED", "Term", "event_values", "is_whole_organism", "line", "occurrence_values", "terms_of_table"]

REQUIRED = ("date", "latitude", "longitude")
"""What an occurrence must have beside its name to be taken by OBIS."""

_LSID = "urn:lsid:marinespecies.org:taxname:"
_NO_NAME = ("Incertae sedis", f"{_LSID}12")
"""What OBIS asks to write where it is not known what an organism is."""
_SEVERAL = frozenset({"chain", "colony", "aggregate", "cluster", "multiple", "group", "bundle", "tuft"})
_HIGHER_RANKS = ("kingdom", "phylum", "class", "order", "family", "genus")


@dataclass(frozen=True, slots=True)
class Term:
    """One column."""

    name: str
    uri: str
    value: str


def terms_of_table(table: str) -> tuple[Term, ...]:
    """Give the columns of ``occurrence`` (all of them: it stands alone) or ``event``."""
    rows = [row for row in _rows() if table == "occurrence" or row["table"] in ("both", table)]
    return tuple(Term(row["term"], row["uri"], row["value"]) for row in rows)


def line(terms: tuple[Term, ...], values: Mapping[str, Any]) -> str:
    """Give a row, parted by tabs."""
    return "\t".join(_cell(values.get(term.value)) for term in terms) + "\n"


def occurrence_values(one: Outgoing, taxon: Taxon | None, volume_ml: float | None, media: str) -> dict[str, Any]:
    """Give what stands in the row of a particle.

    Parameters
    ----------
    volume_ml
        What its sample's counts are divided by, where that is known.
    media
        Address below which the pictures lie, or an empty text.
    """
    particle, naming, licence = one.particle, one.naming, find_licence(one.particle.licence)
    predicted = naming is not None and naming.status == "predicted"
    single = is_whole_organism(taxon)
    return {
        **event_values(one.sample, volume_ml),
        **_spot(particle, one.sample),
        **_name(taxon),
        "id": particle.id,
        "sample_id": particle.sample_id,
        "basis": "MachineObservation",
        "present": "present",
        "label": naming.label if naming else None,
        "verification": "PredictedByMachine" if predicted else "ValidatedByHuman",
        "model": naming.author if naming and predicted else None,
        "date_identified": naming.time if naming else None,
        "identification_remarks": f"score {naming.score:.4f}" if naming and naming.score is not None else None,
        "individuals": 1 if single else None,
        "quantity": None if single else 1,
        "quantity_type": None if single else "objects",
        "media": f"{media.rstrip('/')}/{picture_name(particle)}" if media and particle.image_format else None,
        "licence": licence.url if licence else None,
        "attribution": particle.attribution,
        "source": particle.source,
    }


def event_values(sample: Sample, volume_ml: float | None) -> dict[str, Any]:
    """Give what stands in the row of a sample."""
    there = sample.latitude is not None and sample.longitude is not None
    return {
        "sample_id": sample.id,
        "date": _interval(sample.start, sample.end),
        "latitude": sample.latitude if there else None,
        "longitude": sample.longitude if there else None,
        "datum": "WGS84" if there else None,
        "depth_min_m": sample.depth_min_m,
        "depth_max_m": sample.depth_max_m,
        "protocol": sample.instrument,
        "size": volume_ml,
        "size_unit": None if volume_ml is None else "millilitre",
    }


def is_whole_organism(taxon: Taxon | None) -> bool:
    """Tell whether one picture is one individual: no part of one, no chain, colony or mixture."""
    if taxon is None or taxon.part or len(taxon.parts) > 1:
        return False
    return not _SEVERAL.intersection((taxon.morphology or "").split())


def _name(taxon: Taxon | None) -> dict[str, Any]:
    if taxon is None or taxon.name is None:
        return {"name": _NO_NAME[0], "name_id": _NO_NAME[1]}
    words = [word for word in (taxon.part, taxon.morphology) if word]
    return {
        "name": taxon.name,
        "name_id": None if taxon.aphia_id is None else f"{_LSID}{taxon.aphia_id}",
        "rank": taxon.rank,
        "qualifier": taxon.qualifier,
        "stage": taxon.stage,
        "remarks": "; ".join([*words, *([f"together: {', '.join(taxon.parts)}"] if len(taxon.parts) > 1 else [])]),
        **{rank: taxon.lineage.get(rank) for rank in _HIGHER_RANKS},
    }


def _spot(particle: Particle, sample: Sample) -> dict[str, Any]:
    """Give time, position and depth of a particle where it has its own."""
    spot: dict[str, Any] = {}
    if particle.time is not None and particle.time != sample.start:
        spot["date"] = _instant(particle.time)
    if particle.latitude is not None and particle.longitude is not None:
        spot |= {"latitude": particle.latitude, "longitude": particle.longitude, "datum": "WGS84"}
    if particle.depth_min_m is not None or particle.depth_max_m is not None:
        spot |= {"depth_min_m": particle.depth_min_m, "depth_max_m": particle.depth_max_m}
    return spot


def _interval(start: datetime | None, end: datetime | None) -> str | None:
    if start is None or end is None or end <= start:
        return _instant(start or end)
    return f"{_instant(start)}/{_instant(end)}"


def _instant(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds").replace("+00:00", "Z")


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, datetime):
        return _instant(value) or ""
    return " ".join(str(value).split())


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, str], ...]:
    text = files("seston.interchange").joinpath("darwin_core_terms.tsv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines(), delimiter="\t"))
