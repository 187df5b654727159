"""The tables of Nordic Microalgae (nordicmicroalgae.org, repository nordicmicroalgae/content, folder ``species``).

``taxa.txt`` has a row for each taxon, with its AphiaID as ``taxon_id`` (or ``aphia_id``) and a column
``classification``: ``[Kingdom] Chromista - [Phylum] Ciliophora - …``. ``synonyms.txt`` names synonyms by their taxon;
a column ``synonyms`` of ``taxa.txt``, which parts them by ``;``, is read, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from seston.particle import Skipped
from seston.taxonomy.checklist_files import ChecklistFiles, table_rows
from seston.taxonomy.checklist_names import ChecklistName, bare_name, plain_rank

__all__ = ["claims_nordic_microalgae", "read_nordic_microalgae"]

_TAXA, _SYNONYMS = "taxa.txt", "synonyms.txt"
_NEEDED = {"scientific_name", "rank"}
_IDS = ("taxon_id", "aphia_id")
_OF_SYNONYMS = {"synonym_name", "taxon_id"}
_STEP = re.compile(r"\[([^\]]+)\] (.+?)(?= - \[|$)")
_BETWEEN_SYNONYMS = re.compile(r"[;|]")
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
            for synonym in _BETWEEN_SYNONYMS.split(row.get("synonyms", "")):
                if synonym.strip():
                    yield _synonym(synonym, "", _key(row))
    if _SYNONYMS in files.names() and set(files.header(_SYNONYMS).split("\t")) >= _OF_SYNONYMS:
        for number, row in _rows(files, _SYNONYMS):
            if isinstance(row, Skipped):
                yield row
            elif not row["synonym_name"] or not row["taxon_id"]:
                yield Skipped(_SYNONYMS, f"line {number}", "has no name, or no taxon that it is a synonym of")
            else:
                yield _synonym(row["synonym_name"], row.get("author", ""), row["taxon_id"])


def _table_of_taxa(files: ChecklistFiles) -> str:
    name = files.named or _TAXA
    if name not in files.names():
        return ""
    columns = set(files.header(name).split("\t"))
    return name if columns >= _NEEDED and not columns.isdisjoint(_IDS) else ""


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
    key, accepted_key = _key(row), row.get("valid_aphia_id", "")
    path = [(plain_rank(rank), name.strip()) for rank, name in _STEP.findall(row.get("classification", ""))]
    above = tuple(step for step in path if step[1] != row["scientific_name"])
    return ChecklistName(
        name=row["scientific_name"],
        rank=plain_rank(row["rank"]),
        key=key,
        parent_key=row.get("parent_id", ""),
        parent="" if above else row.get("parent_name", ""),
        accepted_key=accepted_key if accepted_key != key else "",
        accepted=row.get("valid_name", ""),
        in_use=row.get("status", "").lower() in _IN_USE,
        aphia_id=int(key) if key.isascii() and key.isdigit() and len(key) <= _LONGEST_ID else None,
        above=above,
    )


def _synonym(text: str, author: str, key: str) -> ChecklistName:
    name = " ".join(text.split())
    return ChecklistName(name=bare_name(name, "", author), rank="", accepted_key=key, in_use=False)


def _key(row: dict[str, str]) -> str:
    return next((row[column] for column in _IDS if row.get(column)), "")


_LONGEST_ID = 8
