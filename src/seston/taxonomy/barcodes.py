"""Barcodes of the gene COX1, from a table as BOLD gives it away, beside the taxa that they are of.

The columns are those of the Barcode of Life Data System: its data packages (``processid``, ``species``,
``marker_code``, ``nuc``) and its older exports (``species_name``, ``markercode``, ``nucleotides``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from seston.errors import InputError, UsageError
from seston.particle import Progress, Silence, Skipped
from seston.taxonomy.checklist_files import open_checklist, table_rows
from seston.taxonomy.fact_files import Fact
from seston.taxonomy.knowledge import known_facts
from seston.taxonomy.tree import TaxonTree
from seston.taxonomy.whole_files import written_whole

__all__ = ["BARCODE_COLUMNS", "BarcodeReport", "attach_barcodes"]

BARCODE_COLUMNS = ("taxon", "aphia_id", "sequence_id", "sequence")
"""Columns of the table that is written, parted by tabs."""

_COLUMNS = {
    "id": ("processid", "process_id", "sequenceid", "sequence_id", "recordid", "record_id"),
    "species": ("species_name", "species"),
    "genus": ("genus_name", "genus"),
    "marker": ("markercode", "marker_code", "marker"),
    "sequence": ("nucleotides", "nuc", "sequence"),
}
_ABOVE = ("family", "order", "class", "phylum", "kingdom")
_MARKERS = frozenset({"coi-5p", "coi", "co1", "cox1", "coxi"})
_LETTERS = frozenset("ACGTRYSWKMBDHVN")
"""Nucleotides and what stands for several of them (IUPAC)."""
_LISTED = 1_000
_EVERY = 10_000


@dataclass(slots=True)
class BarcodeReport:
    """What became of the rows of a table of barcodes."""

    to: Path
    attached: int = 0
    """Sequences written."""
    taxa: int = 0
    """Different taxa that have one."""
    other_markers: int = 0
    """Rows of other genes."""
    left_out: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    """The first thousand rows that could not be used."""


def attach_barcodes(
    path: Path, to: Path, *, overwrite: bool = False, facts: TaxonTree | None = None, progress: Progress | None = None
) -> BarcodeReport:
    """Write the COX1 sequences of a table with the accepted taxon and AphiaID of each.

    A row goes to its species where that is known here, else to its genus, else nowhere. Synonyms lead to the accepted
    name; of homonyms the one is taken that agrees with the row's family, order, class, phylum or kingdom.

    Parameters
    ----------
    path
        Table parted by tabs, plain or in a zip archive.
    to
        Table to write; see `BARCODE_COLUMNS`.
    facts
        Taxa that are known; if not given, those that come with Seston and the user's own.

    Raises
    ------
    UsageError
        `to` is there already.
    NotFoundError
        There is no file `path`.
    InputError
        It lacks a column, or is damaged.
    """
    if to.exists() and not overwrite:
        raise UsageError(f"{to} is there already: choose another place, or replace it by --overwrite")
    known = known_facts() if facts is None else facts
    progress = progress or Silence()
    report = BarcodeReport(to)
    taxa: set[tuple[str, str]] = set()
    progress.start("rows read")
    with written_whole(to) as file:
        file.write("\t".join(BARCODE_COLUMNS) + "\n")
        for position, row in enumerate(_attached(path, known, report), start=1):
            if position % _EVERY == 0:
                progress.advance(_EVERY)
            file.write("\t".join(row) + "\n")
            taxa.add(row[:2])
            report.attached += 1
    progress.finish()
    report.taxa = len(taxa)
    return report


def _attached(path: Path, facts: TaxonTree, report: BarcodeReport) -> Iterator[tuple[str, str, str, str]]:
    found = lru_cache(maxsize=50_000)(lambda *names: _taxon(facts, *names))
    for line, row in _rows(path):
        if row["marker"].lower() not in _MARKERS:
            report.other_markers += 1
            continue
        sequence = row["sequence"].replace("-", "").upper()
        taxon = found(row["species"], row["genus"], tuple(row[rank] for rank in _ABOVE))
        reason = _why_not(row, sequence, taxon)
        if taxon is None or reason:
            report.left_out += 1
            if len(report.skipped) < _LISTED:
                report.skipped.append(Skipped(str(path), f"line {line}", reason))
            continue
        aphia_id = "" if taxon.aphia_id is None else str(taxon.aphia_id)
        yield taxon.name, aphia_id, row["id"], sequence


def _why_not(row: Mapping[str, str], sequence: str, taxon: Fact | None) -> str:
    if not row["id"]:
        return "has no id"
    if not sequence or not set(sequence) <= _LETTERS:
        return "has no sequence of nucleotides"
    return (
        "" if taxon is not None else f"no taxon {row['species'] or row['genus'] or 'named in the row'!r} is known here"
    )


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with open_checklist(path) as files:
        name = files.named or next((one for one in files.names() if one.lower().endswith((".tsv", ".txt"))), "")
        if not name:
            raise InputError(f"{path}: holds no table (.tsv or .txt)")
        places = _places(path, files.header(name).split("\t"))
        with files.open(name) as file:
            # Old exports mix encodings in the names of places and people, which are not read here.
            rows = table_rows(file, where=f"{path}: {name}", delimiter="\t", errors="replace")
            for line, fields in rows:
                if line > 1:
                    yield (
                        line,
                        {
                            role: fields[place].strip() if -1 < place < len(fields) else ""
                            for role, place in places.items()
                        },
                    )


def _places(path: Path, header: list[str]) -> dict[str, int]:
    columns = {name.strip().strip('"').lower(): place for place, name in reversed(list(enumerate(header)))}
    places = {role: next((columns[name] for name in names if name in columns), -1) for role, names in _COLUMNS.items()}
    for role in ("id", "marker", "sequence"):
        if places[role] < 0:
            raise InputError(f"{path}: has no column {' or '.join(_COLUMNS[role][:2])}")
    if places["species"] < 0 and places["genus"] < 0:
        raise InputError(f"{path}: has neither a column of species nor one of genera")
    return places | {rank: columns.get(f"{rank}_name", columns.get(rank, -1)) for rank in _ABOVE}


def _taxon(facts: TaxonTree, species: str, genus: str, above: tuple[str, ...]) -> Fact | None:
    for name, rank in ((species, "species"), (genus, "genus")):
        taxa = {facts.accepted(fact) for fact in facts.find(name) if name and fact.rank == rank}
        accepted = [taxon for taxon in taxa if taxon.status == "accepted"]
        if len(accepted) > 1:
            accepted = [taxon for taxon in accepted if _agrees(facts, taxon, above)]
        if len(accepted) == 1:
            return accepted[0]
    return None


def _agrees(facts: TaxonTree, taxon: Fact, above: tuple[str, ...]) -> bool:
    lineage = facts.lineage(taxon)
    return any(lineage.get(rank, "").lower() == name.lower() for rank, name in zip(_ABOVE, above, strict=True) if name)
