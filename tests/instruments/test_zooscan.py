"""Scans of a ZooScan as ZooProcess leaves them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ecotaxa_making import list_particles, picture, some_rows, write_tree
from export_making import notes_of, particles_of, records_of, sample_of, skipped_of

from seston.errors import InputError
from seston.instruments import find_sources

PID = """PID
[Image]
Scanning_date= 20250606_1823
[Input]
Media=1
[Info]
Hardware=  Hydroptic_V4
Resolution=  2400
[Sample]
SampleId= net_1
Scanop= someone
Ship= Téthys
Date= 20240508-0220
Latitude= {latitude}
Longitude= {longitude}
Depth= 99999
Zmax= 251.3
Zmin= 250.2
Vol= 931.6

[Fraction]
FracId= d2
Min= 1000
Max= 5000
[Subsample]
SubPart= {part}
SubMethod= motoda
Observation= {observation}
[Particules_Process]
PixSize=   0.0106
Analysed_Objects=  {objects}
[Data]
!Item;Label;Area;Mean;%Area
"""
ROWS = "1;net_1_d2_1;768;236.06;3.78\n2;net_1_d2_1;1641;221.63;0.3\n"


def write_scan(folder: Path, rows: str = ROWS, *, objects: int = 2, end: str = "\n", **values: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    said = {"latitude": "27.3015300", "longitude": "111.1450000", "part": "128", "observation": "no"} | values
    text = PID.format(objects=objects, **said) + rows
    (folder / "net_1_d2_1_dat1.pid").write_bytes(text.replace("\n", end).encode("cp1252"))
    return folder


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_scan_is_a_sample_with_its_place_volume_and_pixels(tmp_path: Path, end: str) -> None:
    records = records_of(write_scan(tmp_path, end=end))
    sample = sample_of(records)
    assert (sample.id, sample.instrument, sample.n_recorded) == ("d2_net_1", "ZooScan", 2)
    assert sample.latitude == pytest.approx(27 + 30.153 / 60)
    assert sample.longitude == pytest.approx(-(111 + 14.5 / 60))
    assert sample.start == datetime(2024, 5, 8, 2, 20, tzinfo=UTC)
    assert (sample.volume_sampled_ml, sample.subsample_fraction) == (931.6e6, 1 / 128)
    assert sample.pixel_size_um == pytest.approx(10.6)
    assert (sample.depth_min_m, sample.depth_max_m) == (250.2, 251.3)
    assert sample.settings["sample_ship"] == "Téthys"
    assert sample.provenance["subsample_fraction"] == "net_1_d2_1_dat1.pid: 1 / [Subsample] SubPart"
    assert "someone" not in repr(records)
    assert not skipped_of(records)


def test_rows_are_particles_with_the_vignettes_beside_the_file(tmp_path: Path) -> None:
    write_scan(tmp_path)
    (tmp_path / "net_1_d2_1_2.png").write_bytes(picture(2))
    particles = particles_of(records_of(tmp_path))
    assert list(particles) == ["net_1_d2_1_1", "net_1_d2_1_2"]
    assert [one.image for one in particles.values()] == [None, picture(2)]
    assert dict(particles["net_1_d2_1_1"].listmode) == {
        "object_area": 768.0,
        "object_mean": 236.06,
        "object_%area": 3.78,
    }


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"latitude": "47.8460", "longitude": "15.2622"}, "'47.8460' is not in degrees and minutes"),
        ({"part": "3"}, "no power of 2"),
        ({"part": "test"}, "'test' is no number"),
    ],
)
def test_a_value_that_cannot_be_is_named(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    records = records_of(write_scan(tmp_path, **values))
    assert [said in one.reason for one in skipped_of(records)] == [True]
    assert len(particles_of(records)) == 2


def test_a_place_that_is_not_known_is_none(tmp_path: Path) -> None:
    records = records_of(write_scan(tmp_path, latitude="99999.0000000", longitude="99999.0000000"))
    assert sample_of(records).latitude is None
    assert not skipped_of(records)


def test_bad_rows_cost_only_themselves(tmp_path: Path) -> None:
    rows = ROWS + "3;net_1_d2_1;1;2\n4;net_1_d2_1;x;2;3\n"
    records = records_of(write_scan(tmp_path, rows, objects=4))
    assert [one.item for one in skipped_of(records)] == ["line 36", "line 37 (net_1_d2_1_4)"]
    assert len(particles_of(records)) == 2


def test_a_file_that_ends_early_says_after_how_many(tmp_path: Path) -> None:
    records = records_of(write_scan(tmp_path, objects=5))
    assert [one.reason for one in skipped_of(records)] == ["it ends after 2 of 5 objects; copy it again"]


def test_a_fraction_scanned_in_parts_is_pointed_out(tmp_path: Path) -> None:
    text = "sample_split_into_8_with_motoda_4_scans_made"
    assert text in notes_of(records_of(write_scan(tmp_path, observation=text)))


def test_a_scan_beside_its_table_for_ecotaxa_is_read_once(tmp_path: Path) -> None:
    write_scan(tmp_path)
    write_tree(tmp_path, some_rows(2), name="ecotaxa_net_1_d2_1.tsv")
    sources, claims = find_sources([tmp_path])
    assert [source.reader for source in sources] == ["ecotaxa"]
    assert {claim.reader for claim in claims} == {"ecotaxa"}
    assert len(list_particles(records_of(tmp_path))) == 2


def test_a_file_without_a_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x_dat1.pid").write_text("PID\n[Sample]\nSampleId= x\n")
    with pytest.raises(InputError, match="no table of objects"):
        records_of(tmp_path)


@pytest.mark.parametrize(
    ("path", "objects", "place"),
    [
        ("ecotaxaLoadR/pid_files", 688, (27.50255, -111.2416667)),
        ("zooprocess-lib/project/work", 439, (48.4306667, -22.4943333)),
    ],
)
def test_real_scans_have_the_objects_that_they_state(
    real_data: Path, path: str, objects: int, place: tuple[float, float]
) -> None:
    folder = real_data / "instruments" / "zooscan" / path
    if not folder.is_dir():
        pytest.skip("no scans of a ZooScan among the real files")
    records = records_of(folder, reader="zooscan")
    sample = sample_of(records)
    assert len(particles_of(records)) == sample.n_recorded == objects
    assert len(list_particles(records)[0].listmode) == 54  # 56 columns, of which two name the object
    assert (sample.latitude, sample.longitude) == pytest.approx(place)
    assert not skipped_of(records)
