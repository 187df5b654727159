"""From raw labels to taxa."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from seston.taxonomy.known_facts import known_facts
from seston.taxonomy.lexicon import Lexicon
from seston.taxonomy.overrides import Overrides, read_overrides
from seston.taxonomy.reading import LabelReader
from seston.taxonomy.taxon import Taxon
from seston.taxonomy.tree import TaxonTree

__all__ = ["resolve"]


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
    meanings: dict[str, Taxon] = {}
    taxa = []
    for label in labels:
        taxon = meanings.get(label)
        if taxon is None:
            taxon = reader.read(label, source)
            if overrides is not None:
                taxon = overrides.apply(taxon, known)
            meanings[label] = taxon
        taxa.append(taxon)
    return taxa


@lru_cache(maxsize=2)
def _reader(tree: TaxonTree) -> LabelReader:
    return LabelReader(Lexicon(tree))
