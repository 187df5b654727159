from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from store_making import CHANNELS, particle, picture, profile, put, put_into, table_of

from seston.errors import NotFoundError
from seston.particle import Note, Particle, Sample, Skipped
from seston.store import open_data_set, rows_to_particles


def test_importing_twice_adds_nothing_the_second_time(tmp_path: Path) -> None:
    records = [particle(n, image=picture(n), wave=profile(n), label="x") for n in range(5)]
    first, second = put(tmp_path / "d", records), put(tmp_path / "d", records)
    assert (first.added, first.images, first.profiles, first.pairs) == (5, 5, 5, 5)
    assert (second.added, second.already_there, second.decoded) == (0, 5, 0)
    assert open_data_set(tmp_path / "d").count_rows() == 5


def test_particles_keep_the_order_of_their_source(tmp_path: Path) -> None:
    order = [7, 3, 900, 1, 20, *range(1000, 1300)]
    put(tmp_path / "d", [particle(n, listmode={"FWS Total": n}) for n in order])
    assert open_data_set(tmp_path / "d").ids() == [f"a/{n}" for n in order]


def test_a_picture_that_does_not_decode_is_skipped_with_its_reason_and_the_profile_stays(tmp_path: Path) -> None:
    cut = picture(1)[:-200]
    report = put(tmp_path / "d", [particle(1, image=cut, wave=profile(1)), particle(2, image=cut)])
    assert [(skipped.item, "cut off" in skipped.reason) for skipped in report.skipped] == [("a/1", True), ("a/2", True)]
    (stored,) = _stored(tmp_path / "d")
    assert stored.id == "a/1"
    assert stored.image is None
    assert stored.profile is not None


def test_a_picture_over_the_pixel_limit_is_skipped_before_it_is_decoded(tmp_path: Path) -> None:
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (30_000).to_bytes(4, "big") + (30_000).to_bytes(4, "big")
    report = put(tmp_path / "d", [particle(1, image=head + b"\x08\0\0\0\0")])
    assert report.added == 0
    assert len(report.skipped) == 1


@pytest.mark.parametrize(
    ("wave", "word"),
    [
        (np.array([[1, np.nan, 2]] * 3, np.float32), "no number"),
        (np.array([[1, np.inf, 2]] * 3, np.float32), "no number"),
        (np.zeros((3, 0), np.float32), "no samples"),
        (np.zeros((3, 1), np.float32), "only one sample"),
        (np.zeros((2, 9), np.float32), "channel names"),
    ],
)
def test_a_profile_that_cannot_be_used_is_dropped_and_the_picture_stays(
    tmp_path: Path, wave: np.ndarray, word: str
) -> None:
    report = put(tmp_path / "d", [particle(1, image=picture(1), wave=wave)])
    assert word in report.skipped[0].reason
    (stored,) = _stored(tmp_path / "d")
    assert stored.profile is None
    assert stored.image is not None


def test_a_particle_with_nothing_is_refused(tmp_path: Path) -> None:
    report = put(tmp_path / "d", [particle(1), particle(2, listmode={"FWS Total": 1.0})])
    assert report.added == 1
    assert [skipped.item for skipped in report.skipped] == ["a/1"]


def test_the_same_name_with_another_picture_is_skipped_with_advice(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, image=picture(1))])
    report = put(tmp_path / "d", [particle(1, image=picture(2)), particle(2, image=picture(3))])
    assert (report.added, report.already_there) == (1, 0)
    assert "--source NAME" in report.skipped[0].reason
    stored = _stored(tmp_path / "d")
    assert stored[0].image == picture(1)


def test_the_same_name_with_other_listmode_is_skipped(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, listmode={"FWS Total": 1.0})])
    report = put(tmp_path / "d", [particle(1, listmode={"FWS Total": 2.0})])
    assert (report.already_there, len(report.skipped)) == (0, 1)


def test_a_name_for_the_import_keeps_equal_names_apart(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, image=picture(1))])
    report = put(tmp_path / "d", [Sample(id="a"), particle(1, image=picture(2))], source="cruise")
    assert report.added == 1
    assert open_data_set(tmp_path / "d").ids() == ["a/1", "cruise:a/1"]


