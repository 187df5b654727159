"""Which taxon each particle of a training is, by the label that holds for it and the source that it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.taxonomy import Taxon, data_set_overrides, read_overrides, resolve

if TYPE_CHECKING:
    from seston.store import DataSet
    from seston.training.particles import Chosen

__all__ = ["particle_taxa"]

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
    sources = _sources(data)
    numbers: dict[tuple[str, str], int] = {}
    found = []
    for part in parts:
        rows = np.full(len(part), -1, np.int64)
        for place, (name, row) in enumerate(zip(part.ids, part.rows.tolist(), strict=True)):
            label = labels.get(name)
            if label is not None:
                rows[place] = numbers.setdefault((sources[row], label), len(numbers))
        found.append(rows)
    return _taxa(data, list(numbers)), found


def _taxa(data: DataSet, pairs: list[tuple[str, str]]) -> list[Taxon]:
    table = data_set_overrides(data.path)
    overrides = None if table is None else read_overrides(table)
    by_source: dict[str, list[str]] = {}
    for source, label in pairs:
        by_source.setdefault(source, []).append(label)
    meaning = {
        (source, label): taxon
        for source, words in by_source.items()
        for label, taxon in zip(words, resolve(words, source=source, overrides=overrides), strict=True)
    }
    return [meaning[pair] for pair in pairs]


def _sources(data: DataSet) -> list[str]:
    shared: dict[str, str] = {}
    sources: list[str] = []
    for batch in data.particles(["source"], batch_size=_AT_ONCE):
        sources.extend(shared.setdefault(name or "", name or "") for name in batch.column("source").to_pylist())
    return sources
