"""Tables in EcoTaxa's layout as text: encodings, line ends, quote marks, types, widths; and their single cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seston.errors import InputError
from seston.instruments.ecotaxa_cells import parse_coordinate, parse_date, parse_depth, parse_real, parse_time
from seston.instruments.ecotaxa_table import looks_like_ecotaxa, read_header, read_rows

SIMPLE = "object_id\tobject_area\tobject_note\n[t]\t[f]\t[t]\na\t1\tMéteor\nb\t2\tMéteor\n"


def opener(data: bytes) -> Callable[[], io.BytesIO]:
    return lambda: io.BytesIO(data)


def cells_of(data: bytes) -> list[list[str]]:
    header = read_header(opener(data))
    return [row.cells[:-1] for row in read_rows(opener(data), header)]


@pytest.mark.parametrize(
    "data",
    [
        SIMPLE.encode(),
        SIMPLE.encode("utf-8-sig"),
        SIMPLE.encode("latin-1"),
        SIMPLE.encode("utf-16"),
        SIMPLE.replace("\n", "\r\n").encode(),
        SIMPLE.replace("\n", "\r").encode(),
        SIMPLE.rstrip("\n").replace("\n", "\r").encode() + b"\r\n",
        SIMPLE.rstrip("\n").encode(),
        SIMPLE.replace("[t]\t[f]\t[t]\n", "").encode(),
        SIMPLE.replace("[t]\t[f]\t[t]", "[T]\t[F]\t").encode(),
        SIMPLE.replace("object_id", '"Object_ID "').replace("Méteor", '"Méteor"').encode(),
        SIMPLE.replace("\nb", "\n\n\nb").encode(),
    ],
)
def test_the_same_table_however_it_is_written(data: bytes) -> None:
    header = read_header(opener(data))
    assert header.names == ("object_id", "object_area", "object_note")
    assert header.faults == ()
    assert cells_of(data) == [["a", "1", "Méteor"], ["b", "2", "Méteor"]]


def test_lines_are_counted_with_the_header_and_the_types() -> None:
    header = read_header(opener(SIMPLE.encode()))
    assert [row.line for row in read_rows(opener(SIMPLE.encode()), header)] == [3, 4]


def test_a_short_row_is_filled_up_and_a_long_one_is_named() -> None:
    text = "object_id\tobject_area\na\nb\t1\t\t\nc\t1\t2\t3\n"
    header = read_header(opener(text.encode()))
    rows = list(read_rows(opener(text.encode()), header))
    assert [row.cells for row in rows] == [["a", "", ""], ["b", "1", ""], ["c", "1", ""]]
    assert [row.trouble for row in rows] == ["", "", "2 cells stand beyond the header's 2 columns"]


def test_a_quoted_cell_may_hold_tabs_marks_and_line_breaks() -> None:
    text = 'object_id\tobject_note\n"a"\t"one\ttwo ""three""\nfour"\nb\tfive\n'
    assert cells_of(text.encode()) == [["a", 'one\ttwo "three"\nfour'], ["b", "five"]]


def test_a_mark_that_is_never_closed_costs_no_other_row() -> None:
    lines = [f"o{number}\tplain" for number in range(200)]
    lines[3] = 'o3\t"5 inch'
    found = cells_of(("object_id\tobject_note\n" + "\n".join(lines)).encode())
    assert [cells[0] for cells in found] == [f"o{number}" for number in range(200)]


def test_a_mark_within_a_cell_stands_for_itself() -> None:
    assert cells_of(b'object_id\tobject_note\na\t5" net\n') == [["a", '5" net']]


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\r\x00\ufeff")),
            min_size=2,
            max_size=2,
        ),
        max_size=6,
    )
)
def test_quoted_rows_equal_those_of_the_csv_module(rows: list[list[str]]) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        [["object_id", "object_note"], ["[t]", "[t]"], *rows]
    )
    broken = any(cell.count("\n") > 60 for row in rows for cell in row)
    if not broken:
        assert cells_of(written.getvalue().encode()) == rows


@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_an_input_error(data: bytes) -> None:
    table = opener(b"object_id\tobject_area\tsample_id\n" + data)
    try:
        header = read_header(table)
        widths = {len(row.cells) for row in read_rows(table, header)}
    except InputError:
        return
    assert widths <= {len(header.names) + 1}


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            assert self.given < 64 << 20
            return b"x" * size

    with pytest.raises(InputError, match="longer than"):
        read_header(lambda: Endless())  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("header", "column", "said"),
    [
        ("object_id\tnames", "names", "without an underscore"),
        ("object_id\tunknown_x", "unknown_x", "must begin with one of"),
        ("object_id\tacq_x", "acq_id", "columns acq_… but not acq_id"),
    ],
)
def test_a_column_that_ecotaxa_refuses_is_named(header: str, column: str, said: str) -> None:
    faults = dict(read_header(opener(f"{header}\na\tb\n".encode())).faults)
    assert said in faults[column]


def test_columns_that_exports_add_are_no_faults() -> None:
    header = read_header(opener(b"object_id\tobjid\tprocessid_internal\tclassif_auto_score\tcomplement_info\n1\t2\n"))
    assert header.faults == ()


def test_of_a_name_that_occurs_twice_the_first_column_counts() -> None:
    header = read_header(opener(b"object_id\tobject_Mean\tobject_mean\na\t1\t2\n"))
    assert header.columns["object_mean"] == 1
    assert header.oddities == ("the column object_mean occurs twice: the first one is read",)


@pytest.mark.parametrize(("data", "said"), [(b"", "is empty"), (b"a_b\tc_d\n1\t2\n", "no column object_id")])
def test_a_table_that_is_none_says_why(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_header(opener(data))


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b"object_id\timg_file_name\n", True),
        (b'\xef\xbb\xbf"object_id"\t"object_lat"\n', True),
        (b"objid\tacq_threshold\n", False),
        (b"Particle ID\tFWS Total\n", False),
        (b"sampleid\tstatus\ttaxonid\tcount\n", False),
    ],
)
def test_a_table_is_known_by_its_columns(head: bytes, *, known: bool) -> None:
    assert looks_like_ecotaxa(head) is known


@pytest.mark.parametrize(
    ("text", "limit", "value"),
    [
        ("43.5", 90, 43.5),
        ("-24,4166", 180, -24.4166),
        ("43°12 30", 90, 43 + 12 / 60 + 30 / 3600),
        ("43°0 0", 90, 43.0),
        ("-17°30 0", 180, -17.5),
        ("43Â°30 0", 90, 43.5),
        ("32° 46'29.64N", 90, 32 + 46 / 60 + 29.64 / 3600),
        ("17°30'0\"W", 180, -17.5),
        ("", 90, None),
        ("NaN", 90, None),
        ("99999", 90, None),
    ],
)
def test_positions_are_read_in_degrees_or_degrees_minutes_seconds(text: str, limit: float, value: float | None) -> None:
    found, reason = parse_coordinate(text, limit)
    assert found == (value if value is None else pytest.approx(value, abs=1e-12))
    assert reason == ""


@pytest.mark.parametrize(
    ("text", "limit"), [("100", 90), ("200", 180), ("43°61 0", 90), ("somewhere", 90), ("1 2", 90)]
)
def test_positions_that_cannot_be_are_refused(text: str, limit: float) -> None:
    found, reason = parse_coordinate(text, limit)
    assert found is None
    assert text in reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("420", time(4, 20)),
        ("0420", time(4, 20)),
        ("042000", time(4, 20)),
        ("93804", time(9, 38, 4)),
        ("08:28:00.000", time(8, 28)),
        ("020139.315", time(2, 1, 39)),
        ("5", time(0, 5)),
        ("", None),
    ],
)
def test_times_of_day_are_filled_up(text: str, value: time | None) -> None:
    assert parse_time(text) == (value, "")


@pytest.mark.parametrize("text", ["9920", "5:31", "246000", "noon", "1234567"])
def test_times_that_cannot_be_are_refused(text: str) -> None:
    assert parse_time(text)[0] is None
    assert "no time of day" in parse_time(text)[1]


@given(st.dates())
def test_dates_are_read_in_both_forms(day: date) -> None:
    assert parse_date(f"{day.year:04}{day:%m%d}") == (day, "")
    assert parse_date(day.isoformat()) == (day, "")


@pytest.mark.parametrize("text", ["20140433", "2015-11-31", "2015/11/30", "20151"])
def test_dates_that_cannot_be_are_refused(text: str) -> None:
    assert parse_date(text)[0] is None
    assert "no date" in parse_date(text)[1]


def test_numbers_that_say_not_known_are_none() -> None:
    assert [parse_real(text)[0] for text in ("", "nan", "NA", "-inf", "1,5", "2.5")] == [
        None,
        None,
        None,
        None,
        1.5,
        2.5,
    ]
    assert [parse_depth(text)[0] for text in ("9999", "99999", "12")] == [None, None, 12.0]
    assert parse_real("test") == (None, "'test' is no number")
