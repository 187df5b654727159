"""The parser of .NET BinaryFormatter streams: what it gives, and that no bytes can make it do anything else."""

from __future__ import annotations

import math
import struct
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nrbf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seston.errors import InputError
from seston.instruments import dotnet
from seston.instruments.dotnet import parse_stream
from seston.instruments.dotnet_values import (
    DotNetObject,
    as_bytes,
    as_datetime,
    as_integer,
    as_integers,
    as_list,
    as_number,
    as_numbers,
)

sys.path.insert(0, str(Path(__file__).parent))
from dotnet_writer import ByteRows, Thing, data_file, date, int64, net_list, single, stream

HEADER = struct.pack("<Biiii", 0, 1, -1, 1, 0)
END = b"\x0b"


def as_nrbf_gives_it(value: Any) -> Any:
    """Turn our tree into the shape in which the package `nrbf` gives it."""
    if isinstance(value, memoryview):
        return list(value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [as_nrbf_gives_it(item) for item in value]
    if isinstance(value, DotNetObject):
        members = zip(value.layout.members, value.values, strict=True)
        plain = {name: as_nrbf_gives_it(item) for name, item in members} | {"__class__": value.class_name}
        return nrbf._unwrap_collection(plain)
    return value


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict):
        return isinstance(theirs, dict) and ours.keys() == theirs.keys() and all(same(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, float) and isinstance(theirs, float):
        return ours == theirs or (math.isnan(ours) and math.isnan(theirs))
    return type(ours) is type(theirs) and bool(ours == theirs)


def text(word: str) -> bytes:
    return bytes([len(word)]) + word.encode()


def offsets_of_streams(data: bytes) -> list[int]:
    """Say where the streams of a cytometer's file begin."""
    root = parse_stream(data).root
    places = [root.object("_df_info").get("_offset"), root.object("df_info").get("offset")]
    places += [piece.get("offset") for piece in as_list(root.get("pieces"))]
    return [0] + [place for place in places if place is not None]


def test_trees_of_all_real_files_equal_those_of_another_parser(real_data: Path) -> None:
    paths = sorted((real_data / "cytosense" / "cyz").glob("*.cyz"))
    assert len(paths) == 6
    for path in paths:
        data = path.read_bytes()
        for offset in offsets_of_streams(data):
            ours = parse_stream(data, offset)
            assert same(as_nrbf_gives_it(ours.root), nrbf.loads(data[offset:])), (path.name, offset)
            assert data[ours.end - 1] == 11


def test_what_the_writer_of_the_tests_writes_is_what_another_parser_reads() -> None:
    thing = Thing(
        "A.B",
        {
            "flag": True, "number": -3, "long": int64(2**40), "float": 1.5, "single": single(0.25), "none": None,
            "text": "µm", "bytes": b"\x00\xff", "numbers": np.array([1.5, -2.5]), "rows": ByteRows([b"ab", b"", b"c"]),
            "list": net_list(["a", 7, None, Thing("C", {"x": 1}), Thing("C", {"x": 2})], "System.Object"),
            "nulls": [None] * 300,
        },
    )  # fmt: skip
    data = stream(thing)
    assert same(as_nrbf_gives_it(parse_stream(data).root), nrbf.loads(data))


def test_a_byte_array_is_a_slice_of_the_input_and_no_copy() -> None:
    data = bytearray(stream(Thing("A", {"bytes": b"\x01\x02\x03"})))
    value = parse_stream(data).root.get("bytes")
    data[data.index(b"\x01\x02\x03\x0b")] = 99
    assert isinstance(value, memoryview)
    assert value.tolist() == [99, 2, 3]


def test_number_arrays_become_numpy_arrays_of_their_type() -> None:
    given_arrays: dict[str, Any] = {
        dtype: np.array([1, 2, 3], dtype) for dtype in ("<f8", "<f4", "<i2", "<i4", "<i8", "|i1", "<u2", "<u4")
    }
    root = parse_stream(stream(Thing("A", dict(given_arrays)))).root
    for name, array in given_arrays.items():
        assert root.get(name).dtype == array.dtype
        assert root.get(name).tolist() == [1, 2, 3]


def test_every_record_that_the_formatter_writes_is_read() -> None:
    body = (
        b"\x0c" + struct.pack("<i", 2) + text("Lib")
        + b"\x05" + struct.pack("<i", 1) + text("Root") + struct.pack("<i", 9)
        + b"".join(map(text, ["char", "decimal", "boxed", "span", "grid", "strings", "untyped", "system", "flags"]))
        + bytes([0, 0, 2, 0, 2, 6, 2, 3, 7]) + bytes([3, 5, 12]) + text("S") + bytes([1]) + struct.pack("<i", 2)
        + "é".encode() + text("1.50") + b"\x08\x08" + struct.pack("<i", 42) + struct.pack("<q", -1)
        + b"\x07" + struct.pack("<iBiii", 3, 2, 2, 2, 3) + b"\x00\x08" + struct.pack("<6i", *range(6))
        + b"\x11" + struct.pack("<ii", 4, 3) + b"\x06" + struct.pack("<i", 5) + text("one") + b"\x0d\x02"
        + b"\x03" + struct.pack("<i", 6) + text("Untyped") + struct.pack("<i", 1) + text("m") + struct.pack("<i", 2)
        + b"\x08\x01\x01"
        + b"\x02" + struct.pack("<i", 7) + text("S") + struct.pack("<i", 0)
        + b"\x0f" + struct.pack("<iiB", 8, 2, 1) + b"\x01\x00"
    )  # fmt: skip
    root = parse_stream(HEADER + body + END).root
    assert (root.get("char"), root.get("decimal"), root.get("boxed"), root.get("span")) == ("é", "1.50", 42, -1)
    assert root.get("grid").tolist() == [0, 1, 2, 3, 4, 5]
    assert root.get("strings") == ["one", None, None]
    assert root.get("untyped").get("m") is True
    assert root.get("system").class_name == "S"
    assert root.get("flags").tolist() == [True, False]


@pytest.mark.parametrize("shape", range(6))
def test_arrays_of_every_shape_are_read(shape: int) -> None:
    bounds = struct.pack("<i", 5) if shape >= 3 else b""
    array = b"\x07" + struct.pack("<iBii", 1, shape, 1, 3) + bounds + b"\x02" + b"\x0a\x0e" + struct.pack("<i", 2)
    assert parse_stream(HEADER + array + END).root == [None, None, None]


def test_an_object_may_refer_to_itself_and_to_what_comes_later() -> None:
    member = b"\x09" + struct.pack("<i", 1) + b"\x09" + struct.pack("<i", 3)
    root_record = (
        b"\x04" + struct.pack("<i", 1) + text("A") + struct.pack("<i", 2) + text("me") + text("next") + b"\x02\x02"
    )
    later = b"\x06" + struct.pack("<i", 3) + text("later")
    root = parse_stream(HEADER + root_record + member + later + END).root
    assert root.get("me") is root
    assert root.get("next") == "later"


def test_members_of_a_base_class_and_properties_are_found_by_their_own_name() -> None:
    thing = Thing("A", {"RawParticle+_ID": 3, "<Stream>k__BackingField": 4, "_x": None, "x": 5})
    root = parse_stream(stream(thing)).root
    assert (root.get("_ID"), root.get("Stream"), root.get("_x", "x"), root.get("y")) == (3, 4, 5, None)


def test_a_second_stream_begins_where_the_first_ends() -> None:
    first, second = stream(Thing("A", {"x": 1})), stream(Thing("B", {"x": 2}))
    data = first + second
    end = parse_stream(data).end
    assert end == len(first)
    assert parse_stream(data, end).root.class_name == "B"


def test_a_missing_end_record_is_said() -> None:
    data = stream(Thing("A", {"x": 1}))[:-1]
    with pytest.raises(
        InputError, match=rf"cut or damaged at byte {len(data)}: the stream ends without its end record"
    ):
        parse_stream(data)


def test_a_cut_at_any_byte_gives_one_line_with_the_place() -> None:
    data = stream(data_file({"FWS": 130, "SWS": 132, "FL Red": 134}, data=bytes(range(200))))
    for size in range(len(data)):
        with pytest.raises(InputError) as caught:
            parse_stream(data[:size], name="x.cyz")
        message = str(caught.value)
        assert message.startswith("x.cyz: ")
        assert "byte" in message
        assert "\n" not in message


def test_what_was_read_before_a_cut_can_be_had_and_no_part_of_an_array() -> None:
    data = stream(Thing("A", {"first": bytes(100), "text": "here", "second": bytes(100)}))
    cut = parse_stream(data[:-50], partial=True)
    assert cut.problem is not None
    assert cut.root.get("text") == "here"
    assert len(cut.root.get("first")) == 100
    assert cut.root.get("second") is None


def test_a_reference_to_nothing_is_damage() -> None:
    record = (
        b"\x04"
        + struct.pack("<i", 1)
        + text("A")
        + struct.pack("<i", 1)
        + text("x")
        + b"\x02\x09"
        + struct.pack("<i", 9)
    )
    with pytest.raises(InputError, match="object 9 is referred to, but is not in the stream"):
        parse_stream(HEADER + record + END)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (b"\x10" + struct.pack("<ii", 1, 2**31 - 1), "more than 10,000,000 values"),
        (b"\x0f" + struct.pack("<iiB", 1, 2**31 - 1, 6), "of which 1 are there"),
        (b"\x0f" + struct.pack("<iiB", 1, -5, 6), "an array of -5 elements"),
        (b"\x07" + struct.pack("<iBiii", 1, 2, 2, 2**30, 2**30) + b"\x02", "values in one stream"),
        (b"\x07" + struct.pack("<iBi", 1, 0, 99), "rank 99"),
        (b"\x04" + struct.pack("<i", 1) + text("A") + struct.pack("<i", 2**30), "members"),
        (b"\x06" + struct.pack("<i", 1) + b"\xff\xff\xff\xff\x07", "ends inside a text"),
        (b"\x06" + struct.pack("<i", 1) + b"\x02\xff\xff", "not UTF-8"),
        (b"\x01" + struct.pack("<ii", 3, 4), "class of object 4, which is not known"),
        (b"\x15", "record type 21 cannot stand here"),
        (b"\x08\x63", "primitive type 99"),
    ],
)
def test_impossible_records_are_refused_without_using_memory(record: bytes, said: str) -> None:
    tracemalloc.start()
    with pytest.raises(InputError, match=said):
        parse_stream(HEADER + record + END)
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()


