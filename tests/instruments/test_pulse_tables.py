"""Pulse tables in any locale, read back as they were written."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from export_making import profile, pulse_rows, table
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.number_text import parse_number
from seston.instruments.pulses import BadProfile, Profile, open_pulses, read_profiles
from seston.instruments.table_layout import layout_of
from seston.instruments.tables import read_blocks

CHANNELS = ("FWS", "SWS", "FL Red")

values = st.floats(0.0625, 8000, width=32)
profiles = st.integers(2, 12).flatmap(lambda samples: arrays(np.float64, (samples, 3), elements=values))
numbers = st.lists(st.integers(0, 99_999), min_size=1, max_size=8, unique=True)


def write(folder: Path, data: bytes) -> Path:
    path = folder / "pulses.csv"
    path.write_bytes(data)
    return path


def read_back(data: bytes, block_bytes: int = 1 << 21) -> tuple[dict[int, NDArray[np.float32]], list[BadProfile]]:
    with TemporaryDirectory() as folder:
        found = list(read_profiles(open_pulses(write(Path(folder), data)), block_bytes=block_bytes))
    good = {record.number: record.values for record in found if isinstance(record, Profile)}
    return good, [record for record in found if isinstance(record, BadProfile)]


@settings(deadline=None, max_examples=100)
@given(
    numbers=numbers,
    shapes=st.lists(profiles, min_size=8, max_size=8),
    locale=st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")]),
    ending=st.sampled_from(["zero id", "own id", "none"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    block_bytes=st.sampled_from([64, 200, 1 << 21]),
    trailing=st.booleans(),
)
def test_profiles_come_back_in_any_locale_ending_and_block_size(
    numbers: list[int],
    shapes: list[NDArray[np.float64]],
    locale: tuple[str, str],
    ending: str,
    end: str,
    encoding: str,
    block_bytes: int,
    trailing: bool,
) -> None:
    separator, decimal = locale
    written = dict(zip(numbers, shapes, strict=False))
    text = table(["Particle ID", *CHANNELS], pulse_rows(written, ending), separator, decimal, "\n")
    if trailing:
        text = text.replace("\n", f"{separator}\n")
    good, bad = read_back(text.replace("\n", end).encode(encoding), block_bytes)
    assert not bad
    assert list(good) == list(written)
    for number, rows in written.items():
        np.testing.assert_array_equal(good[number], rows.astype(np.float32).T)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_no_damage_to_the_bytes_makes_the_reader_fail_or_invent_a_profile(data: st.DataObject) -> None:
    written = {number: profile(5, start=number / 2) for number in (1, 5, 9)}
    clean = table(["Particle ID", *CHANNELS], pulse_rows(written)).encode()
    place = data.draw(st.integers(30, len(clean) - 1))
    length = data.draw(st.integers(0, 30))
    junk = data.draw(st.binary(max_size=12))
    try:
        good, _ = read_back(clean[:place] + junk + clean[place + length :])
    except InputError:
        return
    for values in good.values():
        assert np.isfinite(values).all()
        assert values.shape[0] == 3
        assert values.shape[1] >= 2


@pytest.mark.parametrize("block_bytes", [16, 33, 100, 1000])
def test_a_bad_row_is_named_by_its_line_whatever_the_blocks(block_bytes: int) -> None:
    lines = table(["Particle ID", *CHANNELS], pulse_rows({number: profile(4) for number in range(1, 20)})).split("\r\n")
    lines[50] = "9,1,2"
    _, (bad,) = read_back("\r\n".join(lines).encode(), block_bytes)
    assert bad.number == 9
    assert "line 51 has 3 fields where the header has 4" in bad.reason


def test_an_endless_profile_is_skipped_and_memory_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seston.instruments.pulses._LONGEST_PROFILE", 100)
    good, bad = read_back(
        table(["Particle ID", *CHANNELS], pulse_rows({1: profile(5), 2: profile(1000), 3: profile(6)})).encode(), 500
    )
    assert set(good) == {1, 3}
    assert [record.number for record in bad] == [2]


def test_quoted_headers_and_names_of_rows_are_those_of_r() -> None:
    text = '"ID","FWS","SWS"\n"1",7,1.5,2.5\n"2",7,3.5,4.5\n"3",8,1,2\n"4",8,3,4\n'
    good, bad = read_back(text.encode())
    assert not bad
    np.testing.assert_array_equal(good[7], np.array([[1.5, 3.5], [2.5, 4.5]], dtype=np.float32))


def test_exponents_with_decimal_commas() -> None:
    good, _ = read_back(b"Particle ID;FWS;SWS\r\n1;6,305E+05;-4,172E-07\r\n1;1E+01;0,5\r\n")
    np.testing.assert_array_equal(good[1], np.array([[630500, 10], [-4.172e-07, 0.5]], dtype=np.float32))


def test_marks_between_thousands_are_told_from_decimal_marks() -> None:
    good, bad = read_back(b"ID;FWS;SWS\n1;1.234,5;12.345.678\n1;0,5;999\n2;2.000;1,25\n2;3,5;4,5\n")
    assert not bad
    np.testing.assert_array_equal(good[1], np.array([[1234.5, 0.5], [12345678, 999]], dtype=np.float32))
    np.testing.assert_array_equal(good[2], np.array([[2000, 3.5], [1.25, 4.5]], dtype=np.float32))


def test_a_row_in_another_locale_is_not_misread() -> None:
    good, (bad,) = read_back(b"ID;FWS;SWS\n1;1,5;2,5\n1;3,5;4,5\n2;1.5;2.25\n2;3,5;4,5\n3;1,5;2,5\n3;1,25;2,5\n")
    assert set(good) == {1, 3}
    assert bad.number == 2


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1,5", ",", 1.5),
        ("1.234,5", ",", 1234.5),
        ("1,234.5", ".", 1234.5),
        ("0.123", ",", None),
        ("12.5", ",", None),
        ("1 234,5".replace(" ", "\u202f"), ",", 1234.5),
        ("1_0", ".", None),
        ("", ".", math.nan),
        ("Non Numérique", ",", math.nan),
        ("+Infini", ",", math.inf),
        ("6,305E+05", "", 630500),
        ("1.234,5", "", 1234.5),
        ("word", "", None),
    ],
)
def test_numbers_of_any_locale(text: str, decimal: str, number: float | None) -> None:
    found = parse_number(text, decimal)
    assert found == number or (found is not None and number is not None and math.isnan(found) and math.isnan(number))


@given(st.binary(max_size=400))
def test_any_bytes_have_a_layout_or_a_plain_refusal(data: bytes) -> None:
    with suppress(InputError):
        assert layout_of(data).width >= 1


def test_blocks_hold_every_row_once(tmp_path: Path) -> None:
    path = write(tmp_path, table(["a", "b"], [[row, row / 4] for row in range(1000)]).encode())
    layout = layout_of(path.read_bytes())
    blocks = list(read_blocks(path, layout, block_bytes=777))
    assert len(blocks) > 5
    np.testing.assert_array_equal(np.concatenate([block.numbers[0] for block in blocks]), np.arange(1000))
    assert [block.line_of(0) for block in blocks] == [int(block.numbers[0][0]) + 2 for block in blocks]


def test_a_column_of_words_spoils_no_row() -> None:
    good, bad = read_back(b"ID,FWS,SWS,remark\n1,1.5,2.5,fine\n1,3.5,4.5,so so\n2,1,2,\n2,3,4,bad\n")
    assert not bad
    np.testing.assert_array_equal(good[1], np.array([[1.5, 3.5], [2.5, 4.5]], dtype=np.float32))
    assert good[2].shape == (2, 2)


def test_every_profile_without_an_id_is_said() -> None:
    ending = "0,0,0\n0,0,0\n"
    text = "".join(f"{number},1,2\n{number},2,3\n{ending}" for number in ("1", "", "3", ""))
    good, bad = read_back(f"ID,FWS,SWS\n{text}".encode())
    assert set(good) == {1, 3}
    assert [(record.number, record.line) for record in bad] == [(None, 6), (None, 14)]


def test_a_file_of_bad_rows_alone_takes_no_endless_time() -> None:
    rows = "".join(f"{row // 50},what,2\n" for row in range(20_000))
    good, bad = read_back(f"ID,FWS,SWS\n0,1,2\n0,3,4\n{rows}".encode())
    assert not good
    assert len(bad) == 400
