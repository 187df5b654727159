"""Info texts: dates, volumes, triggers, comments."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seston.errors import InputError
from seston.instruments.info_text import looks_like_info, parse_date, parse_info, read_info, sample_of_info
from seston.particle import Sample


@pytest.mark.parametrize(
    ("text", "clock", "moment", "ambiguous"),
    [
        ("2022-09-14 12:28:42", None, datetime(2022, 9, 14, 12, 28, 42), False),
        ("24/05/2023 09:26:01", None, datetime(2023, 5, 24, 9, 26, 1), False),
        ("05/24/2023 9:26:01 PM", None, datetime(2023, 5, 24, 21, 26, 1), False),
        ("05/04/2023 09:26:01", None, datetime(2023, 4, 5, 9, 26, 1), True),
        ("05/04/2023 09:26:01", datetime(2023, 5, 4, 9, 23), datetime(2023, 5, 4, 9, 26, 1), False),
        ("05/04/2023 09:26:01", datetime(2023, 4, 5, 9, 23), datetime(2023, 4, 5, 9, 26, 1), False),
        ("4.5.2023 9:26", datetime(2023, 5, 4, 9, 23), datetime(2023, 5, 4, 9, 26), False),
        ("05/05/2023 09:26:01", None, datetime(2023, 5, 5, 9, 26, 1), False),
        ("12/25/2023 12:05:00 AM", None, datetime(2023, 12, 25, 0, 5), False),
        ("31/31/2023 09:26:01", None, None, False),
        ("yesterday", None, None, False),
    ],
)
def test_dates_of_any_locale(text: str, clock: datetime | None, moment: datetime | None, ambiguous: bool) -> None:
    assert parse_date(text, clock) == (moment, ambiguous)


def test_an_ambiguous_date_is_said(tmp_path: Path) -> None:
    info = parse_info("Instrument: A\nMeasurement date: 05/04/2023 09:26:01\n")
    sample, notes = sample_of_info(info, Sample(id="a"), "Info.txt")
    assert sample.start is not None
    assert sample.start.isoformat() == "2023-04-05T09:26:01+00:00"
    assert "may mean two days" in notes[0]
    assert "taken as UTC" in sample.provenance["start"]


def test_the_level_in_millivolt_is_the_trigger_s() -> None:
    info = parse_info(
        "Trigger level constant: 1,067069\nTrigger level 1: 12\nTrigger level 1 (mV): 9,53\n"
        "Channel 1: FL Red  - TRIGGER\n"
    )
    sample, _ = sample_of_info(info, Sample(id="a"), "Info.txt")
    assert sample.trigger == "FL Red > 9.53 mV"
    assert sample.settings["Trigger level 1"] == "12"


def test_comments_of_several_lines_end_at_the_next_key() -> None:
    info = parse_info(
        "User Comments: first\nsecond: with a colon\n\nMeasurement date: 2022-09-14 12:28:42\nMeasurement duration: 3\n"
    )
    assert info.comments == "first\nsecond: with a colon"
    assert info.values["duration"] == ("Measurement duration", "3")


def test_a_value_that_is_no_number_leaves_the_field_empty() -> None:
    info = parse_info(
        "Instrument: A\nCore speed: NaN\nVolume (μL): unknown\nFlow rate (μL/sec): 2\nMeasurement duration: ∞\n"
    )
    sample, _ = sample_of_info(info, Sample(id="a"), "Info.txt")
    assert (sample.core_speed_m_s, sample.volume_analysed_ml, sample.volume_sampled_ml) == (None, None, None)


def test_unknown_keys_are_kept_as_settings() -> None:
    sample, _ = sample_of_info(parse_info("Instrument: A\nMood of the sea: calm\n"), Sample(id="a"), "Info.txt")
    assert sample.settings["Mood of the sea"] == "calm"


@given(st.text(max_size=300))
def test_any_text_is_parsed_without_failing(text: str) -> None:
    sample_of_info(parse_info(text), Sample(id="a"), "Info.txt")


@pytest.mark.parametrize("data", [b"", b"no key here", b"\x00\x01\x02"])
def test_a_file_without_a_known_key_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a_Info.txt"
    path.write_bytes(data)
    with pytest.raises(InputError):
        read_info(path)
    assert not looks_like_info(data)
