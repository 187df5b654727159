from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from store_making import CHANNELS, particle, picture, profile, put

from seston.errors import UsageError
from seston.particle import Particle, Sample
from seston.store import open_data_set, particle_from_row, rows_to_particles


def test_every_field_of_a_particle_comes_back(tmp_path: Path) -> None:
    full = Particle(
        id="a/1",
        sample_id="a",
        source="cruise",
        image=picture(1),
        pixel_size_um=0.6,
        scale_bar=(1, 2, 3, 4),
        profile=profile(1),
        profile_channels=CHANNELS,
        profile_spacing_um=0.5,
        listmode={"FWS Total": 1.5, "Sample Length": float("inf")},
        raw_label="Chaetoceros sp.",
        raw_status="validated",
        time=datetime(2024, 3, 31, 12, 0, 0, 250, tzinfo=UTC),
        latitude=59.78,
        longitude=21.37,
        depth_min_m=0.0,
        depth_max_m=4.5,
        licence="CC-BY-4.0",
        attribution="Utö",
        flags=("clock",),
    )
    put(tmp_path / "d", [full])
    (stored,) = [rows_to_particles(batch)[0] for batch in open_data_set(tmp_path / "d").particles()]
    found = {"image_format", "width", "height", "image_hash", "profile_hash"}
    for field in fields(Particle):
        if field.name == "profile":
            assert stored.profile is not None
            np.testing.assert_array_equal(stored.profile, profile(1))
            assert stored.profile.dtype == np.float32
        elif field.name not in found:
            assert getattr(stored, field.name) == getattr(full, field.name), field.name
    assert (stored.image_format, stored.width, stored.height) == ("jpeg", 24, 16)


def test_every_field_of_a_sample_comes_back(tmp_path: Path) -> None:
    full = Sample(
        id="a",
        source="s",
        path="p",
        reader="cytoclus",
        instrument="CytoSense",
        instrument_code="TOOL0000",
        serial_number="CS-2010-31",
        start=datetime(2024, 3, 31, tzinfo=UTC),
        end=datetime(2024, 4, 1, tzinfo=UTC),
        latitude=1.0,
        longitude=2.0,
        depth_min_m=3.0,
        depth_max_m=4.0,
        volume_sampled_ml=5.0,
        volume_analysed_ml=6.0,
        volume_imaged_ml=7.0,
        dilution=8.0,
        subsample_fraction=0.5,
        n_counted=9,
        n_recorded=10,
        n_imaged=11,
        trigger="FL Red > 15.94 mV",
        set_name="all",
        detector_levels={"FL Red": 80.0},
        core_speed_m_s=2.0,
        beam_width_um=5.0,
        pixel_size_um=0.6,
        licence="CC0-1.0",
        attribution="Utö",
        flags=("simulated",),
        settings={"flow": "schnell"},
        provenance={"trigger": "Info.txt, Trigger"},
    )
    put(tmp_path / "d", [full, particle(1, image=picture(1))])
    (stored,) = open_data_set(tmp_path / "d").samples()
    for field in fields(Sample):
        assert getattr(stored, field.name) == getattr(full, field.name), field.name


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.none()
            | arrays.arrays(
                np.float32, st.tuples(st.just(3), st.integers(2, 9)), elements=st.floats(width=32, allow_nan=False)
            ).filter(lambda wave: bool(np.isfinite(wave).all())),
            st.dictionaries(st.text(min_size=1, max_size=8), st.floats(width=32), min_size=1, max_size=5),
        ),
        max_size=12,
    )
)
def test_profiles_and_listmode_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[np.ndarray | None, dict[str, float]]]
) -> None:
    folder = tmp_path_factory.mktemp("rows") / "d"
    put(folder, [particle(n, wave=wave, listmode=listmode) for n, (wave, listmode) in enumerate(drawn)])
    stored = [item for batch in open_data_set(folder).particles(batch_size=5) for item in rows_to_particles(batch)]
    assert len(stored) == len(drawn)
    for item, (wave, listmode) in zip(stored, drawn, strict=True):
        assert (item.profile is None) == (wave is None)
        if wave is not None and item.profile is not None:
            assert item.profile.tobytes() == wave.astype("<f4").tobytes()
        assert list(item.listmode) == list(listmode)
        np.testing.assert_array_equal(list(item.listmode.values()), list(listmode.values()))


def test_some_particles_are_read_in_the_order_of_their_ids(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n)) for n in range(30)])
    wanted = [f"a/{n}" for n in (29, 0, 7, 7, 12)]
    batches = list(open_data_set(tmp_path / "d").particles(["id", "image"], ids=wanted, batch_size=2))
    assert [text for batch in batches for text in batch.column("id").to_pylist()] == wanted
    assert batches[0].column("image")[0].as_py() == picture(29)


def test_ids_with_quotes_are_only_names(tmp_path: Path) -> None:
    nasty = "a/'; DROP TABLE particles; --\" `x`"
    put(tmp_path / "d", [Particle(id=nasty, sample_id="a", image=picture(1)), particle(2, image=picture(2))])
    batches = list(open_data_set(tmp_path / "d").particles(["id"], ids=[nasty]))
    assert batches[0].column("id").to_pylist() == [nasty]


def test_rows_are_taken_in_the_order_asked_for(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n), wave=profile(n)) for n in range(20)])
    taken = open_data_set(tmp_path / "d").take(np.array([5, 19, 0, 5]), ["id", "profile", "profile_length", "image"])
    assert taken.column("id").to_pylist() == ["a/5", "a/19", "a/0", "a/5"]
    assert taken.column("image").to_pylist()[1] == picture(19)
    np.testing.assert_array_equal(taken.column("profile")[2].values.to_numpy(), profile(0).ravel())


def test_an_unknown_column_and_an_unknown_id_are_refused_with_what_is_near(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, image=picture(1))])
    data = open_data_set(tmp_path / "d")
    with pytest.raises(UsageError, match="did you mean 'profile'"):
        list(data.particles(["profil"]))
    with pytest.raises(UsageError, match="a/2"):
        list(data.particles(ids=["a/2"]))


def test_one_row_makes_one_particle(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n)) for n in range(2)])
    data = open_data_set(tmp_path / "d")
    assert particle_from_row(data.take(np.array([1]), ["id", "sample_id"])).id == "a/1"
    with pytest.raises(UsageError, match="are 2"):
        particle_from_row(data.take(np.array([0, 1]), ["id", "sample_id"]))


def test_listmode_names_are_stored_once_and_not_with_each_particle(tmp_path: Path) -> None:
    names = [f"FL Channel with a long name {n} parameter" for n in range(60)]
    rng = np.random.default_rng(0)
    put(tmp_path / "d", [particle(n, listmode=dict(zip(names, rng.normal(size=60), strict=True))) for n in range(1000)])
    on_disk = sum(file.stat().st_size for file in (tmp_path / "d" / "particles.lance" / "data").iterdir())
    assert on_disk < 1.25 * 1000 * 60 * 4
