"""Which labels of a data set show no organism: detritus, faults of the picture, lifeless things."""

from __future__ import annotations

from collections.abc import Iterable

from seston.taxonomy.resolving import resolve

__all__ = ["non_plankton"]

_KINDS = frozenset({"detritus", "artefact", "inert"})


def non_plankton(labels: Iterable[str], *, source: str = "") -> list[str]:
    """Give the labels of which it is known that they show no organism, each once, in alphabetical order.

    Parameters
    ----------
    labels
        Raw labels; what no one can tell the kind of (``other``, ``mix``) is not among the answers.
    source
        The collection that they come from.
    """
    names = sorted(set(labels))
    return [taxon.raw_label for taxon in resolve(names, source=source) if taxon.kind in _KINDS]
