"""The grammar of labels, one rule after the other."""

from __future__ import annotations

import pytest

from seston.taxonomy import Taxon, resolve


def _read(label: str, source: str = "") -> Taxon:
    return resolve([label], source=source)[0]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("ACARTIIDAE", "Acartiidae"),
        ("acartia_tonsa", "Acartia tonsa"),
        ("PARAMECIUM  BURSARIA", "Paramecium bursaria"),
        ("Pseudo-Nitzschia chain", "Pseudo-nitzschia"),
        ("Pseudonitzschia_seriata", "Pseudo-nitzschia seriata"),
        ("Coscinodiscus oculus iridis", "Coscinodiscus oculus-iridis"),
        ("Odontella_rhombus_f._trigona", "Odontella rhombus f. trigona"),
        ("Acantharea__1111", "Acantharia"),
        ("Neoceratium furca_Neoceratium", "Tripos furca"),
        ("Copepoda X", "Copepoda"),
        ("LClass_Copepoda", "Copepoda"),
        ("Navicula", "Navicula"),
        ("Acartia tonsa Dana, 1849", "Acartia tonsa"),
        ("Ceratium furca (Ehrenberg) Claparède & Lachmann, 1859", "Tripos furca"),
        ("copépode", "Copepoda"),
        ("Copepoda on marine snow", "Copepoda"),
        ("pennates_on_Chaetoceros", "Chaetoceros"),
    ],
)
def test_names_are_found_however_they_are_written(label: str, name: str) -> None:
    assert _read(label).name == name


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("copepods", "Copepoda"),
        ("siphonophore_physonect", "Physonectae"),
        ("ctenophore", "Ctenophora"),
        ("sergestid", "Sergestidae"),
        ("hydrozoan", "Hydrozoa"),
        ("Rhizosolenids", "Rhizosoleniaceae"),
        ("sea urchin larva", "Echinoidea"),
        ("cyclopid", "Cyclopidae"),
    ],
)
def test_everyday_forms_lead_to_names(label: str, name: str) -> None:
    assert _read(label).name == name


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("tail<Chaetognatha", "Chaetognatha"),
        ("Cnidaria<Hydrozoa", "Cnidaria"),
        ("egg unkn temp<Engraulidae temp", "Engraulidae"),
        ("Branchiopoda,Diplostraca,Daphniidae,Daphnia,Daphnia galeata", "Daphnia galeata"),
        ("Eurotatoria,Ploima,Synchaetidae,Polyarthra,Sp._unk", "Polyarthra"),
        ("Copepoda,Cyclopoida,Fa._unk_copepodid_stage,Fa._unk_copepodid_stage", "Cyclopoida"),
        ("living>Animalia>Copepoda", "Copepoda"),
        ("Eukaryota;Alveolata;Dinophyceae;Tripos", "Tripos"),
        ("Copepoda, Calanoida", "Calanoida"),
    ],
)
def test_paths_are_read_from_their_narrow_end(label: str, name: str) -> None:
    assert _read(label).name == name


@pytest.mark.parametrize(
    ("label", "name", "parts"),
    [
        ("Guinardia_striata+Dactyliosolen_phuketensis", "Rhizosoleniaceae", 2),
        ("Chaetoceros curvisetus/C. pseudocurvisetus", "Chaetoceros", 2),
        ("Dolichospermum-Anabaenopsis-coiled", "Aphanizomenonaceae", 2),
        ("Cryptophyceae-Teleaulax", "Cryptophyceae", 2),
        ("neoceratium falcatum inflatum mix", "Tripos", 2),
        ("cylindrotheca_nitzschia", "Bacillariaceae", 2),
        ("Katodinium or Torodinium", "Dinophyceae", 2),
        ("Acartia, Temora", "Calanoida", 2),
        ("Copepoda+Chaetoceros", "Eukaryota", 2),
    ],
)
def test_a_composite_gives_what_its_parts_share(label: str, name: str, parts: int) -> None:
    taxon = _read(label)
    assert (taxon.name, taxon.how, len(taxon.parts)) == (name, "lowest common ancestor", parts)


