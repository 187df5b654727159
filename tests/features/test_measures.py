"""Features of a fixed set of names: the same columns whoever is measured."""

from __future__ import annotations

import numpy as np

from seston.features import feature_blocks, find_measures
from seston.particle import Particle


def _particle(number: int, **more: object) -> Particle:
    profile = np.abs(np.random.default_rng(number).normal(size=(2, 30))).astype(np.float32) * 100
    made = {"profile": profile, "profile_channels": ("FWS", "FL Red")} | more
    return Particle(id=f"s/{number}", sample_id="s", **made)  # type: ignore[arg-type]  # the fields of a particle


def test_columns_stay_in_place_when_others_are_measured() -> None:
    measures = find_measures([_particle(0), _particle(1, listmode={"FWS Total": 3.0})])
    picture, signal = measures([_particle(2), _particle(3, profile_channels=("FL Red", "SWS"))])
    assert picture.shape == (2, 0)
    assert measures.picture == ()
    assert signal.shape == (2, len(measures.signal))
    table = feature_blocks([_particle(2)])
    for name, value in zip(table.names, table.values[0], strict=True):
        column = measures.signal.index(f"pulse: {name}")
        assert signal[0, column] == value or (np.isnan(signal[0, column]) and np.isnan(value))


def test_what_a_particle_lacks_is_no_number() -> None:
    measures = find_measures([_particle(0, listmode={"FWS Total": 3.0})])
    _, signal = measures([_particle(1)])
    of_listmode = [place for place, name in enumerate(measures.signal) if name.startswith("listmode: ")]
    assert of_listmode
    assert np.isnan(signal[0, of_listmode]).all()
