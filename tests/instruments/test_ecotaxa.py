"""Tables in EcoTaxa's layout with their pictures: particles, samples, and a line for what is wrong."""

from __future__ import annotations

import gzip
import math
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ecotaxa_making import list_particles, picture, samples_of, some_rows, table_text, write_tree, zipped
from export_making import notes_of, particles_of, records_of, sample_of, skipped_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seston.errors import InputError
from seston.instruments import find_sources, read
from seston.particle import Annotation, Particle, Sample, Skipped


def test_rows_become_particles_with_their_pictures_and_measures(tmp_path: Path) -> None:
    rows = some_rows(2)
    tree = write_tree(tmp_path / "tree", rows, {"o0.png": picture(0), "o1.png": picture(1)})
    records = records_of(tree)
    particles = particles_of(records)
    assert sample_of(records).id == "s"
    assert {name: (one.image, dict(one.listmode)) for name, one in particles.items()} == {
        "o0": (picture(0), {"object_area": 10.0}),
        "o1": (picture(1), {"object_area": 11.0}),
    }
    assert not skipped_of(records)


def test_a_table_without_types_gives_the_same(tmp_path: Path) -> None:
    pictures = {"o0.png": picture(0), "o1.png": picture(1)}
    typed = records_of(write_tree(tmp_path / "a", some_rows(2), pictures))
    plain = records_of(write_tree(tmp_path / "b", some_rows(2), pictures, types=False))
    assert particles_of(typed) == particles_of(plain)


def test_empty_cells_of_measures_are_no_numbers_and_empty_columns_are_left_out(tmp_path: Path) -> None:
    rows = [
        {"object_id": "a", "object_area": "", "object_mean": 3, "object_x": ""},
        {"object_id": "b", "object_area": 2},
    ]
    particles = particles_of(records_of(write_tree(tmp_path, rows)))
    assert list(particles["a"].listmode) == ["object_area", "object_mean"]
    assert math.isnan(particles["a"].listmode["object_area"])
    assert particles["b"].listmode["object_area"] == 2


def test_of_several_pictures_the_lowest_rank_that_is_there_is_taken(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"object_id": "a", "img_file_name": "a_2.png", "img_rank": 2, "object_area": 1},
        {"object_id": "b", "img_file_name": "b_0.png", "img_rank": 0, "object_area": 2},
        {"object_id": "a", "img_file_name": "a_1.png", "img_rank": 1, "object_area": 1},
        {"object_id": "b", "img_file_name": "b_1.png", "img_rank": 1, "object_area": 2},
    ]
    pictures = {"a_1.png": picture(1), "a_2.png": picture(2), "b_1.png": picture(3)}
    records = records_of(write_tree(tmp_path, rows, pictures))
    assert {name: one.image for name, one in particles_of(records).items()} == {"a": picture(1), "b": picture(3)}
    assert "2 further pictures of objects are not kept" in notes_of(records)


def test_of_a_uvp6_the_original_behind_the_vignette_is_taken(tmp_path: Path) -> None:
    rows = [
        {"object_id": "a", "img_file_name": f"{rank}.png", "img_rank": rank, "acq_instrument": "uvp6", "acq_id": "q"}
        for rank in (0, 100)
    ]
    records = records_of(write_tree(tmp_path, rows, {"0.png": picture(0), "100.png": picture(100)}))
    assert particles_of(records)["a"].image == picture(100)


def test_the_same_object_and_picture_twice_is_read_once_and_named(tmp_path: Path) -> None:
    rows = [*some_rows(3), some_rows(1)[0]]
    records = records_of(write_tree(tmp_path, rows))
    assert len(particles_of(records)) == 3
    assert [(one.item, one.reason.partition(":")[0]) for one in skipped_of(records)] == [
        ("line 6 (o0)", "the same object and picture as in a row before")
    ]


