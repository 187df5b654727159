"""Logs of ISIIS tows: samples without particles."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from export_making import notes_of, records_of, sample_of, skipped_of

from seston.errors import InputError
from seston.store import open_data_set

PREAMBLE = "Cruise# test1\nDate: 10/16/10\n\nFlight Selection = Depth Undulate \n"
HEADER = "Time\tPressure (dbar)\tDepth (m)\tVol imaged (m3)\tAltitude (m)\tLat (decimals)\tLong (decimals)\tLong. x\n"
ROWS = [
    "23:59:59.50\t1.9\t1.8\t0.00\t9999.99\t32° 46'29.64N\t119° 07'8.46W\t7\n",
    "23:59:59.90\t1.9\t9999.99\t0.00\t9999.99\t32° 46'29.64N\t119° 07'8.46W\t7\n",
    "00:00:01.25\t40.0\t39.5\t0.00\t9999.99\t32° 47'0.00N\t119° 07'8.46W\t7\n",
]


def write_log(folder: Path, rows: list[str] = ROWS, *, name: str = "ISIIS201010162359.txt", end: str = "\n") -> Path:
    text = (PREAMBLE + HEADER + "".join(rows)).replace("\n", end)
    (folder / name).write_bytes(text.encode("cp1252"))
    return folder / name


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_log_is_a_sample_with_its_first_place_and_its_depths(tmp_path: Path, end: str) -> None:
    records = records_of(write_log(tmp_path, end=end))
    sample = sample_of(records)
    assert (sample.latitude, sample.longitude) == pytest.approx(
        (32 + 46 / 60 + 29.64 / 3600, -(119 + 7 / 60 + 8.46 / 3600))
    )
    assert (sample.depth_min_m, sample.depth_max_m) == (1.8, 39.5)
    assert sample.start == datetime(2010, 10, 16, 23, 59, 59, 500_000, tzinfo=UTC)
    assert sample.end == datetime(2010, 10, 17, 0, 0, 1, 250_000, tzinfo=UTC)  # past midnight
    assert sample.settings == {
        "Cruise": "test1",
        "Date": "10/16/10",
        "Flight Selection": "Depth Undulate",
        "readings": "3",
    }
    assert "zone is not said" in notes_of(records)
    assert not skipped_of(records)


def test_the_day_stands_in_the_text_where_the_name_has_none(tmp_path: Path) -> None:
    sample = sample_of(records_of(write_log(tmp_path, name="tow.txt")))
    assert sample.start == datetime(2010, 10, 16, 23, 59, 59, 500_000, tzinfo=UTC)
    assert sample.provenance["start"].startswith("tow.txt: Date (month/day/year)")


def test_a_line_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    records = records_of(write_log(tmp_path, [*ROWS, "00:00:02\tx\ty\n", "later\t1\t2\n"]))
    assert [(one.item, one.reason) for one in skipped_of(records)] == [
        ("line 9", "'y' is no number: left out"),
        ("line 10", "it has no time of day: left out"),
    ]


def test_a_sensor_that_sticks_is_pointed_out(tmp_path: Path) -> None:
    assert "4 of 7 readings repeat the depth before" in notes_of(
        records_of(write_log(tmp_path, [*ROWS, *[ROWS[2]] * 4]))
    )


def test_a_log_without_readings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no reading"):
        records_of(write_log(tmp_path, []))


def test_a_log_alone_makes_a_sample_of_a_data_set(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "data", create=True)
    data.import_(write_log(tmp_path))
    assert [sample.id for sample in data.samples()] == ["ISIIS201010162359"]


def test_a_real_log_has_all_its_readings(real_data: Path) -> None:
    folder = real_data / "instruments" / "isiis"
    if not folder.is_dir():
        pytest.skip("no log of an ISIIS among the real files")
    records = records_of(folder)
    sample = sample_of(records)
    with next(folder.rglob("ISIIS*.txt")).open(encoding="latin-1") as file:
        expected = sum(line[2:3] == ":" and line[5:6] == ":" for line in file)
    assert int(sample.settings["readings"]) == expected == 1989
    assert sample.start == datetime(2010, 10, 16, 18, 32, 55, 420_000, tzinfo=UTC)
    assert sample.latitude == pytest.approx(32.7749)
    assert not skipped_of(records)
