"""Folders of pairs as the cross-modal paper's code reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from export_making import notes_of, particles_of, profile, records_of, sample_of, skipped_of, table
from hypothesis import given
from hypothesis import strategies as st

from seston.errors import InputError
from seston.instruments import find_sources, read
from seston.instruments.pair_tables import read_pair_table

CHANNELS = ("FWS", "SWS", "FL Yellow", "FL Orange", "FL Red", "mystery")
CLASSES = ("Melosira", "Nodularia")


def write_pairs(root: Path, particles: int = 6, rows: list[str] | None = None) -> Path:
    """Write a folder with annotations.csv, pictures and profiles of six channels."""
    (root / "images").mkdir(parents=True)
    (root / "profiles").mkdir()
    for number in range(particles):
        (root / "images" / f"p{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n picture %d" % number)
        values = table(CHANNELS, profile(4 + number, 6, start=number).tolist(), end="\n")
        (root / "profiles" / f"p{number}.csv").write_text(values)
    lines = rows or [f"images/p{n}.png,profiles/p{n}.csv,{CLASSES[n % 2]}" for n in range(particles)]
    (root / "annotations.csv").write_text("\n".join(["image,profile,class", *lines, ""]))
    return root


def write_split(root: Path, name: str, numbers: list[int]) -> None:
    lines = [f"{place},../images/p{n}.png,../profiles/p{n}.csv,{CLASSES[n % 2]}" for place, n in enumerate(numbers)]
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([",image,profile,class", *lines, ""]))


def test_pictures_profiles_and_classes_are_paired(tmp_path: Path) -> None:
    records = records_of(write_pairs(tmp_path / "LAB"))
    particles = particles_of(records)
    assert sample_of(records).id == "LAB"
    assert list(particles) == [f"images/p{number}" for number in range(6)]
    third = particles["images/p3"]
    assert third.id == "LAB/images/p3"
    assert third.raw_label == "Nodularia"
    assert third.image is not None
    assert third.image.endswith(b"picture 3")
    assert third.image_format == "png"
    assert third.profile_channels == CHANNELS
    assert third.profile is not None
    np.testing.assert_array_equal(third.profile, profile(7, 6, start=3).T.astype(np.float32))
    assert third.profile_spacing_um is None
    assert not skipped_of(records)


def test_split_files_are_claimed_and_their_members_kept(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "LAB")
    write_split(root, "fold1/train.csv", [0, 1, 2])
    write_split(root, "fold1/test.csv", [5])
    write_split(root, "fold2/train.csv", [3, 4, 5])
    records = records_of(root)
    assert len(particles_of(records)) == 6
    settings = sample_of(records).settings
    assert settings["split fold1/train.csv"].splitlines() == ["images/p0", "images/p1", "images/p2"]
    assert settings["split fold1/test.csv"].splitlines() == ["images/p5"]
    assert settings["split fold2/train.csv"].splitlines() == ["images/p3", "images/p4", "images/p5"]
    assert "a split file: it names 3 particles" in notes_of(records)
    _, claims = find_sources([root])
    assert {claim.reader for claim in claims} == {"pairs"}
    assert len(claims) == 16


def test_split_files_without_the_table_of_all_still_give_every_particle(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "UTO")
    write_split(root, "fold/train.csv", [0, 1, 2, 3])
    write_split(root, "fold/val.csv", [4, 5])
    (root / "annotations.csv").unlink()
    records = records_of(root)
    assert list(particles_of(records)) == [f"images/p{number}" for number in [0, 1, 2, 3, 4, 5]]
    assert sample_of(records).id == "UTO"


def test_one_split_file_gives_its_own_particles(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "LAB")
    write_split(root, "fold1/test.csv", [2, 5])
    assert set(particles_of(records_of(root / "fold1" / "test.csv"))) == {"images/p2", "images/p5"}


def test_a_table_without_classes_gives_particles_without_labels(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "UTO")
    (root / "annotations.csv").write_text(
        "image,profile\nimages/p0.png,profiles/p0.csv\nimages/p1.png,profiles/p1.csv\n"
    )
    assert {particle.raw_label for particle in particles_of(records_of(root)).values()} == {None}


def test_backslashes_and_semicolons_are_read(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "LAB", particles=2)
    (root / "annotations.csv").write_text(
        "image;profile;class\nimages\\p0.png;profiles\\p0.csv;a\nimages\\p1.png;profiles\\p1.csv;b\n"
    )
    particles = particles_of(records_of(root))
    assert all(particle.image and particle.profile is not None for particle in particles.values())


@pytest.mark.parametrize("part", ["images/p2.png", "profiles/p2.csv"])
def test_a_missing_file_costs_only_its_part(tmp_path: Path, part: str) -> None:
    root = write_pairs(tmp_path / "LAB")
    (root / part).unlink()
    records = records_of(root)
    (skipped,) = skipped_of(records)
    assert skipped.path == str(root / part)
    assert "does not exist" in skipped.reason
    particle = particles_of(records)["images/p2"]
    assert (particle.image is None) == (part == "images/p2.png")
    assert (particle.profile is None) == (part == "profiles/p2.csv")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("FWS,SWS,FL Yellow,FL Orange,FL Red,mystery\n", "holds no row"),
        ("FWS,SWS,FL Yellow,FL Orange,FL Red,mystery\n1,2,3,4,5,6\n", "one row"),
        (
            "FWS,SWS,FL Yellow,FL Orange,FL Red,mystery\n1,2,3,4,5,6\n1,2,NaN,4,5,6\n",
            "line 3 holds a value that is not",
        ),
        ("FWS,SWS,FL Yellow,FL Orange,FL Red,mystery\n1,2,3,4,5,6\n1,2,x,4,5,6\n", "line 3 holds 'x'"),
        ("FWS,SWS,FL Yellow,FL Orange,FL Red,mystery\n1,2,3,4,5,6\n1,2,3\n", "line 3 has 3 fields"),
        (
            "FWS,SWS,FL Yellow,FL Orange,FL Red\n1,2,3,4,5\n1,2,3,4,5\n",
            "5 channels where the other profiles here have 6",
        ),
        ("\x00\x01\x02", "not a text table"),
    ],
)
def test_a_bad_profile_is_skipped_and_the_picture_kept(tmp_path: Path, content: str, words: str) -> None:
    root = write_pairs(tmp_path / "LAB")
    (root / "profiles" / "p0.csv").write_text(content)
    records = records_of(root)
    (skipped,) = skipped_of(records)
    assert skipped.item == "profile of images/p0"
    assert words in skipped.reason
    assert particles_of(records)["images/p0"].image
    assert len(particles_of(records)) == 6


def test_an_empty_picture_is_skipped_and_the_profile_kept(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "LAB")
    (root / "images" / "p0.png").write_bytes(b"")
    records = records_of(root)
    assert [record.item for record in skipped_of(records)] == ["picture of images/p0"]
    assert particles_of(records)["images/p0"].profile is not None


@pytest.mark.parametrize("path", ["../../secret.png", "/etc/passwd", "C:\\secret.png", "images/../../secret.png"])
def test_paths_may_not_leave_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    root = write_pairs(tmp_path / "LAB", rows=["images/p0.png,profiles/p0.csv,a", f"{path},profiles/p1.csv,b"])
    records = records_of(root)
    first = skipped_of(records)[0]
    assert first.item == "line 3"
    assert "leads out of the folder" in first.reason
    assert set(particles_of(records)) == {"images/p0"}


def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    root = write_pairs(tmp_path / "LAB")
    (root / "images" / "p0.png").unlink()
    (root / "images" / "p0.png").symlink_to(tmp_path / "secret.png")
    records = records_of(root)
    assert particles_of(records)["images/p0"].image is None
    assert "leads out of the folder" in skipped_of(records)[0].reason


def test_the_same_particle_twice_is_read_once(tmp_path: Path) -> None:
    rows = ["images/p0.png,profiles/p0.csv,a", "images/p1.png,profiles/p1.csv,a", "images/p0.png,profiles/p0.csv,b"]
    records = records_of(write_pairs(tmp_path / "LAB", particles=2, rows=rows))
    assert particles_of(records)["images/p0"].raw_label == "a"
    (skipped,) = skipped_of(records)
    assert skipped.item == "line 4"
    assert "second time" in skipped.reason


def test_rows_of_another_width_are_skipped_by_line(tmp_path: Path) -> None:
    rows = [
        "images/p0.png,profiles/p0.csv,a",
        "images/p1.png,profiles/p1.csv",
        ",,",
        "images/p2.png,profiles/p2.csv,a,b",
    ]
    records = records_of(write_pairs(tmp_path / "LAB", particles=3, rows=rows))
    assert [record.item for record in skipped_of(records) if record.item.startswith("line")] == [
        "line 3",
        "line 4",
        "line 5",
    ]
    assert set(particles_of(records)) == {"images/p0"}


def test_pictures_that_the_table_does_not_name_are_counted_as_skipped(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "LAB")
    (root / "images" / "stranger.png").write_bytes(b"other")
    records = records_of(root)
    (skipped,) = skipped_of(records)
    assert skipped.item == "1 pictures"
    assert "stranger.png" in skipped.reason


def test_pictures_that_differ_in_their_suffix_alone_are_two_particles(tmp_path: Path) -> None:
    root = write_pairs(
        tmp_path / "LAB", particles=2, rows=["images/p0.png,profiles/p0.csv,a", "images/p0.jpg,profiles/p1.csv,b"]
    )
    (root / "images" / "p0.jpg").write_bytes(b"\xff\xd8\xff")
    (root / "images" / "p1.png").unlink()
    assert set(particles_of(records_of(root))) == {"images/p0.png", "images/p0.jpg"}


def test_an_index_column_and_rows_of_zeros_are_no_signal(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "LAB", particles=1)
    (root / "profiles" / "p0.csv").write_text(",FWS,SWS,X2.FL.Red\n0,1,2,3\n1,4,5,6\n2,0,0,0\n3,0,0,0\n")
    records = records_of(root)
    particle = particles_of(records)["images/p0"]
    assert particle.profile_channels == ("FWS", "SWS", "2 FL Red")
    assert particle.profile is not None
    np.testing.assert_array_equal(particle.profile, np.array([[1, 4], [2, 5], [3, 6]], dtype=np.float32))
    assert "2 rows of zeros" in notes_of(records)


def test_a_profile_without_a_header_keeps_its_first_row(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "LAB", particles=1)
    (root / "profiles" / "p0.csv").write_text("1.5,2.5\n3.5,4.5\n")
    particle = particles_of(records_of(root))["images/p0"]
    assert particle.profile is not None
    np.testing.assert_array_equal(particle.profile, np.array([[1.5, 3.5], [2.5, 4.5]], dtype=np.float32))


def test_files_of_two_locales_with_one_header_are_both_read(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "LAB", particles=2)
    for number, text in enumerate(["FWS;SWS\n1.5;2.5\n3.5;4.5\n", "FWS;SWS\n1,5;2,5\n3,5;4,5\n"]):
        (root / "profiles" / f"p{number}.csv").write_text(text)
    first, second = particles_of(records_of(root)).values()
    assert first.profile is not None
    assert second.profile is not None
    np.testing.assert_array_equal(first.profile, second.profile)


def test_a_table_of_no_usable_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "annotations.csv").write_text("image,profile,class\n")
    (source,), _ = find_sources([tmp_path])
    with pytest.raises(InputError, match="no row that names a picture or a profile"):
        list(read(source))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40))
def test_no_path_of_a_table_ever_leads_out(text: str) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        root = Path(folder)
        quoted = text.replace('"', '""')
        (root / "annotations.csv").write_text(f'image,profile\n"{quoted}",a.csv\n', encoding="utf-8")
        for row in read_pair_table(root / "annotations.csv", root).rows:
            if row.image:
                assert (
                    root.resolve() in (root / row.image).resolve().parents
                    or (root / row.image).resolve() == root.resolve()
                )
