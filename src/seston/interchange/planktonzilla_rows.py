"""Particles as rows with the columns of Planktonzilla-17M, as the Hugging Face Hub shows them.

Names and meanings of the first columns are those of ``project-oceania/planktonzilla-17M`` (arXiv 2606.00080); the
further ones hold what a data set knows beside that, so that it can be read back whole: ``planktonzilla_columns.tsv``.
Positions and depths are float64, which reads as float32 wherever that is asked for.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pyarrow as pa

from seston.interchange.licences import find_licence
from seston.interchange.outgoing import Outgoing
from seston.interchange.picture_names import picture_name
from seston.interchange.taxa import Taxa
from seston.taxonomy import Taxon

__all__ = ["Column", "columns_of", "rows_to_table", "schema_of"]

_TYPES = {
    "image": pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    "string": pa.string(),
    "bool": pa.bool_(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "int32": pa.int32(),
    "list<string>": pa.list_(pa.string()),
    "list<float32>": pa.list_(pa.float32()),
}
_LARVAE = frozenset(
    [
        "larva",
        "larvae",
        "nauplius",
        "nauplii",
        "zoea",
        "megalopa",
        "cypris",
        "veliger",
        "pluteus",
        "bipinnaria",
        "brachiolaria",
        "trochophore",
        "planula",
        "cyphonautes",
        "actinotroch",
        "tornaria",
        "phyllosoma",
        "protozoea",
        "mysis",
        "furcilia",
        "calyptopis",
        "ephyra",
        "pilidium",
    ]
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the export."""

    name: str
    type: str
    value: str
    meaning: str


_PROFILE = (
    Column("profile", "list<float32>", "profile", "samples of the optical profile, channel after channel"),
    Column("profile_channels", "list<string>", "profile_channels", "names of its channels"),
    Column("profile_length", "int32", "profile_length", "samples a channel"),
    Column("profile_spacing_um", "float64", "profile_spacing_um", "µm a sample, where known"),
)
_LISTMODE = (
    Column("listmode", "list<float32>", "listmode", "the instrument's own parameters"),
    Column("listmode_names", "string", "listmode_names", "their names, as a JSON list"),
)


def columns_of(*, profiles: bool, listmode: bool) -> list[Column]:
    """List the columns; those of profiles and parameters only where the data set has such."""
    return [*_always(), *(_PROFILE if profiles else ()), *(_LISTMODE if listmode else ())]


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """Give the Parquet schema, with the description of features by which the Hub knows a picture."""
    features = {column.name: _feature(column.type) for column in columns}
    described = json.dumps({"info": {"features": features}})
    fields = [pa.field(column.name, _TYPES[column.type]) for column in columns]
    return pa.schema(fields, metadata={"huggingface": described})


def rows_to_table(rows: Sequence[Outgoing], columns: Sequence[Column], schema: pa.Schema, taxa: Taxa) -> pa.Table:
    """Give particles as rows."""
    values = [_values(one, taxa.of(one)) for one in rows]
    arrays = [pa.array([row.get(column.value) for row in values], _TYPES[column.type]) for column in columns]
    return pa.table(arrays, schema=schema)


def _values(one: Outgoing, taxon: Taxon | None) -> dict[str, Any]:
    particle, sample, naming = one.particle, one.sample, one.naming
    time = particle.time or sample.start
    here = particle.latitude is not None and particle.longitude is not None
    deep = particle.depth_min_m is not None or particle.depth_max_m is not None
    place, depth = (particle if here else sample), (particle if deep else sample)
    name, by_model = picture_name(particle), naming is not None and naming.status == "predicted"
    licence = find_licence(particle.licence)
    return {
        "image": None if particle.image is None else {"bytes": particle.image, "path": name.rpartition("/")[2]},
        "source": particle.source,
        "raw_label": particle.raw_label,
        "raw_status": particle.raw_status,
        "label_time": naming.time.isoformat().replace("+00:00", "Z") if naming and naming.time else None,
        "path": "/" + "/".join(name.split("/")[-2:]),
        "latitude": place.latitude,
        "longitude": place.longitude,
        "depth_min_m": depth.depth_min_m,
        "depth_max_m": depth.depth_max_m,
        "humidity": _number(sample.settings, "humidity"),
        "temperature": _number(sample.settings, "temperature"),
        "timestamp": time.isoformat().replace("+00:00", "Z") if time else None,
        "licence": particle.licence,
        "licence_url": licence.url if licence else None,
        "attribution": particle.attribution,
        "id": particle.id,
        "sample_id": particle.sample_id,
        "label": naming.label if naming else None,
        "status": naming.status if naming else None,
        "score": naming.score if by_model and naming else None,
        "model": naming.author if by_model and naming else None,
        "pixel_size_um": particle.pixel_size_um,
        "flags": particle.flags,
        "profile": None if particle.profile is None else particle.profile.ravel(),
        "profile_channels": particle.profile_channels or None,
        "profile_length": None if particle.profile is None else particle.profile.shape[1],
        "profile_spacing_um": particle.profile_spacing_um,
        "listmode": list(particle.listmode.values()) or None,
        "listmode_names": json.dumps(list(particle.listmode), ensure_ascii=False) if particle.listmode else None,
        **_of_taxon(taxon),
    }


def _of_taxon(taxon: Taxon | None) -> dict[str, Any]:
    if taxon is None:
        return {}
    lineage = {rank: name.lower() for rank, name in taxon.lineage.items()}
    species = lineage.pop("species", "")
    living = {"living": True, "unknown": None}.get(taxon.kind, False)
    return {
        **{
            f"rank.{rank}": lineage.get(rank, "") for rank in ("kingdom", "phylum", "class", "order", "family", "genus")
        },
        "epithet": species.removeprefix(f"{lineage.get('genus', '')} "),
        "proposed_label": (taxon.name or taxon.raw_label.replace("_", " ")).lower(),
        "plankton": living,
        "root_class": "" if taxon.kind == "unknown" else taxon.kind,
        "qualifier": _qualifier(taxon),
        "aphia_id": None if taxon.aphia_id is None else str(taxon.aphia_id),
        **{f"ids.{register}": taxon.ids.get(register) for register in ("wikidata", "ecotaxa", "ncbi", "bold")},
    }


def _qualifier(taxon: Taxon) -> str:
    if taxon.part:
        return f"part_{taxon.part}"
    if len(taxon.parts) > 1:
        return "mix"
    if taxon.qualifier == "like":
        return "like"
    if taxon.stage == "egg":
        return "egg"
    if taxon.stage in _LARVAE:
        return "larvae"
    return "full_body" if taxon.kind == "living" else ""


def _number(settings: Mapping[str, str], key: str) -> float | None:
    try:
        return float(settings[key])
    except (KeyError, ValueError):
        return None


def _feature(kind: str) -> dict[str, Any]:
    if kind == "image":
        return {"_type": "Image"}
    if kind.startswith("list<"):
        return {"feature": {"dtype": kind[5:-1], "_type": "Value"}, "_type": "Sequence"}
    return {"dtype": kind, "_type": "Value"}


@lru_cache(maxsize=1)
def _always() -> tuple[Column, ...]:
    text = files("seston.interchange").joinpath("planktonzilla_columns.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return tuple(Column(row["column"], row["type"], row["value"], row["meaning"] or "") for row in rows)
