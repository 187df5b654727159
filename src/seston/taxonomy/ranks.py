"""The ranks that taxa may have here."""

from __future__ import annotations

__all__ = ["RANK_ORDER"]

_RANKS = """
    root domain kingdom subkingdom infrakingdom
    superphylum phylum subphylum infraphylum parvphylum
    gigaclass megaclass superclass class subclass infraclass
    superorder order suborder infraorder parvorder
    section superfamily family subfamily tribe
    genus subgenus species subspecies variety forma
"""
RANK_ORDER = tuple(_RANKS.split())
"""Every rank, from the widest to the narrowest."""
