"""Barcodes of COX1 from BOLD-like tables."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from seston.errors import InputError, UsageError
from seston.taxonomy.barcodes import attach_barcodes
from seston.taxonomy.fact_files import Fact
from seston.taxonomy.tree import TaxonTree

_FACTS = TaxonTree(
    [
        Fact("Animalia", "kingdom", "", 2, "accepted", "", ""),
        Fact("Arthropoda", "phylum", "Animalia", 3, "accepted", "", ""),
        Fact("Mollusca", "phylum", "Animalia", 4, "accepted", "", ""),
        Fact("Acartia", "genus", "Arthropoda", 10, "accepted", "", ""),
        Fact("Acartia tonsa", "species", "Acartia", 11, "accepted", "", ""),
        Fact("Acartia giesbrechti", "species", "", 12, "synonym", "Acartia tonsa", ""),
        Fact("Twina", "genus", "Arthropoda", 20, "accepted", "", ""),
        Fact("Twina", "genus", "Mollusca", 21, "accepted", "", ""),
    ]
)
_HEADER = "processid\tphylum_name\tgenus_name\tspecies_name\tmarkercode\tnucleotides\n"


def _attach(folder: Path, text: str, encoding: str = "utf-8") -> tuple[list[str], list[str]]:
    (folder / "bold.tsv").write_bytes(text.encode(encoding))
    report = attach_barcodes(folder / "bold.tsv", folder / "barcodes.tsv", facts=_FACTS)
    lines = (folder / "barcodes.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "taxon\taphia_id\tsequence_id\tsequence"
    assert report.attached == len(lines) - 1
    return lines[1:], [one.reason for one in report.skipped]


def test_a_sequence_goes_to_its_species(tmp_path: Path) -> None:
    rows, _ = _attach(tmp_path, _HEADER + "P1\tArthropoda\tAcartia\tAcartia tonsa\tCOI-5P\taac--gtn\n")
    assert rows == ["Acartia tonsa\t11\tP1\tAACGTN"]


def test_a_synonym_leads_to_the_accepted_species(tmp_path: Path) -> None:
    rows, _ = _attach(tmp_path, _HEADER + "P1\t\tAcartia\tAcartia giesbrechti\tCOI-5P\tACGT\n")
    assert rows == ["Acartia tonsa\t11\tP1\tACGT"]


def test_an_unknown_species_goes_to_its_genus_and_an_unknown_genus_nowhere(tmp_path: Path) -> None:
    rows, skipped = _attach(
        tmp_path, _HEADER + "P1\t\tAcartia\tAcartia nova\tCOI-5P\tACGT\nP2\t\tNemo\tNemo nullus\tCOI-5P\tACGT\n"
    )
    assert rows == ["Acartia\t10\tP1\tACGT"]
    assert skipped == ["no taxon 'Nemo nullus' is known here"]


def test_homonyms_are_told_apart_by_what_stands_above_them(tmp_path: Path) -> None:
    rows, skipped = _attach(tmp_path, _HEADER + "P1\tMollusca\tTwina\t\tCOI-5P\tACGT\nP2\t\tTwina\t\tCOI-5P\tACGT\n")
    assert rows == ["Twina\t21\tP1\tACGT"]
    assert skipped == ["no taxon 'Twina' is known here"]


def test_other_genes_are_left_and_counted(tmp_path: Path) -> None:
    (tmp_path / "bold.tsv").write_text(_HEADER + "P1\t\tAcartia\t\t18S\tACGT\n", encoding="utf-8")
    report = attach_barcodes(tmp_path / "bold.tsv", tmp_path / "out.tsv", facts=_FACTS)
    assert (report.attached, report.other_markers) == (0, 1)


@pytest.mark.parametrize(
    "row", ["P1\t\tAcartia\t\tCOI-5P\tACGU!\n", "P1\t\tAcartia\t\tCOI-5P\t----\n", "P1\t\tAcartia\t\tCOI-5P\n"]
)
def test_what_is_no_sequence_is_left_out(tmp_path: Path, row: str) -> None:
    rows, skipped = _attach(tmp_path, _HEADER + row)
    assert (rows, skipped) == ([], ["has no sequence of nucleotides"])


def test_the_columns_of_newer_packages_and_odd_letters_are_read(tmp_path: Path) -> None:
    text = "processid\tcollectors\tgenus\tspecies\tmarker_code\tnuc\nP1\tJosé\tAcartia\tAcartia tonsa\tCOI-5P\tACGT\n"
    assert _attach(tmp_path, text, "latin-1")[0] == ["Acartia tonsa\t11\tP1\tACGT"]


def test_a_table_in_a_zip_archive_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bold.zip", "w") as archive:
        archive.writestr("bold.tsv", _HEADER + "P1\t\tAcartia\t\tCOI-5P\tACGT\n")
    assert attach_barcodes(tmp_path / "bold.zip", tmp_path / "out.tsv", facts=_FACTS).taxa == 1


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column nucleotides or nuc"):
        _attach(tmp_path, "processid\tspecies\tmarker\n")
    assert not (tmp_path / "barcodes.tsv").exists()


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    _attach(tmp_path, _HEADER)
    with pytest.raises(UsageError, match="--overwrite"):
        _attach(tmp_path, _HEADER)
