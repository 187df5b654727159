"""Values that cannot be true are flagged at import, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seston.particle import Particle, Sample
from seston.store import open_data_set
from seston.store.columns import particles_to_table
from seston.store.examine import examine
from seston.store.judging import Judge
from seston.store.land import is_inland, land_rings
from seston.store.plausibility import FLAGS, flag_particles, flag_rows, flag_samples
from seston.store.tables import Table

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def flags_of(**values: Any) -> tuple[str, ...]:
    sample = Sample(id="s", start=datetime(2020, 5, 1, tzinfo=UTC), end=datetime(2020, 5, 2, tzinfo=UTC))
    particle = Particle(id="s/1", sample_id="s", **values)
    return flag_particles([particle], {"s": sample}, now=NOW)[0]


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(91.0, 0.0), (-91.0, 10.0), (45.0, 181.0), (45.0, -500.0), (0.0, 0.0), (-90.0, 0.0), (45.0, None), (None, 3.0)],
)
def test_a_position_that_is_none_is_flagged(latitude: float | None, longitude: float | None) -> None:
    assert flags_of(latitude=latitude, longitude=longitude) == ("position",)


@pytest.mark.parametrize(
    ("latitude", "longitude", "where"),
    [
        (43.68, 7.31, "off Villefranche"),
        (43.7, 7.26, "on the quay of Nice: within the tolerance"),
        (41.325, -70.566, "Martha's Vineyard"),
        (59.78, 21.37, "Utö, Archipelago Sea"),
        (34.683, 139.445, "Oshima, an island"),
        (40.7, 28.2, "Sea of Marmara"),
        (66.3, 34.5, "White Sea"),
        (38.0, -76.2, "Chesapeake Bay"),
        (48.6, -68.6, "St Lawrence"),
        (37.7, -122.3, "San Francisco Bay"),
        (41.5, 51.0, "Caspian Sea"),
        (0.0, 10.0, "on the equator beside Gabon, within the tolerance"),
        (67.5, -172.0, "Chukchi Sea"),
        (-76.0, 179.99, "Ross Sea, at the cut of the map"),
    ],
)
def test_the_sea_and_its_shores_are_not_on_land(latitude: float, longitude: float, where: str) -> None:
    assert flags_of(latitude=latitude, longitude=longitude) == (), where


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(48.85, 2.35), (47.35, 8.68), (67.0, 179.99), (67.0, -179.99), (-89.0, 120.0), (-25.0, 134.0), (-1.0, 33.0)],
)
def test_far_inland_is_on_land_lakes_too(latitude: float, longitude: float) -> None:
    assert flags_of(latitude=latitude, longitude=longitude) == ("on_land",)


@pytest.mark.parametrize("depths", [(-1.0, 5.0), (5.0, 11_001.0), (20.0, 10.0), (9_999.0, 9_999.0), (None, -0.5)])
def test_a_depth_that_is_none_is_flagged(depths: tuple[float | None, float | None]) -> None:
    assert flags_of(depth_min_m=depths[0], depth_max_m=depths[1]) == ("depth",)


def test_depths_of_the_sea_are_not_flagged() -> None:
    assert flags_of(depth_min_m=0.0, depth_max_m=10_900.0) == ()


def test_a_time_after_now_is_in_the_future() -> None:
    assert flags_of(time=NOW + timedelta(seconds=1)) == ("future", "clock")
    late = Sample(id="s", start=NOW + timedelta(days=30))
    assert flag_samples([late], now=NOW) == [("future",)]


@pytest.mark.parametrize(("days", "flags"), [(-4, ("clock",)), (-2, ()), (0.5, ()), (3, ()), (5, ("clock",))])
def test_a_time_far_outside_its_sample_is_a_wrong_clock(days: float, flags: tuple[str, ...]) -> None:
    assert flags_of(time=datetime(2020, 5, 1, tzinfo=UTC) + timedelta(days=days)) == flags


def test_times_with_and_without_a_zone_compare() -> None:
    assert flags_of(time=datetime(2020, 5, 1, 12)) == ()


def test_values_that_are_absent_are_not_flagged() -> None:
    assert flags_of() == ()
    assert flag_samples([Sample(id="s")], now=NOW) == [()]
    assert flag_samples([], now=NOW) == []


def test_every_flag_is_explained() -> None:
    assert set(FLAGS) == {"position", "on_land", "depth", "future", "clock"}


def test_the_share_of_land_is_that_of_the_globe() -> None:
    rng = np.random.default_rng(0)
    latitude = np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000)))
    found = is_inland(latitude, rng.uniform(-180, 180, 20_000), at_least_km=0)
    assert found.mean() == pytest.approx(0.292, abs=0.01)  # 29.2 % of the globe is land


def test_land_agrees_with_a_slow_count_of_crossings() -> None:
    rng = np.random.default_rng(1)
    latitudes, longitudes = rng.uniform(-89, 84, 16), rng.uniform(-180, 180, 16)

    def slow(latitude: float, longitude: float) -> bool:
        crossings = 0
        for ring in land_rings():
            for (lon1, lat1), (lon2, lat2) in zip(ring[:-1].tolist(), ring[1:].tolist(), strict=True):
                if (lat1 > latitude) != (lat2 > latitude):
                    crossings += longitude < lon1 + (latitude - lat1) / (lat2 - lat1) * (lon2 - lon1)
        return crossings % 2 == 1

    expected = [slow(*place) for place in zip(latitudes.tolist(), longitudes.tolist(), strict=True)]
    assert is_inland(latitudes, longitudes, at_least_km=0).tolist() == expected


def test_the_distance_to_the_coast_counts() -> None:
    # Paris is 144 km from the sea at the Seine's mouth and the Channel.
    assert is_inland([48.85], [2.35], at_least_km=100).all()
    assert not is_inland([47.22], [-1.55], at_least_km=60).any()  # Nantes is 50 km inland
    assert is_inland([47.22], [-1.55], at_least_km=10).all()


def test_many_particles_of_few_places_take_no_time() -> None:
    import time

    particles = [Particle(id=f"s/{n}", sample_id="s", latitude=43.68, longitude=7.31) for n in range(20_000)]
    is_inland([0.0], [0.0])
    began = time.perf_counter()
    flag_particles(particles, {}, now=NOW)
    assert time.perf_counter() - began < 2.0


def test_an_import_flags_samples_and_particles(tmp_path: Path) -> None:
    sample = Sample(id="s", latitude=48.85, longitude=2.35, flags=("simulated",))
    particles = [
        Particle(id="s/1", sample_id="s", listmode={"FWS Total": 1.0}, latitude=0.0, longitude=0.0),
        Particle(id="s/2", sample_id="s", listmode={"FWS Total": 2.0}, latitude=43.68, longitude=7.31),
    ]
    data = open_data_set(tmp_path / "data", create=True)
    judge = Judge(Table(data.path / "particles.lance"), Table(data.path / "samples.lance"))
    judge.take_sample(sample)
    judge.take("file", [examine(particle) for particle in particles])
    judge.finish(0.0)
    data.refresh()
    assert [one.flags for one in data.samples()] == [("simulated", "on_land")]
    found = [flags for batch in data.particles(["flags"]) for flags in batch.column("flags").to_pylist()]
    assert found == [["simulated", "position"], ["simulated"]]


def test_a_sample_that_comes_again_is_flagged_once(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "data", create=True)
    for depth in (None, 3.0):
        judge = Judge(Table(data.path / "particles.lance"), Table(data.path / "samples.lance"))
        judge.take_sample(Sample(id="s", latitude=48.85, longitude=2.35, depth_min_m=depth))
        judge.finish(0.0)
    data.refresh()
    assert [(one.flags, one.depth_min_m) for one in data.samples()] == [(("on_land",), 3.0)]


def test_real_files_are_flagged_where_they_are_wrong_and_nowhere_else(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "instruments"
    if not folder.is_dir():
        pytest.skip("no folder of real files (set SESTON_TEST_DATA to run this test)")
    data = open_data_set(tmp_path / "data", create=True)
    for name in ("ecotaxa-import", "ecotaxa-export", "uvp6", "zooscan", "planktoscope"):
        data.import_(folder / name, source=name)
    samples = {one.id: set(one.flags) & set(FLAGS) for one in data.samples()}
    wrong = {name: flags for name, flags in samples.items() if flags}
    # A sample that its authors made up lies at 18° N, 25.4° E, in the Sudan; the PlanktoScope was two years behind.
    assert wrong == {
        "ecotaxa-import:new_sample_id": {"on_land"},
        "planktoscope:Santa-cruz-wharf_20260304_WW": {"clock"},
    }
    flagged: dict[str, int] = {}
    for batch in data.particles(["flags"]):
        for flags in batch.column("flags").to_pylist():
            for flag in set(flags) & set(FLAGS):
                flagged[flag] = flagged.get(flag, 0) + 1
    assert flagged == {"on_land": 2, "clock": 856}


def test_info_counts_flags(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "data", create=True)
    judge = Judge(Table(data.path / "particles.lance"), Table(data.path / "samples.lance"))
    places = [(0.0, 0.0), (48.85, 2.35), (48.85, 2.35), (43.68, 7.31)]
    particles = [
        Particle(
            id=f"s/{row}", sample_id="s", listmode={"FWS Total": float(row)}, latitude=place[0], longitude=place[1]
        )
        for row, place in enumerate(places)
    ]
    judge.take("file", [examine(particle) for particle in particles])
    judge.finish(0.0)
    data.refresh()
    assert data.info().flags == {"on_land": 2, "position": 1}


def test_rows_are_flagged_as_records_are() -> None:
    rng = np.random.default_rng(3)
    start = datetime(2020, 5, 1, tzinfo=UTC)
    samples = {"a": Sample(id="a", start=start), "b": Sample(id="b")}

    def some(value: Any) -> Any:
        return value if rng.random() < 0.7 else None

    particles = [
        Particle(
            id=f"{name}/{number}",
            sample_id=name,
            listmode={"FWS Total": float(number)},
            latitude=some(float(rng.choice([0.0, 48.85, 43.68, -90.0, 95.0]))),
            longitude=some(float(rng.choice([0.0, 2.35, 7.31, 200.0]))),
            depth_min_m=some(float(rng.choice([-1.0, 5.0, 9_999.0]))),
            depth_max_m=some(float(rng.choice([3.0, 20_000.0]))),
            time=some(start + timedelta(days=float(rng.uniform(-10, 4_000)))),
            flags=("position",) if number % 5 == 0 else (),
        )
        for number in range(200)
        for name in ("a", "b", "unknown")
    ]
    rows = particles_to_table([examine(particle) for particle in particles])
    found = flag_rows(rows, samples, now=NOW).column("flags").to_pylist()
    own = flag_particles(particles, samples, now=NOW)
    expected = [
        [*particle.flags, *(flag for flag in flags if flag not in particle.flags)]
        for particle, flags in zip(particles, own, strict=True)
    ]
    assert found == expected
    assert {flag for flags in found for flag in flags} == set(FLAGS)


def test_rows_that_say_nothing_stay_the_same_rows() -> None:
    rows = particles_to_table([examine(Particle(id="s/1", sample_id="s", listmode={"FWS Total": 1.0}))])
    assert flag_rows(rows, {}, now=NOW) is rows
