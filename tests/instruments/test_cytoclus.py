"""Exports of CytoClus made in the test: every shape of good and bad input."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from export_making import (
    CHANNELS,
    MEASUREMENT,
    listmode_header,
    listmode_rows,
    notes_of,
    particles_of,
    profile,
    pulse_rows,
    records_of,
    sample_of,
    skipped_of,
    table,
    write_export,
)
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments import find_sources, read

STEM = f"{MEASUREMENT}_All Imaged Particles"
JPEG = b"\xff\xd8\xff\xe0 not decoded by a reader"
PROFILES = {3: profile(5), 8: profile(7, start=2.0), 11: profile(4, start=9.0)}


def pulses_file(folder: Path) -> Path:
    return folder / f"{STEM}_Pulses.csv"


def listmode_file(folder: Path) -> Path:
    return folder / f"{STEM}_Listmode.csv"


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())


def lines_of(path: Path) -> list[str]:
    return path.read_bytes().decode().split("\r\n")


def write_lines(path: Path, lines: list[str]) -> None:
    path.write_bytes("\r\n".join(lines).encode())


def test_all_parts_of_an_export_meet_in_one_particle(tmp_path: Path) -> None:
    records = records_of(write_export(tmp_path, PROFILES, pictures={f"{MEASUREMENT}_Cropped_8.jpg": JPEG}))
    particle = particles_of(records)["8"]
    assert particle.id == f"{MEASUREMENT}/8"
    assert particle.profile is not None
    np.testing.assert_array_equal(particle.profile, PROFILES[8].T)
    assert particle.profile_spacing_um == pytest.approx(0.55)
    assert particle.listmode["Sample Length"] == 7
    assert particle.listmode["FL Red Average"] == 8 + 11 / 4
    assert particle.image == JPEG
    assert not skipped_of(records)


def test_no_spacing_without_a_core_speed(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    replace_in(tmp_path / f"{MEASUREMENT}_Info.txt", "Core speed: 2.2", "Core speed: ")
    assert {particle.profile_spacing_um for particle in particles_of(records_of(tmp_path)).values()} == {None}


@pytest.mark.parametrize("absent", ["Listmode.csv", "Pulses.csv", "Info.txt", "Images"])
def test_a_missing_part_costs_only_itself(tmp_path: Path, absent: str) -> None:
    write_export(tmp_path, PROFILES, pictures={f"{MEASUREMENT}_Cropped_8.jpg": JPEG})
    for path in list(tmp_path.rglob("*")):
        if path.is_file() and absent in str(path):
            path.unlink()
    records = records_of(tmp_path)
    particles = particles_of(records)
    assert len(particles) == 3
    assert ("comes without" in notes_of(records)) is True
    assert all((particle.profile is None) == (absent == "Pulses.csv") for particle in particles.values())
    assert all((not particle.listmode) == (absent == "Listmode.csv") for particle in particles.values())
    assert (sample_of(records).instrument is None) == (absent == "Info.txt")
    assert (particles["8"].image is None) == (absent == "Images")


@pytest.mark.parametrize("name", ["Listmode.csv", "Pulses.csv", "Info.txt"])
def test_an_empty_file_costs_only_itself(tmp_path: Path, name: str) -> None:
    write_export(tmp_path, PROFILES)
    (path,) = tmp_path.glob(f"*{name}")
    path.write_bytes(b"")
    records = records_of(tmp_path)
    (skipped,) = skipped_of(records)
    assert skipped.path == str(path)
    assert "empty" in skipped.reason
    assert len(particles_of(records)) == 3


def test_an_export_of_empty_files_alone_is_refused_in_one_line(tmp_path: Path) -> None:
    listmode_file(tmp_path).write_bytes(b"")
    pulses_file(tmp_path).write_bytes(b"")
    (source,), _ = find_sources([tmp_path])
    with pytest.raises(InputError, match="nothing of this measurement can be read") as error:
        list(read(source))
    assert "\n" not in str(error.value)


def test_a_table_of_a_header_alone_is_said(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    write_lines(pulses_file(tmp_path), [lines_of(pulses_file(tmp_path))[0], ""])
    records = records_of(tmp_path)
    assert [record.reason for record in skipped_of(records)] == ["holds a header but no profile; export Pulses again"]
    assert len(particles_of(records)) == 3


@pytest.mark.parametrize("bytes_left", [0.3, 0.5, 0.7, 0.9])
def test_pulses_cut_anywhere_give_only_whole_profiles(tmp_path: Path, bytes_left: float) -> None:
    many = {number: profile(6, start=float(number)) for number in range(1, 30)}
    write_export(tmp_path, many)
    data = pulses_file(tmp_path).read_bytes()
    pulses_file(tmp_path).write_bytes(data[: int(len(data) * bytes_left)])
    particles = particles_of(records_of(tmp_path))
    assert len(particles) == 29
    whole = {number: particle.profile for number, particle in particles.items() if particle.profile is not None}
    assert 29 * bytes_left - 3 < len(whole) < 29
    for number, values in whole.items():
        np.testing.assert_array_equal(values, many[int(number)].T)


def test_a_profile_with_nan_is_skipped_and_the_particle_keeps_its_listmode(tmp_path: Path) -> None:
    values = profile(7)
    values[2, 1] = np.nan
    write_export(tmp_path, PROFILES | {8: values})
    records = records_of(tmp_path)
    (skipped,) = skipped_of(records)
    assert skipped.item == "profile of particle 8"
    assert "line 11 holds a value that is not a number" in skipped.reason
    particle = particles_of(records)["8"]
    assert particle.profile is None
    assert particle.listmode


@pytest.mark.parametrize("word", ["n/a?", "1.2.3", "12;5", "1_0", "--4"])
def test_a_profile_with_words_is_skipped_by_line(tmp_path: Path, word: str) -> None:
    write_export(tmp_path, PROFILES)
    lines = lines_of(pulses_file(tmp_path))
    lines[10] = f"8,{word},2,3"
    write_lines(pulses_file(tmp_path), lines)
    records = records_of(tmp_path)
    (skipped,) = skipped_of(records)
    assert skipped.item == "profile of particle 8"
    assert "line 11" in skipped.reason
    assert particles_of(records)["3"].profile is not None
    assert particles_of(records)["11"].profile is not None


@pytest.mark.parametrize("row", ["8,1,2", "8,1,2,3,4", "", "8", ",1,2,3", "nonsense", "7,1"])
def test_a_pulse_row_of_another_width_costs_its_profile(tmp_path: Path, row: str) -> None:
    write_export(tmp_path, PROFILES)
    lines = lines_of(pulses_file(tmp_path))
    lines[10] = row
    write_lines(pulses_file(tmp_path), lines)
    records = records_of(tmp_path)
    particles = particles_of(records)
    assert set(particles) == {"3", "8", "11"}
    if row:  # an empty line is no row at all: the profile is one sample short, which no one can see
        assert [record.item for record in skipped_of(records)] == ["profile of particle 8"]
        assert particles["8"].profile is None
    assert particles["3"].profile is not None
    assert particles["11"].profile is not None


def test_a_damaged_first_row_costs_its_own_profile_and_no_other(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    lines = lines_of(pulses_file(tmp_path))
    assert lines[8].startswith("8,")
    lines[8] = "damaged"
    write_lines(pulses_file(tmp_path), lines)
    assert [record.item for record in skipped_of(records_of(tmp_path))] == ["profile of particle 8"]


def test_a_profile_of_one_row_is_skipped(tmp_path: Path) -> None:
    records = records_of(write_export(tmp_path, PROFILES | {8: profile(1)}))
    (skipped,) = skipped_of(records)
    assert skipped.item == "profile of particle 8"
    assert "one row" in skipped.reason


def test_terminator_rows_with_the_particle_s_own_id_are_no_samples(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    rows = pulse_rows(PROFILES, ending="own id")
    pulses_file(tmp_path).write_text(table(["ID", *CHANNELS], rows), newline="")
    for number, particle in particles_of(records_of(tmp_path)).items():
        assert particle.profile is not None
        np.testing.assert_array_equal(particle.profile, PROFILES[int(number)].T)


@pytest.mark.parametrize("order", [[0, 3, 8], [3, 0, 8], [3, 8, 0]])
@pytest.mark.parametrize("ending", ["zero id", "own id"])
def test_a_real_particle_zero_is_told_from_the_rows_of_zeros(tmp_path: Path, order: list[int], ending: str) -> None:
    profiles = {number: profile(4, start=1.0 + number) for number in order}
    write_export(tmp_path, profiles)
    pulses_file(tmp_path).write_text(table(["Particle ID", *CHANNELS], pulse_rows(profiles, ending)), newline="")
    particles = particles_of(records_of(tmp_path))
    assert set(particles) == {"0", "3", "8"}
    for number, particle in particles.items():
        assert particle.profile is not None
        np.testing.assert_array_equal(particle.profile, profiles[int(number)].T)


def test_one_row_of_zeros_inside_a_profile_is_a_sample(tmp_path: Path) -> None:
    values = profile(6)
    values[3] = 0
    particles = particles_of(records_of(write_export(tmp_path, PROFILES | {8: values})))
    assert particles["8"].profile is not None
    np.testing.assert_array_equal(particles["8"].profile, values.T)


def test_the_same_particle_twice_keeps_the_first(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    twice: list[tuple[int, NDArray[np.float64]]] = [*PROFILES.items(), (8, profile(9, start=40.0))]
    pulses_file(tmp_path).write_text(table(["Particle ID", *CHANNELS], pulse_rows(twice)), newline="")
    records = records_of(tmp_path)
    (skipped,) = skipped_of(records)
    assert skipped.item == "profile of particle 8"
    assert "second time" in skipped.reason
    particle = particles_of(records)["8"]
    assert particle.profile is not None
    np.testing.assert_array_equal(particle.profile, PROFILES[8].T)


def test_interleaved_profiles_are_skipped_not_glued(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    mixed = [
        *([3, *row] for row in PROFILES[3].tolist()[:2]),
        *([8, *row] for row in PROFILES[8].tolist()[:3]),
        *([3, *row] for row in PROFILES[3].tolist()[2:]),
        [0.0] * 4,
        [0.0] * 4,
        *pulse_rows({11: PROFILES[11]}),
    ]
    pulses_file(tmp_path).write_text(table(["Particle ID", *CHANNELS], mixed), newline="")
    records = records_of(tmp_path)
    particles = particles_of(records)
    assert particles["3"].profile is None
    assert particles["8"].profile is None
    assert particles["11"].profile is not None
    assert {record.item for record in skipped_of(records)} == {"profile of particle 3", "profile of particle 8"}


def test_interleaved_profiles_without_rows_of_zeros_are_skipped_too(tmp_path: Path) -> None:
    rows = [
        [5, 1, 2, 3],
        [5, 2, 3, 4],
        [6, 1, 1, 1],
        [6, 2, 2, 2],
        [5, 3, 4, 5],
        [5, 4, 5, 6],
        [7, 1, 2, 3],
        [7, 2, 3, 4],
    ]
    (tmp_path / "mine.csv").write_text(table(["Particle ID", *CHANNELS], rows))
    records = records_of(tmp_path)
    assert set(particles_of(records)) == {"6", "7"}
    assert [record.item for record in skipped_of(records)] == ["profile of particle 5"]


@pytest.mark.parametrize(
    "change", [lambda row: row + ",1", lambda row: row.rsplit(",", 1)[0], lambda row: row + ",1,2,3"]
)
def test_a_listmode_row_of_another_width_is_skipped_by_line_and_particle(tmp_path: Path, change: object) -> None:
    assert callable(change)
    write_export(tmp_path, PROFILES)
    lines = lines_of(listmode_file(tmp_path))
    lines[2] = change(lines[2])
    write_lines(listmode_file(tmp_path), lines)
    records = records_of(tmp_path)
    (skipped,) = skipped_of(records)
    assert skipped.item == "line 3 (particle 8)"
    assert "fields where the header has 15" in skipped.reason
    particles = particles_of(records)
    assert len(particles) == 3
    assert not particles["8"].listmode
    assert particles["8"].profile is not None
    assert particles["11"].listmode["Sample Length"] == 4


def test_a_listmode_row_with_a_word_is_skipped_and_one_with_nan_loses_that_value(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    lines = lines_of(listmode_file(tmp_path))
    lines[1] = lines[1].replace("3,5,0,", "3,5,what,", 1)
    lines[2] = lines[2].replace("8,7,0.125,", "8,7,NaN,", 1)
    write_lines(listmode_file(tmp_path), lines)
    records = records_of(tmp_path)
    (skipped,) = skipped_of(records)
    assert skipped.item == "line 2 (particle 3)"
    assert "'what'" in skipped.reason
    assert "Arrival Time" in skipped.reason
    parameters = particles_of(records)["8"].listmode
    assert "Time of Arrival" not in parameters
    assert parameters["Sample Length"] == 7


def test_a_second_listmode_row_of_a_particle_is_skipped(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    lines = lines_of(listmode_file(tmp_path))
    write_lines(listmode_file(tmp_path), [*lines[:-1], lines[2].replace("8,7,", "8,70,", 1), ""])
    records = records_of(tmp_path)
    (skipped,) = skipped_of(records)
    assert skipped.item == "line 5 (particle 8)"
    assert particles_of(records)["8"].listmode["Sample Length"] == 7


@pytest.mark.parametrize("cut", range(1, 60, 3))
def test_a_spliced_row_is_mended_only_where_that_is_proven(tmp_path: Path, cut: int) -> None:
    write_export(tmp_path, {number: profile(4) for number in (5, 70012, 9, 12)})
    lines = lines_of(listmode_file(tmp_path))
    outer, inner = lines[3], lines[2]
    cut = min(cut, len(outer) - 1)
    if "," not in outer[:cut]:
        return  # both rows look whole then: no one can tell
    write_lines(listmode_file(tmp_path), [*lines[:2], outer[:cut] + inner, outer[cut:], *lines[4:]])
    records = records_of(tmp_path)
    particles = particles_of(records)
    assert len(particles) == 4
    if skipped_of(records):
        assert not particles["9"].listmode
    else:
        assert particles["9"].listmode["SWS Total"] == 9 + 5 / 4
        assert particles["70012"].listmode["SWS Total"] == 70012 + 5 / 4
        assert "spliced" in notes_of(records)


def test_pictures_of_another_measurement_or_of_no_particle_are_skipped(tmp_path: Path) -> None:
    pictures = {
        f"{MEASUREMENT}_Cropped_8.jpg": JPEG,
        "Elsewhere 2020-01-01 10h00_Cropped_3.jpg": JPEG,
        f"{MEASUREMENT}_Cropped_999.jpg": JPEG,
        "overview.jpg": JPEG,
        f"{MEASUREMENT}_Background.jpg": JPEG,
    }
    records = records_of(write_export(tmp_path, PROFILES, pictures=pictures))
    reasons = {record.item: record.reason for record in skipped_of(records)}
    assert "another measurement" in reasons["Elsewhere 2020-01-01 10h00_Cropped_3.jpg"]
    assert "no table of this measurement has" in reasons[f"{MEASUREMENT}_Cropped_999.jpg"]
    assert "no particle can be told" in reasons["overview.jpg"]
    assert "background" in reasons[f"{MEASUREMENT}_Background.jpg"]
    assert len(reasons) == 4
    assert [number for number, particle in particles_of(records).items() if particle.image] == ["8"]


def test_pictures_beside_the_tables_are_found_and_strange_ones_skipped(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    (tmp_path / f"{MEASUREMENT}_Cropped_8.png").write_bytes(JPEG)
    (tmp_path / "Elsewhere 2020-01-01 10h00_Cropped_3.png").write_bytes(JPEG)
    records = records_of(tmp_path)
    assert particles_of(records)["8"].image == JPEG
    assert [record.item for record in skipped_of(records)] == ["Elsewhere 2020-01-01 10h00_Cropped_3.png"]


def test_cropped_goes_before_uncropped_and_before_one_with_a_scale_bar(tmp_path: Path) -> None:
    pictures = {
        f"{MEASUREMENT}_Uncropped_8.jpg": b"uncropped",
        f"{MEASUREMENT}_Cropped_8.jpg": b"cropped",
        f"{MEASUREMENT}_Cropped_Scalebar_8.jpg": b"with bar",
        f"{MEASUREMENT}_Uncropped_3.jpg": b"only uncropped",
    }
    records = records_of(write_export(tmp_path, PROFILES, pictures=pictures))
    particles = particles_of(records)
    assert particles["8"].image == b"cropped"
    assert particles["3"].image == b"only uncropped"
    assert not skipped_of(records)
    assert "1 uncropped pictures are left aside" in notes_of(records)
    assert "1 particles have an uncropped picture only" in notes_of(records)


def test_two_pictures_of_one_particle_keep_one(tmp_path: Path) -> None:
    pictures = {f"{MEASUREMENT}_Cropped_8.jpg": b"first", f"{MEASUREMENT}_Cropped_8.png": b"second"}
    records = records_of(write_export(tmp_path, PROFILES, pictures=pictures))
    assert particles_of(records)["8"].image == b"first"
    assert [record.item for record in skipped_of(records)] == [f"{MEASUREMENT}_Cropped_8.png"]


def test_an_empty_picture_costs_only_itself(tmp_path: Path) -> None:
    records = records_of(write_export(tmp_path, PROFILES, pictures={f"{MEASUREMENT}_Cropped_8.jpg": b""}))
    assert [record.reason for record in skipped_of(records)] == ["the picture is empty; export it again"]
    assert particles_of(records)["8"].profile is not None


def test_a_damaged_zip_costs_only_the_pictures(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    (tmp_path / f"{MEASUREMENT}_Images.zip").write_bytes(b"PK\x03\x04 cut off")
    records = records_of(tmp_path)
    (skipped,) = skipped_of(records)
    assert "archive cannot be opened" in skipped.reason
    assert len(particles_of(records)) == 3


def test_a_damaged_member_costs_only_itself(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    path = tmp_path / f"{MEASUREMENT}_Images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{MEASUREMENT}_Cropped_3.jpg", b"good picture")
        archive.writestr(f"{MEASUREMENT}_Cropped_8.jpg", b"a picture that will be damaged")
    path.write_bytes(path.read_bytes().replace(b"will be damaged", b"has been spoilt"))
    records = records_of(tmp_path)
    assert particles_of(records)["3"].image == b"good picture"
    assert particles_of(records)["8"].image is None
    assert [record.item for record in skipped_of(records)] == [f"{MEASUREMENT}_Cropped_8.jpg"]


def test_an_export_of_pictures_alone_gives_particles(tmp_path: Path) -> None:
    images = tmp_path / f"{STEM}_Images"
    images.mkdir()
    (images / f"{MEASUREMENT}_Cropped_8.jpg").write_bytes(JPEG)
    records = records_of(tmp_path)
    assert particles_of(records)["8"].image == JPEG
    assert "without Listmode and without Pulses and without Info" in notes_of(records)


def test_two_sets_of_one_measurement_are_one_sample(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES, pictures={f"{MEASUREMENT}_Cropped_8.jpg": JPEG})
    default = f"{MEASUREMENT}_Default (all)"
    more = PROFILES | {20: profile(6)}
    (tmp_path / f"{default}_Pulses.csv").write_text(table(["Particle ID", *CHANNELS], pulse_rows(more)))
    (tmp_path / f"{default}_Listmode.csv").write_text(
        table(listmode_header(), listmode_rows({number: len(values) for number, values in more.items()}))
    )
    records = records_of(tmp_path)
    assert set(particles_of(records)) == {"3", "8", "11", "20"}
    assert particles_of(records)["8"].image == JPEG
    assert sample_of(records).set_name == "All Imaged Particles; Default (all)"
    assert "3 particles are in more than one exported set" in notes_of(records)
    assert not skipped_of(records)


def test_two_measurements_in_one_folder_are_two_samples(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    write_export(tmp_path, PROFILES, measurement="Bay 2023-05-04 10h23")
    sources, _ = find_sources([tmp_path])
    assert [sample_of(list(read(source))).id for source in sources] == [MEASUREMENT, "Bay 2023-05-04 10h23"]


def test_hyphens_for_spaces_are_the_same_measurement(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES, pictures={f"{MEASUREMENT}_Cropped_8.jpg": JPEG})
    for path in [pulses_file(tmp_path), listmode_file(tmp_path), tmp_path / f"{STEM}_Images"]:
        path.rename(path.with_name(path.name.replace(" ", "-")))
    records = records_of(tmp_path)
    assert len(particles_of(records)) == 3
    assert particles_of(records)["8"].image == JPEG
    assert sample_of(records).instrument == "Bay One"


@pytest.mark.parametrize("column", ["label", "Class", "species", "Espèce", "Set"])
def test_labels_beside_the_export_are_read(tmp_path: Path, column: str) -> None:
    write_export(tmp_path, PROFILES)
    (tmp_path / f"{MEASUREMENT}_labels.csv").write_text(
        f"Particle ID;{column}\n3;Melosira arctica\n8;\n99;Nodularia\n", encoding="utf-8"
    )
    records = records_of(tmp_path)
    particles = particles_of(records)
    assert (particles["3"].raw_label, particles["8"].raw_label) == ("Melosira arctica", None)
    (skipped,) = skipped_of(records)
    assert "(99)" in skipped.reason


@pytest.mark.parametrize(
    ("comment", "flag"),
    [
        ("simulated by Seston", "simulated"),
        ("semi-simulated by Seston from real pictures", "semi-simulated"),
        ("Simulated: yes (seston simulate --seed 4)", "simulated"),
        ("Simulated: semi (seston simulate)", "semi-simulated"),
        ("a bloom\nsimulated by Seston", "simulated"),
    ],
)
def test_simulated_exports_are_called_so(tmp_path: Path, comment: str, flag: str) -> None:
    records = records_of(write_export(tmp_path, PROFILES, comments=comment))
    assert sample_of(records).flags == (flag,)
    assert {particle.flags for particle in particles_of(records).values()} == {(flag,)}


@pytest.mark.parametrize("comment", ["", "not simulated by Seston", "beads, Simulated conditions", "unsimulated"])
def test_other_exports_are_not_called_simulated(tmp_path: Path, comment: str) -> None:
    assert sample_of(records_of(write_export(tmp_path, PROFILES, comments=comment))).flags == ()


def test_french_words_are_read(tmp_path: Path) -> None:
    header = ["ID particule", "Longueur de l'échantillon", "Temps d’arrivée", "Diffusion avant Longueur"]
    header += ["Diffusion latérale Centre de gravité", "Fluorescence rouge Facteur de remplissage", "FL Jaune Moyenne"]
    listmode_file(tmp_path).write_text(
        table(header, [[3, 5, 0.5, 1.5, 2.5, 0.25, 7.5]], ";", ","), encoding="utf-8-sig"
    )
    columns = ["ID particule", "Diffusion avant", "Diffusion latérale", "Fluorescence rouge", "Courbure"]
    pulses = table(columns, pulse_rows({3: profile(5, 4)}), ";", ",")
    pulses_file(tmp_path).write_bytes(pulses.encode("cp1252"))
    (tmp_path / f"{MEASUREMENT}_Info.txt").write_text(
        "Seuil de déclenchement (mV): 15,9\nInstrument: Baie\nLargeur du faisceau: 5\nVitesse du cœur: 2,2\n"
        "Date de la mesure: 04/05/2023 09:23:41\nDurée de la mesure: 100\nDébit (µL/s): 5,5\n"
        "Canal 1: Diffusion latérale  - DÉCLENCHEUR\n  - niveau de sensibilité: 60\n"
        "Nombre total de particules: 1000\nVolume (µL): 500,5\n",
        encoding="cp1252",
    )
    records = records_of(tmp_path)
    particle = particles_of(records)["3"]
    assert particle.profile_channels == ("FWS", "SWS", "FL Red", "Curvature")
    assert particle.listmode == {
        "Sample Length": 5,
        "Time of Arrival": 0.5,
        "FWS Length": 1.5,
        "SWS Center of gravity": 2.5,
        "FL Red Fill factor": 0.25,
        "FL Yellow Average": 7.5,
    }
    sample = sample_of(records)
    assert (sample.instrument, sample.core_speed_m_s, sample.trigger) == ("Baie", 2.2, "SWS > 15.9 mV")
    assert sample.detector_levels == {"SWS": 60}
    assert sample.n_recorded == 1000
    assert sample.volume_analysed_ml == pytest.approx(0.5005)
    assert not skipped_of(records)


def test_ids_beyond_the_precision_of_float32_survive(tmp_path: Path) -> None:
    profiles = {16_777_217: profile(4), 16_777_219: profile(5)}
    particles = particles_of(records_of(write_export(tmp_path, profiles)))
    assert {number: particle.listmode["Sample Length"] for number, particle in particles.items()} == {
        "16777217": 4,
        "16777219": 5,
    }


def test_a_name_stands_in_front_of_the_ids(tmp_path: Path) -> None:
    (source,), _ = find_sources([write_export(tmp_path, PROFILES)])
    records = list(read(source, name="cruise"))
    assert sample_of(records).id == f"cruise:{MEASUREMENT}"
    assert particles_of(records)["3"].id == f"cruise:{MEASUREMENT}/3"


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    (source,), _ = find_sources([write_export(tmp_path, PROFILES)])
    first, second = particles_of(list(read(source))), particles_of(list(read(source)))
    assert list(first) == list(second)
    assert [particle.listmode for particle in first.values()] == [particle.listmode for particle in second.values()]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["00:00:00.250", "00:00:01.500", "00:01:00"], "a clock that begins with the measurement"),
        (
            ["13/04/2022 09:23:41.250", "13/04/2022 09:23:42.500", "13/04/2022 09:24:41"],
            "dates: counted from the first particle",
        ),
        (["09:23:41.250", "09:23:42.500", "09:24:41"], "times of day: counted from the start that Info says"),
        (
            ["05/04/2023 09:23:41.250", "05/04/2023 09:23:42.500", "05/04/2023 09:24:41"],
            "dates: counted from the start",
        ),
        (
            ["04/05/2023 09:23:41.250", "04/05/2023 09:23:42.500", "04/05/2023 09:24:41"],
            "dates: counted from the start",
        ),
    ],
)
def test_times_of_arrival_become_seconds_however_they_are_written(tmp_path: Path, texts: list[str], words: str) -> None:
    write_export(tmp_path, PROFILES)
    lines = lines_of(listmode_file(tmp_path))
    for place, text in enumerate(texts, start=1):
        fields = lines[place].split(",")
        lines[place] = ",".join([*fields[:2], text, *fields[3:]])
    write_lines(listmode_file(tmp_path), lines)
    records = records_of(tmp_path)
    times = [particle.listmode["Time of Arrival"] for particle in particles_of(records).values()]
    begin = 0.25 if words.endswith("the first particle") else 0.0
    assert [time + begin for time in times] == pytest.approx([0.25, 1.5, 60])
    assert words in notes_of(records)
    assert not skipped_of(records)


def test_a_listmode_without_ids_is_not_joined_by_its_rows(tmp_path: Path) -> None:
    write_export(tmp_path, PROFILES)
    replace_in(listmode_file(tmp_path), "Particle ID", "Something")
    records = records_of(tmp_path)
    assert ["no column of ids" in record.reason for record in skipped_of(records)] == [True]
    assert not any(particle.listmode for particle in particles_of(records).values())
