"""What Seston knows of each public collection: one TOML card each, in the folder ``cards`` beside this module.

A card states facts and where they are from; what is not known stays empty. Your own card is a file of the same form.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from seston.errors import InputError, NotFoundError, nearest_word

__all__ = ["Card", "CardFile", "Expected", "Layout", "Position", "SideTable", "card_names", "load_card", "load_cards"]

_FOLDER = Path(__file__).parent / "cards"


class CardFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of a collection, as its host offers it."""

    name: str
    """Name to keep it under; where there are several of unknown names, a pattern (``*.zip``)."""
    url: str = ""
    """Where it can be fetched without asking anyone; empty: by hand, see `Card.instructions`."""
    bytes: int | None = None
    sha256: str = ""
    md5: str = ""
    holds: Literal["pictures", "table"] = "pictures"
    optional: bool = False
    """The collection can be built without it."""


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where in the archives the pictures stand, and what their paths say; see `seston.collections.paths`."""

    pictures: tuple[str, ...] = ()
    """Patterns of the paths of pictures; the first that fits counts."""
    archives: tuple[str, ...] = ()
    """Patterns of the paths of archives inside the archive; what they hold continues their path."""
    ignore: tuple[str, ...] = ()
    """Patterns of the paths of pictures that are no particles of the collection."""
    time_format: str = ""
    """How ``{time}`` is written: as in ``strptime``, in UTC, or ``microseconds`` since 1970."""
    sample_by: Literal["", "day"] = ""
    """What a sample is where neither path nor table names one: all pictures, or those of a day (UTC)."""
    scale_bar_rows: int = 0
    """Rows at the bottom of the pictures that may hold a scale bar burned in; 0 where there is none."""
    reader: str = ""
    """A reader of `seston.instruments` that reads the folder instead, where it holds more than pictures."""


class SideTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table that says more about each picture: tab-separated, or comma-separated where its name ends in ``.csv``."""

    file: str
    """Name of the file, perhaps gzipped."""
    key: str
    """The column that says which picture."""
    matches: Literal["path", "file", "stem", "object"] = "path"
    """What the key is: class folder and file, file name, file name without ending, or ``{object}`` of the path."""
    label: str = ""
    sample: str = ""
    time: str = ""
    time_format: str = ""
    latitude: str = ""
    longitude: str = ""
    depth_min_m: str = ""
    depth_max_m: str = ""
    optional: bool = False


class Position(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where all pictures of a collection were taken."""

    latitude: float
    longitude: float
    depth_m: float | None = None
    how: str
    """``fixed mooring``, or how the middle of a wider area was told: provenance for every sample."""


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many pictures and classes a whole archive holds."""

    images: int
    classes: int | None = None
    what: str = "the whole collection"


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One collection."""

    name: str
    """The key of the collection, which is the name of its file."""
    title: str
    instrument: str = ""
    instrument_code: str = ""
    """Identifier in the BODC L22 vocabulary, where it is known."""
    licence: str = "unknown"
    """SPDX identifier, or ``unknown``."""
    licence_source: str
    """Who says so."""
    citation: str = ""
    doi: str = ""
    page: str = ""
    """Where the collection is described or offered, if not by its DOI."""
    instructions: str = ""
    """How to get by hand the files that have no `url`."""
    files: tuple[CardFile, ...] = ()
    layout: Layout
    tables: tuple[SideTable, ...] = ()
    position: Position | None = None
    expected: tuple[Expected, ...] = ()
    label_rule: str = ""
    """What a raw label is here, in words."""
    notes: tuple[str, ...] = ()

    @property
    def images(self) -> int | None:
        """Pictures of the whole collection, None where no one says."""
        return self.expected[0].images if self.expected else None

    @property
    def classes(self) -> int | None:
        """Classes of the whole collection, None where no one says."""
        return self.expected[0].classes if self.expected else None

    @property
    def attribution(self) -> str:
        """Who to credit: the citation, or the title and where it is from."""
        where = f"doi:{self.doi}" if self.doi else self.page
        return self.citation or (f"{self.title}, {where}" if where else self.title)


def card_names() -> list[str]:
    """Name the collections, in alphabetical order."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_cards() -> list[Card]:
    """Read all cards, in the order of their names."""
    return [load_card(name) for name in card_names()]


def load_card(name: str | Path) -> Card:
    """Read one card.

    Parameters
    ----------
    name
        Name of a collection, or the path of a card of your own (``….toml``).

    Raises
    ------
    NotFoundError
        There is no such collection, with the nearest name; or no such file.
    InputError
        A card that cannot be read, or that says something that no card has.
    """
    path = Path(name) if str(name).endswith(".toml") else _FOLDER / f"{name}.toml"
    try:
        content = path.read_bytes()
    except OSError:
        if path.parent == _FOLDER:
            raise NotFoundError(
                f"there is no collection {str(name)!r}{nearest_word(str(name), card_names())}"
            ) from None
        raise NotFoundError(f"there is no card {path}") from None
    try:
        card = msgspec.toml.decode(content, type=Card)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: this card cannot be read: {error}") from None
    if card.name != path.stem:
        raise InputError(f"{path}: the card calls itself {card.name!r}; give the file that name, or the card this one")
    return card