def test_position_time_and_depth_that_vary_stay_with_the_particle(tmp_path: Path) -> None:
    rows = [
        row | {"object_lat": 10 + place, "object_lon": 5, "object_date": 20200101 + place, "object_time": "1200"}
        | {"object_depth_min": 3 * place, "object_depth_max": 3 * place}
        for place, row in enumerate(some_rows(3))
    ]  # fmt: skip
    records = records_of(write_tree(tmp_path, rows))
    last = particles_of(records)["o2"]
    assert (last.latitude, last.longitude, last.depth_min_m) == (12.0, 5.0, 6.0)
    assert last.time == datetime(2020, 1, 3, 12, tzinfo=UTC)
    sample = sample_of(records)
    assert (sample.start, sample.end) == (datetime(2020, 1, 1, 12, tzinfo=UTC), last.time)
    assert (sample.depth_min_m, sample.depth_max_m) == (0.0, 6.0)
    assert sample.provenance["latitude"] == "ecotaxa_made.tsv: object_lat of most objects"


@pytest.mark.parametrize(
    ("status", "category", "label", "said"),
    [
        ("validated", "Copepoda", "Copepoda", ""),
        ("Predicted", "egg<other", "egg<other", ""),
        ("dubious", "t001", "t001", ""),
        ("X", "detritus", "detritus", ""),
        ("noid", "detritus", None, ""),
        ("", "", None, ""),
        ("predit", "detritus", None, "'predit' is no status"),
        ("", "detritus", None, "has no status"),
        ("validated", "", None, "has no category"),
    ],
)
def test_a_label_needs_a_status_and_a_status_a_label(
    tmp_path: Path, status: str, category: str, label: str | None, said: str
) -> None:
    rows = some_rows(1, object_annotation_status=status, object_annotation_category=category)
    records = records_of(write_tree(tmp_path, rows))
    particle = particles_of(records)["o0"]
    assert (particle.raw_label, particle.raw_status) == (label, status if label else None)
    assert [said in one.reason for one in skipped_of(records)] == ([True] if said else [])


def test_no_line_names_a_person(tmp_path: Path) -> None:
    row = some_rows(1)[0] | {
        "object_annotation_status": "validated",
        "object_annotation_category": "Copepoda",
        "object_annotation_person_name": "Jane Roe",
        "object_annotation_person_email": "jane@example.org",
        "object_annotation_date": "20219999",
    }
    records = records_of(write_tree(tmp_path, [row]))
    assert skipped_of(records)
    assert "Jane" not in repr(records)
    assert "jane@" not in repr(records)


@pytest.mark.parametrize(
    ("status", "day", "events"),
    [
        ("validated", "20151111", [("Copepoda", "validated", "J. Roe", datetime(2015, 11, 11, 15, 31, tzinfo=UTC))]),
        ("D", "2015-11-11", [("Copepoda", "dubious", "J. Roe", datetime(2015, 11, 11, 15, 31, tzinfo=UTC))]),
        ("validated", "", []),
        ("predicted", "20151111", []),
        ("X", "20151111", []),
    ],
)
def test_what_a_person_said_and_when_comes_behind_the_particle(
    tmp_path: Path, status: str, day: str, events: list[tuple[object, ...]]
) -> None:
    row = some_rows(1)[0] | {
        "object_annotation_status": status,
        "object_annotation_category": "Copepoda",
        "object_annotation_person_name": " J.  Roe",
        "object_annotation_date": day,
        "object_annotation_time": "153100",
    }
    records = records_of(write_tree(tmp_path, [row]))
    said = [one for one in records if isinstance(one, Annotation)]
    assert [(one.label, one.status, one.author, one.time) for one in said] == events
    assert all(one.particle_id == "s/o0" for one in said)


def test_a_missing_picture_costs_only_itself(tmp_path: Path) -> None:
    records = records_of(write_tree(tmp_path, some_rows(2), {"o1.png": picture()}))
    assert particles_of(records)["o0"].image is None
    assert [(one.item, one.reason) for one in skipped_of(records)] == [
        ("line 3 (o0)", "img_file_name: there is no picture 'o0.png'")
    ]


def test_a_table_whose_pictures_are_elsewhere_says_so_once(tmp_path: Path) -> None:
    records = records_of(write_tree(tmp_path, some_rows(5)))
    assert len(particles_of(records)) == 5
    assert not skipped_of(records)
    assert "none of the pictures that its rows name is here" in notes_of(records)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/secret.png", "C:/secret.png", "a/../../secret.png"])
