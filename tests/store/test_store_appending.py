from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
from store_making import particle, picture, put

from seston.particle import Annotation, Sample
from seston.store import PARTICLES, open_data_set
from seston.store.keys import Keys, content_keys, id_keys


def _rows(numbers: list[int], **columns: Sequence[object]) -> tuple[pa.Table, list[str], list[str]]:
    ids = [f"s/{n}" for n in numbers]
    images = [picture(n % 5) for n in numbers]
    hashes = [hashlib.sha256(image).hexdigest() for image in images]
    given: dict[str, Sequence[object]] = {"id": ids, "sample_id": ["s"] * len(ids), "flags": [[]] * len(ids)}
    given |= {"image": images, "image_hash": hashes}
    given |= columns
    arrays = [pa.array(given.get(field.name, [None] * len(ids)), field.type) for field in PARTICLES]
    return pa.table(arrays, schema=PARTICLES), ids, hashes


def test_rows_are_added_once_and_repeats_are_flagged(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    with data.appending() as appender:
        appender.add(*_rows([0, 1, 2]))
        assert appender.are_there(["s/0", "s/2", "s/3"]).tolist() == [True, True, False]
        appender.add(*_rows([3, 4, 5, 6]))
    with data.appending() as appender:
        assert appender.are_there(["s/6", "s/7"]).tolist() == [True, False]
        appender.add(*_rows([7]))
    flags = {row["id"]: row["flags"] for batch in data.particles(["id", "flags"]) for row in batch.to_pylist()}
    assert [name for name, found in flags.items() if "duplicate" in found] == ["s/5", "s/6", "s/7"]
    assert data.count_rows() == 8


def test_what_cannot_be_true_is_flagged(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    times = [datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC), None]
    with data.appending() as appender:
        appender.take_sample(Sample(id="s", latitude=91.0, longitude=0.0))
        appender.add(*_rows([0, 1, 2], time=times, latitude=[None, None, 0.0], longitude=[None, None, 0.0]))
    flags = [row["flags"] for batch in data.particles(["flags"]) for row in batch.to_pylist()]
    assert flags == [[], ["future"], ["position"]]
    assert data.samples()[0].flags == ("position",)


def test_a_sample_gains_what_it_lacked(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    for given in (Sample(id="s", instrument="IFCB"), Sample(id="s", instrument="UVP6", n_imaged=3)):
        with data.appending() as appender:
            appender.take_sample(given)
    assert [(one.instrument, one.n_imaged) for one in data.samples()] == [("IFCB", 3)]


def test_an_older_data_set_gets_the_columns_that_it_lacks(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, image=picture(1))])
    table = lance.dataset(str(tmp_path / "d" / "particles.lance"))
    table.drop_columns(["image_fingerprint"])
    data = open_data_set(tmp_path / "d")
    assert "image_fingerprint" not in data.columns()
    with data.appending() as appender:
        appender.add(*_rows([2], image_fingerprint=[7]))
    prints = [row for batch in data.particles(["image_fingerprint"]) for row in batch.to_pylist()]
    assert [row["image_fingerprint"] for row in prints] == [None, 7]


def test_particles_are_taken_out(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n)) for n in range(6)])
    data = open_data_set(tmp_path / "d")
    data.remove(["a/1", "a/4", "a/99"])
    assert data.ids() == ["a/0", "a/2", "a/3", "a/5"]


def test_info_counts_labels_as_they_hold_now(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n), label="b" if n % 2 else None) for n in range(8)])
    data = open_data_set(tmp_path / "d")
    for n, label in ((0, "c"), (1, "c"), (2, "b")):
        said = Annotation(particle_id=f"a/{n}", label=label, status="validated", author="x", time=datetime.now(UTC))
        data.annotate(said)
    counted: dict[str, int] = {}
    for label in data.labels().values():
        counted[label] = counted.get(label, 0) + 1
    assert data.info().labels == counted == {"b": 4, "c": 2}


def test_keys_are_held_also_when_there_are_many() -> None:
    keys, chance = Keys(), np.random.default_rng(0)
    given = chance.integers(-(2**62), 2**62, 200_000)
    for start in range(0, len(given), 30_000):
        keys.add(given[start : start + 30_000])
    assert keys.hold(given).all()
    assert not keys.hold(given + 1).any()
    assert content_keys(["00ff" + 60 * "0", None, "ffffffffffffffff"]).tolist() == [0x00FF << 48, 0, -1]
    assert len(set(id_keys(["a", "b", "a"]).tolist())) == 2
