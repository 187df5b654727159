"""Real IFCB bins against what was measured of them, published volumes, and the masks and features of other programs."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from seston.errors import InputError
from seston.instruments import Record, decode_image, find_sources, image_size, read
from seston.instruments.matlab_file import read_matlab_file
from seston.particle import Note, Particle, Sample, Skipped
from seston.store import open_data_set

_OLD = "IFCB5_2012_028_081515"


def _read(path: Path) -> list[Record]:
    sources, _ = find_sources([path])
    return [record for source in sources if source.reader == "ifcb" for record in read(source)]


def _particles(records: list[Record]) -> list[Particle]:
    return [record for record in records if isinstance(record, Particle)]


def _samples(records: list[Record]) -> dict[str, Sample]:
    return {record.id: record for record in records if isinstance(record, Sample)}


@pytest.fixture(scope="module")
def ifcb(real_data: Path) -> Path:
    return real_data / "instruments" / "ifcb"


@pytest.mark.parametrize(
    ("place", "name", "lines", "images", "triggers", "pictures_there"),
    [
        ("pyifcb/test_data/data/2012", _OLD, 6, 5, 6, 5),
        ("pyifcb/test_data/partial", _OLD, 6, 5, 6, 0),
        ("pyifcb/test_data/white", "D20130526T095207_IFCB013", 118, 19, 118, 19),
        ("ClassiPyR/raw", "D20220522T000439_IFCB134", 8, 7, 8, 7),
        ("iRfcb/test_data.zip", "D20220522T003051_IFCB134", 3, 2, 3, 2),
        ("iRfcb/test_data.zip", "D20220522T000439_IFCB134", 8, 7, 8, 0),
        ("iRfcb/test_data.zip", "D20230810T113059_IFCB134", 45, 33, 41, 0),
        ("axiom", "D20141117T234033_IFCB102", 1357, 1346, 1315, 0),
    ],
)
def test_lines_images_and_triggers_are_those_that_were_counted(
    ifcb: Path, place: str, name: str, lines: int, images: int, triggers: int, pictures_there: int
) -> None:
    records = _read(ifcb / place)
    sample = _samples(records)[name]
    particles = [particle for particle in _particles(records) if particle.sample_id == name]
    assert (sample.n_recorded, sample.n_imaged, sample.n_counted) == (lines, images, triggers)
    assert len(particles) == lines
    assert sum(particle.image is not None for particle in particles) == pictures_there


@pytest.mark.parametrize(
    ("place", "name", "ml"),
    [
        ("pyifcb/test_data/data/2012", _OLD, 0.003391470833333334),  # pyifcb, test_ml_analyzed.py
        ("pyifcb/test_data/white", "D20130526T095207_IFCB013", 4.8850699041666665),  # the same; from the .adc alone
        ("ClassiPyR/raw", "D20220522T000439_IFCB134", 0.25 * (1167.111111111111 - 0.5586328125) / 60),
        ("axiom", "D20141117T234033_IFCB102", 0.25 * (1198.009112 - 117.512925) / 60),
    ],
)
def test_volumes_are_the_published_ones(ifcb: Path, place: str, name: str, ml: float) -> None:
    assert _samples(_read(ifcb / place))[name].volume_analysed_ml == pytest.approx(ml, rel=1e-5)


def test_pixels_are_those_at_the_place_that_the_adc_names(ifcb: Path) -> None:
    folder = ifcb / "ClassiPyR" / "raw"
    adc = next(folder.rglob("*.adc"))
    pixels = adc.with_suffix(".roi").read_bytes()
    found = {particle.id: particle for particle in _particles(_read(folder))}
    for number, line in enumerate(adc.read_text().splitlines(), start=1):
        width, height, start = (int(field) for field in line.split(",")[15:18])
        image = found[f"{adc.stem}/{number:05d}"].image
        if not width:
            assert image is None
            continue
        assert image is not None
        rows = [list(pixels[start + width * row : start + width * (row + 1)]) for row in range(height)]
        assert decode_image(image).tolist() == rows


def test_stitched_pictures_have_the_numbers_and_sizes_of_published_masks(ifcb: Path) -> None:
    found = {
        particle.id[-5:]: image_size(particle.image)
        for particle in _particles(_read(ifcb / "pyifcb/test_data/data/2012"))
        if particle.image is not None
    }
    with zipfile.ZipFile(ifcb / f"ifcb-features-v4/golden/{_OLD}_blobs_v4.zip") as masks:
        published = {name[-9:-4]: image_size(masks.read(name)) for name in masks.namelist()}
    assert found == published


def test_published_features_fit_into_the_pictures(ifcb: Path) -> None:
    found = {
        int(particle.id[-5:]): image_size(particle.image)
        for particle in _particles(_read(ifcb / "pyifcb/test_data/data/2012"))
        if particle.image is not None
    }
    table = (ifcb / f"ifcb-features-v4/golden/{_OLD}_features_v4.csv").read_text()
    rows = {int(row["roi_number"]): row for row in csv.DictReader(io.StringIO(table))}
    assert found.keys() == rows.keys()
    for number, (width, height) in found.items():
        assert int(rows[number]["BoundingBox_xwidth"]) <= width
        assert int(rows[number]["BoundingBox_ywidth"]) <= height


def test_the_picture_of_another_program_is_ours_with_its_greys_stretched(ifcb: Path) -> None:
    records = _particles(_read(ifcb / "iRfcb" / "test_data.zip"))
    ours = next(particle for particle in records if particle.id == "D20220522T003051_IFCB134/00003")
    with zipfile.ZipFile(ifcb / "iRfcb" / "test_data.zip") as archive:
        theirs = archive.read("test_data/png2/Mesodinium_rubrum/D20220522T003051_IFCB134_00003.png")
    assert ours.image is not None
    pixels, stretched = decode_image(ours.image).astype(float), decode_image(theirs, grey=True).astype(float)
    assert pixels.shape == stretched.shape
    slope, offset = np.polyfit(pixels.ravel(), stretched.ravel(), 1)
    assert np.abs(slope * pixels + offset - stretched).max() < 1.5


def test_labels_and_positions_are_taken_where_they_are_given(ifcb: Path) -> None:
    labels = [particle.raw_label for particle in _particles(_read(ifcb / "ClassiPyR"))]
    assert labels[:3] == [None, "Mesodinium_rubrum", "Strombidium-like"]
    assert sum(label is not None for label in labels) == 7
    records = _read(ifcb / "iRfcb")
    sample = _samples(records)["D20230810T113059_IFCB134"]
    assert (sample.latitude, sample.longitude) == (58.25983722, 11.43537362)
    assert any("388 days" in record.text for record in records if isinstance(record, Note))
    first = _particles(_read(ifcb / "ClassiPyR"))[1]
    assert first.time == datetime(2022, 5, 22, 0, 11, 16, 750191, tzinfo=UTC)


def test_a_person_s_classes_in_a_matlab_file_are_read_as_scipy_reads_them(ifcb: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(ifcb / "iRfcb" / "test_data.zip") as archive:
        for name in ("D20220522T003051_IFCB134", "D20220712T210855_IFCB134"):
            path = Path(archive.extract(f"test_data/manual/{name}.mat", tmp_path))
            theirs = loadmat(path, simplify_cells=True)
            ours = read_matlab_file(path.read_bytes())
            np.testing.assert_array_equal(ours["classlist"], theirs["classlist"])
            assert ours["class2use_manual"] == theirs["class2use_manual"].tolist()
    found = [particle for particle in _particles(_read(ifcb / "iRfcb")) if particle.raw_label]
    assert [(particle.id, particle.raw_label, particle.raw_status) for particle in found] == [
        (f"D20220522T003051_IFCB134/{number:05d}", "Mesodinium_rubrum", "validated") for number in (2, 3)
    ]


@pytest.mark.parametrize("name", ["D20150411T205456_IFCB012", "IFCB5_2017_001_033645"])
def test_a_valid_bin_without_triggers_is_an_empty_sample(ifcb: Path, name: str) -> None:
    records = _read(ifcb / "pyifcb/test_data/empty")
    sample = _samples(records)[name]
    assert (sample.n_counted, sample.n_recorded, sample.n_imaged) == (0, 0, 0)
    assert sample.volume_analysed_ml is None
    assert not _particles(records)


def test_broken_bins_give_one_line_each(ifcb: Path) -> None:
    (source,) = find_sources([ifcb / "pyifcb/test_data/invalid"])[0]
    with pytest.raises(InputError, match=r"\.adc and \.hdr are empty; copy the bin again"):
        list(read(source))
    (lost,) = [record for record in _read(ifcb / "pyifcb/test_data/partial") if isinstance(record, Skipped)]
    assert lost.reason.startswith("is not there: the pictures of 6 ROIs (71,082 bytes) are missing")


def test_the_whole_folder_becomes_one_data_set_and_again_nothing_new(ifcb: Path, tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "data", create=True)
    report = data.import_([ifcb])
    assert report.added == 118 + 8 + 1357 + 3 + 45 + 6
    assert report.images == 19 + 7 + 2 + 5
    reasons = [item.reason for item in report.skipped]
    assert sum("is not there" in reason for reason in reasons) == 4
    assert sum("are empty" in reason for reason in reasons) == 1
    assert len(reasons) == 5 + 1  # and the decoy, which is empty
    again = data.import_([ifcb])
    assert (again.added, again.completed) == (0, 0)