def test_a_picture_outside_of_the_folder_is_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.png").write_bytes(picture(9))
    rows = [*some_rows(1), {"object_id": "b", "img_file_name": name, "object_area": 1, "sample_id": "s"}]
    records = records_of(write_tree(tmp_path / "tree", rows, {"o0.png": picture()}))
    assert particles_of(records)["b"].image is None
    assert "is not followed" in skipped_of(records)[0].reason


def test_rows_with_neither_picture_nor_measure_are_counted_in_one_line(tmp_path: Path) -> None:
    rows = [{"object_id": f"o{number}", "img_file_name": f"{number}.png"} for number in range(4)]
    records = records_of(write_tree(tmp_path, rows))
    assert [one.reason for one in skipped_of(records)] == ["4 rows have no picture here and no measurements: left out"]
    assert not samples_of(records)


def test_of_many_rows_with_one_fault_a_hundred_are_named_and_the_others_counted(tmp_path: Path) -> None:
    records = records_of(write_tree(tmp_path, some_rows(150, object_lat="95", object_lon="0")))
    skipped = skipped_of(records)
    assert len(skipped) == 101
    assert skipped[-1].reason == "50 more rows of this kind: object_lat"


def test_a_table_with_no_rows_is_an_error_alone_and_a_note_among_others(tmp_path: Path) -> None:
    empty = "object_id\tobject_area\n[t]\t[f]\n"
    write_tree(tmp_path / "tree" / "good", some_rows(1))
    (tmp_path / "tree" / "bad").mkdir()
    (tmp_path / "tree" / "bad" / "ecotaxa_bad.tsv").write_text(empty)
    assert "nothing to import" in notes_of(records_of(tmp_path / "tree"))
    with pytest.raises(InputError, match="nothing to import"):
        records_of(tmp_path / "tree" / "bad")


def test_a_picture_belongs_to_the_nearest_table_above_it(tmp_path: Path) -> None:
    write_tree(tmp_path, some_rows(1), {"o0.png": picture(0)})
    write_tree(tmp_path / "deep", some_rows(1), {"o0.png": picture(1)})
    sources, _ = find_sources([tmp_path])
    images = {source.path.parent.name: list_particles(list(read(source)))[0].image for source in sources}
    assert images == {tmp_path.name: picture(0), "deep": picture(1)}


def test_pictures_that_no_table_names_are_left_to_folders_of_classes(tmp_path: Path) -> None:
    write_tree(tmp_path, some_rows(1), {"Copepoda/x.png": picture()})
    sources, _ = find_sources([tmp_path])
    assert sorted(source.reader for source in sources) == ["class-folders", "ecotaxa"]


def test_a_picture_that_no_row_names_is_noted(tmp_path: Path) -> None:
    records = records_of(write_tree(tmp_path, some_rows(1), {"o0.png": picture(), "other.png": picture(1)}))
    assert "1 picture is named by no row of the table, and left out: other.png" in notes_of(records)


def test_a_table_named_alone_brings_its_pictures(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, some_rows(1), {"o0.png": picture()})
    assert particles_of(records_of(tree / "ecotaxa_made.tsv"))["o0"].image == picture()


def test_a_compressed_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "ecotaxa_x.tsv.gz").write_bytes(gzip.compress(table_text(some_rows(3)).encode()))
    assert len(particles_of(records_of(tmp_path))) == 3


def test_a_zip_is_read_in_place_table_by_table(tmp_path: Path) -> None:
    members: dict[str, bytes | str] = {"job.log": "done"}
    for name in ("one", "two"):
        rows = some_rows(2, sample_id=name)
        members[f"top/{name}/ecotaxa_{name}.tsv"] = "\ufeff" + table_text(rows)
        members |= {f"top/{name}/o{number}.png": picture(number) for number in range(2)}
        members[f"__MACOSX/top/{name}/._ecotaxa_{name}.tsv"] = "litter"
    (tmp_path / "export.zip").write_bytes(zipped(members))
    records = records_of(tmp_path)
    assert list(samples_of(records)) == ["one", "two"]
    assert [(one.id, one.image) for one in list_particles(records)] == [
        (f"{name}/o{number}", picture(number)) for name in ("one", "two") for number in range(2)
    ]


