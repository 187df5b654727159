"""Profile files: one csv a particle, a header row with the names of channels, one row a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.number_text import parse_number
from seston.instruments.table_layout import Layout, layout_of
from seston.instruments.tables import parse_block
from seston.instruments.words import channel_name, column_role
from seston.particle import is_signal

__all__ = ["ProfileFiles"]

_LARGEST_FILE = 64 << 20


@dataclass(slots=True)
class ProfileFiles:
    """Reads the profile files of one folder, which look alike, and holds them against each other."""

    usual_channels: int | None = None
    """How many channels the profiles of the folder have; None: not looked at yet."""
    ending_rows: int = 0
    """Rows of zeros that ended profiles and were left out."""
    headless: int = 0
    """Files without a header row."""
    _headers: dict[bytes, _Header] = field(default_factory=dict)

    def look_at(self, paths: Iterable[Path]) -> None:
        """Find out from some files how many channels a profile has here."""
        counts: Counter[int] = Counter()
        for path in paths:
            try:
                with path.open("rb") as file:
                    layout = layout_of(file.read(4096))
            except (OSError, InputError):
                continue
            counts[len(_channels(layout)[0])] += 1
        self.usual_channels = counts.most_common(1)[0][0] if counts else None

    def read(self, path: Path) -> tuple[NDArray[np.float32], tuple[str, ...]]:
        """Read one profile.

        Returns
        -------
        (values, channels)
            Shape (channels, samples); canonical names, or the header's own where no one knows them.

        Raises
        ------
        InputError
            A missing, empty or damaged file, no row or one row, a value that is no number, or another number of
            channels than the folder's other profiles. The message has no path in front.
        """
        data = _bytes_of(path)
        values, channels = self._values(data)
        if self.usual_channels is not None and len(channels) != self.usual_channels:
            found = "1 channel" if len(channels) == 1 else f"{len(channels)} channels"
            raise InputError(f"has {found} where the other profiles here have {self.usual_channels}")
        if values.shape[1] >= 3 and not values[:, -2:].any():
            values = values[:, :-2]
            self.ending_rows += 2
        if values.shape[1] < 2:
            raise InputError("holds no row" if not values.shape[1] else "has one row: a profile needs at least two")
        return np.ascontiguousarray(values), channels

    def _header(self, data: bytes) -> _Header:
        first_line = data[: data.find(b"\n") + 1]
        if first_line in self._headers:
            return self._headers[first_line]
        header = _Header(layout_of(data[: 1 << 16]))
        if header.layout.decimal and len(self._headers) < 1000:
            self._headers[first_line] = header
        return header

    def _values(self, data: bytes) -> tuple[NDArray[np.float32], tuple[str, ...]]:
        header = self._header(data)
        block = parse_block(data, header.layout)
        if block.faults:  # the header may be known from a file of another locale: look again before complaining
            header = _Header(layout_of(data[: 1 << 16]))
            block = parse_block(data, header.layout)
        if block.faults:
            raise InputError(f"line {block.faults[0].line} {block.faults[0].reason}")
        numbers = block.numbers
        if header.missing:
            self.headless += 1
            first = [parse_number(text, header.layout.decimal) for text in header.layout.columns]
            numbers = np.concatenate([np.array(first, dtype=np.float64)[:, None], numbers], axis=1)
        values = numbers[header.places].astype(np.float32)
        bad = np.flatnonzero(~np.isfinite(values).all(axis=0))
        if len(bad):
            raise InputError(f"line {block.line_of(int(bad[0]))} holds a value that is not a number")
        return values, header.channels


class _Header:
    """What the header of a file says: its channels and their columns, without an index or an id."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.missing = _is_headless(layout)
        self.channels, places = _channels(layout)
        self.places = list(places)


def _channels(layout: Layout) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Give the channels of a file and their columns, without an index or an id."""
    if _is_headless(layout):
        return tuple(f"channel {place + 1}" for place in range(layout.width)), tuple(range(layout.width))
    names: list[str] = []
    places: list[int] = []
    for place, column in enumerate(layout.columns):
        name = channel_name(column)
        unnamed = not column.strip() or column.startswith("Unnamed:")
        if unnamed or not is_signal(name) or column_role(column) == "id":
            continue
        names.append(name if name not in names else f"{name} ({place + 1})")
        places.append(place)
    return tuple(names), tuple(places)


def _is_headless(layout: Layout) -> bool:
    """Tell a first row of data from a header of numbers (0, 1, 2, …)."""
    numbers = [parse_number(text, layout.decimal) for text in layout.columns]
    if not numbers or any(number is None or not np.isfinite(number) for number in numbers):
        return False
    return numbers != [float(place) for place in range(len(numbers))]


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(f"is larger than {_LARGEST_FILE >> 20} MB: not a profile")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError("does not exist") from None
    except OSError as error:
        raise InputError(f"cannot be opened ({error.strerror})") from error
