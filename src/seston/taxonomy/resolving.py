"""From raw labels to taxa."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from seston.taxonomy.knowledge import known_facts
from seston.taxonomy.lexicon import Lexicon
from seston.taxonomy.overrides import Overrides, read_overrides
from seston.taxonomy.reading import LabelReader
from seston.taxonomy.taxon import Taxon
from seston.taxonomy.tree import TaxonTree

__all__ = ["resolve"]

_NUMBER = re.compile("[0-9]+")


def resolve(
    labels: Iterable[str],
    *,
    source: str = "",
    overrides: Path | Overrides | None = None,
    tree: TaxonTree | None = None,
) -> list[Taxon]:
    """Say what raw labels mean.

    Parameters
    ----------
    labels
        Raw labels, exactly as the source has them. Each is read by itself: the others change nothing.
    source
        The collection or import that they come from; the same words mean different things in different ones.
    overrides
        A user's table of what labels mean, or its path; it wins over everything else.
    tree
        The taxa; those of the table that comes with Seston and of the user's own if not given.

    Returns
    -------
    list of Taxon
        One for each label, in the same order. A name that the tables do not hold is never made up.

    Raises
    ------
    InputError
        If a table cannot be read.
    """
    if isinstance(overrides, Path):
        overrides = read_overrides(overrides)
    known = known_facts() if tree is None else tree
    reader = _reader(known)
    read: dict[str, Taxon] = {}
    meanings: dict[str, Taxon] = {}
    taxa = []
    for label in labels:
        taxon = meanings.get(label)
        if taxon is None:
            taxon = _read(label, source, reader, read)
            if overrides is not None:
                taxon = overrides.apply(taxon, known)
            meanings[label] = taxon
        taxa.append(taxon)
    return taxa


def _read(label: str, source: str, reader: LabelReader, read: dict[str, Taxon]) -> Taxon:
    """Read a label, or take over what another one means that differs only in its numbers: they name nothing."""
    key = _NUMBER.sub("0", label)
    taxon = read.get(key)
    if taxon is None:
        taxon = read[key] = reader.read(label, source)
    return taxon if taxon.raw_label == label else replace(taxon, raw_label=label)


@lru_cache(maxsize=2)
def _reader(tree: TaxonTree) -> LabelReader:
    return LabelReader(Lexicon(tree))
