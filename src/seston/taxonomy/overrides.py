"""A user's own table of what labels mean; it wins over every other source."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from seston.errors import InputError, NotFoundError
from seston.taxonomy.taxon import Kind, Taxon
from seston.taxonomy.tree import TaxonTree

__all__ = ["FIELDS", "Overrides", "data_set_overrides", "read_overrides"]

FIELDS = ("name", "kind", "stage", "part", "morphology", "qualifier", "note")
"""Columns that a table may have beside ``raw_label`` and ``source``."""

_NOTHING = "-"
_LONGEST_FIELD = 1000


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a user says about labels.

    An empty cell leaves what was read; a hyphen takes it away.
    """

    rows: Mapping[tuple[str, str], Mapping[str, str]]
    """Source (empty for every source) and raw label → field → value."""

    def apply(self, taxon: Taxon, tree: TaxonTree) -> Taxon:
        """Give the taxon as the user wants it; a row for its source counts before one for every source."""
        row = self.rows.get((taxon.source, taxon.raw_label)) or self.rows.get(("", taxon.raw_label))
        if row is None:
            return taxon
        changes: dict[str, Any] = {
            field: None if value == _NOTHING else value for field, value in row.items() if value and field != "name"
        }
        if changes.get("note", "") is None:
            changes["note"] = ""
        if row.get("name"):
            changes |= _named(row["name"], tree)
        return replace(taxon, **changes, how="override", confidence=1.0)


def data_set_overrides(data: Path) -> Path | None:
    """Name the table of overrides that a data set has, if it has one: ``taxonomy.tsv`` in its folder."""
    path = data / "taxonomy.tsv"
    return path if path.is_file() else None


def read_overrides(path: Path) -> Overrides:
    """Read a table of overrides: UTF-8 text, columns parted by tabs and named in the first line.

    The column ``raw_label`` is needed; ``source`` and any of `FIELDS` may be there. A name that the tables of taxa do
    not hold is kept as it stands, without rank and lineage.

    Raises
    ------
    NotFoundError
        If there is no such file.
    InputError
        If a column is not known, or a row contradicts another or holds what cannot be.
    """
    if not path.is_file():
        raise NotFoundError(f"there is no table of overrides {path}")
    rows: dict[tuple[str, str], Mapping[str, str]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            columns = next(table, [])
            _check_columns(path, columns)
            for number, cells in enumerate(table, start=2):
                if any(cells):
                    key, fields = _row(path, number, columns, cells)
                    if rows.get(key, fields) != fields:
                        raise InputError(f"{path}: line {number} contradicts an earlier one about {key[1]!r}")
                    rows[key] = fields
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table ({error}); save it as UTF-8 text with tabs") from None
    return Overrides(MappingProxyType(rows))


def _check_columns(path: Path, columns: list[str]) -> None:
    unknown = [column for column in columns if column not in ("source", "raw_label", *FIELDS)]
    if unknown or "raw_label" not in columns:
        what = f"has an unknown column {unknown[0]!r}" if unknown else "has no column raw_label"
        raise InputError(f"{path} {what}; there are: raw_label, source, {', '.join(FIELDS)}, parted by tabs")


def _row(path: Path, number: int, columns: list[str], cells: list[str]) -> tuple[tuple[str, str], Mapping[str, str]]:
    if len(cells) > len(columns) or any(len(cell) > _LONGEST_FIELD for cell in cells):
        raise InputError(f"{path}: line {number} has more cells than there are columns, or a very long one")
    row = dict(zip(columns, cells, strict=False))
    kind = row.get("kind", "").strip()
    if kind and kind not in get_args(Kind):
        raise InputError(f"{path}: line {number}: {kind!r} is no kind; there are: {', '.join(get_args(Kind))}")
    fields = {field: row[field].strip() for field in FIELDS if row.get(field, "").strip()}
    return (row.get("source", "").strip(), row["raw_label"]), MappingProxyType(fields)


def _named(name: str, tree: TaxonTree) -> dict[str, Any]:
    """Give the fields that follow from a name."""
    if name == _NOTHING:
        return {"name": None, "rank": None, "lineage": MappingProxyType({}), "aphia_id": None, "parts": ()}
    facts = tree.find(name)
    if not facts:
        return {"name": name, "rank": None, "lineage": MappingProxyType({}), "aphia_id": None, "parts": ()}
    fact = tree.accepted(facts[0])
    return {"name": fact.name, "rank": fact.rank, "lineage": tree.lineage(fact), "aphia_id": fact.aphia_id, "parts": ()}