def test_pictures_that_come_later_complete_their_particles(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, wave=profile(n), listmode={"FWS Total": n}) for n in range(4)])
    report = put(tmp_path / "d", [particle(n, image=picture(n), label=f"class {n}") for n in (1, 3)])
    assert (report.added, report.completed, report.images, report.profiles, report.pairs) == (0, 2, 2, 0, 2)
    assert any(note.text.startswith("2 particles that were there got a picture") for note in report.notes)
    by_id = {item.id: item for item in _stored(tmp_path / "d")}
    assert len(by_id) == 4
    assert by_id["a/3"].image == picture(3)
    assert by_id["a/3"].raw_label == "class 3"
    assert by_id["a/3"].width == 24
    assert by_id["a/3"].listmode == {"FWS Total": 3.0}
    np.testing.assert_array_equal(by_id["a/3"].profile, profile(3))
    again = put(tmp_path / "d", [particle(n, image=picture(n), label=f"class {n}") for n in (1, 3)])
    assert (again.completed, again.already_there, again.decoded) == (0, 2, 0)


def test_parts_of_one_particle_in_one_import_become_one_particle(tmp_path: Path) -> None:
    report = put(tmp_path / "d", [particle(1, wave=profile(1)), particle(1, image=picture(1))])
    assert (report.added, report.completed, report.pairs) == (1, 1, 1)
    (stored,) = _stored(tmp_path / "d")
    assert stored.image == picture(1)
    assert stored.profile is not None


def test_exact_duplicates_are_flagged_reported_and_kept(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, image=picture(1), wave=profile(9))])
    report = put(
        tmp_path / "d", [particle(2, image=picture(1)), particle(3, wave=profile(9)), particle(4, image=picture(4))]
    )
    assert report.added == 3
    assert report.duplicates == 2
    assert report.duplicate_of == [("a/2", "a/1"), ("a/3", "a/1")]
    assert [flags for *_, flags in table_of(tmp_path / "d")] == [(), ("duplicate",), ("duplicate",), ()]
    assert any("a/2 repeats a/1" in note.text for note in report.notes)


def test_duplicates_within_one_import_flag_the_later_one(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n % 100)) for n in range(150)])
    flagged = {particle_id for particle_id, *_, flags in table_of(tmp_path / "d") if flags}
    assert flagged == {f"a/{n}" for n in range(100, 150)}


def test_a_completed_particle_and_a_new_one_with_the_same_picture_flag_only_the_later(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, wave=profile(1))])
    put(tmp_path / "d", [particle(1, image=picture(5)), particle(2, image=picture(5))])
    assert [(row[0], row[3]) for row in table_of(tmp_path / "d")] == [("a/1", ()), ("a/2", ("duplicate",))]


def test_equal_profiles_of_other_channels_are_no_duplicates(tmp_path: Path) -> None:
    wave = profile(1)
    other = Particle(id="a/2", sample_id="a", profile=wave, profile_channels=("FWS", "SWS", "FL Orange"))
    assert put(tmp_path / "d", [particle(1, wave=wave), other]).duplicates == 0


def test_hashes_are_those_of_the_bytes(tmp_path: Path) -> None:
    wave = profile(3)
    put(tmp_path / "d", [particle(1, image=picture(1), wave=wave)])
    (stored,) = _stored(tmp_path / "d")
    assert stored.image_hash == hashlib.sha256(picture(1)).hexdigest()
    assert (
        stored.profile_hash == hashlib.sha256("\x1f".join(CHANNELS).encode() + wave.astype("<f4").tobytes()).hexdigest()
    )


def test_a_particle_takes_licence_and_simulation_from_its_sample(tmp_path: Path) -> None:
    sample = Sample(id="a", licence="CC-BY-4.0", attribution="Utö station", flags=("simulated", "clock"))
    put(
        tmp_path / "d",
        [sample, particle(1, image=picture(1)), particle(2, sample="b", image=picture(2))],
        licence="CC0-1.0",
    )
    one, two = _stored(tmp_path / "d")
    assert (one.licence, one.attribution, one.flags) == ("CC-BY-4.0", "Utö station", ("simulated",))
    assert (two.licence, two.flags) == ("CC0-1.0", ())


