"""What licences allow and ask for, and what a mixture of them comes to.

The table ``licences.tsv`` holds the terms of each, read in the licence texts; identifiers are those of SPDX.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from seston.errors import UsageError, nearest_word

__all__ = [
    "LICENCE_CHOICES",
    "Licence",
    "LicenceChoice",
    "check_licence_choice",
    "find_licence",
    "is_let_out",
    "terms_of",
]

LicenceChoice = Literal["any", "commercial", "attribution"]
"""Which particles to let out: all; those that may be used for money; those that ask for no more than credit."""

LICENCE_CHOICES: tuple[LicenceChoice, ...] = ("any", "commercial", "attribution")


@dataclass(frozen=True, slots=True)
class Licence:
    """What one licence asks for."""

    spdx: str
    url: str
    hub: str
    """Its name on the Hugging Face Hub."""
    attribution: bool
    share_alike: bool
    non_commercial: bool
    no_derivatives: bool


def find_licence(spdx: str) -> Licence | None:
    """Give the terms of a licence by its SPDX identifier, whatever its case; None for ``unknown`` and strange ones."""
    return _table().get(spdx.strip().lower())


def check_licence_choice(choice: str) -> None:
    """Refuse a word that is no choice of licences.

    Raises
    ------
    UsageError
        With the nearest word.
    """
    if choice not in LICENCE_CHOICES:
        raise UsageError(f"licences are chosen by a word, not by {choice!r}{nearest_word(choice, LICENCE_CHOICES)}")


def is_let_out(spdx: str, choice: LicenceChoice) -> bool:
    """Tell whether a particle under this licence belongs to the choice.

    A licence that is unknown, or not in the table, is let out by ``any`` alone.

    Examples
    --------
    >>> is_let_out("CC-BY-SA-4.0", "commercial"), is_let_out("CC-BY-SA-4.0", "attribution")
    (True, False)
    """
    if choice == "any":
        return True
    licence = find_licence(spdx)
    if licence is None or licence.non_commercial:
        return False
    return choice == "commercial" or not (licence.share_alike or licence.no_derivatives)


def terms_of(licences: Iterable[str]) -> str:
    """Say in one sentence what a mixture of licences comes to: the strictest terms of all of them together."""
    found = [find_licence(one) for one in licences]
    known = [licence for licence in found if licence is not None]
    asked = [
        words
        for name, words in (
            ("attribution", "give credit"),
            ("non_commercial", "no commercial use"),
            ("share_alike", "pass on under the same terms"),
            ("no_derivatives", "no changed copies"),
        )
        if any(getattr(licence, name) for licence in known)
    ]
    sentence = f"Taken together: {'; '.join(asked)}." if asked else "Taken together: no conditions."
    if any(one.share_alike and not one.non_commercial for one in known) and any(one.non_commercial for one in known):
        sentence += " No licence can cover the whole: its share-alike and non-commercial parts exclude each other."
    if len(known) < len(found):
        sentence += " Some licences are unknown: ask whoever made those pictures before you pass them on."
    return sentence


@lru_cache(maxsize=1)
def _table() -> dict[str, Licence]:
    text = files("seston.interchange").joinpath("licences.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    flags = ("attribution", "share_alike", "non_commercial", "no_derivatives")
    return {
        row["spdx"].lower(): Licence(row["spdx"], row["url"], row["hub"], *(row[flag] == "yes" for flag in flags))
        for row in rows
    }
