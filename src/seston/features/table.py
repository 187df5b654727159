"""All classical features of many particles in one table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from seston.features.listmode import listmode_features
from seston.features.pictures import features_of_pictures
from seston.features.pulse import pulse_table
from seston.particle import Particle

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["BLOCKS", "Block", "FeatureTable", "classical_table", "feature_blocks"]

Block = Literal["listmode", "pulse", "picture"]
BLOCKS: tuple[Block, ...] = ("listmode", "pulse", "picture")

_COLUMNS = (
    "id",
    "sample_id",
    "image",
    "scale_bar",
    "pixel_size_um",
    "profile",
    "profile_channels",
    "profile_length",
    "profile_spacing_um",
    "listmode",
    "listmode_names",
)
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features of particles: one row a particle, one column a feature."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    """Names within their block; a name may stand in two blocks."""
    blocks: tuple[Block, ...]
    """What each column was measured on."""
    values: NDArray[np.float32]
    """Shape (particles, features); NaN where a particle does not have a feature."""

    def of(self, *blocks: Block) -> FeatureTable:
        """Keep the columns of some blocks."""
        keep = [column for column, block in enumerate(self.blocks) if block in blocks]
        names, kinds = tuple(self.names[column] for column in keep), tuple(self.blocks[column] for column in keep)
        return FeatureTable(self.ids, names, kinds, self.values[:, keep])

    def has(self, block: Block) -> NDArray[np.bool_]:
        """Tell which particles have any feature of a block."""
        return np.asarray(np.isfinite(self.of(block).values).any(axis=1))


def feature_blocks(particles: Sequence[Particle], beam_widths_um: Mapping[str, float] | None = None) -> FeatureTable:
    """Measure particles.

    Parameters
    ----------
    particles
        Some at a time: their pictures are decoded one by one, their profiles measured together.
    beam_widths_um
        Width of the laser beam by sample id, where it is known: only then is there a pulse length in µm.

    Returns
    -------
    FeatureTable
        Rows in the order of `particles`. Columns are all features that at least one particle has, listmode first, then
        pulse, then picture. A picture that cannot be decoded or shows no particle counts as absent.
    """
    cells: dict[tuple[Block, str], NDArray[np.float32]] = {}
    _put(cells, "listmode", [listmode_features(particle) for particle in particles])
    _put(cells, "picture", features_of_pictures(particles))
    _put_pulses(cells, particles, beam_widths_um or {})
    found = [key for key, values in cells.items() if np.isfinite(values).any()]
    order = sorted(found, key=lambda key: BLOCKS.index(key[0]))
    values = np.stack([cells[key] for key in order], axis=1) if order else np.empty((len(particles), 0), np.float32)
    ids = tuple(particle.id for particle in particles)
    return FeatureTable(ids, tuple(name for _, name in order), tuple(block for block, _ in order), values)


def classical_table(data: DataSet, ids: Sequence[str] | None = None) -> FeatureTable:
    """Measure the particles of a data set, streaming.

    Parameters
    ----------
    data
        A data set.
    ids
        Which particles, and in which order; all in row order where None.
    """
    from seston.store import rows_to_particles

    beam_widths = {sample.id: sample.beam_width_um for sample in data.samples() if sample.beam_width_um is not None}
    return _joined(
        feature_blocks(rows_to_particles(batch), beam_widths)
        for batch in data.particles(_COLUMNS, ids=ids, batch_size=_AT_ONCE)
    )


def _put(
    cells: dict[tuple[Block, str], NDArray[np.float32]], block: Block, features: Sequence[Mapping[str, float]]
) -> None:
    """Put the features of all particles into columns; particles with the same names, most of them, go in together."""
    alike: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, found in enumerate(features):
        alike[tuple(found)].append(row)
    for names, rows in alike.items():
        table = np.array([list(features[row].values()) for row in rows], dtype=np.float32)
        for name, values in zip(names, table.T, strict=True):
            column = cells.setdefault((block, name), np.full(len(features), np.nan, dtype=np.float32))
            column[rows] = values


def _put_pulses(
    cells: dict[tuple[Block, str], NDArray[np.float32]], particles: Sequence[Particle], beams: Mapping[str, float]
) -> None:
    """Measure the profiles of all particles with the same channels together."""
    alike: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, particle in enumerate(particles):
        if particle.profile is not None:
            alike[particle.profile_channels].append(row)
    for channels, rows in alike.items():
        some = [particles[row] for row in rows]
        names, table = pulse_table(
            [particle.profile for particle in some if particle.profile is not None],
            channels,
            [particle.profile_spacing_um for particle in some],
            [beams.get(particle.sample_id) for particle in some],
        )
        for name, values in zip(names, table.T, strict=True):
            column = cells.setdefault(("pulse", name), np.full(len(particles), np.nan, dtype=np.float32))
            column[rows] = values


def _joined(tables: Iterable[FeatureTable]) -> FeatureTable:
    """Put tables below one another; a column that one of them lacks is NaN there."""
    parts = list(tables)
    columns: dict[tuple[Block, str], int] = {}
    for part in parts:
        for key in zip(part.blocks, part.names, strict=True):
            columns.setdefault(key, len(columns))
    values = np.full((sum(len(part.ids) for part in parts), len(columns)), np.nan, dtype=np.float32)
    first = 0
    for part in parts:
        places = [columns[key] for key in zip(part.blocks, part.names, strict=True)]
        values[first : first + len(part.ids), places] = part.values
        first += len(part.ids)
    order = sorted(columns, key=lambda key: BLOCKS.index(key[0]))
    return FeatureTable(
        tuple(name for part in parts for name in part.ids),
        tuple(name for _, name in order),
        tuple(block for block, _ in order),
        values[:, [columns[key] for key in order]],
    )
