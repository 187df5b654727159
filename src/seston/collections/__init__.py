"""The public collections of plankton pictures: what is known of each, and how they become one data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names

if TYPE_CHECKING:
    from seston.collections.cards import Card, CardFile, card_names, load_card, load_cards
    from seston.collections.fetching import FetchedFile, FetchReport, fetch
    from seston.collections.metadata_query import MetadataReport, metadata

__all__ = [
    "Card",
    "CardFile",
    "FetchReport",
    "FetchedFile",
    "MetadataReport",
    "card_names",
    "fetch",
    "load_card",
    "load_cards",
    "metadata",
]

_WHERE = {
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
