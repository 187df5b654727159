"""Real FlowCam runs against what was measured of them and against rules that tie their values together."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seston.instruments import Record, decode_image, find_sources, image_size, read
from seston.particle import Note, Particle, Sample, Skipped


def _read(path: Path) -> list[Record]:
    return [record for source in find_sources([path])[0] if source.reader == "flowcam" for record in read(source)]


def _particles(records: list[Record]) -> list[Particle]:
    return [record for record in records if isinstance(record, Particle)]


@pytest.fixture(scope="module")
def flowcam(real_data: Path) -> Path:
    return real_data / "instruments" / "flowcam"


@pytest.fixture(scope="module")
def run_2024(flowcam: Path) -> list[Record]:
    return _read(flowcam / "vs419")


@pytest.fixture(scope="module")
def run_2017(flowcam: Path) -> list[Record]:
    return _read(flowcam / "morphocut")


def test_rows_pictures_and_calibrations_are_those_that_were_counted(
    run_2017: list[Record], run_2024: list[Record]
) -> None:
    for records, rows, um_per_px in ((run_2017, 506, 1.8130), (run_2024, 1000, 0.5544)):
        found = _particles(records)
        assert len(found) == rows
        assert all(particle.image is not None for particle in found)
        assert {particle.pixel_size_um for particle in found} == {um_per_px}
        assert not [record for record in records if isinstance(record, Skipped)]


def test_every_picture_lies_where_the_mask_has_the_particle_s_area(flowcam: Path, run_2024: list[Record]) -> None:
    """Follow the list by hand: set pixels of the mask in the box are raw_area, the box's size is the picture's."""
    folder = next((flowcam / "vs419").iterdir())
    lines = next(folder.glob("*.lst")).read_text().splitlines()
    names = [line.partition("|")[0] for line in lines[2:67]]
    found = _particles(run_2024)
    collages: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for line, particle in zip(lines[67:], found, strict=True):
        values = dict(zip(names, line.split("|"), strict=True))
        left, top, width, height = (int(values[f"image_{key}"]) for key in "xywh")
        name = values["collage_file"]
        if name not in collages:
            mask = folder / name.replace(".tif", "_bin.tif")
            collages[name] = (np.asarray(Image.open(folder / name)), np.asarray(Image.open(mask)))
        grey, mask_pixels = (pixels[top : top + height, left : left + width] for pixels in collages[name])
        assert particle.image is not None
        assert image_size(particle.image) == (width, height)
        assert np.array_equal(decode_image(particle.image), grey)
        assert int((mask_pixels > 0).sum()) == particle.listmode["raw_area"] == float(values["raw_area"])
    assert len(collages) == 2


@pytest.mark.parametrize("which", ["run_2017", "run_2024"])
def test_reported_diameters_follow_the_fringe_rule(which: str, request: pytest.FixtureRequest) -> None:
    """Reported = max(d - 4.5, d / 2) × µm per pixel, with d from the raw area and the mean Feret diameter."""
    for particle in _particles(request.getfixturevalue(which)):
        values, scale = particle.listmode, particle.pixel_size_um
        assert scale is not None
        abd = 2 * np.sqrt(values["raw_area"] / np.pi)
        for raw, reported in ((abd, "abd_diameter"), (values["raw_feret_mean"], "esd_diameter")):
            assert max(raw - 4.5, raw / 2) * scale == pytest.approx(values[reported], abs=2e-3)


def test_volumes_counts_and_clocks_are_those_of_the_run(run_2024: list[Record]) -> None:
    sample = next(record for record in run_2024 if isinstance(record, Sample))
    assert (sample.volume_sampled_ml, sample.volume_imaged_ml) == (0.0916, 0.01933)
    assert (sample.n_counted, sample.n_recorded, sample.n_imaged) == (1000, 1000, 1000)
    assert sample.volume_imaged_ml is not None
    assert 1000 / sample.volume_imaged_ml == pytest.approx(51_739, abs=10)
    assert (sample.serial_number, sample.trigger, sample.dilution) == (None, "AutoImage", 1.0)
    assert (sample.start, sample.end) == (
        datetime(2024, 4, 8, 8, 32, 45, tzinfo=UTC),
        datetime(2024, 4, 8, 8, 33, 30, tzinfo=UTC),
    )
    times = [particle.time for particle in _particles(run_2024) if particle.time is not None]
    assert times[0] == datetime(2024, 4, 8, 8, 32, 55, 190_000, tzinfo=UTC)
    assert sample.start is not None
    assert sample.end is not None
    assert sample.start < min(times) < max(times) <= sample.end
    assert any("2 h ahead" in record.text for record in run_2024 if isinstance(record, Note))


def test_classes_go_to_the_particles_that_their_rules_chose(run_2024: list[Record]) -> None:
    """The classes were made by rules on size: the ids are those of the list, or the two would not differ so."""
    found = _particles(run_2024)
    assert Counter(particle.raw_label for particle in found) == {None: 646, "Junk": 340, "protist": 14}
    assert {particle.raw_status for particle in found if particle.raw_label} == {"predicted"}
    hulls = {
        label: [particle.listmode["raw_convex_hull_area"] for particle in found if particle.raw_label == label]
        for label in ("Junk", "protist", None)
    }
    assert min(hulls["protist"]) > np.median(hulls[None])
    assert np.median(hulls["Junk"]) > np.percentile(hulls[None], 75)


def test_the_table_s_volume_joins_the_list(run_2024: list[Record]) -> None:
    first = _particles(run_2024)[0]
    assert first.listmode["volume_abd"] == 1.541958
    assert first.listmode["volume_abd"] == pytest.approx(np.pi / 6 * first.listmode["abd_diameter"] ** 3, rel=1e-3)


def test_an_old_run_without_list_gives_its_settings_and_one_reason(flowcam: Path) -> None:
    records = _read(flowcam / "flowcamr-vs345")
    sample = next(record for record in records if isinstance(record, Sample))
    assert sample.start == datetime(2014, 7, 20, 4, 53, 25, tzinfo=UTC)
    assert (sample.serial_number, sample.trigger, sample.pixel_size_um) == ("101", "Ch1 > 300", None)
    (lost,) = [record for record in records if isinstance(record, Skipped)]
    assert lost.item == "201-045311.lst"
    assert any("never set" in record.text for record in records if isinstance(record, Note))


def test_no_person_and_no_folder_of_the_maker_is_given(flowcam: Path) -> None:
    records = [record for folder in ("vs419", "morphocut", "flowcamr-vs345") for record in _read(flowcam / folder)]
    text = repr([replace(record, image=None) if isinstance(record, Particle) else record for record in records])
    for word in ("karla", "c:\\", "c:/", "flowcam_users", "visualspreadsheet\\"):
        assert word not in text.lower()
