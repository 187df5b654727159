"""Find the parts of a large JSON object without reading it as a whole.

`index_json` walks over the bytes once and notes where each value of the outermost object lies, and each item of an
array in it; the caller then decodes one item at a time. Strings of base64 cost nothing but the walk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["JsonIndex", "Span", "index_json", "read_span", "read_spans"]

Span = tuple[int, int]
_CHUNK: Final = 1 << 22
_WINDOW: Final = 1 << 22
_LARGEST_KEY: Final = 1024
_MOST_KEYS: Final = 100_000
_MOST_ITEMS: Final = 20_000_000

_QUOTE, _OPEN, _CLOSE, _ESCAPE = 1, 2, 3, 4
_KIND = np.zeros(256, np.uint8)
_KIND[[ord('"')]] = _QUOTE
_KIND[[ord("{"), ord("[")]] = _OPEN
_KIND[[ord("}"), ord("]")]] = _CLOSE
_KIND[[ord("\\")]] = _ESCAPE
_NO_SPANS: NDArray[np.int64] = np.empty((0, 2), np.int64)


@dataclass(slots=True)
class JsonIndex:
    """Where the parts of the outermost object lie, as byte offsets."""

    values: dict[str, Span] = field(default_factory=dict)
    """Key → its value, where the value is whole."""
    items: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """Key of an array or object → begin and end of each whole container in it, shape (items, 2)."""
    size: int = 0
    problem: str | None = None
    """Where and inside what the file breaks off, or why it is no JSON object."""


def index_json(path: Path) -> JsonIndex:
    """Index a file of one JSON object, with or without byte-order mark.

    A file that is cut gives what lies whole before the cut, and says where it was cut in `problem`. Whether the items
    themselves are sound shows when they are decoded. Memory: some 40 MB, and 16 bytes an item.
    """
    with path.open("rb") as file:
        scan = _Scan(file)
        scan.run()
        return scan.index()


def read_spans(path: Path, spans: NDArray[np.int64]) -> Iterator[bytes]:
    """Read parts of a file one after the other, several with each access to the disk.

    Parameters
    ----------
    spans
        Ascending begin and end, shape (parts, 2).
    """
    with path.open("rb") as file:
        window, begin = b"", 0
        for start, end in spans.tolist():
            if end > begin + len(window):
                file.seek(start)
                window, begin = file.read(max(_WINDOW, end - start)), start
            yield window[start - begin : end - begin]


def read_span(path: Path, begin: int, end: int) -> bytes:
    """Read one part of a file."""
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(end - begin)


@dataclass(slots=True)
class _Container:
    begin: int
    end: int | None


class _Scan:
    """One walk over the file. Only what happens at depth 1 (keys, values) and 2 (items) is kept."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.at = 0
        self.depth = 0
        self.in_string = False
        self.escaped = False
        self.begin: int | None = None
        self.end: int | None = None
        self.found = 0
        self.string_edges: list[int] = []
        self.containers: list[_Container] = []
        self.item_begins: list[NDArray[np.int64]] = []
        self.item_ends: list[NDArray[np.int64]] = []

    def run(self) -> None:
        while self.end is None and not self.too_many and (chunk := self.file.read(_CHUNK)):
            self._chunk(np.frombuffer(chunk, np.uint8))
            self.at += len(chunk)

    @property
    def too_many(self) -> bool:
        """Whether this can be no measurement: so many keys or items would fill the memory."""
        return max(len(self.string_edges), len(self.containers)) > 2 * _MOST_KEYS or self.found > _MOST_ITEMS

    def _chunk(self, data: NDArray[np.uint8]) -> None:
        kind = _KIND.take(data)
        place = np.flatnonzero(kind)
        kind = kind[place]
        place, kind = self._without_escaped(place, kind, len(data))
        quotes = (kind == _QUOTE).cumsum() + self.in_string
        # A quote that opens a string makes the count odd; brackets count only where it is even.
        bracket = (kind != _QUOTE) & (quotes % 2 == 0)
        step = np.where(kind == _OPEN, 1, -1) * bracket
        depth = step.cumsum() + self.depth
        self._note(place + self.at, kind, step, depth)
        if len(place):
            self.depth = int(depth[-1])
            self.in_string = bool(quotes[-1] % 2)

    def _without_escaped(
        self, place: NDArray[np.int64], kind: NDArray[np.uint8], size: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Drop escape characters and the quotes that they escape, also over the edge between two chunks."""
        escapes = place[kind == _ESCAPE]
        dropped = np.array([0] if self.escaped else [], np.int64)
        carried = self.escaped
        self.escaped = False
        if len(escapes):
            first = np.concatenate(([True], np.diff(escapes) != 1))
            run_begin = escapes[first][first.cumsum() - 1]
            if carried and escapes[0] == 0:  # itself escaped by the last chunk: the run counts from the next one
                run_begin = np.where(run_begin == 0, 1, run_begin)
            active = escapes[(escapes - run_begin) % 2 == 0]
            dropped = np.concatenate((dropped, active + 1))
            self.escaped = bool(len(active)) and int(active[-1]) == size - 1
        if not len(escapes) and not len(dropped):
            return place, kind
        keep = (kind != _ESCAPE) & ~np.isin(place, dropped)
        return place[keep], kind[keep]

    def _note(
        self, place: NDArray[np.int64], kind: NDArray[np.uint8], step: NDArray[np.int64], depth: NDArray[np.int64]
    ) -> None:
        opens, closes = step == 1, step == -1
        if self.begin is None and opens.any():
            self.begin = int(place[opens.argmax()])
        over = np.flatnonzero(closes & (depth <= 0))
        if len(over):
            self.end = int(place[over[0]]) + 1
            stop = int(over[0]) + 1
            place, kind, depth, opens, closes = place[:stop], kind[:stop], depth[:stop], opens[:stop], closes[:stop]
        self.string_edges += place[(kind == _QUOTE) & (depth == 1)].tolist()
        for position, is_open in zip(*_where(place, opens & (depth == 2), closes & (depth == 1)), strict=True):
            if is_open:
                self.containers.append(_Container(position, None))
            elif self.containers:
                self.containers[-1].end = position + 1
        self.item_begins.append(place[opens & (depth == 3)])
        self.item_ends.append(place[closes & (depth == 2)] + 1)
        self.found += len(self.item_begins[-1])

    def index(self) -> JsonIndex:
        found = JsonIndex(size=self.at)
        if self.begin is None or self._lead().removeprefix(b"\xef\xbb\xbf").lstrip() != b"{":
            found.problem = "is not JSON: it does not begin with an object"
            return found
        if self.too_many:
            found.problem = "is not a measurement: it has too many keys or items"
            return found
        keys = self._keys()
        for key, span, whole in keys:
            if whole:
                found.values[key] = span
        begins, ends = np.concatenate(self.item_begins), np.concatenate(self.item_ends)
        spans = np.stack((begins[: len(ends)], ends[: len(begins)]), axis=1) if len(ends) else _NO_SPANS
        for key, (begin, end), _ in keys:
            low, high = np.searchsorted(spans[:, 0], [begin, end])
            if high > low:
                found.items[key] = spans[low:high]
        if self.end is None:
            last = f" inside {keys[-1][0]!r}" if keys else ""
            found.problem = f"the file breaks off at byte {self.at:,}{last}"
        return found

    def _lead(self) -> bytes:
        self.file.seek(0)
        return self.file.read((self.begin or 0) + 1)

    def _keys(self) -> list[tuple[str, Span, bool]]:
        """Give key, span and wholeness of each value of the outermost object, in their order."""
        strings = list(zip(self.string_edges[::2], self.string_edges[1::2], strict=False))
        tokens: list[tuple[int, int, bool, bool]] = [(begin, end + 1, True, True) for begin, end in strings]
        for container in self.containers:
            end = self.at if container.end is None else container.end
            tokens.append((container.begin, end, False, container.end is not None))
        tokens.sort()
        found: list[tuple[str, Span, bool]] = []
        number = 0
        while number < len(tokens):
            begin, end, is_string, _ = tokens[number]
            number += 1
            if not is_string:
                continue
            key = self._bytes(begin + 1, end - 1).decode("utf-8", "replace")
            limit = tokens[number][0] if number < len(tokens) else self.end or self.at
            between = self._bytes(end, limit).strip()
            if number < len(tokens) and between == b":":
                value_begin, value_end, _, whole = tokens[number]
                found.append((key, (value_begin, value_end), whole))
                number += 1
            elif between.startswith(b":"):
                found.append((key, self._scalar(end, limit), self.end is not None or number < len(tokens)))
        return found

    def _scalar(self, begin: int, limit: int) -> Span:
        text = self._bytes(begin, limit)
        start = text.index(b":") + 1
        stop = next((place for place in (text.find(b","), text.find(b"}")) if place >= 0), len(text))
        return begin + start, begin + stop

    def _bytes(self, begin: int, end: int) -> bytes:
        self.file.seek(begin)
        return self.file.read(min(max(end - begin, 0), _LARGEST_KEY))


def _where(
    place: NDArray[np.int64], opens: NDArray[np.bool_], closes: NDArray[np.bool_]
) -> tuple[list[int], list[bool]]:
    either = opens | closes
    return place[either].tolist(), opens[either].tolist()