def test_a_zip_inside_a_zip_is_read(tmp_path: Path) -> None:
    rows = some_rows(1, acq_id="b_da_19", acq_instrument="uvp6")
    table = table_text(
        [row | {"img_file_name": "sub1/o0.png", "object_lat": "43°0 0", "object_lon": "17°0 0"} for row in rows]
    )
    for root in ("", "root/"):
        inner = zipped({f"{root}ecotaxa_b.tsv": table.encode("latin-1"), f"{root}sub1/o0.png": picture(7)})
        path = tmp_path / f"{root.strip('/')}outer.zip"
        path.write_bytes(zipped({"b_Images.zip": inner}))
        particle = particles_of(records_of(path))["o0"]
        assert (particle.image, particle.latitude, particle.longitude) == (picture(7), 43.0, 17.0)


def test_an_inner_zip_that_is_damaged_costs_only_itself(tmp_path: Path) -> None:
    inner = [zipped({f"ecotaxa_{name}.tsv": table_text(some_rows(1, sample_id=name))}) for name in "abc"]
    members = {f"{name}_Images.zip": data for name, data in zip("abc", inner, strict=True)}
    (tmp_path / "outer.zip").write_bytes(zipped(members | {"b_Images.zip": inner[1][:-30]}))
    records = records_of(tmp_path)
    assert list(samples_of(records)) == ["a", "c"]
    assert [one.item for one in skipped_of(records)] == ["b_Images.zip"]


def test_a_zip_that_is_cut_off_is_not_taken_for_folders_of_classes(tmp_path: Path) -> None:
    whole = zipped({"x/ecotaxa_x.tsv": table_text(some_rows(1)), "x/o0.png": picture()})
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be read"):
        records_of(tmp_path)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=12))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_zip_is_read_or_refused(tmp_path: Path, damage: list[tuple[int, int]]) -> None:
    inner = zipped({"ecotaxa_x.tsv": table_text(some_rows(2)), "o0.png": picture()})
    data = bytearray(zipped({"x_Images.zip": inner, "ecotaxa_y.tsv": table_text(some_rows(2))}))
    for place, value in damage:
        data[place % len(data)] = value
    (tmp_path / "x.zip").write_bytes(data)
    reason = ""
    try:
        records_of(tmp_path)
    except InputError as error:
        reason = str(error)
    assert "\n" not in reason


@pytest.mark.parametrize("table", [True, False])
def test_a_member_without_a_name_costs_only_itself(tmp_path: Path, *, table: bool) -> None:
    members: dict[str, bytes | str] = {"xo1.png": picture(1), "o0.png": picture(0)}
    if table:
        members["ecotaxa_x.tsv"] = table_text(some_rows(1))
    (tmp_path / "x.zip").write_bytes(zipped(members).replace(b"xo1.png", b"\0o1.png"))
    assert [one.image for one in list_particles(records_of(tmp_path))] == [picture(0)]


def test_a_bomb_of_a_table_ends_with_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seston.instruments.ecotaxa_bundles.largest_total", lambda size: 100_000)
    rows = table_text(some_rows(5_000))
    (tmp_path / "bomb.zip").write_bytes(zipped({"ecotaxa_x.tsv": rows}))
    with pytest.raises(InputError, match="far more data"):
        records_of(tmp_path)