def test_nesting_deeper_than_the_limit_is_refused_and_less_is_no_trouble() -> None:
    def nested(depth: int) -> bytes:
        arrays = b"".join(b"\x10" + struct.pack("<ii", number, 1) for number in range(1, depth + 1))
        return HEADER + arrays + b"\x0a" + END

    assert len(parse_stream(nested(dotnet.MAX_DEPTH)).root) == 1
    with pytest.raises(InputError, match="nested deeper"):
        parse_stream(nested(dotnet.MAX_DEPTH + 1))


def test_many_small_claims_of_empty_places_are_bounded_together() -> None:
    claims = b"".join(
        b"\x10" + struct.pack("<ii", number, 65_000) + b"\x0e" + struct.pack("<i", 65_000) for number in range(1, 400)
    )
    with pytest.raises(InputError, match="values in one stream"):
        parse_stream(HEADER + claims + END)


SMALL = stream(
    data_file(
        {"FWS": 130, "SWS": 132, "FL Red": 134},
        data=bytes(60),
        others={"list": net_list([Thing("X", {"a": 1, "b": b"123"}), "text"], "X"), "rows": ByteRows([b"a", b"b"])},
    )
)


def outcome(data: bytes, *, partial: bool = False) -> str:
    """Parse, and give the message where that fails; any other exception fails the test."""
    try:
        assert parse_stream(data, partial=partial).end <= len(data)
    except InputError as error:
        return str(error)
    return ""


