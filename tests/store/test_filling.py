"""What is asked for elsewhere fills holes, never replaces what a file said, and says where it is from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from seston.particle import Particle, Sample
from seston.store import DataSet, open_data_set
from seston.store.examine import examine
from seston.store.filling import Found
from seston.store.judging import Judge
from seston.store.tables import Table

WHEN = datetime(2019, 7, 1, 12, tzinfo=UTC)
SEA = Found(source="server", latitude=43.6, longitude=7.3, depth_min_m=1.0, depth_max_m=2.0, time=WHEN)


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    made = open_data_set(tmp_path / "data", create=True)
    add(made, [Sample(id="s")], [particle("s/1"), particle("s/2"), particle("s/3", latitude=10.0, longitude=-30.0)])
    return made


def particle(name: str, **values: float) -> Particle:
    return Particle(id=name, sample_id=name.partition("/")[0], listmode={"FWS Total": hash(name) % 97}, **values)  # type: ignore[arg-type]


def add(data: DataSet, samples: Sequence[Sample], particles: Sequence[Particle]) -> None:
    judge = Judge(Table(data.path / "particles.lance"), Table(data.path / "samples.lance"))
    for sample in samples:
        judge.take_sample(sample)
    judge.take("file", [examine(one) for one in particles])
    judge.finish(0.0)
    data.refresh()


def nothing(ids: Sequence[str]) -> list[Found | None]:
    return [None] * len(ids)


def sea(ids: Sequence[str]) -> list[Found | None]:
    return [SEA] * len(ids)


def rows(data: DataSet) -> dict[str, dict[str, object]]:
    return {row["id"]: row for batch in data.particles() for row in batch.to_pylist()}


def test_what_is_missing_is_filled_in_with_its_source(data: DataSet) -> None:
    report = data.fill_in(lambda ids: [SEA if one == "s/1" else None for one in ids], nothing)
    assert (report.particles, report.samples) == (1, 0)
    assert report.values == {"position": 1, "depth": 1, "time": 1}
    filled, other = rows(data)["s/1"], rows(data)["s/2"]
    assert (filled["latitude"], filled["longitude"], filled["depth_max_m"], filled["time"]) == (43.6, 7.3, 2.0, WHEN)
    assert json.loads(str(filled["provenance"])) == dict.fromkeys(
        ("latitude", "longitude", "depth_min_m", "depth_max_m", "time"), "server"
    )
    assert (other["latitude"], other["provenance"]) == (None, None)


def test_what_a_file_said_stays(data: DataSet) -> None:
    data.fill_in(sea, nothing)
    row = rows(data)["s/3"]
    assert (row["latitude"], row["longitude"], row["depth_min_m"]) == (10.0, -30.0, 1.0)
    assert "latitude" not in json.loads(str(row["provenance"]))


def test_half_a_position_of_a_file_is_not_completed_by_another(data: DataSet) -> None:
    add(data, [], [particle("s/4", latitude=10.0)])
    data.fill_in(sea, nothing)
    assert rows(data)["s/4"]["longitude"] is None


def test_what_the_sample_says_holds_for_its_particles(data: DataSet) -> None:
    add(data, [Sample(id="t", latitude=50.0, longitude=-20.0)], [particle("t/1")])
    data.fill_in(sea, nothing)
    row = rows(data)["t/1"]
    assert (row["latitude"], row["depth_min_m"]) == (None, 1.0)


def test_a_position_inferred_for_a_whole_collection_gives_way(data: DataSet) -> None:
    provenance = MappingProxyType(dict.fromkeys(("latitude", "longitude"), "card whoi: from the paper"))
    add(data, [Sample(id="t", latitude=50.0, longitude=-20.0, provenance=provenance)], [particle("t/1")])
    data.fill_in(sea, nothing)
    assert rows(data)["t/1"]["latitude"] == 43.6


def test_flags_of_a_position_that_gives_way_go_with_it(data: DataSet) -> None:
    provenance = MappingProxyType(dict.fromkeys(("latitude", "longitude"), "card lake: from the paper"))
    add(data, [Sample(id="t", latitude=47.35, longitude=8.68, provenance=provenance, flags=("clock",))], [])
    assert next(one.flags for one in data.samples() if one.id == "t") == ("clock", "on_land")
    data.fill_in(nothing, sea)
    assert next(one.flags for one in data.samples() if one.id == "t") == ("clock",)


def test_samples_are_filled_in_too(data: DataSet) -> None:
    report = data.fill_in(nothing, sea)
    [sample] = data.samples()
    assert (sample.latitude, sample.depth_max_m, sample.start) == (43.6, 2.0, WHEN)
    assert sample.provenance["start"] == "server"
    assert (report.samples, report.particles) == (1, 0)


def test_particles_take_from_a_sample_that_was_just_filled_in(data: DataSet) -> None:
    assert data.fill_in(sea, sea).particles == 0


def test_new_values_are_flagged(data: DataSet) -> None:
    paris = Found(source="server", latitude=48.85, longitude=2.35, depth_min_m=-3.0)
    report = data.fill_in(lambda ids: [paris] * len(ids), nothing)
    assert rows(data)["s/1"]["flags"] == ["on_land", "depth"]
    assert report.flags == {"on_land": 2, "depth": 3}


def test_a_second_filling_changes_nothing(data: DataSet) -> None:
    data.fill_in(sea, nothing)
    version, before = data.version, rows(data)
    report = data.fill_in(lambda ids: [Found(source="other", latitude=1.0, longitude=2.0)] * len(ids), nothing)
    assert (report.particles, data.version) == (0, version)
    assert rows(data) == before


def test_order_and_everything_else_stay(data: DataSet) -> None:
    before = [{**row, "flags": None, "latitude": None, "longitude": None, "time": None} for row in rows(data).values()]
    data.fill_in(lambda ids: [SEA if one == "s/2" else None for one in ids], nothing)
    after = rows(data)
    assert data.ids() == ["s/1", "s/2", "s/3"]
    for row, new in zip(before, after.values(), strict=True):
        for name in ("id", "listmode", "listmode_names", "source", "licence"):
            assert new[name] == row[name]


def test_an_import_goes_on_afterwards(data: DataSet) -> None:
    data.fill_in(sea, nothing)
    add(data, [], [particle("s/9"), particle("s/1")])
    assert rows(data)["s/9"]["provenance"] is None
    assert rows(data)["s/1"]["latitude"] == 43.6
    data.compact()
    assert rows(data)["s/1"]["provenance"] is not None
