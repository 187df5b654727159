"""Checklists of other registers: Darwin Core and Nordic Microalgae, read into the user's own facts."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seston.errors import InputError, SestonError
from seston.particle import Skipped
from seston.taxonomy import resolve
from seston.taxonomy.checklist import read_checklist
from seston.taxonomy.checklist_names import bare_name
from seston.taxonomy.darwin_core_layout import read_layout
from seston.taxonomy.fact_files import Fact, read_facts, user_facts_path, write_facts
from seston.taxonomy.linking import link_names
from seston.taxonomy.user_facts import UpdateReport, update_from_checklist

_LSID = "urn:lsid:marinespecies.org:taxname:"
_TAXON = (
    "taxonID\tscientificNameID\tscientificName\tscientificNameAuthorship\ttaxonRank\tparentNameUsageID\t"
    "acceptedNameUsageID\ttaxonomicStatus\n"
    f"k\t{_LSID}7\tChromista\t\tKingdom\t\tk\taccepted\n"
    "s\t\tHarosa\t\tEpikingdom\tk\t\taccepted\n"
    f"p\t{_LSID}99\tPhylumia\tSmith, 1900\tPhylum (Division)\ts\tp\taccepted\n"
    f"g\t{_LSID}9000001\tGenusia\tSmith, 1900\tGenus\tp\tg\taccepted\n"
    f'b\t{_LSID}9000002\tGenusia "alba"\tSmith, 1901\tSpecies\tg\tb\taccepted\n'
    f"a\t{_LSID}9000003\tGenusia alba\tSmith, 1900\tSpecies\tg\ta\taccepted\n"
    f"y\t{_LSID}9000004\tOldia alba\tJones, 1850\tSpecies\tg\tz\tunaccepted\n"
    f"z\t{_LSID}9000005\tMiddlia alba\tJones, 1870\tSpecies\tg\ta\tunaccepted\n"
    "m\t\tWrongia alba\tauct. non Jones\tSpecies\tg\ta\tmisapplied\n"
    f"u\t{_LSID}9000006\tDubia incerta\t\tSpecies\tg\tu\tnomen dubium\n"
    "short\trow\n"
)
_NORDIC_TAXA = (
    "scientific_name\tauthority\trank\ttaxon_id\turl\tparent_name\tparent_id\tstatus\tvalid_aphia_id\tvalid_name\t"
    "valid_authority\tkingdom\tphylum\tclass\torder\tfamily\tgenus\tclassification\n"
    "Laboea\tLohmann, 1908\tGenus\t101190\t\tTontoniidae\t425511\taccepted\t101190\tLaboea\t\tChromista\tCiliophora\t"
    "Oligotrichea\tOligotrichida\tTontoniidae\tLaboea\t[Superdomain] Biota - [Kingdom] Chromista - [Subkingdom] Harosa "
    "- [Infrakingdom] Alveolata - [Phylum] Ciliophora - [Subphylum] Intramacronucleata - [Class] Oligotrichea - "
    "[Subclass] Oligotrichia - [Order] Oligotrichida - [Family] Tontoniidae - [Genus] Laboea\n"
    "Laboea strobila\tLohmann, 1908\tSpecies\t101264\t\tLaboea\t101190\taccepted\t101264\tLaboea strobila\t\t"
    "Chromista\tCiliophora\tOligotrichea\tOligotrichida\tTontoniidae\tLaboea\t[Superdomain] Biota - "
    "[Kingdom] Chromista - [Subkingdom] Harosa - [Infrakingdom] Alveolata - [Phylum] Ciliophora - "
    "[Subphylum] Intramacronucleata - [Class] Oligotrichea - [Subclass] Oligotrichia - [Order] Oligotrichida - "
    "[Family] Tontoniidae - [Genus] Laboea - [Species] Laboea strobila\n"
)
_NORDIC_SYNONYMS = (
    "provider\tsynonym_name\tauthor\ttaxon_id\tusage_key\n"
    "worms\tConocylis\tMeunier, 1910\t101190\t7491885\n"
    "worms\tStrombidium strobilum\t(Lohmann, 1908) Wulff, 1919\t101264\t8319754\n"
    "worms\tLaboea strobila\t\t101264\t1\n"
)
_META = """<?xml version="1.0" encoding="UTF-8"?>
<archive xmlns="http://rs.tdwg.org/dwc/text/"><core encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n"
 fieldsEnclosedBy="" ignoreHeaderLines="1" rowType="http://rs.tdwg.org/dwc/terms/Taxon">
 <files><location>names.txt</location></files><id index="0"/>
 <field index="1" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
 <field index="2" term="http://rs.tdwg.org/dwc/terms/taxonRank"/>
 <field term="http://rs.tdwg.org/dwc/terms/taxonomicStatus" default="accepted"/>
 <field index="3" term="http://rs.tdwg.org/dwc/terms/parentNameUsageID"/></core>
 <extension><field index="9" term="http://rs.tdwg.org/dwc/terms/vernacularName"/></extension></archive>"""


def _facts(path: Path) -> dict[str, Fact]:
    return {fact.name: fact for fact in link_names(read_checklist(path), source="x") if isinstance(fact, Fact)}


def _skipped(path: Path) -> list[str]:
    return [one.reason for one in link_names(read_checklist(path), source="x") if isinstance(one, Skipped)]


@pytest.fixture
def taxon_file(tmp_path: Path) -> Path:
    path = tmp_path / "taxon.txt"
    path.write_text(_TAXON, encoding="utf-8")
    return path


@pytest.fixture
def nordic(tmp_path: Path) -> Path:
    folder = tmp_path / "species"
    folder.mkdir()
    (folder / "taxa.txt").write_text(_NORDIC_TAXA, encoding="utf-8")
    (folder / "synonyms.txt").write_text(_NORDIC_SYNONYMS, encoding="utf-8")
    return folder / "taxa.txt"


def test_darwin_core_gives_names_ranks_and_identifiers(taxon_file: Path) -> None:
    facts = _facts(taxon_file)
    assert facts["Genusia alba"] == Fact("Genusia alba", "species", "Genusia", 9000003, "accepted", "", "x")
    assert facts["Phylumia"].rank == "phylum"


def test_a_rank_that_is_unknown_here_leaves_no_hole(taxon_file: Path) -> None:
    facts = _facts(taxon_file)
    assert "Harosa" not in facts
    assert facts["Phylumia"].parent == "Chromista"


def test_a_chain_of_synonyms_ends_at_the_accepted_name(taxon_file: Path) -> None:
    assert _facts(taxon_file)["Oldia alba"] == Fact(
        "Oldia alba", "species", "", 9000004, "synonym", "Genusia alba", "x"
    )


def test_a_doubtful_name_is_not_accepted_and_keeps_its_place(taxon_file: Path) -> None:
    fact = _facts(taxon_file)["Dubia incerta"]
    assert (fact.status, fact.accepted_name, fact.parent) == ("uncertain", "", "Genusia")


def test_what_cannot_be_used_is_said(taxon_file: Path) -> None:
    said = _skipped(taxon_file)
    assert any("misapplied" in reason for reason in said)
    assert any("has 2 fields where 8 belong" in reason for reason in said)
    assert any("'epikingdom' has no place here" in reason for reason in said)
    assert len(said) == 3


def test_quotation_marks_in_a_table_parted_by_tabs_are_letters(taxon_file: Path) -> None:
    assert 'Genusia "alba"' in _facts(taxon_file)


def test_commas_inside_quotation_marks_do_not_part_fields(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text('scientificName,taxonRank,family\n"Xia alba Smith, 1900",species,Xidae\n', encoding="utf-8")
    facts = _facts(path)
    assert facts["Xia alba"].parent == "Xidae"
    assert facts["Xidae"].rank == "family"


def test_an_archive_is_read_by_its_own_description(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dwca/meta.xml", _META)
        archive.writestr("dwca/names.txt", "a\tb\tc\td\n1\tXidae\tfamily\t\n2\tXia\tgenus\t1\n")
        archive.writestr("dwca/eml.xml", "<eml/>")
    assert _facts(path)["Xia"].parent == "Xidae"


def test_nordic_microalgae_gives_synonyms_and_all_ranks_above(nordic: Path) -> None:
    facts = _facts(nordic)
    assert facts["Strombidium strobilum"].accepted_name == "Laboea strobila"
    assert facts["Conocylis"] == Fact("Conocylis", "genus", "", None, "synonym", "Laboea", "x")
    assert (facts["Laboea strobila"].aphia_id, facts["Laboea"].aphia_id) == (101264, 101190)
    above, name = [], "Laboea strobila"
    while name := facts[name].parent:
        above.append(name)
    assert above == [
        "Laboea", "Tontoniidae", "Oligotrichida", "Oligotrichia", "Oligotrichea", "Intramacronucleata", "Ciliophora",
        "Alveolata", "Harosa", "Chromista",
    ]  # fmt: skip


def test_synonyms_in_a_column_of_their_own_are_read(tmp_path: Path) -> None:
    path = tmp_path / "dump.tsv"
    path.write_text(
        "scientific_name\trank\taphia_id\tclassification\tsynonyms\n"
        "Laboea strobila\tSpecies\t101264\t[Kingdom] Chromista - [Genus] Laboea\t"
        "Conocylis helix Meunier, 1910; Oldia alba\n",
        encoding="utf-8",
    )
    facts = _facts(path)
    assert facts["Laboea strobila"] == Fact("Laboea strobila", "species", "Laboea", 101264, "accepted", "", "x")
    assert {name for name, fact in facts.items() if fact.accepted_name == "Laboea strobila"} == {
        "Conocylis helix",
        "Oldia alba",
    }


def test_nordic_microalgae_is_read_from_a_zip_archive_too(nordic: Path, tmp_path: Path) -> None:
    path = tmp_path / "content.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in nordic.parent.iterdir():
            archive.write(one, f"content-main/species/{one.name}")
    assert _facts(path) == _facts(nordic)


@pytest.mark.parametrize(
    ("name", "rank", "author", "bare"),
    [
        ("Acartia tonsa Dana, 1849", "species", "", "Acartia tonsa"),
        ("Acartia (Acanthacartia) tonsa Dana, 1849", "species", "", "Acartia (Acanthacartia) tonsa"),
        ("Tripos muelleri var. parallelus (Schmidt) Gómez", "variety", "", "Tripos muelleri var. parallelus"),
        ("Chaetoceros socialis f. radians", "forma", "", "Chaetoceros socialis f. radians"),
        ("Chaetoceros Ehrenberg, 1844", "genus", "", "Chaetoceros"),
        ("Chaetoceros Ehrenberg, 1844", "", "", "Chaetoceros"),
        ("Peridinium ovatum von Stein", "species", "", "Peridinium ovatum"),
        ("Globigerina bulloides d'Orbigny, 1826", "species", "", "Globigerina bulloides"),
        ("Navicula sp. 3 Bory", "species", "", "Navicula sp. 3 Bory"),
        ("Navicula sp. Bory", "species", "Bory", "Navicula sp."),
        ("Ceratium (Amphiceratium) Vanhöffen", "subgenus", "", "Ceratium (Amphiceratium)"),
    ],
)
def test_the_author_is_taken_off(name: str, rank: str, author: str, bare: str) -> None:
    assert bare_name(name, rank, author) == bare


# What an update does to the user's table


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SESTON_HOME", str(tmp_path / "home"))
    return user_facts_path()


def test_resolve_knows_what_was_taken_in(taxon_file: Path, home: Path) -> None:
    assert resolve(["Oldia alba"])[0].how == "none"
    update_from_checklist(taxon_file)
    taxon = resolve(["Oldia alba"])[0]
    assert (taxon.name, taxon.how, taxon.aphia_id) == ("Genusia alba", "synonym", 9000003)
    assert taxon.lineage["phylum"] == "Phylumia"


def test_a_second_time_changes_nothing(taxon_file: Path, home: Path) -> None:
    first = update_from_checklist(taxon_file)
    content, written = home.read_bytes(), home.stat().st_mtime_ns
    second = update_from_checklist(taxon_file)
    assert (first.added, first.already_there) == (7, 1)  # Chromista comes with Seston
    assert (second.added, second.changed, second.completed, second.already_there) == (0, 0, 0, 8)
    assert (home.read_bytes(), home.stat().st_mtime_ns) == (content, written)


def _own(path: Path, *facts: Fact) -> None:
    write_facts(path, facts)


def _update(taxon_file: Path, *, overwrite: bool = False) -> UpdateReport:
    return update_from_checklist(taxon_file, overwrite=overwrite)


def test_a_contradiction_is_said_and_changes_nothing(taxon_file: Path, home: Path) -> None:
    mine = Fact("Genusia alba", "species", "Elsewhere", 9000003, "synonym", "Mine alba", "me")
    _own(home, mine)
    report = _update(taxon_file)
    said = {(one.field, one.known, one.says) for one in report.contradictions if one.name == "Genusia alba"}
    assert said == {("status", "synonym", "accepted"), ("parent", "Elsewhere", "Genusia")}
    assert report.contradictory == 1
    assert mine in list(read_facts(home))


def test_overwrite_replaces_what_contradicts(taxon_file: Path, home: Path) -> None:
    _own(home, Fact("Genusia alba", "species", "Elsewhere", None, "accepted", "", "me"))
    report = _update(taxon_file, overwrite=True)
    assert report.changed == 1
    rows = [fact for fact in read_facts(home) if fact.name == "Genusia alba"]
    assert [(fact.parent, fact.aphia_id, fact.source) for fact in rows] == [("Genusia", 9000003, "taxon.txt")]
    assert _update(taxon_file, overwrite=True).changed == 0


def test_blanks_are_filled_without_being_asked(taxon_file: Path, home: Path) -> None:
    _own(home, Fact("Genusia alba", "species", "", None, "accepted", "", "me"))
    report = _update(taxon_file)
    assert (report.completed, report.contradictory) == (1, 0)
    assert Fact("Genusia alba", "species", "Genusia", 9000003, "accepted", "", "me; taxon.txt") in list(
        read_facts(home)
    )


def test_a_parent_in_between_contradicts_nothing(taxon_file: Path, home: Path) -> None:
    _own(home, Fact("Genusia alba", "species", "Phylumia", 9000003, "accepted", "", "me"))
    report = _update(taxon_file)
    assert (report.completed, report.contradictory) == (1, 0)


def test_a_wider_parent_adds_nothing(taxon_file: Path, home: Path) -> None:
    _own(
        home,
        Fact("Genusia", "genus", "Familidae", 9000001, "accepted", "", "me"),
        Fact("Familidae", "family", "Phylumia", None, "accepted", "", "me"),
    )
    report = _update(taxon_file)
    assert (report.completed, report.contradictory) == (0, 0)


def test_another_identifier_makes_a_homonym(taxon_file: Path, home: Path) -> None:
    other = Fact("Genusia", "genus", "Animalia", 8_999_999, "accepted", "", "me")
    _own(home, other)
    assert _update(taxon_file).contradictory == 0
    assert {fact.aphia_id for fact in read_facts(home) if fact.name == "Genusia"} == {8_999_999, 9_000_001}


def test_a_failure_leaves_the_table_as_it_was(tmp_path: Path, home: Path) -> None:
    _own(home, Fact("Mine alba", "species", "", None, "accepted", "", "me"))
    before = home.read_bytes()
    path = tmp_path / "list.csv"
    path.write_bytes(_TAXON.encode() + b"\xff\xfe\n")
    with pytest.raises(InputError, match="UTF-8"):
        update_from_checklist(path)
    assert home.read_bytes() == before


# Hostile files


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><archive><core/></archive>', "DOCTYPE"),
        (b"<archive><core><files><location>x</location></files></core></archive>", "no table of taxa"),
        (b"<archive><core>", "cannot be read"),
        (b'<archive><core><field index="x" term="scientificName"/></core></archive>', "cannot be read"),
        (b"<archive><core><id/></core></archive>", "cannot be read"),
    ],
)
def test_a_description_that_is_none_is_refused(document: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_layout(document, "meta.xml")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("taxon.txt", "w") as member:
        for _ in range(80):
            member.write(bytes(1 << 20))
    with pytest.raises(InputError, match="too many for its size"):
        list(read_checklist(path))


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="no checklist that Seston knows"):
        list(read_checklist(path))


def _refusal(path: Path) -> str:
    """Give the sentence by which a file is refused; anything but a `SestonError` is a fault."""
    try:
        list(link_names(read_checklist(path), source="x"))
    except SestonError as error:
        return str(error)
    return ""


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_no_file_ends_in_anything_but_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, with_header: bool
) -> None:
    path = tmp_path_factory.mktemp("hostile") / "taxon.txt"
    path.write_bytes((_TAXON.split("\n", 1)[0].encode() + b"\n" if with_header else b"") + content)
    assert "\n" not in _refusal(path)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_archive_ends_in_one_line(tmp_path_factory: pytest.TempPathFactory, place: int, value: int) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("taxon.txt", _TAXON)
    damaged = bytearray(content.getvalue())
    damaged[place % len(damaged)] = value
    path = tmp_path_factory.mktemp("damaged") / "archive.zip"
    path.write_bytes(damaged)
    assert "\n" not in _refusal(path)
