"""The tables of Nordic Microalgae (nordicmicroalgae.org, repository nordicmicroalgae/content, folder ``species``).

``taxa.txt`` has a row for each taxon, with its AphiaID as ``taxon_id`` and a column ``classification``:
``[Kingdom] Chromista - [Phylum] Ciliophora - …``. ``synonyms.txt`` names synonyms by the taxon's id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from seston.particle import Skipped
from seston.taxonomy.checklist_files import ChecklistFiles, table_rows
from seston.taxonomy.checklist_names import ChecklistName, bare_name, plain_rank

__all__ = ["claims_nordic_microalgae", "read_nordic_microalgae"]

_TAXA, _SYNONYMS = "taxa.txt", "synonyms.txt"
_NEEDED = {"scientific_name", "rank", "taxon_id"}
_OF_SYNONYMS = {"synonym_name", "taxon_id"}
_STEP = re.compile(r"\[([^\]]+)\] (.+?)(?= - \[|$)")
_IN_USE = frozenset({"", "accepted", "valid"})


def claims_nordic_microalgae(files: ChecklistFiles) -> bool:
    """Say whether there is a table of taxa in this form."""
    return _table_of_taxa(files) != ""


def read_nordic_microalgae(files: ChecklistFiles) -> Iterator[ChecklistName | Skipped]:
    """Read the taxa, then the synonyms where there is a table of them."""
    taxa = _table_of_taxa(files)
    for number, row in _rows(files, taxa):
        if isinstance(row, Skipped):
            yield row
        else:
            yield _taxon(row) if row["scientific_name"] else Skipped(taxa, f"line {number}", "has no name")
    if _SYNONYMS in files.names() and set(files.header(_SYNONYMS).split("\t")) >= _OF_SYNONYMS:
        for number, row in _rows(files, _SYNONYMS):
            if isinstance(row, Skipped):
                yield row
            elif not row["synonym_name"] or not row["taxon_id"]:
                yield Skipped(_SYNONYMS, f"line {number}", "has no name, or no taxon that it is a synonym of")
            else:
                yield _synonym(row)


def _table_of_taxa(files: ChecklistFiles) -> str:
    name = files.named or _TAXA
    if name not in files.names():
        return ""
    return name if set(files.header(name).split("\t")) >= _NEEDED else ""


def _rows(files: ChecklistFiles, name: str) -> Iterator[tuple[int, dict[str, str] | Skipped]]:
    with files.open(name) as file:
        header: Sequence[str] | None = None
        for number, fields in table_rows(file, where=f"{files.path}: {name}", delimiter="\t"):
            if header is None:
                header = fields
            elif len(fields) != len(header):
                reason = f"has {len(fields)} fields where the header has {len(header)}"
                yield number, Skipped(name, f"line {number}", reason)
            else:
                yield number, dict(zip(header, (field.strip() for field in fields), strict=True))


def _taxon(row: dict[str, str]) -> ChecklistName:
    key, accepted_key = row["taxon_id"], row.get("valid_aphia_id", "")
    path = [(plain_rank(rank), name.strip()) for rank, name in _STEP.findall(row.get("classification", ""))]
    return ChecklistName(
        name=row["scientific_name"],
        rank=plain_rank(row["rank"]),
        key=key,
        parent_key=row.get("parent_id", ""),
        parent="" if path else row.get("parent_name", ""),
        accepted_key=accepted_key if accepted_key != key else "",
        accepted=row.get("valid_name", ""),
        in_use=row.get("status", "").lower() in _IN_USE,
        aphia_id=int(key) if key.isascii() and key.isdigit() and len(key) <= _LONGEST_ID else None,
        above=tuple(path[:-1]),
    )


def _synonym(row: dict[str, str]) -> ChecklistName:
    name = " ".join(row["synonym_name"].split())
    rank = "" if " " not in name else "species"
    return ChecklistName(
        name=bare_name(name, rank, row.get("author", "")), rank="", accepted_key=row["taxon_id"], in_use=False
    )


_LONGEST_ID = 8
