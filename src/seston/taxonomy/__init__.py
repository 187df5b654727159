"""What raw labels mean: accepted names, lineages, and what a label says beside the taxon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names
from seston.taxonomy.taxon import RANKS, How, Kind, Taxon

if TYPE_CHECKING:
    from seston.taxonomy.facts import Fact, Facts, built_in_facts, read_facts
    from seston.taxonomy.resolving import resolve

__all__ = ["RANKS", "Fact", "Facts", "How", "Kind", "Taxon", "built_in_facts", "read_facts", "resolve"]

__getattr__ = late_names(
    "seston.taxonomy",
    {
        "Fact": "facts",
        "Facts": "facts",
        "built_in_facts": "facts",
        "read_facts": "facts",
        "resolve": "resolving",
    },
)
