"""The table of all classical features."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seston.features import (
    FeatureTable,
    classical_table,
    feature_blocks,
    listmode_features,
    picture_features,
    pulse_features,
)
from seston.instruments import decode_image, find_sources, read
from seston.particle import Particle
from seston.store import open_data_set


def _image(radius: float) -> bytes:
    rows, columns = np.indices((60, 60)) - 30
    buffer = io.BytesIO()
    Image.fromarray(np.where(np.hypot(rows, columns) < radius, 50, 180).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def _profile(count: int) -> Any:
    return np.random.default_rng(count).gamma(2.0, 50.0, (2, count)).astype(np.float32)


_PARTICLES = [
    Particle(id="a/1", sample_id="a", image=_image(12), pixel_size_um=0.5),
    Particle(id="a/2", sample_id="a", profile=_profile(30), profile_channels=("FWS", "FL Red"), profile_spacing_um=0.5),
    Particle(id="b/3", sample_id="b", listmode={"FWS Total": 1000.0, "FWS Fill factor": 0.6, "Time of Arrival": 3.0}),
    Particle(id="b/4", sample_id="b", image=b"no picture", profile=_profile(50), profile_channels=("FWS", "SWS")),
]


def test_each_feature_stands_in_its_block_and_row() -> None:
    table = feature_blocks(_PARTICLES)
    assert table.ids == ("a/1", "a/2", "b/3", "b/4")
    assert table.values.dtype == np.float32
    assert table.values.shape == (4, len(table.names)) == (4, len(table.blocks))
    assert list(table.blocks) == sorted(table.blocks, key=["listmode", "pulse", "picture"].index)
    np.testing.assert_array_equal(table.has("picture"), [True, False, False, False])
    np.testing.assert_array_equal(table.has("pulse"), [False, True, False, True])
    np.testing.assert_array_equal(table.has("listmode"), [False, False, True, False])
    expected = picture_features(decode_image(_image(12), grey=True), None, 0.5)
    found = dict(zip(table.of("picture").names, table.of("picture").values[0], strict=True))
    for name, value in found.items():
        assert value == pytest.approx(expected[name], rel=1e-5)


def test_pulse_features_in_the_table_are_those_of_one_particle() -> None:
    table = feature_blocks(_PARTICLES, {"a": 5.0}).of("pulse")
    for row, spacing, beam in ((1, 0.5, 5.0), (3, None, None)):
        particle = _PARTICLES[row]
        assert particle.profile is not None
        expected = pulse_features(particle.profile, particle.profile_channels, spacing, beam)
        found = {name: value for name, value in zip(table.names, table.values[row], strict=True) if np.isfinite(value)}
        assert set(found) == {name for name, value in expected.items() if np.isfinite(value)}
        for name, value in found.items():
            assert value == pytest.approx(expected[name], rel=1e-4, abs=1e-5)


def test_columns_that_nobody_has_are_left_out() -> None:
    assert not [name for name in feature_blocks(_PARTICLES[3:]).names if "µm" in name or "log length" in name]
    empty = feature_blocks([])
    assert empty.values.shape == (0, 0)
    nothing = feature_blocks([Particle(id="a/1", sample_id="a", image=b"x")])
    assert nothing.values.shape == (1, 0)
    np.testing.assert_array_equal(nothing.has("picture"), [False])


def test_listmode_is_compressed_where_it_spans_decades() -> None:
    listmode = {
        "FWS Total": 1000.0,
        "Curvature Total": -7.0,
        "FWS Fill factor": 0.6,
        "FL Red Asymmetry": 0.1,
        "Sample Length": 40.0,
        "Time of Arrival": 12.0,
        "cluster": 4.0,
        "FL Red Maximum": float("inf"),
    }
    found = listmode_features(Particle(id="a/1", sample_id="a", listmode=listmode))
    assert set(found) == {
        "log FWS Total",
        "log Curvature Total",
        "FWS Fill factor",
        "FL Red Asymmetry",
        "log Sample Length",
        "log FL Red Maximum",
    }
    assert found["log FWS Total"] == pytest.approx(np.log(1001))
    assert found["log Curvature Total"] == pytest.approx(-np.log(8))
    assert found["FWS Fill factor"] == 0.6
    assert np.isnan(found["log FL Red Maximum"])


def test_a_data_set_is_measured_batch_by_batch(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    for number in range(12):
        path = folder / ("round" if number % 2 else "small") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_image(16 + 0.25 * number if number % 2 else 5 + 0.25 * number))
    data = open_data_set(tmp_path / "data", create=True)
    assert data.import_([folder]).added == 12
    table = classical_table(data)
    assert table.ids == tuple(data.ids())
    assert set(table.blocks) == {"picture"}
    area = dict(zip(table.ids, table.values[:, table.names.index("log area")], strict=True))
    assert min(value for name, value in area.items() if "/round/" in name) > max(
        value for name, value in area.items() if "/small/" in name
    )
    chosen = [table.ids[5], table.ids[2]]
    some = classical_table(data, chosen)
    assert some.ids == tuple(chosen)
    np.testing.assert_array_equal(
        some.values, table.values[[5, 2]][:, [table.names.index(name) for name in some.names]]
    )


class _Batches:
    """A data set whose batches have different features."""

    def __init__(self, particles: Sequence[Particle]) -> None:
        self.particles_ = particles

    def samples(self) -> list[Any]:
        return []

    def particles(self, columns: Sequence[str], *, ids: object, batch_size: int) -> Iterator[list[Particle]]:
        for particle in self.particles_:
            yield [particle]


def test_batches_with_different_features_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seston.store.rows_to_particles", lambda batch: batch)
    joined: FeatureTable = classical_table(_Batches(_PARTICLES))  # type: ignore[arg-type]  # as much of one as is used
    whole = feature_blocks(_PARTICLES)
    assert joined.ids == whole.ids
    assert set(zip(joined.blocks, joined.names, strict=True)) == set(zip(whole.blocks, whole.names, strict=True))
    places = [
        list(zip(whole.blocks, whole.names, strict=True)).index(key)
        for key in zip(joined.blocks, joined.names, strict=True)
    ]
    np.testing.assert_allclose(joined.values, whole.values[:, places], rtol=1e-5)


def test_a_real_export_has_all_three_blocks(real_data: Path) -> None:
    sources, _ = find_sources([real_data / "cytosense" / "cefas_pond"])
    particles = [record for source in sources for record in read(source) if isinstance(record, Particle)]
    some = [particle for particle in particles if particle.image is not None] + particles[:60]
    table = feature_blocks(some, {particle.sample_id: 5.5 for particle in some})
    assert table.has("listmode").all()
    assert table.has("pulse").all()
    assert table.has("picture").sum() >= 3
    assert not np.isinf(table.values).any()
    assert "FWS log length" in table.of("pulse").names
