"""The pictures of many particles measured on all cores: in threads, and in processes once these are worth their start.

Measuring a picture is hundreds of small steps, between which threads wait for Python's lock: two threads are hardly
faster than one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from seston.errors import InputError
from seston.features.picture import picture_features
from seston.instruments import decode_image
from seston.instruments.mask import Box
from seston.particle import Particle
from seston.side_processes import Crew, crew_of

__all__ = ["features_of_pictures", "measured_there"]

_AT_ONCE = 16
_AHEAD = 3
"""Questions that wait for each who measures, so that none is idle."""
_WORTH_PROCESSES = 512
"""Pictures in a row after which processes are worth their start, which takes as long as measuring some hundred."""
_LULL_SECONDS = 5.0
"""After so long without any picture, the next one begins another row."""

Features = dict[str, float]
_Picture = tuple[bytes, Box | None, float | None]
"""The encoded picture, the box of its scale bar, and µm a pixel."""
_pictures = msgspec.msgpack.Decoder(list[_Picture])
_features = msgspec.msgpack.Decoder(list[Features])


def features_of_pictures(particles: Sequence[Particle]) -> list[Features]:
    """Measure the pictures of particles as `seston.features.picture.picture_features` does, in their order.

    Empty where there is none, or where it cannot be decoded.
    """
    pictures: dict[int, _Picture] = {
        place: (one.image, one.scale_bar, one.pixel_size_um)
        for place, one in enumerate(particles)
        if one.image is not None
    }
    encoded = list(pictures.values())
    parts = [encoded[start : start + _AT_ONCE] for start in range(0, len(encoded), _AT_ONCE)]
    measured: list[Features] = []
    with crew_of(f"{__name__}:measured_there") as crew:
        waiting: deque[Callable[[], list[Features]]] = deque()
        for part in parts:
            if _row.has_grown_by(len(part)) >= _WORTH_PROCESSES:
                crew.call_processes()
            waiting.append(_ask(crew, part))
            if len(waiting) > _AHEAD * crew.count:
                measured += waiting.popleft()()
        for answer in waiting:
            measured += answer()
    found = dict(zip(pictures, measured, strict=True))
    return [found.get(place, {}) for place in range(len(particles))]


def measured_there(question: bytes) -> bytes:
    """Measure the pictures of a question: what a side process does."""
    return msgspec.msgpack.encode(_measured(_pictures.decode(question)))


def _ask(crew: Crew, pictures: list[_Picture]) -> Callable[[], list[Features]]:
    return crew.ask(partial(msgspec.msgpack.encode, pictures), _features.decode, partial(_measured, pictures))


def _measured(pictures: Sequence[_Picture]) -> list[Features]:
    return [_of_picture(*picture) for picture in pictures]


def _of_picture(data: bytes, scale_bar: Box | None, pixel_size_um: float | None) -> Features:
    try:
        grey = decode_image(data, grey=True)
    except InputError:
        return {}
    return picture_features(grey, scale_bar, pixel_size_um)


class _Row:
    """How many pictures were measured one after the other, whoever asked."""

    def __init__(self) -> None:
        self._length, self._last = 0, 0.0

    def has_grown_by(self, pictures: int) -> int:
        """Count some more, and give how many they are by now."""
        now = time.monotonic()
        self._length = pictures + (self._length if now - self._last < _LULL_SECONDS else 0)
        self._last = now
        return self._length


_row = _Row()
