"""Real tables of EcoTaxa, the PlanktoScope, UVP6 and ZooScan, held against what their READMEs count."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ecotaxa_making import list_particles, samples_of
from export_making import notes_of, particles_of, records_of, sample_of, skipped_of

from seston.errors import InputError
from seston.instruments import decode_image, find_sources

IMPORT = "ecotaxa-import/ecotaxa_back"
EXPORT = "ecotaxa-export/ecotaxa_back/ref_exports"
WHARF = "planktoscope/santa-cruz-wharf/Santa-cruz-wharf_20260304_WW"
SCANS = "zooscan/zqc/Zooscan_test_subBlock"


@pytest.fixture(scope="module")
def real_files(real_data: Path) -> Path:
    folder = real_data / "instruments"
    if not (folder / "ecotaxa-import").is_dir():
        pytest.skip("no tables of EcoTaxa among the real files")
    return folder


@pytest.mark.parametrize(
    ("tree", "objects", "pictures"),
    [
        (f"{IMPORT}/import_test", 11, 11),  # three rows of it share one of the eight pictures
        (f"{IMPORT}/import_test.zip", 8, 8),
        (f"{IMPORT}/import_test_plus", 14, 3),
        (f"{IMPORT}/import_test_plus_more", 1, 1),
        (f"{IMPORT}/import_test_tot_vol", 9, 9),
        (f"{IMPORT}/import_just_predicted", 1, 1),
        (f"{IMPORT}/import_mixed_states", 1, 1),
        (f"{IMPORT}/import_v_or_d_just_state", 2, 2),
        (f"{IMPORT}/import_update", 11, 10),
        (f"{IMPORT}/import_test_tot_vol_update", 6, 0),
        (f"{IMPORT}/my_files/ecotaxa_b_da_19.tsv.gz", 15, 0),
        ("ecotaxa-import/ecotaxar", 49, 0),
        ("ecotaxa-import/ifcb-columns-template", 4, 0),
        (f"{EXPORT}/bak_all_images", 11, 11),
        (f"{EXPORT}/bak_no_image", 11, 0),
        (f"{EXPORT}/doi", 11, 11),
        (f"{EXPORT}/tsv_all_entities_no_img_no_ids", 12, 0),
        (f"{EXPORT}/tsv_by_acquisition", 12, 12),
        (f"{EXPORT}/tsv_with_ids", 12, 0),
        ("ecotaxa-export/ecotaxar", 99, 0),
        ("ecotaxa-export/akvaplan-doi", 1, 0),
        (WHARF, 856, 856),
        ("uvp6/ecotaxa_back/UVP6_example.zip", 15, 15),
    ],
)
def test_objects_and_pictures_are_those_that_the_readme_counts(
    real_files: Path, tree: str, objects: int, pictures: int
) -> None:
    records = records_of(real_files / tree, reader="ecotaxa")
    particles = list_particles(records)
    assert (len({one.id for one in particles}), len(particles)) == (objects, objects)
    assert sum(one.image is not None for one in particles) == pictures
    assert not skipped_of(records) or tree.endswith("import_update")


def test_a_merge_has_the_objects_of_its_four_tables(real_files: Path) -> None:
    sources, _ = find_sources([real_files / IMPORT / "merge_test"])
    assert sum(len(list_particles(records_of(source.path))) for source in sources) == 13


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ("no_classif_id", "99999999 is no taxon's id"),
        ("classif_without_state", "has no status"),
        ("predicted_but_what", "the status 'predicted' has no category"),
        ("extra_data_without_header", "2 cells stand beyond the header's"),
        ("tsv_too_many_cols", "columns sample_…: EcoTaxa takes 61"),
        ("duplicate_in_tsv", "the same object and picture as in a row before"),
        ("corrupted_img", "there is no picture '20200108 082115"),
        ("../import_sparse", "there are columns acq_… but not acq_id"),
        ("../import_bad_free_data", "sample_tot_vol: 'foo' is no number"),
    ],
)
def test_each_broken_tree_gives_its_reason(real_files: Path, tree: str, said: str) -> None:
    records = records_of(real_files / IMPORT / "import_issues" / tree)
    assert said in "\n".join([*(one.reason for one in skipped_of(records)), notes_of(records)])


@pytest.mark.parametrize(("tree", "said"), [("empty_tsv", "no rows"), ("empty_tsv2", "the table is empty")])
def test_a_tree_with_nothing_in_it_is_an_error(real_files: Path, tree: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        records_of(real_files / IMPORT / "import_issues" / tree)


def test_a_tree_without_a_table_is_claimed_by_no_one(real_files: Path) -> None:
    sources, claims = find_sources([real_files / IMPORT / "import_issues" / "no_relevant_file"])
    assert not sources
    assert [claim.reader for claim in claims] == [None]


def test_the_fifteen_faults_of_one_table_are_all_named(real_files: Path) -> None:
    records = records_of(real_files / IMPORT / "import_issues" / "tsv_issues")
    skipped = skipped_of(records)
    assert [one.item.rpartition(" ")[2] for one in skipped[:3]] == [
        "nounderscorecol",
        "unknown_target",
        "object_wrongtype",
    ]
    lines = Counter(one.item.split()[1] for one in skipped[3:])
    assert lines == {"3": 6, "5": 2, "6": 1, "8": 2}
    text = next(one for one in list_particles(records) if one.id.endswith("corrupted_image.jpg"))
    assert text.image is not None
    with pytest.raises(InputError, match="not a picture"):  # the fifteenth, as the import finds it
        decode_image(text.image)


def test_positions_times_depths_and_statuses_of_a_tree(real_files: Path) -> None:
    records = records_of(real_files / IMPORT / "import_test")
    samples = samples_of(records)
    assert list(samples) == ["m106_mn01_n1_sml", "m106_mn01_n2_sml"]
    first = samples["m106_mn01_n1_sml"]
    assert (first.latitude, first.longitude) == (18.0, -24.4166666666667)
    assert first.start == datetime(2014, 4, 20, 4, 20, tzinfo=UTC)
    assert (first.depth_min_m, first.depth_max_m, first.pixel_size_um) == (600.0, 1000.0, 10.6)
    particles = {one.id: one for one in list_particles(records)}
    elsewhere = particles["m106_mn01_n1_sml/m106_mn01_n1_sml_409"]
    assert (elsewhere.latitude, elsewhere.longitude) == (-44.72543333333333, 145.5351)
    assert {one.raw_status for one in particles.values()} == {"predicted"}
    assert (elsewhere.raw_label, elsewhere.listmode["object_area"]) == ("t001", 516.0)


def test_status_words_of_one_table(real_files: Path) -> None:
    particles = list_particles(records_of(real_files / IMPORT / "import_v_or_d_just_state"))
    assert sorted(one.raw_status or "" for one in particles) == ["dubious", "validated"]


def test_an_object_with_two_pictures_is_one_particle_with_the_first(real_files: Path) -> None:
    folder = real_files / EXPORT / "bak_all_images" / "m106_mn01_n3_sml"
    particle = particles_of(records_of(folder))["m106_mn01_n3_sml_1111"]
    assert particle.image == (folder / "m106_mn01_n3_sml_1111.jpg").read_bytes()


@pytest.mark.parametrize(("tree", "ml"), [("import_test_tot_vol", None), ("import_test_tot_vol_update", 5.75e6)])
def test_a_volume_that_is_not_known_is_none(real_files: Path, tree: str, ml: float | None) -> None:
    samples = samples_of(records_of(real_files / IMPORT / tree))
    assert {one.volume_sampled_ml for one in samples.values()} == {ml}


def test_decimal_commas_of_an_export_are_numbers(real_files: Path) -> None:
    points = records_of(real_files / EXPORT / "tsv_all_entities_no_img_no_ids")
    commas = particles_of(records_of(real_files / EXPORT / "tsv_with_ids"))
    for name, particle in particles_of(points).items():
        assert commas[name].latitude == particle.latitude
        assert commas[name].listmode == pytest.approx(dict(particle.listmode), nan_ok=True)


def test_counts_of_a_zooscan_export_by_a_second_reader(real_files: Path) -> None:
    """25 acquisitions of 20 samples; each divides its counts by its own part of the filtered water."""
    path = real_files / "ecotaxa-export" / "ecotaxar" / "export.tsv"
    samples = samples_of(records_of(path))
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(samples) == 25
    assert len({one.settings["sample_id"] for one in samples.values()}) == 20
    for row in rows:
        sample = samples[row["acq_id"]]
        assert sample.volume_sampled_ml == float(row["sample_tot_vol"]) * 1e6
        assert sample.subsample_fraction == 1 / float(row["acq_sub_part"])
        assert sample.settings["sample_id"] == row["sample_id"]


def test_measures_of_a_planktoscope_equal_those_of_the_csv_module(real_files: Path) -> None:
    records = records_of(real_files / WHARF)
    with (real_files / WHARF / "ecotaxa_export.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))[1:]
    particles = particles_of(records)
    for row in rows:
        particle = particles[row["object_id"]]
        assert particle.image == (real_files / WHARF / row["img_file_name"]).read_bytes()
        for name in ("object_area", "object_%area", "object_circ.", "object_MeanHue"):
            assert particle.listmode[name.lower()] == float(row[name])
        assert len(particle.listmode) == 34  # columns 49 to 82 of the table


def test_volumes_and_clock_of_a_planktoscope(real_files: Path) -> None:
    records = records_of(real_files / WHARF)
    sample = sample_of(records)
    assert (sample.volume_imaged_ml, sample.volume_analysed_ml, sample.volume_sampled_ml) == (2.0807, 5.0, None)
    assert (sample.latitude, sample.longitude) == (36.9579, -122.0178)
    assert (sample.start, sample.pixel_size_um) == (datetime(2026, 3, 4, 8, 30, tzinfo=UTC), 0.75)
    assert sample.provenance["volume_imaged_ml"] == "ecotaxa_export.tsv: acq_imaged_volume (mL)"
    assert sample.flags == ("clock",)
    assert {one.flags for one in list_particles(records)} == {("clock",)}
    assert "ids of objects say 2024-03-12, object_date 2026-03-04 (722 days apart)" in notes_of(records)


def test_a_bundle_of_a_uvp6_in_a_zip_in_a_zip(real_files: Path) -> None:
    path = real_files / "uvp6" / "ecotaxa_back" / "UVP6_example.zip"
    records = records_of(path)
    sample = sample_of(records)
    assert (sample.id, sample.instrument, sample.serial_number) == ("b_da_19", "UVP6", "000103lp")
    assert (sample.latitude, sample.longitude, sample.pixel_size_um) == (43.0, 17.0, 73.0)
    assert sample.settings["acq_volimage"] == "0.570"
    inner = zipfile.ZipFile(io.BytesIO(zipfile.ZipFile(path).read("b_da_19_Images.zip")))
    for particle in list_particles(records):
        assert particle.depth_min_m == particle.depth_max_m
        assert particle.time is not None
        name = particle.id.partition("/")[2]
        assert f"{particle.time:%Y%m%d-%H%M%S}" == name.partition("_")[0]
        member = next(one for one in inner.namelist() if one.endswith(f"/{name}.png"))
        assert particle.image == inner.read(member)


@pytest.mark.parametrize(
    ("project", "said"),
    [
        (
            "acquisition_check_motoda_check_2",
            ["acq_min_mesh: 'test' is no number", "acq_sub_part: 'test' is no number"],
        ),
        ("acquisition_check_motoda_check_4", ["111 is no power of 2", "21 is no power of 2", "3 is no power of 2"]),
        ("acquisition_check_sieve_bug_2", ["acq_min_mesh: 'test' is no number"]),
        ("acquisition_check_sieve_bug_4", ["(1000 µm) is not finer than the one that lets pass (100 µm)"]),
        ("acquisition_check_sieve_bug_5", ["(100 µm) is not finer than the one that lets pass (100 µm)"]),
        ("process_check_process_check_1", ["a scan has one acquisition, this table has 2"]),
        (
            "process_check_nb_lines_tsv_1",
            ["1 picture is named by no row of the table", "there is no picture 'wp_d2_1_1.jpg'"],
        ),
    ],
)
def test_each_broken_zooscan_project_gives_its_reasons(real_files: Path, project: str, said: list[str]) -> None:
    reasons = sorted({one.reason for one in skipped_of(records_of(real_files / f"{SCANS}_{project}"))})
    assert len(reasons) == len(said)
    for one in said:
        assert any(one in reason for reason in reasons)


def test_two_files_of_a_station_agree_on_its_position(real_files: Path) -> None:
    sample = sample_of(records_of(real_files / "zooscan" / "zooprocess-lib" / "features" / "ecotaxa_13892_13563.tsv"))
    assert (sample.latitude, sample.longitude) == (47.846, -15.437)
    assert sample.start == datetime(2023, 6, 26, 8, 28, tzinfo=UTC)
    assert (sample.instrument, sample.subsample_fraction, sample.volume_sampled_ml) == ("ZooScan", 0.25, 203.5e6)
    assert math.isclose(sample.pixel_size_um or 0, 10.6)


def test_no_person_is_named(real_files: Path) -> None:
    persons: set[str] = set()
    for path in real_files.glob("ecotaxa-*/**/*.tsv"):
        with path.open(encoding="latin-1", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                persons |= {str(row.get(f"object_annotation_person_{what}") or "") for what in ("name", "email")}
    persons = {text for text in persons if len(text) > 4 and not text.startswith("[")}
    assert persons
    for tree in (IMPORT, EXPORT):
        for source in find_sources([real_files / tree], reader="ecotaxa")[0]:
            try:
                records = records_of(source.path, reader="ecotaxa")
            except InputError:
                continue
            text = notes_of(records) + "".join(one.reason + one.item for one in skipped_of(records))
            assert not any(person in text for person in persons)
