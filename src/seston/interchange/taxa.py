"""What the labels on their way out mean, each looked up once."""

from __future__ import annotations

import re

from seston.interchange.outgoing import Outgoing
from seston.taxonomy import RANKS, Taxon

__all__ = ["Taxa", "lineage_text"]

_MOST_REMEMBERED = 100_000


class Taxa:
    """Labels to taxa; the same label of the same source is resolved once."""

    def __init__(self) -> None:
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
            self._known[key] = resolve([key[0]], source=key[1])[0]
        return self._known[key]


def lineage_text(taxon: Taxon) -> str:
    """Give a caption for training: the names from kingdom down in lower case, then stage and part.

    Without a taxon, the label's own words. The form, bare names parted by spaces, is that of the captions in
    Planktonzilla (arXiv 2606.00080).

    Examples
    --------
    >>> lineage_text(Taxon(raw_label="nauplii", lineage={"phylum": "Arthropoda"}, stage="nauplius"))
    'arthropoda nauplius'
    """
    names = [taxon.lineage[rank] for rank in RANKS if rank in taxon.lineage]
    if not names:
        return " ".join(re.sub(r"[_<>\W]+", " ", taxon.raw_label).split()).lower()
    return " ".join([*names, *(word for word in (taxon.stage, taxon.part) if word)]).lower()
