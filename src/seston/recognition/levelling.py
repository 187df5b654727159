"""Bring particles of any run to the level of a gallery's runs: first their signals, then their vectors."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seston.errors import InputError
from seston.particle import Particle, Skipped
from seston.recognition.embeddings import Embeddings
from seston.recognition.registration import FEWEST_PARTICLES
from seston.recognition.run_levels import RunLevels, learn_levels, rows_of_runs
from seston.recognition.signal_levels import SignalLevels, learn_signals, look_at_run, without_gains

if TYPE_CHECKING:
    from seston.recognition.encoder import Encoder
    from seston.store import DataSet

__all__ = ["Levels", "learn_data_levels", "levelled", "read_levels", "samples_of", "write_levels"]

_FILE = "levels.safetensors"
_AT_ONCE = 256
_LOOKED_AT = 1024
"""Particles of a run from which its level is told; the others of the run follow."""
_LEARNED_FROM = 2400
_FEWEST_OF_A_RUN = 100
_SMALL_GAIN = 0.2
"""|ln gain| up to which signals stay as they are: models bear it."""
_LARGEST_GAIN = math.log(20.0)


@dataclass(frozen=True, slots=True)
class Levels:
    """What the runs of a gallery look like, to bring others to their level."""

    vectors: RunLevels
    signals: SignalLevels | None = None
    """None where too few particles have both a picture and a profile."""

    def gains_of(self, particles: Sequence[Particle]) -> Mapping[str, float]:
        """Tell by what the signals of a run have to be divided; empty where that is small, or cannot be told."""
        found = None if self.signals is None else self.signals.compare(look_at_run(particles))
        if found is None or max((abs(math.log(gain)) for gain in found.gains.values()), default=0.0) <= _SMALL_GAIN:
            return {}
        bounded = {name: min(max(math.log(gain), -_LARGEST_GAIN), _LARGEST_GAIN) for name, gain in found.gains.items()}
        return {name: math.exp(gain) for name, gain in bounded.items()}


def learn_data_levels(data: DataSet, pool: Embeddings) -> Levels | None:
    """Learn the levels of a data set's runs, from all particles of a pool, labelled or not.

    Returns
    -------
    Levels or None
        None where the pool is too small to tell.
    """
    samples = samples_of(data, pool.ids)
    vectors = learn_levels(pool, samples)
    return None if vectors is None else Levels(vectors, _learn_signals(data, pool, samples))


def _learn_signals(data: DataSet, pool: Embeddings, samples: Sequence[str]) -> SignalLevels | None:
    from seston.recognition.encoder import stream_particles

    runs = rows_of_runs(samples)
    each = max(_FEWEST_OF_A_RUN, _LEARNED_FROM // max(len(runs), 1))
    both = pool.has_both
    looks = {}
    for sample in islice(runs, _LEARNED_FROM // _FEWEST_OF_A_RUN):
        rows = runs[sample][both[runs[sample]]]
        spread = np.unique(np.linspace(0, len(rows) - 1, min(each, len(rows))).round().astype(np.int64))
        if len(spread):
            looks[sample] = look_at_run(stream_particles(data, [pool.ids[row] for row in rows[spread]]))
    return learn_signals(looks)


def samples_of(data: DataSet, ids: Sequence[str]) -> list[str]:
    """Name the run of each particle of a data set."""
    of: dict[str, str] = {}
    for batch in data.particles(["id", "sample_id"], batch_size=8192):
        of.update(zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True))
    return [of[name] for name in ids]


def levelled(
    particles: Iterable[Particle], encoder: Encoder, levels: Levels | None, skipped: list[Skipped]
) -> Iterator[tuple[list[Particle], Embeddings]]:
    """Encode particles as they come, a few hundred at a time, at the level of a gallery's runs.

    The level of a run is told from the first thousand of its particles that come one after the other. Runs of fewer
    than 50 stay as they are, and so does everything without `levels`.

    Parameters
    ----------
    skipped
        Collects what cannot be used.
    """
    waiting: list[Particle] = []
    for run in _runs(particles, together=levels is None):
        first = list(islice(run, _LOOKED_AT))
        if levels is None or len(first) < FEWEST_PARTICLES:
            waiting += first
            if len(waiting) < _AT_ONCE:
                continue
            first = []
        yield from _in_parts(waiting, encoder.encode(waiting, skipped)) if waiting else ()
        waiting = []
        if levels is not None and first:
            gains = levels.gains_of(first)
            seen = encoder.encode([without_gains(one, gains) for one in first], skipped)
            shift = levels.vectors.shift_of(seen)
            yield from _in_parts(first, levels.vectors.take_shift(seen, shift))
            while part := list(islice(run, _AT_ONCE)):
                seen = encoder.encode([without_gains(one, gains) for one in part], skipped)
                yield part, levels.vectors.take_shift(seen, shift)
    yield from _in_parts(waiting, encoder.encode(waiting, skipped)) if waiting else ()


def _runs(particles: Iterable[Particle], *, together: bool) -> Iterator[Iterator[Particle]]:
    """Part particles where the run changes, or, where runs do not matter, every few hundred."""
    if not together:
        yield from (run for _, run in groupby(particles, key=lambda particle: particle.sample_id))
        return
    source = iter(particles)
    while part := list(islice(source, _AT_ONCE)):
        yield iter(part)


def _in_parts(particles: list[Particle], embeddings: Embeddings) -> Iterator[tuple[list[Particle], Embeddings]]:
    for start in range(0, len(particles), _AT_ONCE):
        part = particles[start : start + _AT_ONCE]
        yield part, embeddings.take(np.arange(start, start + len(part)))


def write_levels(levels: Levels, folder: Path) -> None:
    """Write levels into the folder of a gallery."""
    from safetensors.numpy import save_file

    tensors = {f"vectors.{name}": array for name, array in levels.vectors.tensors().items()}
    about = {}
    if levels.signals is not None:
        tensors |= {f"signals.{name}": array for name, array in levels.signals.tensors().items()}
        about["signals"] = json.dumps(levels.signals.document(), ensure_ascii=False)
    save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, folder / _FILE, about)


def read_levels(folder: Path) -> Levels | None:
    """Read the levels of a gallery from its folder; None where it has none.

    Raises
    ------
    InputError
        Where the file is damaged.
    """
    path = folder / _FILE
    if not path.is_file():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
            about = file.metadata() or {}
        parts = {
            part: {name.removeprefix(part): array for name, array in tensors.items() if name.startswith(part)}
            for part in ("vectors.", "signals.")
        }
        vectors = RunLevels.of_tensors(parts["vectors."])
        document = about.get("signals")
        signals = None if document is None else SignalLevels.of(parts["signals."], json.loads(document))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise InputError(f"{path}: is damaged ({error}); make the gallery anew") from error
    return Levels(vectors, signals)
