"""What belongs together passes, and what does not is found: on real files, and on particles made to differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recognition_world import World, make_world

from seston.errors import InputError, NotFoundError
from seston.particle import Particle
from seston.recognition import Check, Gallery, doctor
from seston.recognition.checks import check_particles
from seston.recognition.encoder import stream_particles

_LISTMODE = "listmode agrees with profiles"
_PICTURES = "picture length agrees with pulse length"
_LENGTH = "Sample Length agrees with the number of samples"
_LEVELS = "detector levels equal the gallery's"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def _by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def _judge(particles: list[Particle]) -> dict[str, Check]:
    return _by_name(check_particles(particles))


@pytest.mark.parametrize("name", ["cefas_pond", "ulco_r4"])
def test_real_exports_that_belong_together_pass(real_data: Path, name: str) -> None:
    checks = _by_name(doctor(real_data / "cytosense" / name))
    assert not [check for check in checks.values() if check.ok is False]
    assert checks[_LISTMODE].ok
    assert checks[_LENGTH].ok
    assert checks["curvature has mean 0"].ok
    assert checks["pictures have the sides of a CytoSense's crops"].ok
    assert checks[_PICTURES].ok is None
    assert "too few to tell" in checks[_PICTURES].detail


def test_real_files_that_share_only_their_numbers_are_found_out(real_data: Path) -> None:
    checks = _by_name(doctor(real_data / "cytosense" / "rclustool"))
    assert [checks[name].ok for name in (_LISTMODE, _LENGTH, _PICTURES)] == [False, False, False]


def test_the_electronics_of_real_files_are_told_apart(real_data: Path) -> None:
    details = [
        _by_name(doctor(real_data / "cytosense" / name))["least value of the detectors"].detail
        for name in ("cefas_pond", "ulco_r4")
    ]
    assert ["newer" in details[0], "older" in details[1]] == [True, True]


def test_simulated_files_pass_and_stand_at_the_levels_of_their_gallery(world: World, tmp_path: Path) -> None:
    world.gallery.save(tmp_path / "gallery")
    checks = _by_name(doctor(world.data, tmp_path / "gallery"))
    assert not [check for check in checks.values() if check.ok is False]
    assert checks[_LISTMODE].ok
    assert checks[_PICTURES].ok
    assert checks[_LEVELS].ok


def test_other_detector_levels_than_the_gallerys_are_found(world: World) -> None:
    levels = {
        sample: {name: level + 5 for name, level in of.items()}
        for sample, of in world.gallery.card.detector_levels.items()
    }
    other = replace(world.gallery, card=replace(world.gallery.card, detector_levels=levels))
    check = _by_name(doctor(world.data, other))[_LEVELS]
    assert check.ok is False
    assert "gallery:" in check.detail


def test_exchanged_profiles_and_pictures_are_found(world: World) -> None:
    particles = list(stream_particles(world.data))
    shifted = particles[7:] + particles[:7]
    profiles = [replace(one, profile=other.profile) for one, other in zip(particles, shifted, strict=True)]
    pictures = [replace(one, image=other.image) for one, other in zip(particles, shifted, strict=True)]
    assert _judge(particles)[_LISTMODE].ok
    assert _judge(profiles)[_LISTMODE].ok is False
    assert _judge(profiles)[_LENGTH].ok is False
    assert _judge(pictures)[_LISTMODE].ok
    assert _judge(pictures)[_PICTURES].ok is False


def test_sample_length_is_understood_in_both_meanings(world: World) -> None:
    particles = [one for one in stream_particles(world.data) if one.profile is not None]

    def lengths(particle: Particle, unit: float, less: int) -> Particle:
        assert particle.profile is not None
        length = (particle.profile.shape[1] - less) * unit
        return replace(particle, listmode=dict(particle.listmode) | {"Sample Length": length})

    assert "number of samples" in _judge([lengths(one, 1.0, 0) for one in particles])[_LENGTH].detail
    in_um = _judge([lengths(replace(one, profile_spacing_um=0.5), 0.5, 1) for one in particles])[_LENGTH]
    assert in_um.ok
    assert "µm" in in_um.detail


def test_a_few_particles_that_disagree_are_too_few_to_tell() -> None:
    profile = np.full((1, 8), 3, np.float32)
    listmode = {"FWS Total": 7.0, "FWS Maximum": 1.0}
    few = [
        Particle(id=f"s/{n}", sample_id="s", profile=profile, profile_channels=("FWS",), listmode=listmode)
        for n in range(3)
    ]
    assert _judge(few)[_LISTMODE].ok is None


def test_one_bad_sample_among_good_ones_is_named() -> None:
    profile = np.abs(np.random.default_rng(0).normal(size=(1, 20))).astype(np.float32) + 1

    def particle(sample: str, number: int, factor: float) -> Particle:
        listmode = {"FWS Total": float(profile.sum()) * factor, "FWS Maximum": float(profile.max()) * factor}
        return Particle(
            id=f"{sample}/{number}", sample_id=sample, profile=profile, profile_channels=("FWS",), listmode=listmode
        )

    particles = [particle("good", number, 1) for number in range(30)] + [
        particle("bad", n, 1 + n) for n in range(1, 30)
    ]
    check = _judge(particles)[_LISTMODE]
    assert check.ok is False
    assert "1 of 2 samples: bad" in check.detail


def test_a_path_that_is_not_there_is_one_plain_line(tmp_path: Path) -> None:
    with pytest.raises((NotFoundError, InputError)):
        doctor(tmp_path / "nothing")
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(InputError, match="nothing that Seston can read"):
        doctor(tmp_path / "text.txt")


def test_a_gallery_that_is_none_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no gallery"):
        doctor(world.data, tmp_path)
    assert isinstance(world.gallery, Gallery)
