"""The index of a large JSON object against a whole parse of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seston.instruments import json_stream
from seston.instruments.json_stream import index_json, read_span, read_spans

NUMBER = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LEAF = st.none() | st.booleans() | NUMBER | st.text('ab\\"{}[],:é \n')
VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab"\\', max_size=3), inner, max_size=4)
)


def indexed(folder: Path, raw: bytes) -> json_stream.JsonIndex:
    path = folder / "x.json"
    path.write_bytes(raw)
    return index_json(path)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.text('kxy"\\{', max_size=4), VALUE, max_size=5),
    st.sampled_from([None, 1]),
    st.integers(1, 9),
    st.booleans(),
)
def test_values_and_items_lie_where_a_whole_parse_finds_them(
    tmp_path_factory: pytest.TempPathFactory, whole: dict[str, Any], indent: int | None, chunk: int, mark: bool
) -> None:
    raw = b"\xef\xbb\xbf" * mark + json.dumps(whole, indent=indent, ensure_ascii=False).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_CHUNK", chunk)
        index = indexed(tmp_path_factory.getbasetemp(), raw)
    assert index.problem is None
    keys = {key: json.loads(f'"{key}"') for key in index.values}
    assert {keys[key]: json.loads(raw[begin:end]) for key, (begin, end) in index.values.items()} == whole
    for key, name in keys.items():
        value = whole[name]
        inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        containers = [item for item in inner if isinstance(item, list | dict)]
        assert [json.loads(raw[begin:end]) for begin, end in index.items.get(key, [])] == containers


def test_a_cut_file_gives_what_is_whole_and_says_inside_what_it_is_cut(tmp_path: Path) -> None:
    raw = json.dumps({"first": {"a": 1}, "list": [{"n": n} for n in range(5)], "last": [1]}).encode()
    for size in range(raw.index(b'"list"') + 10, raw.index(b'"last"') - 3):
        index = indexed(tmp_path, raw[:size])
        assert index.values["first"] == (10, 18)
        assert "list" not in index.values
        assert index.problem == f"the file breaks off at byte {size:,} inside 'list'"
        items = index.items.get("list", np.empty((0, 2), int))
        assert [json.loads(raw[begin:end]) for begin, end in items] == [{"n": n} for n in range(len(items))]
        assert len(items) == raw[:size].count(b"}") - 1


@pytest.mark.parametrize("raw", [b"", b"[1]", b"text", b'x{"a": 1}', b"\xff\xfe{\x00"])
def test_what_is_no_json_object_is_said(tmp_path: Path, raw: bytes) -> None:
    index = indexed(tmp_path, raw)
    assert index.values == {}
    assert index.problem is not None


def test_parts_are_read_in_windows_and_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_WINDOW", 7)
    path = tmp_path / "x"
    path.write_bytes(bytes(range(100)))
    spans = np.array([[0, 3], [3, 9], [20, 60], [99, 100]])
    assert list(read_spans(path, spans)) == [bytes(range(begin, end)) for begin, end in spans.tolist()]
    assert read_span(path, 5, 8) == b"\x05\x06\x07"


def test_a_file_of_endless_keys_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_MOST_KEYS", 10)
    index = indexed(tmp_path, json.dumps({str(number): 1 for number in range(100)}).encode())
    assert index.problem == "is not a measurement: it has too many keys or items"