def test_a_child_beside_its_parent_is_no_composite() -> None:
    assert _read("Podolampas_Podolampadaceae_Peridiniales_Dinophyceae").how == "exact"
    strange = _read("Amphorides_Tintinnidiidae")
    assert (strange.name, strange.parts) == ("Amphorides", ())
    assert "Tintinnidiidae" in strange.note


def test_parts_that_share_nothing_name_nothing() -> None:
    taxon = _read("Copepoda+Trichodesmium")
    assert (taxon.name, taxon.how, set(taxon.parts)) == (None, "none", {"Copepoda", "Trichodesmium"})


@pytest.mark.parametrize(
    ("label", "stage", "name"),
    [
        ("nauplii_Cirripedia", "nauplius", "Cirripedia"),
        ("nauplius", "nauplius", "Crustacea"),
        ("zoea_brachyura", "zoea", "Brachyura"),
        ("shrimp_zoea", "zoea", "Decapoda"),
        ("echinoderm_larva_pluteus_brittlestar", "pluteus", "Ophiuroidea"),
        ("larvae<Annelida", "larva", "Annelida"),
        ("calyptopsis<Euphausiacea", "calyptopis", "Euphausiacea"),
        ("Veliger larvae D-shaped", "veliger", "Mollusca"),
        ("egg_other", "egg", None),
        ("copepoda eggs", "egg", "Copepoda"),
        ("eudoxie<Abylopsis tetragona", "eudoxid", "Abylopsis tetragona"),
    ],
)
def test_stages_are_kept_and_name_their_group(label: str, stage: str, name: str | None) -> None:
    taxon = _read(label)
    assert (taxon.stage, taxon.name, taxon.kind) == (stage, name, "living")


@pytest.mark.parametrize(
    ("label", "part", "kind"),
    [
        ("head<Crustacea", "head", "detritus"),
        ("setae_Chaetoceros", "seta", "detritus"),
        ("nectophore_Diphyidae", "nectophore", "living"),
        ("house", "house", "detritus"),
        ("daphnia_skins", "skin", "detritus"),
        ("Porifera spicule", "spicule", "inert"),
        ("siphonophore_other_parts", "part", "detritus"),
        ("Appendicularia_body", "trunk", "living"),
        ("fish_larvae_thin_body", None, "living"),
    ],
)
def test_parts_are_kept(label: str, part: str | None, kind: str) -> None:
    taxon = _read(label)
    assert (taxon.part, taxon.kind) == (part, kind)


def test_what_an_animal_carries_is_no_stage_and_no_part_of_it() -> None:
    eggs = _read("copepod_cyclopoid_oithona_eggs")
    assert (eggs.name, eggs.stage, eggs.morphology) == ("Oithona", None, "egg-bearing")
    tentacles = _read("ctenophore_cydippid_tentacles")
    assert (tentacles.name, tentacles.part, tentacles.kind) == ("Cydippida", None, "living")


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("dead<house", "detritus"),
        ("empty_Copepoda", "detritus"),
        ("copepod_skins", "detritus"),
        ("G_delicatula_detritus", "detritus"),
        ("Thalassiosira_dirty", "living"),
        ("Thalassiosira with detritus", "living"),
        ("Appendicularia_in_house", "living"),
        ("Aulacanthidae_w_mucus", "living"),
        ("fiber_plastic", "inert"),
        ("fiber_detritus", "detritus"),
        ("sphere_detritus", "detritus"),
        ("darksphere", "artefact"),
        ("badfocus_artefact", "artefact"),
        ("badfocus<Copepoda", "living"),
        ("unknown_sticks", "unknown"),
        ("unknown_plankton", "living"),
        ("rods_othertocheck", "unknown"),
        ("t001", "unknown"),
        ("other_living", "living"),
        ("mix_elongated", "unknown"),
        ("pollen", "living"),
        ("Zooplankton", "living"),
        ("Newgenusella", "living"),
    ],
)
def test_the_kind_of_thing(label: str, kind: str) -> None:
    assert _read(label).kind == kind


