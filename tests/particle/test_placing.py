"""A particle takes place, depth and time from its sample where it has none of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from seston.particle import Particle, Sample
from seston.particle.placing import placed

_START, _END = datetime(2024, 6, 1, tzinfo=UTC), datetime(2024, 6, 2, tzinfo=UTC)
_SAMPLE = Sample(id="s", latitude=54.0, longitude=8.0, depth_min_m=1.0, depth_max_m=3.0, start=_START, end=_END)


def test_what_a_particle_says_itself_stays() -> None:
    bare = placed(Particle(id="s/1", sample_id="s"), _SAMPLE)
    assert (bare.latitude, bare.longitude, bare.depth_max_m, bare.time) == (54.0, 8.0, 3.0, _START)
    own = Particle(id="s/2", sample_id="s", latitude=10.0, longitude=20.0, depth_min_m=100.0, time=_END)
    assert placed(own, _SAMPLE) == own
    assert placed(own, None) is own


def test_a_wrong_value_of_the_sample_is_not_taken_over() -> None:
    particle = Particle(id="s/1", sample_id="s")
    assert placed(particle, replace(_SAMPLE, flags=("position",))).latitude is None
    assert placed(particle, replace(_SAMPLE, flags=("depth",))).depth_min_m is None
    assert placed(particle, replace(_SAMPLE, flags=("clock",))).time is None
    assert placed(particle, replace(_SAMPLE, start=None)).time == _END
