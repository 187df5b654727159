"""Who reads what, and why."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from export_making import MEASUREMENT, profile, write_export

from seston.errors import NotFoundError, UsageError
from seston.instruments import READERS, find_sources, read

PROFILES = {3: profile(5), 8: profile(7)}


def test_every_file_gets_one_claim_with_a_reason(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES, pictures={f"{MEASUREMENT}_Cropped_8.jpg": b"\xff\xd8\xff"})
    (tmp_path / "README.md").write_text("# notes")
    (tmp_path / "prices.csv").write_text("fruit,price\napple,3\n")
    (tmp_path / "nothing.csv").write_text("")
    (tmp_path / "blob.bin").write_bytes(b"\x00" * 64)
    sources, claims = find_sources([tmp_path])
    reasons = {Path(claim.path).name: (claim.reader, claim.reason) for claim in claims}
    assert len(reasons) == len(claims) == 8
    assert reasons["README.md"] == (None, "no reader knows this kind of text")
    assert reasons["prices.csv"][0] is None
    assert "fruit, price" in reasons["prices.csv"][1]
    assert "empty" in reasons["nothing.csv"][1]
    assert reasons["blob.bin"] == (None, "no reader knows this kind of file")
    assert Counter(reader for reader, _ in reasons.values())["cytoclus"] == 4
    assert [source.reader for source in sources] == ["cytoclus"]


def test_dot_files_and_what_macos_leaves_are_not_looked_at(tmp_path: Path) -> None:
    write_export(tmp_path / "__MACOSX", PROFILES)
    write_export(tmp_path / ".hidden", PROFILES)
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "._Bay_Listmode.csv").write_bytes(b"x")
    assert find_sources([tmp_path]) == ([], [])


def test_a_folder_with_nothing_readable_gives_no_source_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    sources, (claim,) = find_sources([tmp_path])
    assert sources == []
    assert claim.reader is None


def test_a_path_that_does_not_exist_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "Pond_Listmode.csv").write_text("")
    with pytest.raises(NotFoundError, match=r"did you mean 'Pond_Listmode\.csv'"):
        find_sources([tmp_path / "Pond_Listmod.csv"])
    with pytest.raises(NotFoundError, match="nor the folder"):
        find_sources([tmp_path / "no" / "where.csv"])


def test_a_reader_that_does_not_exist_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'cytoclus'"):
        find_sources([tmp_path], reader="cytoclos")


def test_a_named_reader_is_asked_alone(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    sources, claims = find_sources([tmp_path], reader="pairs")
    assert sources == []
    assert {claim.reason for claim in claims} == {"the reader 'pairs', the only one asked, does not know it"}


def test_the_same_measurement_named_twice_is_one_source(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    files = sorted(tmp_path.glob("*.csv"))
    sources, claims = find_sources([*files, files[0]])
    assert len(sources) == 1
    assert len(claims) == 3


def test_a_folder_and_a_file_in_it_are_one_source(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    sources, _ = find_sources([tmp_path, next(tmp_path.glob("*Info.txt"))])
    assert len(sources) == 1


def test_links_out_of_the_folder_are_left_out_with_a_reason(tmp_path: Path) -> None:
    write_export(tmp_path / "elsewhere", PROFILES)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a_Listmode.csv").symlink_to(next((tmp_path / "elsewhere").glob("*Listmode.csv")))
    (tmp_path / "here" / "folder").symlink_to(tmp_path / "elsewhere")
    sources, claims = find_sources([tmp_path / "here"])
    assert sources == []
    assert {claim.reason.split(":")[0] for claim in claims} == {
        "a link that leads out of the folder",
        "a link to a folder, which is not followed",
    }


def test_names_that_only_look_like_an_export_s_are_not_claimed(tmp_path: Path) -> None:
    for name in ("labels.csv", "photos.zip", "info.txt", "pulses.csv", "classes.csv"):
        (tmp_path / name).write_text("fruit,price\napple,3\n")
    _, claims = find_sources([tmp_path], reader="cytoclus")
    assert {claim.reader for claim in claims} == {None}


def test_readers_are_asked_in_their_order() -> None:
    wanted = ["cyz", "cyz2json", "ifcb", "flowcam", "ecotaxa", "zooscan", "isiis", "cytoclus", "rclustool", "pairs"]
    wanted += ["tables", "planktonzilla", "class-folders"]
    assert [name for name in wanted if name in READERS] == list(READERS)
    assert {"cytoclus", "rclustool", "pairs", "tables"} <= set(READERS)
    assert all(reader.name == name and reader.description for name, reader in READERS.items())


def test_every_text_set_of_the_real_files_finds_its_reader(real_data: Path) -> None:
    sources, claims = find_sources([real_data / "cytosense"])
    found = {source.path.parent.name: source.reader for source in sources}
    assert found["cefas_pond"] == found["ulco_r4"] == "cytoclus"
    assert found["rclustool"] == "rclustool"
    assert found["eawag_cultures"] == "tables"
    assert {Path(claim.path).name for claim in claims if claim.reader is None} >= {
        "README.md",
        "config_example.csv",
        "TestExportXml.c4e",
    }
    flat = [claim for claim in claims if "features_metadata_cytometry" in claim.path]
    assert [claim.reader for claim in flat] == [None]


def test_sources_can_be_read_more_than_once(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    (source,), _ = find_sources([tmp_path])
    assert len(list(read(source))) == len(list(read(source)))


def test_importing_the_room_loads_no_heavy_library() -> None:
    heavy = ("torch", "pyarrow", "scipy", "sklearn", "PIL")
    code = f"import sys, seston.instruments as room; room.READERS; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_of_every_real_instrument_file_it_is_said_who_reads_it_or_why_no_one_does(real_data: Path) -> None:
    folder = real_data / "instruments"
    _, claims = find_sources([folder])
    files = {str(path) for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")}
    assert {claim.path for claim in claims} == files
    assert all(claim.reason and "\n" not in claim.reason for claim in claims)
