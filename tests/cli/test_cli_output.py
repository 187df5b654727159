"""How results are shown: JSON of whatever a room gives back, tables that are never cut, skipped items in groups."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seston.cli.output import Outcome, Table, note_lines, show, skipped_document, skipped_lines, write_json
from seston.particle import Note, Skipped


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    where: Path
    value: float | None


def _json_of(document: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> Any:
    write_json(document)
    return json.loads(capsys.readouterr().out)


def test_json_holds_records_numbers_of_numpy_paths_and_times(capsys: pytest.CaptureFixture[str]) -> None:
    document = {
        "row": _Row("a", Path("x/y"), 1.5),
        "float": np.float32(0.5),
        "array": np.arange(3),
        "time": datetime(2026, 3, 1, tzinfo=UTC),
    }
    assert _json_of(document, capsys) == {
        "row": {"name": "a", "where": str(Path("x/y")), "value": 1.5},
        "float": 0.5,
        "array": [0, 1, 2],
        "time": "2026-03-01T00:00:00Z",
    }


def test_json_says_null_for_what_is_not_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert _json_of({"a": float("nan"), "b": float("inf"), "c": None}, capsys) == {"a": None, "b": None, "c": None}


def test_json_survives_a_file_name_that_is_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    written = _json_of(
        {"path": name, "time": datetime(2026, 3, 1, tzinfo=UTC), "rows": [_Row(name, Path("p"), None)]}, capsys
    )
    assert written["path"].startswith("caf")
    assert written["rows"][0]["name"].endswith(".jpg")
    assert written["time"].startswith("2026-03-01")


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(document=st.dictionaries(st.text(), _JSON, max_size=4))
def test_any_document_comes_back_as_it_was(document: dict[str, Any]) -> None:
    import contextlib
    import io

    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        write_json(document)
    assert json.loads(written.getvalue()) == json.loads(json.dumps(document).encode("utf-8", "replace").decode())


def test_a_table_in_a_pipe_is_not_cut_however_wide_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 500
    show(
        Outcome(
            document={}, blocks=(Table(("name", "n", "share"), [(long, 1234567, 0.123456), ("b", None, float("nan"))]),)
        ),
        as_json=False,
    )
    lines = capsys.readouterr().out.splitlines()
    assert any(long in line and "1,234,567" in line and "0.1235" in line for line in lines)
    assert not any(line.endswith(" ") for line in lines)


def test_brackets_in_a_cell_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show(Outcome(document={}, blocks=(Table(("name",), [("[bold]a[/bold] [0]",)]),)), as_json=False)
    assert "[bold]a[/bold] [0]" in capsys.readouterr().out


def test_skipped_items_of_one_file_with_one_reason_share_a_line() -> None:
    skipped = [Skipped("a.csv", str(number), "holds no number") for number in range(9)]
    assert skipped_lines(skipped) == ("skipped: a.csv: 9 items (0, 1, 2, 3, 4, 5, …): holds no number",)


def test_a_single_skipped_item_is_named() -> None:
    assert skipped_lines([Skipped("a.csv", "7", "cut off")]) == ("skipped: a.csv: 7: cut off",)
    assert skipped_lines([Skipped("a.csv", "", "empty")]) == ("skipped: a.csv: empty",)


def test_only_the_first_twenty_lines_of_skipped_items_are_shown() -> None:
    lines = skipped_lines([Skipped(f"{number}.jpg", "", "does not decode") for number in range(50)])
    assert len(lines) == 21
    assert lines[-1] == "… and 30 more lines like these: see --json"


def test_json_lists_every_skipped_item() -> None:
    skipped = [Skipped("a.csv", str(number), "why") for number in range(50)]
    assert skipped_document(skipped) == [["a.csv", str(number), "why"] for number in range(50)]


def test_equal_notes_about_several_files_share_a_line() -> None:
    notes = [Note("x/a.csv", "odd"), Note("x/b.csv", "odd"), Note("x/c.csv", "odder")]
    assert note_lines(notes) == ("note: a.csv and 1 more: odd", "note: c.csv: odder")


def test_notes_go_to_stderr_and_results_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    show(Outcome(document={}, blocks=("result",), notes=("note",)), as_json=False)
    assert capsys.readouterr() == ("result\n", "note\n")
