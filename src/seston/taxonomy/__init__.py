"""What raw labels mean: accepted names, lineages, and what a label says beside the taxon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names
from seston.taxonomy.taxon import RANKS, How, Kind, Taxon

if TYPE_CHECKING:
    from seston.taxonomy.barcodes import attach_barcodes
    from seston.taxonomy.fact_files import facts_paths
    from seston.taxonomy.facts import Fact, Facts, built_in_facts, read_facts
    from seston.taxonomy.label_flow_page import sankey
    from seston.taxonomy.resolving import resolve
    from seston.taxonomy.updates import update

__all__ = [
    "RANKS",
    "Fact",
    "Facts",
    "How",
    "Kind",
    "Taxon",
    "attach_barcodes",
    "built_in_facts",
    "facts_paths",
    "read_facts",
    "resolve",
    "sankey",
    "update",
]

__getattr__ = late_names(
    "seston.taxonomy",
    {
        "Fact": "facts",
        "Facts": "facts",
        "built_in_facts": "facts",
        "read_facts": "facts",
        "attach_barcodes": "barcodes",
        "facts_paths": "fact_files",
        "resolve": "resolving",
        "sankey": "label_flow_page",
        "update": "updates",
    },
)