def test_a_licence_given_with_the_import_fills_samples_that_have_none(tmp_path: Path) -> None:
    put(tmp_path / "d", [Sample(id="a"), Sample(id="b", licence="CC-BY-4.0"), particle(1, image=picture(1))])
    put(tmp_path / "d", [Sample(id="a"), Sample(id="b")], licence="CC0-1.0")
    assert {sample.id: sample.licence for sample in open_data_set(tmp_path / "d").samples()} == {
        "a": "CC0-1.0",
        "b": "CC-BY-4.0",
    }


def test_a_parameter_too_large_for_float32_is_infinite_and_costs_nothing_else(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, listmode={"FWS Total": 1e300, "SWS Total": 2.0})])
    (stored,) = _stored(tmp_path / "d")
    assert stored.listmode == {"FWS Total": float("inf"), "SWS Total": 2.0}


def test_a_later_record_of_a_sample_fills_only_what_is_empty(tmp_path: Path) -> None:
    put(tmp_path / "d", [Sample(id="a", n_counted=3, settings={"x": "1"}), particle(1, image=picture(1))])
    put(tmp_path / "d", [Sample(id="a", n_counted=9, n_imaged=2, settings={"x": "2", "y": "3"})])
    (sample,) = open_data_set(tmp_path / "d").samples()
    assert (sample.n_counted, sample.n_imaged, dict(sample.settings)) == (3, 2, {"x": "1", "y": "3"})


def test_what_the_reader_skips_and_notes_is_reported(tmp_path: Path) -> None:
    skipped, note = Skipped("f.csv", "row 3", "too few fields"), Note("f.csv", "odd")
    report = put(tmp_path / "d", [skipped, note, particle(1, image=picture(1))])
    assert report.skipped == [skipped]
    assert note in report.notes


def test_a_label_that_changed_in_the_files_is_noted_and_not_taken(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, image=picture(1), label="old")])
    report = put(tmp_path / "d", [particle(1, image=picture(1), label="new")])
    assert report.already_there == 1
    assert any("another label" in note.text for note in report.notes)
    assert open_data_set(tmp_path / "d").labels() == {"a/1": "old"}


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        open_data_set(tmp_path / "d", create=True).import_(tmp_path / "nothing")


def test_rows_that_another_program_doubled_are_dropped_after_the_import(tmp_path: Path) -> None:
    import lance

    put(tmp_path / "d", [particle(n, image=picture(n)) for n in range(3)])
    table = tmp_path / "d" / "particles.lance"
    lance.write_dataset(lance.dataset(str(table)).to_table(), str(table), mode="append")  # a writer without the lock
    report = put(tmp_path / "d", [particle(9, image=picture(9))])
    assert sorted(open_data_set(tmp_path / "d").ids()) == ["a/0", "a/1", "a/2", "a/9"]
    assert any("copies are gone" in note.text for note in report.notes)


def test_an_import_sees_what_another_one_added_meanwhile(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    put(tmp_path / "d", [particle(1, image=picture(1))])
    report = put_into(data, [particle(1, image=picture(1)), particle(2, image=picture(2))])
    assert (report.added, report.already_there) == (1, 1)
    assert data.ids() == ["a/1", "a/2"]


def _stored(folder: Path) -> list[Particle]:
    found: list[Particle] = []
    for batch in open_data_set(folder).particles():
        found += rows_to_particles(batch)
    return sorted(found, key=lambda item: item.id)


def test_an_empty_file_beside_readable_ones_is_skipped(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "Ceratium").mkdir(parents=True)
    (folder / "Ceratium" / "1.jpg").write_bytes(picture(1))
    (folder / "cells.json").write_bytes(b"")
    report = open_data_set(tmp_path / "d", create=True).import_(folder)
    assert report.added == 1
    assert [(Path(skipped.path).name, "empty" in skipped.reason) for skipped in report.skipped] == [
        ("cells.json", True)
    ]


def test_the_reason_of_a_file_that_cannot_be_read_does_not_name_the_file_again(tmp_path: Path) -> None:
    (tmp_path / "D20141117T234033_IFCB102.adc").write_bytes(b"no numbers")
    skipped = open_data_set(tmp_path / "d", create=True).import_(tmp_path).skipped
    reasons = " ".join(one.reason for one in skipped)
    assert "no line of" in reasons
    assert str(tmp_path) not in reasons