@pytest.mark.parametrize(
    ("cells", "fields"),
    [
        (
            {
                "acq_instrument": "PlanktoScope v2.6",
                "acq_volume": "5.00",
                "acq_imaged_volume": "2.5",
                "process_pixel": "0.75",
            },
            {"volume_analysed_ml": 5.0, "volume_imaged_ml": 2.5, "pixel_size_um": 0.75, "volume_sampled_ml": None},
        ),
        (
            {
                "acq_instrument": "PlanktoScope v2.5",
                "acq_pumped_volume": "4",
                "acq_imaged_volume": "2",
                "sample_concentrated_sample_volume": "40",
                "sample_total_volume": "100",
                "sample_dilution_factor": "1",
            },
            {"volume_sampled_ml": 100_000.0, "subsample_fraction": 0.05, "dilution": 1.0, "volume_analysed_ml": 4.0},
        ),
        (
            {
                "acq_instrument": "zooscan",
                "sample_tot_vol": "50",
                "acq_sub_part": "4",
                "process_particle_pixel_size_mm": "0.0106",
            },
            {"volume_sampled_ml": 50e6, "subsample_fraction": 0.25, "pixel_size_um": pytest.approx(10.6)},
        ),
        ({"acq_instrument": "zooscan", "sample_tot_vol": "99999"}, {"volume_sampled_ml": None}),
        ({"acq_instrument": "zooscan", "sample_tot_vol": "999999"}, {"volume_sampled_ml": None}),
        ({"acq_instrument": "other", "sample_tot_vol": "50"}, {"volume_sampled_ml": None}),
        (
            {"acq_instrument": "zooscan", "process_particle_pixel_size_µm": "0.0106", "process_img_resolution": "2400"},
            {"pixel_size_um": pytest.approx(10.6)},
        ),
        (
            {"acq_instrument": "uvp6", "acq_pixel": "73", "acq_volimage": "0.57", "acq_sn": "000103lp"},
            {"pixel_size_um": 73.0, "volume_imaged_ml": None, "serial_number": "000103lp"},
        ),
        ({"acq_instrument": "uvp5", "acq_pixel": "0.088"}, {"pixel_size_um": pytest.approx(88)}),
        (
            {"acq_instrument": "IFCB", "acq_resolution_pixels_per_micron": "3.4"},
            {"pixel_size_um": pytest.approx(1 / 3.4)},
        ),
        (
            {
                "sample_volume_sampled_ml": "3",
                "acq_volume_imaged_ml": "2",
                "acq_dilution": "10",
                "process_pixel_size_um": "0.5",
            },
            {"volume_sampled_ml": 3.0, "volume_imaged_ml": 2.0, "dilution": 10.0, "pixel_size_um": 0.5},
        ),
    ],
)
def test_volumes_and_pixels_stand_in_the_right_columns(
    tmp_path: Path, cells: dict[str, object], fields: dict[str, object]
) -> None:
    records = records_of(write_tree(tmp_path, some_rows(1, acq_id="s", process_id="s", **cells)))
    sample = sample_of(records)
    assert {name: getattr(sample, name) for name in fields} == fields
    assert not skipped_of(records)
    for name, value in fields.items():
        assert (name in sample.provenance) is (value is not None)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"acq_sub_part": "test"}, "acq_sub_part: 'test' is no number"),
        ({"acq_sub_part": "3", "acq_sub_method": "motoda"}, "no power of 2"),
        ({"acq_sub_part": "0.5"}, "cannot be"),
        ({"acq_min_mesh": "500", "acq_max_mesh": "500"}, "not finer"),
        ({"sample_tot_vol": "foo"}, "sample_tot_vol: 'foo' is no number"),
    ],
)
def test_a_value_of_a_scan_that_cannot_be_is_named(tmp_path: Path, cells: dict[str, object], said: str) -> None:
    records = records_of(write_tree(tmp_path, some_rows(2, acq_id="q", acq_instrument="zooscan", **cells)))
    assert [said in one.reason for one in skipped_of(records)] == [True]
    assert sample_of(records).subsample_fraction is None


def test_a_fraction_that_differs_between_the_rows_is_not_used(tmp_path: Path) -> None:
    rows = some_rows(2, acq_id="q", acq_instrument="zooscan")
    rows = [row | {"acq_sub_part": 2 + 2 * place} for place, row in enumerate(rows)]
    records = records_of(write_tree(tmp_path, rows))
    assert sample_of(records).subsample_fraction is None
    assert "its rows say different things" in skipped_of(records)[0].reason


@pytest.mark.parametrize(
    ("sample", "acquisition", "own", "expected"),
    [
        ("net1", "", {}, "net1"),
        ("net1", "scan", {}, "net1"),
        ("net1", "d1_net1", {"acq_sub_part": "4"}, "d1_net1"),
        ("net1", "d1", {"acq_sub_part": "4"}, "net1/d1"),
        ("net1/d1", "d1", {"acq_sub_part": "4"}, "net1/d1"),
        ("0012", "0012", {"acq_sub_part": "4"}, "0012"),
        ("", "", {}, "made"),
        ("nan", "", {}, "made"),
    ],
)
def test_an_acquisition_with_a_volume_of_its_own_is_a_sample(
    tmp_path: Path, sample: str, acquisition: str, own: dict[str, object], expected: str
) -> None:
    rows = [some_rows(1)[0] | {"sample_id": sample, "acq_id": acquisition} | own]
    assert sample_of(records_of(write_tree(tmp_path, rows))).id == expected