@settings(max_examples=600, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=4), st.booleans())
def test_flipped_bytes_give_a_tree_or_one_line(flips: list[tuple[int, int]], partial: bool) -> None:
    data = bytearray(SMALL)
    for place, value in flips:
        data[place] = value
    assert "\n" not in outcome(bytes(data), partial=partial)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_random_records_give_a_tree_or_one_line(body: bytes) -> None:
    assert "\n" not in outcome(HEADER + body)


def test_values_are_asked_for_without_trusting_their_kind() -> None:
    root = parse_stream(
        stream(Thing("A", {"when": date(datetime(2020, 1, 2, 3, 4, 5)), "list": net_list([1, 2], "I")}))
    ).root
    assert as_datetime(root.get("when")) == datetime(2020, 1, 2, 3, 4, 5)
    assert as_datetime((1 << 62) | 630_822_816_000_000_000) == datetime(2000, 1, 1, tzinfo=UTC)
    assert as_datetime(0) is None
    assert as_datetime((1 << 62) - 1) is None
    assert as_datetime("x") is None
    assert as_integers(root.get("list")) == [1, 2]
    assert as_integers(["a"]) == []
    assert as_numbers(np.array([1.5])) == [1.5]
    assert as_number(float("nan")) is None
    assert as_integer(True) is None
    assert as_bytes("x") is None
    assert list(as_list(5)) == []
    circle = DotNetObject(root.get("list").layout, [None, 3, 0])
    circle.values[0] = circle
    assert list(as_list(circle)) == []
