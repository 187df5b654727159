from __future__ import annotations

import gzip
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from collection_making import card, everything, jpeg, png, tar_of, zip_bytes, zip_of

from seston.collections import build
from seston.errors import NotFoundError, UsageError
from seston.store import open_data_set

_REAL = {
    "vliz_flowcam": (15_179, 95, 4, 28),
    "whoi_ifcb_gallery": (928, 186, 3, 767),
    "isiis_ndsb2015": (3_084, 121, 1, 1),
    "uvp6_uvpec": (1_250, 10, 100, 1),
    "zooscan_ecotaxa": (400, 4, 0, 1),
    "lake_eawag_dspc": (350, 35, 0, 84),
    "lake_japan_microscope": (55, 13, 0, 1),
}
"""Pictures, classes, pictures that repeat another, and samples (days, bins), from the README of the files."""


def _members(n: int) -> dict[str, bytes]:
    return {f"class {k % 3}/{k}.jpg": jpeg(k) for k in range(n)}


def test_every_picture_of_the_real_archives_is_accounted_for(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "collections"
    report = build(list(_REAL), to=tmp_path / "d", from_=[str(folder)])
    found = {one.name: (one.pictures, one.classes, one.duplicates, one.samples) for one in report.collections}
    assert found == _REAL
    assert all(one.set_aside == 0 and one.expected == one.pictures for one in report.collections)
    data = open_data_set(tmp_path / "d")
    columns = ["id", "licence", "attribution", "time", "scale_bar"]
    rows = [row for batch in data.particles(columns) for row in batch.to_pylist()]
    assert len(rows) == 21_246
    assert all(row["licence"] and row["attribution"] for row in rows)
    assert sum(row["scale_bar"] is not None for row in rows) == 400
    lake = [row["time"] for row in rows if row["id"].startswith("lake_eawag_dspc:")]
    assert min(lake).date().isoformat() == "2018-05-22"
    assert max(lake).date().isoformat() == "2020-06-10"
    samples = {sample.id: sample for sample in data.samples()}
    assert samples["vliz_flowcam:20210215"].start == datetime(2021, 2, 15, tzinfo=UTC)
    size = sum(file.stat().st_size for file in (tmp_path / "d").rglob("*") if file.is_file())
    assert size <= 1.15 * sum(one.image_bytes for one in report.collections)


def test_building_again_adds_nothing_and_tells_the_same(tmp_path: Path) -> None:
    own = card(tmp_path, "mine")
    archive = tar_of(tmp_path / "a.tar", {**_members(20), "class 0/bad.jpg": b"\xff\xd8\xff no"})
    first = build([own], to=tmp_path / "d", from_=[f"mine={archive}"]).collections[0]
    rows = everything(tmp_path / "d")
    second = build([own], to=tmp_path / "d", from_=[f"mine={archive}"]).collections[0]
    assert (first.added, first.set_aside, second.added, second.already_there, second.set_aside) == (20, 1, 0, 20, 1)
    assert first.pictures == second.pictures
    assert everything(tmp_path / "d") == rows


def test_archives_inside_archives_are_read(tmp_path: Path) -> None:
    inner = zip_bytes({"LClass_copepod/20151103_102539.630.0.png": png(1), "LClass_copepod/x.png": png(2)})
    deep = zip_bytes({"CPICS_Validated/20151103.zip": inner, "CPICS_Validated/20151104.zip": inner[:-60]})
    (tmp_path / "CPICS_Validated.zip").write_bytes(deep)
    report = build(["jedioceans"], to=tmp_path / "d", from_=[str(tmp_path)]).collections[0]
    data = open_data_set(tmp_path / "d")
    assert set(data.labels().values()) == {"copepod"}
    assert "jedioceans:20151103/20151103.zip/LClass_copepod/x.png" in data.ids()
    sample = next(one for one in data.samples() if one.id == "jedioceans:20151103")
    assert (sample.latitude, sample.depth_min_m, sample.instrument) == (34.682718, 20.0, "CPICS")
    assert "observatory" in sample.provenance["latitude"]
    assert any("cannot be read to its end" in reason for reason in report.reasons)


def test_a_zip_inside_a_zip_may_be_packed_again(tmp_path: Path) -> None:
    pictures = {f"images/SYKE-plankton_ZooScan_2024/Evadne/{n}.png": png(n) for n in range(30)}
    pictures["class_splits/fold/1.png"] = png(99)
    zip_of(tmp_path / "package.zip", {"SYKE/inner.zip": zip_bytes(pictures)})
    (tmp_path / "files").mkdir()
    (tmp_path / "package.zip").rename(tmp_path / "files" / "package.zip")
    report = build(["sykezooscan2024"], to=tmp_path / "d", from_=[f"sykezooscan2024={tmp_path / 'files'}"])
    assert (report.collections[0].added, report.collections[0].ignored) == (30, 1)


def test_labels_come_from_a_table_in_a_second_zip(tmp_path: Path) -> None:
    folder = tmp_path / "global_uvp5"
    folder.mkdir()
    zip_of(folder / "121258.zip", {"images/s1/1.png": png(1), "images/s1/2.png": png(2), "images/s2/3.png": png(3)})
    table = gzip.compress(b"object_id\ttaxon\n1\tCopepoda\n2\tdetritus\n3\t\n")
    zip_of(folder / "table.zip", {"data/objects.tsv.gz": table})
    build(["global_uvp5"], to=tmp_path / "d", from_=[str(tmp_path)])
    labels = open_data_set(tmp_path / "d").labels()
    assert sorted(labels.values()) == ["Copepoda", "detritus"]
    assert open_data_set(tmp_path / "d").count_rows() == 3


def test_a_missing_table_costs_only_its_collection(tmp_path: Path) -> None:
    folder = tmp_path / "global_uvp5"
    folder.mkdir()
    zip_of(folder / "121258.zip", {"images/s1/1.png": png(1)})
    own = card(tmp_path, "mine")
    archive = tar_of(tmp_path / "a.tar", _members(3))
    report = build(["global_uvp5", own], to=tmp_path / "d", from_=[str(tmp_path), f"mine={archive}"])
    assert "objects.tsv.gz" in report.failed["global_uvp5"]
    assert [one.added for one in report.collections] == [3]


def test_what_cannot_be_used_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    whole = jpeg(1, (200, 150))
    members = {
        "a/whole.jpg": whole,
        "a/cut.jpg": whole[: len(whole) // 2],
        "a/empty.jpg": b"",
        "a/text.png": b"hello",
        "top.jpg": jpeg(2),
        "._a/twin.jpg": b"x",
        "a/readme.txt": b"read me",
    }
    report = build([card(tmp_path, "mine")], to=tmp_path / "d", from_=[f"mine={tar_of(tmp_path / 'a.tar', members)}"])
    done = report.collections[0]
    assert (done.added, done.set_aside, done.pictures) == (1, 4, 5)
    reasons = {one.item.rpartition("/")[2]: one.reason for one in done.skipped}
    assert "cut off" in reasons["cut.jpg"]
    assert "empty" in reasons["empty.jpg"]
    assert "not a picture" in reasons["text.png"]
    assert "no pictures" in reasons["top.jpg"]
    assert sum(done.reasons.values()) == 4


def test_a_cut_archive_keeps_what_stands_before(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar", _members(10))
    archive.write_bytes(archive.read_bytes()[:8000])
    done = build([card(tmp_path, "mine")], to=tmp_path / "d", from_=[f"mine={archive}"]).collections[0]
    assert 0 < done.added < 10
    assert any("cut off" in note.text for note in done.notes)


def test_a_second_picture_of_one_path_is_set_aside(tmp_path: Path) -> None:
    archives = tmp_path / "files"
    archives.mkdir()
    tar_of(archives / "1.tar", {"a/1.jpg": jpeg(1), "a/2.jpg": jpeg(2)})
    tar_of(archives / "2.tar", {"a/2.jpg": jpeg(3), "a/3.jpg": jpeg(4)})
    own = card(tmp_path, "mine")
    for expected in ((3, 0), (0, 3)):
        done = build([own], to=tmp_path / "d", from_=[f"mine={archives}"]).collections[0]
        assert (done.added, done.already_there) == expected
        assert done.set_aside == 1


def test_an_unpacked_folder_gives_the_same_as_its_archive(tmp_path: Path) -> None:
    members = dict(sorted(_members(12).items()))
    for name, data in members.items():
        (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / name).write_bytes(data)
    own = card(tmp_path, "mine")
    build([own], to=tmp_path / "one", from_=[f"mine={tar_of(tmp_path / 'a.tar', members)}"])
    build([own], to=tmp_path / "two", from_=[f"mine={tmp_path / 'files'}"])
    assert everything(tmp_path / "one") == everything(tmp_path / "two")


@pytest.mark.parametrize(("licence", "left"), [("commercial", ["uvp6_uvpec"]), ("any", [])])
def test_the_licence_filter_leaves_collections_out(tmp_path: Path, licence: str, left: list[str]) -> None:
    tar_of(tmp_path / "uvp6_uvpec.tar", {"Copepoda__1/1.png": png(1)})
    tar_of(tmp_path / "lake_eawag_dspc.tar", {"a/SPC-1-1401694428076000-x.jpeg": jpeg(1)})
    names = ["uvp6_uvpec", "lake_eawag_dspc"]
    report = build(names, to=tmp_path / "d", from_=[str(tmp_path)], licence=licence)  # type: ignore[arg-type]
    assert list(report.left_out) == left
    assert len(report.collections) == 2 - len(left)


def test_the_readme_says_that_no_single_licence_can_exist(tmp_path: Path) -> None:
    (tmp_path / "imgs").mkdir()
    tar_of(tmp_path / "119452.tar", {"imgs/Copepoda/1.png": png(1)})
    zip_of(tmp_path / "CPICS_Validated.zip", {"CPICS_Validated/1.zip": zip_bytes({"LClass_a/1.png": png(2)})})
    build(["uvp6net", "jedioceans"], to=tmp_path / "d", from_=[str(tmp_path)])
    text = (tmp_path / "d" / "README.md").read_text("utf-8")
    assert "No single licence can exist" in text
    assert "doi:10.48518/00014" in text
    assert "| CC-BY-NC-4.0 | 1 | 50.0% |" in text


def test_a_wrong_call_is_answered_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one"):
        build([], to=tmp_path / "d")
    with pytest.raises(NotFoundError, match="seston collections fetch zoolake"):
        build(["zoolake"], to=tmp_path / "d")
    with pytest.raises(UsageError, match="--from NAME="):
        build(["zoolake"], to=tmp_path / "d", from_=[str(tar_of(tmp_path / "a.tar", {}))])
    assert not (tmp_path / "d").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_build_killed_several_times_ends_as_an_unbroken_one(real_data: Path, tmp_path: Path) -> None:
    archive = f"vliz_flowcam={real_data / 'collections' / 'vliz_flowcam.tar'}"
    program = [sys.executable, str(Path(__file__).with_name("collection_making.py")), "vliz_flowcam"]
    subprocess.run([*program, tmp_path / "whole", archive], check=True, capture_output=True)
    kills = 0
    for sign in ("seston.json", "particles.lance/data/*", "collections/*.json"):
        process = subprocess.Popen([*program, tmp_path / "broken", archive], stdout=subprocess.PIPE)
        while process.poll() is None and not any((tmp_path / "broken").glob(sign)):
            time.sleep(0.002)
        kills += process.poll() is None
        process.kill()
        process.communicate()
    subprocess.run([*program, tmp_path / "broken", archive], check=True, capture_output=True)
    assert kills >= 2
    assert everything(tmp_path / "broken") == everything(tmp_path / "whole")