def test_acquisitions_of_one_sample_make_one_sample_with_all_their_times(tmp_path: Path) -> None:
    rows = [row | {"acq_id": f"q{place}", "object_date": 20200101 + place} for place, row in enumerate(some_rows(3))]
    sample = sample_of(records_of(write_tree(tmp_path, rows)))
    assert (sample.start, sample.end) == (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 3, tzinfo=UTC))


def test_an_acquisition_under_two_samples_is_named(tmp_path: Path) -> None:
    rows = [row | {"sample_id": f"s{place}", "acq_id": "q"} for place, row in enumerate(some_rows(2))]
    records = records_of(write_tree(tmp_path, rows))
    assert "stands under two samples" in skipped_of(records)[0].reason
    assert len(particles_of(records)) == 2


@pytest.mark.parametrize(
    ("day", "object_id", "flags"),
    [
        ("20260304", "2024-03-12_03-19-56-105220_0", ("clock",)),
        ("20240312", "2024-03-12_03-19-56-105220_0", ()),
        ("20240313", "2024-03-12_23-59-56-105220_0", ()),
        ("20190214", "2019-02-14_03-19-56-105220_0", ("clock",)),
    ],
)
def test_the_clock_of_a_planktoscope_is_held_against_the_day_of_sampling(
    tmp_path: Path, day: str, object_id: str, flags: tuple[str, ...]
) -> None:
    rows = [
        some_rows(1)[0]
        | {"object_id": object_id, "object_date": day, "acq_instrument": "PlanktoScope v2.6", "acq_id": "s"}
    ]
    records = records_of(write_tree(tmp_path, rows))
    assert sample_of(records).flags == flags
    assert list_particles(records)[0].flags == flags
    assert ("clock" in notes_of(records)) is bool(flags)


def test_the_lineage_of_a_category_is_kept_for_who_resolves_it(tmp_path: Path) -> None:
    row = some_rows(1)[0] | {
        "object_annotation_status": "validated",
        "object_annotation_category": "egg<other",
        "object_annotation_hierarchy": "not-living>other>egg",
    }
    sample = sample_of(records_of(write_tree(tmp_path, [row])))
    assert sample.settings["lineage of egg<other"] == "not-living>other>egg"


def test_claims_say_what_was_found(tmp_path: Path) -> None:
    write_tree(tmp_path, some_rows(1, acq_instrument="uvp6", acq_id="q"), {"o0.png": picture()})
    (tmp_path / "b.zip").write_bytes(zipped({"ecotaxa_b.tsv": table_text(some_rows(1))}))
    _, claims = find_sources([tmp_path])
    assert {Path(claim.path).name: (claim.reader, claim.reason) for claim in claims} == {
        "b.zip": ("ecotaxa", "an archive with tables in EcoTaxa's layout"),
        "ecotaxa_made.tsv": ("ecotaxa", "a table in EcoTaxa's layout of a UVP6, 1 picture beneath its folder"),
        "o0.png": ("ecotaxa", "a table in EcoTaxa's layout of a UVP6, 1 picture beneath its folder"),
    }


def test_rows_stream_whatever_their_number(tmp_path: Path) -> None:
    columns = {f"object_m{number}": number for number in range(20)}
    text = table_text([some_rows(1)[0] | columns])
    head, _, row = text.rstrip("\n").rpartition("\n")
    with (tmp_path / "ecotaxa_long.tsv").open("w") as file:
        file.write(head + "\n")
        file.writelines(row.replace("o0", f"o{number}") + "\n" for number in range(8_000))
    sources, _ = find_sources([tmp_path])
    tracemalloc.start()
    n = sum(isinstance(record, Particle) for record in read(sources[0]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n == 8_000
    assert peak < 8 << 20  # a piece of the file and a few rows; all particles would take 20 MB


def test_the_name_of_an_import_goes_in_front(tmp_path: Path) -> None:
    sources, _ = find_sources([write_tree(tmp_path, some_rows(1))])
    records = [one for one in read(sources[0], name="leg1") if not isinstance(one, Skipped)]
    assert [one.id for one in records if isinstance(one, Sample | Particle)] == ["leg1:s", "leg1:s/o0"]
