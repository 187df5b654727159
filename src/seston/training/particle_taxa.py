"""Which taxon each particle of a training is, by the label that holds for it and the source that it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.taxonomy import Taxon, taxa_of

if TYPE_CHECKING:
    from seston.store import DataSet
    from seston.training.particles import Chosen

__all__ = ["particle_taxa", "sources_of"]

_AT_ONCE = 1 << 16


def particle_taxa(data: DataSet, *parts: Chosen) -> tuple[list[Taxon], list[NDArray[np.int64]]]:
    """Find what the labels of chosen particles mean.

    Parameters
    ----------
    data
        The data set; its own table of what labels mean wins over Seston's.
    parts
        Chosen particles of it.

    Returns
    -------
    list of Taxon
        One for each different pair of source and label.
    list of arrays of int64
        For each part, (N,) number of each particle's taxon, -1 for those without a label that holds (predictions and
        doubts name nothing).
    """
    labels = data.labels(trusted=True)
    sources = sources_of(data)
    numbers: dict[tuple[str, str], int] = {}
    found = []
    for part in parts:
        rows = np.full(len(part), -1, np.int64)
        for place, (name, row) in enumerate(zip(part.ids, part.rows.tolist(), strict=True)):
            label = labels.get(name)
            if label is not None:
                rows[place] = numbers.setdefault((sources[row], label), len(numbers))
        found.append(rows)
    meanings = taxa_of(numbers, data.path)
    return [meanings[pair] for pair in numbers], found


def sources_of(data: DataSet) -> list[str]:
    """Give the source of each particle of a data set, by row; an empty text where it has none."""
    shared: dict[str, str] = {}
    sources: list[str] = []
    for batch in data.particles(["source"], batch_size=_AT_ONCE):
        sources.extend(shared.setdefault(name or "", name or "") for name in batch.column("source").to_pylist())
    return sources
