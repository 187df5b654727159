"""Shards in the form of Planktonzilla-17M, written here as the Hub has them: with float32 positions and no licences."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import simplejpeg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seston.errors import InputError
from seston.instruments import Record, find_sources, read
from seston.particle import Note, Particle, Sample, Skipped

_RANKS = ("Kingdom", "Phylum", "Class", "Order", "Family", "Genus", "Species")
_TEXTS = ("dataset", "original_label", "original_path", *_RANKS, "proposed_label", "root_class", "qualifier", "ObjID")
_NUMBERS = ("Latitude", "Humidity", "Temperature", "Longitude", "Depth_max", "Depth_min")


def _picture(seed: int, size: int = 12) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (size, size, 1), dtype=np.uint8)
    encoded: bytes = simplejpeg.encode_jpeg(pixels, colorspace="GRAY")
    return encoded


def _row(number: int, **changed: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys((*_TEXTS, *_NUMBERS, "timestamp"))
    row |= {
        "image": {"bytes": _picture(number), "path": f"{number}.jpg"},
        "dataset": "zooscan",
        "original_label": "Calanidae",
        "original_path": f"/Calanidae/{number}.jpg",
        "Kingdom": "animalia",
        "plankton": True,
        "Latitude": 43.5,
        "Longitude": 7.25,
        "Depth_min": 3.0,
        "Depth_max": 3.0,
        "timestamp": "2011-03-04",
        "ObjID": str(5000 + number),
    }
    return row | changed


def _write(path: Path, rows: Iterable[dict[str, Any]], **options: Any) -> Path:
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields = [("image", image), *((name, pa.string()) for name in (*_TEXTS, "timestamp")), ("plankton", pa.bool_())]
    schema = pa.schema([*fields, *((name, pa.float32()) for name in _NUMBERS)])
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path, **options)
    return path


def _records(path: Path) -> list[Record]:
    sources, _ = find_sources([path])
    assert [source.reader for source in sources] == ["planktonzilla"]
    return list(read(sources[0]))


def test_rows_keep_source_label_place_time_and_licence(tmp_path: Path) -> None:
    _write(tmp_path / "data" / "train-00000-of-00187.parquet", [_row(1), _row(2, dataset="zoolake", Latitude=None)])
    records = _records(tmp_path)
    samples = [one for one in records if isinstance(one, Sample)]
    first, second = (one for one in records if isinstance(one, Particle))
    assert [(one.id, one.instrument) for one in samples] == [
        ("zooscan", "ZooScan"),
        ("zoolake", "Dual Scripps Plankton Camera"),
    ]
    assert first.id == "zooscan/Calanidae/1@0.0"
    assert (first.source, first.raw_label, first.raw_status) == ("zooscan", "Calanidae", None)
    assert (first.latitude, first.longitude, first.depth_min_m, first.depth_max_m) == (43.5, 7.25, 3.0, 3.0)
    assert first.time == datetime(2011, 3, 4, tzinfo=UTC)
    assert (first.licence, first.attribution) == ("CC-BY-NC-4.0", "doi:10.17882/55741")
    assert first.image == _picture(1)
    assert (second.licence, second.latitude, second.longitude) == ("CC0-1.0", None, None)


def test_a_bin_of_an_ifcb_is_a_sample_with_its_own_place_and_sensors(tmp_path: Path) -> None:
    rows = [
        _row(n, dataset="whoi", ObjID=f"IFCB1_2008_073_15234{n // 2}", Temperature=11.5, Humidity=50.0)
        for n in range(4)
    ]
    _write(tmp_path / "train-00000.parquet", rows)
    records = _records(tmp_path)
    samples = [one for one in records if isinstance(one, Sample)]
    assert [one.id for one in samples] == ["whoi/IFCB1_2008_073_152340", "whoi/IFCB1_2008_073_152341"]
    assert (samples[0].latitude, samples[0].start) == (43.5, datetime(2011, 3, 4, tzinfo=UTC))
    assert samples[0].settings == {"humidity": "50.0", "temperature": "11.5"}
    particles = [one for one in records if isinstance(one, Particle)]
    assert [(one.time, one.latitude) for one in particles] == [(None, None)] * 4


def test_a_licence_in_the_shard_counts_more_than_the_table(tmp_path: Path) -> None:
    path = _write(tmp_path / "train.parquet", [_row(1)])
    table = pq.read_table(path).append_column("license", pa.array(["cc-by-sa-4.0"]))
    pq.write_table(table, path)
    (particle,) = (one for one in _records(tmp_path) if isinstance(one, Particle))
    assert particle.licence == "CC-BY-SA-4.0"


def test_rows_that_cannot_be_used_cost_only_themselves(tmp_path: Path) -> None:
    rows = [_row(1, timestamp="soon"), _row(2, image=None), _row(3, Latitude=float("nan")), _row(4, dataset=None)]
    _write(tmp_path / "train.parquet", rows)
    records = _records(tmp_path)
    particles = [one for one in records if isinstance(one, Particle)]
    assert particles[0].time is None
    assert [one.image is None for one in particles] == [False, True, False, False]
    assert (particles[2].latitude, particles[2].longitude) == (None, None)
    assert particles[3].source == "planktonzilla"
    assert [one.text for one in records if isinstance(one, Note)] == [
        "1 rows have a time that cannot be read: left empty"
    ]


def test_a_damaged_shard_costs_only_itself(tmp_path: Path) -> None:
    _write(tmp_path / "train-00000.parquet", [_row(1)])
    bad = _write(tmp_path / "train-00001.parquet", [_row(n) for n in range(300)])
    content = bytearray(bad.read_bytes())
    content[2000:9000] = bytes(7000)
    bad.write_bytes(content)
    records = _records(tmp_path)
    assert sum(isinstance(one, Particle) for one in records) >= 1
    (skipped,) = (one for one in records if isinstance(one, Skipped))
    assert "damaged" in skipped.reason
    (tmp_path / "train-00000.parquet").unlink()
    sources, _ = find_sources([tmp_path])
    with pytest.raises(InputError, match="damaged"):
        list(read(sources[0]))


def test_other_parquet_files_are_left_alone(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": ["x"], "dataset": ["y"], "original_label": ["z"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_bytes(b"PAR1 and then nothing of the kind")
    sources, claims = find_sources([tmp_path])
    assert sources == []
    assert [claim.reader for claim in claims] == [None, None, None]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 6000), junk=st.binary(min_size=1, max_size=200))
def test_whatever_is_in_a_shard_a_read_ends_in_records_or_an_input_error(
    tmp_path: Path, shard_bytes: bytes, place: int, junk: bytes
) -> None:
    content = bytearray(shard_bytes)
    content[place % len(content) : place % len(content) + len(junk)] = junk
    path = tmp_path / "train.parquet"
    path.write_bytes(content)
    sources, _ = find_sources([path])
    for source in sources:
        with contextlib.suppress(InputError):
            assert all(isinstance(one, Sample | Particle | Skipped | Note) for one in read(source))


@pytest.fixture(scope="module")
def shard_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("fuzz") / "train.parquet"
    return _write(path, [_row(n) for n in range(6)]).read_bytes()


_PEAK = """
import json, sys
from pathlib import Path
from seston.instruments import find_sources, read
(source,), _ = find_sources([Path(sys.argv[1])])
n = sum(1 for _ in read(source))
status = Path("/proc/self/status").read_text()
print(json.dumps([n, int(status.partition("VmHWM:")[2].split()[0]) // 1024]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory of a process is read as on Linux")
def test_memory_does_not_grow_with_the_shards(tmp_path: Path) -> None:
    peaks = []
    for shards in (1, 4):
        for shard in range(shards):
            rows = (_row(n, image={"bytes": b"\xff\xd8\xff" + bytes(99_997), "path": ""}) for n in range(1000))
            folder = tmp_path / str(shards)
            _write(folder / f"train-{shard:05d}.parquet", rows, compression="none", row_group_size=500)
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, str(tmp_path / str(shards))], capture_output=True, text=True, check=True
        )
        number, peak = json.loads(done.stdout)
        assert number == 1000 * shards + 1
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 40, peaks
    assert peaks[1] < 350, peaks
