"""The public collections of plankton pictures: what is known of each, and how they become one data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names

if TYPE_CHECKING:
    from seston.collections.building import build
    from seston.collections.cards import Card, CardFile, card_names, load_card, load_cards
    from seston.collections.duplicates import DuplicateReport, LabelPair, find_duplicates
    from seston.collections.fetching import FetchedFile, FetchReport, fetch
    from seston.collections.metadata_query import MetadataReport, metadata
    from seston.collections.reports import BuildReport, CollectionReport

__all__ = [
    "BuildReport",
    "Card",
    "CardFile",
    "CollectionReport",
    "DuplicateReport",
    "FetchReport",
    "FetchedFile",
    "LabelPair",
    "MetadataReport",
    "build",
    "card_names",
    "fetch",
    "find_duplicates",
    "load_card",
    "load_cards",
    "metadata",
]

_WHERE = {
    "DuplicateReport": "duplicates",
    "LabelPair": "duplicates",
    "find_duplicates": "duplicates",
    "BuildReport": "reports",
    "CollectionReport": "reports",
    "build": "building",
    "Card": "cards",
    "CardFile": "cards",
    "FetchReport": "fetching",
    "FetchedFile": "fetching",
    "MetadataReport": "metadata_query",
    "card_names": "cards",
    "fetch": "fetching",
    "load_card": "cards",
    "load_cards": "cards",
    "metadata": "metadata_query",
}

__getattr__ = late_names(__name__, _WHERE)


def __dir__() -> list[str]:
    return sorted(__all__)
