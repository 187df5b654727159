"""Read a raw CytoSense file of 2012 in an index and pieces, each a list of buffers with one particle's bytes.

The maker's own library refuses this layout, and in the one file that is known the sync records are damaged. So a buffer
is only believed where it is one particle with all of its closing sync records.
"""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np

from seston.errors import InputError
from seston.instruments.cyz_profiles import plan_channels
from seston.instruments.cyz_records import Maker, remarks
from seston.instruments.cyz_settings import empty_note, measurement_of, sample_of
from seston.instruments.cyz_split import particle_before_syncs
from seston.instruments.dotnet import parse_stream
from seston.instruments.dotnet_values import DotNetObject, as_integer, as_integers, as_list
from seston.particle import Note, Particle, Sample, Skipped

__all__ = ["read_pieces"]

_SHORTEST = 4


def read_pieces(
    path: Path, data: mmap, root: DotNetObject, problem: str | None
) -> Iterator[Sample | Particle | Skipped | Note]:
    """Read the file whose index has been parsed.

    Raises
    ------
    InputError
        Where the settings cannot be read.
    """
    place = root.object("df_info")
    settings = parse_stream(data, as_integer(place.get("offset")) or 0, name=f"{path.name}, settings").root
    if not isinstance(settings, DotNetObject):
        raise InputError(f"{path.name}: has no settings")
    measurement = measurement_of(settings)
    try:
        plan = plan_channels(measurement.settings, as_integers(measurement.protocol.get("_channelDataConversion")))
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None
    sample = sample_of(measurement, path, sample_id=path.stem, set_name=None)
    yield sample
    maker = Maker(sample.id, plan, measurement)
    yield from remarks(maker, str(path), pictures=False)
    buffers = good = 0
    for item in _buffers(path, data, root):
        if isinstance(item, Skipped):
            yield item
            continue
        record = _particle(maker, buffers, item) if isinstance(item, memoryview) else "holds no bytes"
        if isinstance(record, Particle):
            good += 1
            yield record
        else:
            yield Skipped(str(path), f"buffer {buffers}", record)
        buffers += 1
    if buffers == 0:
        yield Note(str(path), empty_note(sample, "no piece holds one"))
    elif good < buffers:
        yield Note(
            str(path),
            f"damaged: {buffers - good} of {buffers} buffers cannot be trusted and were left out rather than read "
            "wrongly; the maker's own library does not read this layout (2012) at all",
        )
    if problem is not None:
        yield Skipped(str(path), "rest of the index", problem)


def _buffers(path: Path, data: mmap, root: DotNetObject) -> Iterator[Any]:
    """Give the buffers of all pieces, and `Skipped` for what of a piece is damaged."""
    seen: set[int] = set()
    for number, piece in enumerate(as_list(root.get("pieces"))):
        offset = as_integer(piece.get("offset")) if isinstance(piece, DotNetObject) else None
        if offset is None or offset < 0 or offset in seen:
            yield Skipped(str(path), f"piece {number}", "the index gives no place of its own for it")
            continue
        seen.add(offset)
        content = parse_stream(data, offset, name=f"piece {number}", partial=True)
        buffers = as_list(content.root.get("particles")) if isinstance(content.root, DotNetObject) else ()
        yield from (buffer for buffer in buffers if content.problem is None or isinstance(buffer, memoryview))
        if content.problem is not None:
            yield Skipped(str(path), f"rest of piece {number}", content.problem)


def _particle(maker: Maker, number: int, buffer: memoryview) -> Particle | str:
    """Give the particle of a buffer, or why it cannot be trusted."""
    raw = np.frombuffer(buffer, np.uint8) if len(buffer) else np.empty(0, np.uint8)
    try:
        samples = particle_before_syncs(raw, maker.plan)
    except InputError as error:
        return str(error)
    if isinstance(samples, str):
        return samples
    if samples < _SHORTEST:
        return f"only {samples} samples; a particle has {_SHORTEST} or more"
    whole = raw.reshape(-1, len(maker.plan.hardware))[:samples]
    columns = {channel: np.ascontiguousarray(whole[:, channel]) for channel in maker.plan.shown}
    return next(maker.particles([number], columns, np.array([0]), np.array([samples])))
