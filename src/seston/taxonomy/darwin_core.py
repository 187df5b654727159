"""Checklists in Darwin Core: a table of taxa, alone or in an archive.

Terms: https://dwc.tdwg.org/terms/#taxon. ``scientificName`` is needed; a rank, too, but for synonyms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from seston.errors import InputError
from seston.particle import Skipped
from seston.taxonomy.checklist_files import ChecklistFiles, table_rows
from seston.taxonomy.checklist_names import ChecklistName, aphia_id_in, bare_name, plain_rank
from seston.taxonomy.darwin_core_layout import TableLayout, read_layout, term_name
from seston.taxonomy.taxon import RANKS

__all__ = ["claims_darwin_core", "read_darwin_core"]

_META, _TABLES = "meta.xml", ("taxon.txt", "taxon.tsv", "taxon.csv", "taxa.txt", "taxa.tsv", "taxa.csv")
_NAME, _CANONICAL = "scientificName", "canonicalName"
_IN_USE = frozenset({"", "accepted", "valid", "provisionally accepted"})
_MISAPPLIED = frozenset({"misapplied", "misapplied name", "misidentification"})
_IDENTIFIERS = ("scientificNameID", "taxonID", "identifier", "references")


def claims_darwin_core(files: ChecklistFiles) -> bool:
    """Say whether there is a table of taxa with terms of Darwin Core."""
    return _layout(files) is not None


def read_darwin_core(files: ChecklistFiles) -> Iterator[ChecklistName | Skipped]:
    """Read the table of taxa row by row.

    Names that someone misapplied (``sensu …``) are not taken for synonyms: they come as `Skipped`.
    """
    layout = _layout(files)
    if layout is None:
        return
    least = max(layout.columns.values(), default=0) + 1
    with files.open(layout.file) as file:
        rows = table_rows(
            file,
            where=f"{files.path}: {layout.file}",
            delimiter=layout.delimiter,
            quote=layout.quote,
            encoding=layout.encoding,
        )
        for position, (line, fields) in enumerate(rows):
            if position < layout.header_lines or not any(fields):
                continue
            item = f"line {line}"
            if len(fields) < least:
                yield Skipped(layout.file, item, f"has {len(fields)} fields where {least} belong")
                continue
            yield _name(_terms(layout, fields), layout.file, item)


def _layout(files: ChecklistFiles) -> TableLayout | None:
    names = files.names()
    if not files.named and _META in names:
        with files.open(_META) as file:
            layout = read_layout(file.read(), f"{files.path}: {_META}")
        if layout.file not in names:
            raise InputError(f"{files.path}: {_META} names a table {layout.file!r} that is not there")
        return layout
    name = files.named or next((name for name in _TABLES if name in names), "")
    return _layout_of_table(name, files.header(name)) if name else None


def _layout_of_table(name: str, header: str) -> TableLayout | None:
    delimiter = max("\t,;", key=header.count)
    terms = [term_name(field.strip('"')) for field in header.split(delimiter)]
    if _NAME not in terms and _CANONICAL not in terms:
        return None
    # A tab parts fields that may hold quotation marks of their own; commas need marks around a field that has commas.
    quote = "" if delimiter == "\t" else '"'
    return TableLayout(name, delimiter, quote, "utf-8-sig", 1, {term: place for place, term in enumerate(terms)}, {})


def _terms(layout: TableLayout, fields: Sequence[str]) -> dict[str, str]:
    row = dict(layout.constants)
    for term, place in layout.columns.items():
        if text := fields[place].strip():
            row[term] = text
    return row


def _name(row: Mapping[str, str], file: str, item: str) -> ChecklistName | Skipped:
    rank = plain_rank(row.get("taxonRank", ""))
    author = row.get("scientificNameAuthorship", "")
    name = row.get(_CANONICAL) or bare_name(row.get(_NAME, ""), rank, author)
    state = row.get("taxonomicStatus", "").lower()
    if not name:
        return Skipped(file, item, "has no name")
    if state in _MISAPPLIED:
        return Skipped(file, item, f"{name} is marked as misapplied: no synonym of anything")
    key = row.get("taxonID", "")
    accepted_key = row.get("acceptedNameUsageID", "")
    accepted = row.get("acceptedNameUsage", "")
    in_use = state in _IN_USE and accepted_key in ("", key)
    return ChecklistName(
        name=name,
        rank=rank,
        key=key,
        parent_key=row.get("parentNameUsageID", ""),
        parent=row.get("parentNameUsage", ""),
        accepted_key=accepted_key if accepted_key != key else "",
        accepted="" if in_use else bare_name(accepted, rank),
        in_use=in_use,
        aphia_id=_aphia_id(row),
        above=_above(row, name),
    )


def _aphia_id(row: Mapping[str, str]) -> int | None:
    for term in ("aphiaID", "AphiaID", "aphia_id"):
        if (text := row.get(term, "")).isdecimal() and text.isascii() and len(text) <= 8:
            return int(text)
    return aphia_id_in(*(row.get(term, "") for term in _IDENTIFIERS))


def _above(row: Mapping[str, str], name: str) -> tuple[tuple[str, str], ...]:
    """Give the columns kingdom, phylum, …, which many checklists have in place of, or beside, ids of parents."""
    path = [(rank, row[rank]) for rank in RANKS if rank in row and rank != "species"]
    return tuple((rank, above) for rank, above in path if above != name)
