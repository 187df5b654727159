"""What the labels on their way out mean, each looked up once."""

from __future__ import annotations

import hashlib
from pathlib import Path

from seston.interchange.outgoing import Outgoing
from seston.taxonomy import Taxon
from seston.taxonomy.overrides import data_set_overrides, read_overrides

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
        table = data_set_overrides(data)
        self._overrides = None if table is None else read_overrides(table)
        self.fingerprint = "" if table is None else hashlib.sha256(table.read_bytes()).hexdigest()
        """Another one where the table of the data set is another."""
        self._known: dict[tuple[str, str], Taxon] = {}

    def of(self, one: Outgoing) -> Taxon | None:
        """Give the taxon of a particle's name; None for particles without a name, or with one that is doubted."""
        if one.naming is None or not one.naming.is_trusted:
            return None
        key = (one.naming.label, one.particle.source)
        if key not in self._known:
            from seston.taxonomy import resolve

            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = resolve([key[0]], source=key[1], overrides=self._overrides)[0]
        return self._known[key]
