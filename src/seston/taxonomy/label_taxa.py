"""Which taxon each label of a data set or gallery means."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from seston.taxonomy.overrides import data_set_overrides, read_overrides
from seston.taxonomy.resolving import resolve
from seston.taxonomy.taxon import Taxon

__all__ = ["taxa_of"]


def taxa_of(labels: Iterable[tuple[str, str]], data: Path | None = None) -> dict[tuple[str, str], Taxon]:
    """Resolve labels, each in the context of the collection or import that it comes from.

    Parameters
    ----------
    labels
        (source, label); the same pair may come many times.
    data
        Folder of a data set: where it holds a table of its own, that wins.
    """
    table = None if data is None else data_set_overrides(data)
    overrides = None if table is None else read_overrides(table)

    by_source: dict[str, list[str]] = {}
    for source, label in dict.fromkeys(labels):
        by_source.setdefault(source, []).append(label)
    return {
        (source, label): taxon
        for source, words in by_source.items()
        for label, taxon in zip(words, resolve(words, source=source, overrides=overrides), strict=True)
    }
