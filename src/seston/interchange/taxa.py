"""What the labels on their way out mean, each looked up once."""

from __future__ import annotations

from pathlib import Path

from seston.interchange.outgoing import Outgoing
from seston.taxonomy import Taxon

__all__ = ["Taxa"]

_MOST_REMEMBERED = 100_000


class Taxa:
    """Labels to taxa; the same label of the same source is resolved once.

    Parameters
    ----------
    data
        Folder of the data set: where it holds a table of what its labels mean, that wins.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._known: dict[tuple[str, str], Taxon] = {}

    def of(self, one: Outgoing) -> Taxon | None:
        """Give the taxon of a particle's name; None for particles without a name, or with one that is doubted."""
        if one.naming is None or not one.naming.is_trusted:
            return None
        key = (one.naming.label, one.particle.source)
        if key not in self._known:
            from seston.taxonomy import data_set_overrides, resolve

            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = resolve([key[0]], source=key[1], overrides=data_set_overrides(self._data))[0]
        return self._known[key]
