"""Real pictures with simulated profiles."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from seston.errors import InputError, NotFoundError, UsageError
from seston.instruments import find_sources, read
from seston.particle import Particle, Sample
from seston.simulate import simulate, simulate_from_images
from seston.simulate.picture_light import draw_class_optics, emission_of_picture


def _blob(width: int, height: int, *, frame: tuple[int, int] = (100, 200)) -> NDArray[np.uint8]:
    """Draw a dark ellipse on a light frame."""
    rows, columns = np.mgrid[: frame[0], : frame[1]]
    distance = ((rows - frame[0] / 2) / (height / 2)) ** 2 + ((columns - frame[1] / 2) / (width / 2)) ** 2
    return np.where(distance <= 1, 70, 190).astype(np.uint8)


def _encode(picture: NDArray[np.uint8], kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """Make class folders with pictures of rods (JPEG) and balls (PNG)."""
    folder = tmp_path / "collection"
    for name, kind, sizes in (("rod", "JPEG", (60, 90, 120, 150)), ("ball, small", "PNG", (40, 50, 60, 70))):
        (folder / name).mkdir(parents=True)
        for size in sizes:
            suffix = "jpg" if kind == "JPEG" else "png"
            height = 30 if name == "rod" else size
            (folder / name / f"p{size}.{suffix}").write_bytes(_encode(_blob(size, height), kind))
    return folder


def _particles(folder: Path) -> list[Particle]:
    sources, _ = find_sources([folder])
    return [one for source in sources for one in read(source) if isinstance(one, Particle)]


def test_pictures_and_labels_are_kept_and_each_gets_a_profile(collection: Path, tmp_path: Path) -> None:
    report = simulate_from_images(collection, tmp_path / "to", runs=2)
    assert report.origin == "semi-simulated"
    assert report.species == ("ball, small", "rod")
    particles = _particles(tmp_path / "to")
    assert len(particles) == report.particles == 8
    kept = {path.read_bytes(): path.parent.name for path in collection.rglob("p*")}
    assert {one.image: one.raw_label for one in particles} == kept
    assert all(one.profile is not None and one.profile.shape[1] >= 8 for one in particles)


def test_the_word_semi_simulated_stands_in_samples_names_and_labels(collection: Path, tmp_path: Path) -> None:
    report = simulate_from_images(collection, tmp_path / "to", runs=1)
    sources, _ = find_sources([tmp_path / "to"])
    samples = [one for one in read(sources[0]) if isinstance(one, Sample)]
    assert [sample.flags for sample in samples] == [("semi-simulated",)]
    assert "0.3057 µm a pixel is an assumption" in samples[0].settings["User Comments"]
    assert all(path.name.startswith("Semi-simulated") for path in report.files)
    labels = next(path for path in report.files if path.name.endswith("_labels.csv")).read_text(encoding="utf-8-sig")
    assert labels.count("semi-simulated") == 8


def test_a_longer_picture_gets_a_longer_pulse(collection: Path, tmp_path: Path) -> None:
    simulate_from_images(collection, tmp_path / "to", runs=1)
    rods = [one for one in _particles(tmp_path / "to") if one.raw_label == "rod"]
    by_bytes = {(collection / "rod" / f"p{size}.jpg").read_bytes(): size for size in (60, 90, 120, 150)}
    pairs = sorted((by_bytes[one.image], one.listmode["SWS Length"]) for one in rods if one.image is not None)
    lengths = [length for _, length in pairs]
    assert lengths == sorted(lengths)
    # an ellipsoid has half of its largest slice at 1/√2 of its half axis
    assert lengths[-1] == pytest.approx(150 * 0.3057 / np.sqrt(2), rel=0.2)


def test_the_same_seed_gives_the_same_bytes(collection: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        simulate_from_images(collection, tmp_path / name, runs=2, seed=4)
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}
        for name in ("one", "two")
    )
    assert one == two


def test_a_class_has_the_same_pigment_in_every_run_and_another_seed_gives_another() -> None:
    assert draw_class_optics("rod", 1) == draw_class_optics("rod", 1)
    assert len({draw_class_optics("rod", seed).pigment for seed in range(20)}) > 2


def test_the_mask_of_a_rod_holds_the_volume_of_a_round_rod() -> None:
    picture = np.full((100, 300), 190, np.uint8)
    picture[40:64, 30:270] = 70
    optics = draw_class_optics("x", 0)
    volumes = [
        emission_of_picture(picture, picture < 100, 0.3057, optics, np.random.default_rng(seed)).matter.sum() * 0.3057
        for seed in range(60)
    ]
    assert np.median(volumes) == pytest.approx(np.pi / 4 * 24**2 * 240 * 0.3057**3, rel=0.12)


def test_pictures_without_a_particle_are_left_out_and_listed(collection: Path, tmp_path: Path) -> None:
    (collection / "rod" / "empty.png").write_bytes(_encode(np.full((80, 80), 190, np.uint8), "PNG"))
    (collection / "rod" / "cut.jpg").write_bytes(_encode(_blob(60, 30), "JPEG")[:300])
    report = simulate_from_images(collection, tmp_path / "to", runs=1)
    assert report.particles == 8
    assert len(report.skipped) == 2
    assert any("no particle stands out" in one.reason for one in report.skipped)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match="no picture with a particle"):
        simulate_from_images(tmp_path / "nothing", tmp_path / "to")
    with pytest.raises(NotFoundError):
        simulate_from_images(tmp_path / "absent", tmp_path / "to")


def test_real_pictures_keep_their_labels_so_species_cannot_be_chosen(collection: Path, tmp_path: Path) -> None:
    assert simulate(tmp_path / "to", from_images=collection, particles=2, runs=2).particles == 4
    with pytest.raises(UsageError, match="keep their own labels"):
        simulate(tmp_path / "other", from_images=collection, species=["rod"])


def test_pictures_of_a_real_collection_get_profiles(real_data: Path, tmp_path: Path) -> None:
    archive = real_data / "collections" / "whoi_ifcb_gallery.tar"
    report = simulate_from_images(archive, tmp_path, particles=30, runs=2)
    particles = _particles(tmp_path)
    assert len(particles) == report.particles
    assert report.particles + len(report.skipped) == 60
    assert report.particles >= 57
    lengths = np.array([(one.listmode["FWS Length"], one.listmode["FWS Total"]) for one in particles])
    assert (lengths[:, 0] > 1).all()
    assert len({one.raw_label for one in particles}) > 20
