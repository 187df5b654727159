"""What raw labels mean: accepted names, lineages, and what a label says beside the taxon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names
from seston.taxonomy.taxon import RANKS, How, Kind, Taxon

if TYPE_CHECKING:
    from seston.taxonomy.barcodes import attach_barcodes
    from seston.taxonomy.captions import TEMPLATES, Caption, lineage
    from seston.taxonomy.checking import CheckReport, Finding, check
    from seston.taxonomy.fact_files import Fact, facts_paths, read_facts
    from seston.taxonomy.label_flow_page import sankey
    from seston.taxonomy.label_taxa import taxa_of
    from seston.taxonomy.lifeless_labels import non_plankton
    from seston.taxonomy.overrides import Overrides, data_set_overrides, read_overrides
    from seston.taxonomy.resolving import resolve
    from seston.taxonomy.tree import TaxonTree
    from seston.taxonomy.updates import update

__all__ = [
    "RANKS",
    "TEMPLATES",
    "Caption",
    "CheckReport",
    "Fact",
    "Finding",
    "How",
    "Kind",
    "Overrides",
    "Taxon",
    "TaxonTree",
    "attach_barcodes",
    "check",
    "data_set_overrides",
    "facts_paths",
    "lineage",
    "non_plankton",
    "read_facts",
    "read_overrides",
    "resolve",
    "sankey",
    "taxa_of",
    "update",
]

__getattr__ = late_names(
    "seston.taxonomy",
    {
        "Fact": "fact_files",
        "Overrides": "overrides",
        "TEMPLATES": "captions",
        "Caption": "captions",
        "CheckReport": "checking",
        "Finding": "checking",
        "check": "checking",
        "lineage": "captions",
        "non_plankton": "lifeless_labels",
        "TaxonTree": "tree",
        "attach_barcodes": "barcodes",
        "data_set_overrides": "overrides",
        "facts_paths": "fact_files",
        "read_facts": "fact_files",
        "read_overrides": "overrides",
        "resolve": "resolving",
        "sankey": "label_flow_page",
        "taxa_of": "label_taxa",
        "update": "updates",
    },
)