@pytest.mark.parametrize(
    ("label", "qualifier", "name"),
    [
        ("Chaetoceros cf. affinis", "cf.", "Chaetoceros affinis"),
        ("Heterocapsa_niei-like", "like", "Heterocapsa"),
        ("like<Copepoda", "like", "Copepoda"),
        ("Thalassiosira sp aff mala", "aff.", "Thalassiosira"),
        ("Pleuronema sp.", "sp.", "Pleuronema"),
        ("chaetognath_non_sagitta", "non", "Chaetognatha"),
        ("multiple_Copepoda", "mix", "Copepoda"),
        ("maybe_cyano", "uncertain", "Cyanobacteria"),
        ("Acartia?", "uncertain", "Acartia"),
        ("G_delicatula_parasite", "with parasite", "Guinardia delicatula"),
    ],
)
def test_doubt_is_kept(label: str, qualifier: str, name: str) -> None:
    taxon = _read(label)
    assert (taxon.qualifier, taxon.name) == (qualifier, name)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Bidulphia", "Biddulphia"),
        ("Ciripedia", "Cirripedia"),
        ("Metrinidae", "Metridinidae"),
        ("egg_Engraudilae", "Engraulidae"),
        ("kellikottia", "Kellicottia"),
        ("Chaetoceros curvusetus", "Chaetoceros curvisetus"),
        ("DactFragCerataul", "Coscinodiscophycidae"),
    ],
)
def test_misspelt_and_abbreviated_names_are_found_with_little_trust(label: str, name: str) -> None:
    taxon = _read(label)
    assert taxon.name == name
    assert taxon.confidence <= 0.6


@pytest.mark.parametrize(
    "label", ["Xyzella imaginaria", "gadget", "Calanosomething", "Copper", "sample 12", "A", "", "Fa. nova"]
)
def test_no_name_is_made_up(label: str) -> None:
    assert _read(label).name is None


def test_a_species_that_no_table_holds_is_left_at_its_genus() -> None:
    taxon = _read("Chaetoceros imaginarius")
    assert (taxon.name, taxon.rank) == ("Chaetoceros", "genus")
    assert "imaginarius" in taxon.note
    assert taxon.confidence < 1


@pytest.mark.parametrize(
    ("label", "source", "name", "within"),
    [
        ("Ctenophora", "", "Ctenophora", "Animalia"),
        ("comb_Ctenophora", "zoocamnet", "Ctenophora", "Animalia"),
        ("Ctenophora pulchella", "", "Ctenophora pulchella", "Chromista"),
        ("Ephemera", "whoi", "Ephemera", "Chromista"),
        ("Ephemera", "a lake", "Ephemera", "Animalia"),
        ("Favella", "planktoscope", "Favella", "Chromista"),
        ("Ceratium", "whoi", "Tripos", "Chromista"),
        ("ceratium", "zoolake", "Ceratium", "Chromista"),
        ("Mysis_sp", "", "Mysis", "Animalia"),
    ],
)
def test_homonyms_are_told_apart_by_their_place(label: str, source: str, name: str, within: str) -> None:
    taxon = _read(label, source)
    assert (taxon.name, taxon.lineage["kingdom"]) == (name, within)


@pytest.mark.parametrize(
    ("label", "with_source", "without"),
    [("side", "Copepoda", None), ("cloud", "Collodaria", None), ("puff", "Trichodesmium", "Trichodesmium")],
)
def test_children_of_ecotaxa_are_known_where_they_are_used(
    label: str, with_source: str | None, without: str | None
) -> None:
    assert _read(label, "UVP6 cruise").name == with_source
    assert _read(label).name == without
