"""Which volume divides a count, and where none does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seston.particle import Sample
from seston.recognition.abundance import Tally, volume_of

_CYTOMETER = Sample(id="s", reader="cytoclus", volume_analysed_ml=2.0, n_recorded=100, set_name="Default (all)")
_CAMERA = Sample(id="s", reader="class-folders")


def _tally(particles: int, *, pictures: int = 0, signals: int = 0) -> Tally:
    return Tally(particles=particles, pictures=pictures, signals=signals)


def test_saved_particles_are_divided_by_the_analysed_volume() -> None:
    assert volume_of(_CYTOMETER, _tally(100, signals=100)) == ("volume_analysed_ml", 2.0, "")


def test_a_part_of_the_recorded_particles_is_divided_by_nothing() -> None:
    column, volume, reason = volume_of(_CYTOMETER, _tally(9, signals=9))
    assert (column, volume) == (None, None)
    assert "only 9 of 100 recorded particles" in reason


def test_a_gate_is_a_part_by_its_nature() -> None:
    gate = replace(_CYTOMETER, set_name="Red picoplankton")
    assert volume_of(gate, _tally(9, signals=9)) == ("volume_analysed_ml", 2.0, "")


def test_photographed_particles_are_divided_by_the_imaged_volume_alone() -> None:
    imaged = replace(_CYTOMETER, set_name="All Imaged Particles")
    _, volume, reason = volume_of(imaged, _tally(9, pictures=9, signals=9))
    assert volume is None
    assert "imaged volume is not known" in reason
    known = replace(imaged, volume_imaged_ml=0.5)
    assert volume_of(known, _tally(9, pictures=9, signals=9)) == ("volume_imaged_ml", 0.5, "")


def test_where_every_recorded_particle_was_photographed_the_analysed_volume_is_right() -> None:
    imaged = replace(_CYTOMETER, set_name="All Imaged Particles")
    assert volume_of(imaged, _tally(100, pictures=100, signals=100))[0] == "volume_analysed_ml"


def test_pictures_without_profiles_are_not_divided_by_the_volume_of_all_particles() -> None:
    _, volume, reason = volume_of(_CYTOMETER, _tally(40, pictures=40))
    assert volume is None
    assert "only photographed particles" in reason


def test_an_imaging_instrument_has_its_imaged_volume_first() -> None:
    camera = replace(_CAMERA, volume_imaged_ml=1.0, volume_analysed_ml=3.0)
    assert volume_of(camera, _tally(5, pictures=5)) == ("volume_imaged_ml", 1.0, "")
    assert volume_of(replace(camera, volume_imaged_ml=None), _tally(5, pictures=5))[0] == "volume_analysed_ml"


def test_a_part_of_a_net_sample_counts_for_that_part_of_its_volume() -> None:
    net = replace(_CAMERA, volume_sampled_ml=1000.0, subsample_fraction=0.25)
    assert volume_of(net, _tally(5, pictures=5))[1] == 250
    column, _, reason = volume_of(replace(net, subsample_fraction=None), _tally(5, pictures=5))
    assert column is None
    assert "not which part" in reason


def test_measured_pictures_of_a_concentrated_sample_count_for_their_part_of_the_water() -> None:
    sample = Sample(
        id="s",
        reader="ecotaxa",
        volume_sampled_ml=100_000.0,
        subsample_fraction=0.05,
        volume_analysed_ml=5.0,
        volume_imaged_ml=2.0,
    )
    tally = Tally(particles=7, pictures=7, signals=7)
    assert volume_of(sample, tally) == ("volume_sampled_ml × subsample_fraction", 5000.0, "")


@pytest.mark.parametrize("sample", [None, _CAMERA, replace(_CYTOMETER, volume_analysed_ml=None)])
def test_where_no_volume_is_known_the_reason_says_so(sample: Sample | None) -> None:
    column, volume, reason = volume_of(sample, _tally(5, pictures=5, signals=5 if sample is not _CAMERA else 0))
    assert (column, volume) == (None, None)
    assert reason


@pytest.mark.parametrize("reader", ["ifcb", "flowcam"])
def test_a_camera_that_measures_signals_too_keeps_its_volume_for_any_of_its_particles(reader: str) -> None:
    camera = Sample(id="s", reader=reader, volume_imaged_ml=0.5, n_recorded=100)
    assert volume_of(camera, _tally(9, pictures=4, signals=9)) == ("volume_imaged_ml", 0.5, "")
