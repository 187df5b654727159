"""Pictures on their way to a process that looks at them, and what it found on its way back: plain bytes, no pickle.

A question is two 32-bit numbers (how many pictures, rows to search for scale bars), the size of each picture, and the
pictures. An answer is two such numbers (how many pictures, bytes of text), widths, heights, fingerprints and hashes,
and as JSON what few pictures have: faults, scale bars, another format than JPEG.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from struct import Struct

import numpy as np

from seston.collections.looking import Looked, look_at

__all__ = ["answer_bytes", "looked_into", "question_bytes", "read_answer", "read_question"]

_HEAD = Struct("<II")
_DIGEST = 32
_PER_PICTURE = 4 + 4 + 8 + _DIGEST


def looked_into(question: bytes) -> bytes:
    """Answer a question: what a side process does."""
    pictures, rows = read_question(question)
    return answer_bytes(look_at(pictures, scale_bar_rows=rows))


def question_bytes(pictures: Sequence[bytes], scale_bar_rows: int) -> bytes:
    """Write a question."""
    sizes = np.fromiter(map(len, pictures), "<u4", len(pictures))
    return b"".join((_HEAD.pack(len(pictures), scale_bar_rows), sizes.tobytes(), *pictures))


def read_question(data: bytes) -> tuple[list[bytes], int]:
    """Read the pictures of a question, and how many rows to search for scale bars."""
    n, rows = _HEAD.unpack_from(data)
    first = _HEAD.size + 4 * n
    ends = (first + np.cumsum(np.frombuffer(data, "<u4", n, _HEAD.size), dtype=np.int64)).tolist()
    return [data[start:end] for start, end in zip([first, *ends], ends, strict=False)], rows


def answer_bytes(looked: Looked) -> bytes:
    """Write an answer."""
    few = {
        "formats": {place: name for place, name in enumerate(looked.formats) if name != "jpeg"},
        "faults": looked.faults,
        "scale_bars": looked.scale_bars,
        "pixel_sizes": looked.pixel_sizes,
    }
    text = json.dumps(few).encode()
    columns = (
        looked.widths.astype("<i4").tobytes(),
        looked.heights.astype("<i4").tobytes(),
        looked.fingerprints.astype("<i8").tobytes(),
        bytes.fromhex("".join(looked.hashes)),
    )
    return b"".join((_HEAD.pack(len(looked.hashes), len(text)), *columns, text))


def read_answer(data: bytes) -> Looked:
    """Read an answer."""
    n, length = _HEAD.unpack_from(data)
    columns, text = data[_HEAD.size : len(data) - length], data[len(data) - length :]
    few = json.loads(text)
    digits = columns[16 * n :].hex()
    formats: list[str | None] = ["jpeg"] * n
    for place, name in few["formats"].items():
        formats[int(place)] = name
    return Looked(
        hashes=[digits[start : start + 2 * _DIGEST] for start in range(0, len(digits), 2 * _DIGEST)],
        formats=formats,
        widths=np.frombuffer(columns, "<i4", n),
        heights=np.frombuffer(columns, "<i4", n, 4 * n),
        fingerprints=np.frombuffer(columns, "<i8", n, 8 * n),
        faults={int(place): fault for place, fault in few["faults"].items()},
        scale_bars={int(place): tuple(box) for place, box in few["scale_bars"].items()},
        pixel_sizes={int(place): size for place, size in few["pixel_sizes"].items()},
    )
