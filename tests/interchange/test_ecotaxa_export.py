"""Archives for EcoTaxa, checked against the server's rules by a reader of the test's own."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interchange_making import NOW, make_data_set, picture, put, records

from seston.errors import UsageError
from seston.instruments import decode_image
from seston.interchange import export_ecotaxa
from seston.particle import Particle, Sample
from seston.store import DataSet, open_data_set, rows_to_particles

_STATUSES = {"predicted", "dubious", "validated", "discarded"}
_PREDEFINED = {
    *(f"object_{name}" for name in ("id", "lat", "lon", "date", "time", "depth_min", "depth_max", "link")),
    *(f"object_annotation_{name}" for name in ("status", "category", "category_id", "date", "time")),
    *("sample_id", "acq_id", "process_id", "acq_instrument", "img_file_name", "img_rank"),
}
_KEPT_OF_SAMPLES = (
    *("id", "instrument", "serial_number", "start", "end", "latitude", "longitude", "depth_min_m", "depth_max_m"),
    *("volume_sampled_ml", "volume_analysed_ml", "volume_imaged_ml", "n_counted", "trigger", "set_name"),
)
_PREFIXES = ("object_", "sample_", "acq_", "process_", "img_")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return make_data_set(tmp_path_factory.mktemp("ecotaxa") / "data")


@pytest.fixture(scope="module")
def exported(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("ecotaxa") / "out"
    export_ecotaxa(data, to)
    return to


def _import_as_the_server_does(folder: Path) -> Iterator[tuple[dict[str, str], bytes]]:
    """Read archives by the rules of the reference, with the csv module alone; refuse what the server refuses."""
    seen: set[str] = set()
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            tables = [name for name in archive.namelist() if name.rpartition("/")[2].startswith("ecotaxa")]
            assert len(tables) == 1
            assert tables[0].endswith((".tsv", ".txt"))
            text = archive.read(tables[0])
            assert text.startswith(b"\xef\xbb\xbf")  # else the server takes it for Latin-1
            lines = list(csv.reader(io.StringIO(text.decode("utf-8-sig")), delimiter="\t", quotechar='"'))
            names, types = [name.strip().lower() for name in lines[0]], lines[1]
            assert len(set(names)) == len(names)
            assert set(types) <= {"[f]", "[t]"}
            assert all(name.startswith(_PREFIXES) for name in names)
            _check_free_columns(names, types)
            for line in lines[2:]:
                assert len(line) <= len(names)
                row = dict(zip(names, line, strict=True))
                _check(row, dict(zip(names, types, strict=True)))
                assert row["object_id"] not in seen
                seen.add(row["object_id"])
                yield row, archive.read(row["img_file_name"])


def _check_free_columns(names: list[str], types: list[str]) -> None:
    free = [(name, kind) for name, kind in zip(names, types, strict=True) if name not in _PREDEFINED]
    of_objects = Counter(kind for name, kind in free if name.startswith("object_"))
    of_others = Counter(name.partition("_")[0] for name, _ in free)
    assert of_objects["[f]"] <= 500
    assert of_objects["[t]"] <= 20
    assert of_others["sample"] <= 61
    assert max(of_others["acq"], of_others["process"]) <= 31


def _check(row: dict[str, str], types: dict[str, str]) -> None:
    assert 0 < len(row["object_id"]) <= 255
    assert row["sample_id"]
    assert row["acq_id"]
    assert row["process_id"]
    for name, kind in types.items():
        if kind == "[f]" and row[name].lower() not in ("", "na", "nan"):
            float(row[name])
    assert bool(row["object_annotation_status"]) == bool(row["object_annotation_category"])
    assert row["object_annotation_status"].lower() in _STATUSES | {""}
    assert not row["object_lat"] or -90 <= float(row["object_lat"]) <= 90
    _time_of(row)


def _time_of(row: dict[str, str]) -> datetime | None:
    if not row["object_date"]:
        return None
    clock = row["object_time"].replace(":", "")[:6]
    return datetime.strptime(row["object_date"] + clock, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _number(text: str) -> float | None:
    return float(text) if text else None


def test_what_the_server_would_read_is_what_the_data_set_holds(data: DataSet, exported: Path) -> None:
    samples = {sample.id: sample for sample in data.samples()}
    particles = [one for batch in data.particles() for one in rows_to_particles(batch)]
    labels = data.labels()
    rows = list(_import_as_the_server_does(exported))
    assert len(rows) == len(particles) == 40
    for (row, image), particle in zip(rows, particles, strict=True):
        sample = samples[particle.sample_id]
        assert row["object_id"] == particle.id
        assert (row["sample_id"], row["acq_instrument"]) == (sample.id, sample.instrument)
        assert image == particle.image
        assert (row["object_annotation_category"] or None) == labels.get(particle.id)
        assert _time_of(row) == (particle.time or sample.start)
        assert _number(row["object_lat"]) == (sample.latitude if particle.latitude is None else particle.latitude)
        assert _number(row["object_depth_min"]) == (
            sample.depth_min_m if particle.depth_min_m is None else particle.depth_min_m
        )
        assert _number(row["acq_volume_imaged_ml"]) == sample.volume_imaged_ml
        assert _number(row["acq_volume_analysed_ml"]) == sample.volume_analysed_ml
        assert _number(row["sample_volume_sampled_ml"]) == sample.volume_sampled_ml
        assert _number(row["process_pixel_size_um"]) == particle.pixel_size_um
        assert _number(row["object_area"]) == particle.listmode["area"]
        assert _number(row["object_fws_total"]) == particle.listmode["FWS Total"]


def test_predictions_have_a_score_and_never_stand_over_validated_work(exported: Path) -> None:
    rows = {row["object_id"]: row for row, _ in _import_as_the_server_does(exported)}
    said = {
        name: tuple(row[f"object_{key}"] for key in ("annotation_status", "annotation_category", "prediction_score"))
        for name, row in rows.items()
    }
    assert said["cast 1/3"] == ("predicted", "Calanus", "0.875")
    assert rows["cast 1/3"]["object_prediction_model"] == "model abc"
    assert said["cast 1/8"] == ("validated", "Acartia", "")  # a newer prediction says Oithona
    assert rows["cast 1/8"]["object_annotation_date"] == f"{NOW:%Y%m%d}"
    assert said["cast 1/1"] == ("validated", "detritus", "")  # validated by its source, predicted otherwise
    assert said["cast_2/8"] == ("dubious", "Acartia", "")
    assert said["cast_2/3"] == ("", "", "")
    others = [row for row in rows.values() if row["object_annotation_status"] != "predicted"]
    assert not any(row["object_prediction_score"] or row["object_prediction_model"] for row in others)


def test_nobody_is_named(exported: Path) -> None:
    for row, _ in _import_as_the_server_does(exported):
        assert "someone" not in row.values()


def test_parts_are_no_larger_than_the_limit_and_the_same_each_time(data: DataSet, tmp_path: Path) -> None:
    def noise() -> Iterator[Any]:
        for record in records(60):
            if isinstance(record, Particle):
                number = int(record.id.rpartition("/")[2])
                yield Particle(id=record.id, sample_id=record.sample_id, image=picture(number, "png", (200, 400)))
            else:
                yield record

    large = put(tmp_path / "large", noise())
    first = export_ecotaxa(large, tmp_path / "a", part_mb=1)
    export_ecotaxa(large, tmp_path / "b", part_mb=1)
    sizes = [(tmp_path / "a" / name).stat().st_size for name in first.files]
    assert len(sizes) > 3
    assert max(sizes) <= 1_000_000
    assert min(sizes[:-1]) > 850_000
    digests = [
        [hashlib.sha256((tmp_path / where / name).read_bytes()).hexdigest() for name in first.files] for where in "ab"
    ]
    assert digests[0] == digests[1]
    assert len(list(_import_as_the_server_does(tmp_path / "a"))) == 60
    assert not [path for path in (tmp_path / "a").iterdir() if path.name.endswith(".half")]


def test_a_picture_in_a_format_that_ecotaxa_does_not_take_keeps_its_pixels(tmp_path: Path) -> None:
    image = picture(5, "bmp")
    data = put(tmp_path / "data", iter([Sample(id="s"), Particle(id="s/1", sample_id="s", image=image)]))
    export_ecotaxa(data, tmp_path / "out")
    ((row, png),) = _import_as_the_server_does(tmp_path / "out")
    assert row["img_file_name"].endswith(".png")
    assert np.array_equal(decode_image(png), decode_image(image))


def test_objects_from_ecotaxa_keep_their_ids_and_their_columns(tmp_path: Path) -> None:
    def made() -> Iterator[Any]:
        for name in ("net1", "net2"):
            settings = {"sample_tot_vol": "12.5", "acq_sub_part": "2", "process_date": "2020", "flow rate": "3"}
            yield Sample(id=name, reader="ecotaxa", settings=settings)
            yield Particle(id=f"{name}/obj_{name}", sample_id=name, image=picture(len(name)))
            yield Particle(id=f"{name}/obj_twice", sample_id=name, image=picture(7))

    export_ecotaxa(put(tmp_path / "data", made()), tmp_path / "out")
    rows = [row for row, _ in _import_as_the_server_does(tmp_path / "out")]
    assert [row["object_id"] for row in rows] == ["obj_net1", "net1/obj_twice", "obj_net2", "net2/obj_twice"]
    assert {row["sample_tot_vol"] for row in rows} == {"12.5"}
    assert {row["acq_sub_part"] for row in rows} == {"2"}
    assert not any("flow" in name for name in rows[0])


def test_more_parameters_than_ecotaxa_takes_are_left_out_and_said(tmp_path: Path) -> None:
    listmode = {f"FWS {n}": float(n) for n in range(510)} | {"annotation_status": 1.0, "lat": math.inf}
    listmode = {"lat": 2.0, "Lat": 3.0} | listmode
    one = Particle(id="s/1", sample_id="s", image=picture(1), listmode=listmode)
    report = export_ecotaxa(put(tmp_path / "data", iter([Sample(id="s"), one])), tmp_path / "out")
    ((row, _),) = _import_as_the_server_does(tmp_path / "out")
    assert report.notes == ["14 listmode parameters are left out: EcoTaxa takes 500 numbers an object"]
    assert row["object_lat"] == ""
    assert (row["object_parameter_lat"], row["object_parameter_lat2"]) == ("", "3")


def test_names_can_be_those_of_taxa(data: DataSet, tmp_path: Path) -> None:
    export_ecotaxa(data, tmp_path / "out", names="taxon")
    names = {row["object_annotation_category"] for row, _ in _import_as_the_server_does(tmp_path / "out")}
    assert {"Copepoda", "detritus", "no such name at all"} <= names
    with pytest.raises(UsageError, match="label"):
        export_ecotaxa(data, tmp_path / "no", names="taxa")  # type: ignore[arg-type]


def _rest(particle: Particle, *, own: bool) -> Particle:
    """A particle as it is compared: without empty parameters, and without what EcoTaxa does not keep of others."""
    kept = {name: value for name, value in particle.listmode.items() if value == value}
    if own:
        return replace(particle, listmode=kept)
    return replace(
        particle,
        time=None,
        latitude=None,
        longitude=None,
        depth_min_m=None,
        depth_max_m=None,
        profile=None,
        profile_channels=(),
        profile_hash=None,
        listmode={},
        raw_label=None,
        raw_status=None,
    )


def test_an_import_of_the_export_is_equal(data: DataSet, exported: Path, tmp_path: Path) -> None:
    again = open_data_set(tmp_path / "again", create=True)
    report = again.import_(exported)
    assert (report.added, report.skipped) == (40, [])
    assert [note.text.partition(" of the files")[0] for note in report.notes] == ["2 annotations"]
    before, after = _particles(data), _particles(again)
    assert [_rest(one, own=False) for one in after] == [_rest(one, own=False) for one in before]
    assert again.labels() == data.labels()
    for old_sample, new_sample in zip(data.samples(), again.samples(), strict=True):
        for name in _KEPT_OF_SAMPLES:
            assert getattr(new_sample, name) == getattr(old_sample, name), name
    known = {sample.id: sample for sample in data.samples()}
    for old, new in zip(before, after, strict=True):
        sample = known[old.sample_id]
        assert new.time == (old.time or sample.start)
        assert (new.latitude, new.longitude) == (
            (old.latitude, old.longitude) if old.latitude is not None else (sample.latitude, sample.longitude)
        )
        assert [new.listmode["object_area"], new.listmode["object_fws_total"]] == [
            old.listmode["area"],
            old.listmode["FWS Total"],
        ]


def test_a_second_export_of_what_was_read_back_has_the_same_rows(exported: Path, tmp_path: Path) -> None:
    again = open_data_set(tmp_path / "again", create=True)
    again.import_(exported)
    export_ecotaxa(again, tmp_path / "out")
    first, second = (list(_import_as_the_server_does(folder)) for folder in (exported, tmp_path / "out"))
    history = ("object_prediction_score", "object_prediction_model")
    for (old, picture_before), (new, picture_after) in zip(first, second, strict=True):
        assert picture_before == picture_after
        for name, value in old.items():
            assert new[name] == value or name in history, name


@pytest.mark.parametrize(
    "tree",
    [
        "ecotaxa-import/ecotaxa_back/import_test",
        "ecotaxa-import/ecotaxa_back/import_test_plus",
        "ecotaxa-import/ecotaxa_back/import_v_or_d_just_state",
        "ecotaxa-import/ecotaxa_back/merge_test/more_cols",
        "ecotaxa-export/ecotaxa_back/ref_exports/bak_all_images",
        "ecotaxa-export/ecotaxa_back/ref_exports/doi",
        "planktoscope/santa-cruz-wharf",
        "uvp6/ecotaxa_back",
    ],
)
def test_real_objects_from_ecotaxa_go_out_and_come_back_equal(real_data: Path, tree: str, tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "data", create=True)
    data.import_(real_data / "instruments" / tree)
    export_ecotaxa(data, tmp_path / "out")
    assert list(_import_as_the_server_does(tmp_path / "out"))
    again = open_data_set(tmp_path / "again", create=True)
    report = again.import_(tmp_path / "out")
    assert not report.skipped
    before = [one for one in _particles(data) if one.image is not None]
    after = {one.id: one for one in _particles(again)}
    assert set(after) == {one.id for one in before}
    for old in before:
        assert replace(_rest(after[old.id], own=True), source="") == replace(_rest(old, own=True), source="")
    known = {sample.id: sample for sample in data.samples()}
    for sample in again.samples():
        for name in (*_KEPT_OF_SAMPLES, "dilution", "subsample_fraction", "pixel_size_um", "flags"):
            assert getattr(sample, name) == getattr(known[sample.id], name), name


def _particles(data: DataSet) -> list[Particle]:
    return [one for batch in data.particles() for one in rows_to_particles(batch)]
