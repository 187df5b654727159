"""What licences ask for: which may be used for what, and what holds for pictures under several.

Terms are those of the licences' own texts, by SPDX identifier. This is arithmetic over them and no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from seston.errors import UsageError, nearest_word

__all__ = ["LICENCE_FILTERS", "LicenceFilter", "Terms", "is_allowed", "strictest", "terms_of"]

LicenceFilter = Literal["commercial", "attribution", "any"]
LICENCE_FILTERS: tuple[LicenceFilter, ...] = ("commercial", "attribution", "any")
"""Licences to take: those that allow use for money; those that ask for no more than credit; all, known or not."""


class Terms(NamedTuple):
    """What a licence asks for."""

    attribution: bool = True
    non_commercial: bool = False
    share_alike: bool = False
    no_derivatives: bool = False


def terms_of(licence: str) -> Terms | None:
    """Give the terms of a licence by its SPDX identifier; None for one that is unknown, or not known here."""
    name = licence.upper()
    if name in _PLAIN:
        return _PLAIN[name]
    words = name.split("-")
    if words[0] != "CC" or "BY" not in words:
        return None
    return Terms(non_commercial="NC" in words, share_alike="SA" in words, no_derivatives="ND" in words)


def is_allowed(licence: str, wanted: LicenceFilter) -> bool:
    """Tell whether pictures under a licence are among those wanted.

    Raises
    ------
    UsageError
        `wanted` is none of `LICENCE_FILTERS`.
    """
    if wanted not in LICENCE_FILTERS:
        raise UsageError(f"licences are chosen by a word, not by {wanted!r}{nearest_word(wanted, LICENCE_FILTERS)}")
    terms = terms_of(licence)
    if wanted == "any":
        return True
    if terms is None or terms.non_commercial:
        return False
    return wanted == "commercial" or not (terms.share_alike or terms.no_derivatives)


def strictest(licences: Iterable[str]) -> str:
    """Say in a sentence what holds for pictures under all of these licences together."""
    names = sorted(set(licences))
    known = {name: terms for name in names if (terms := terms_of(name)) is not None}
    asked = []
    if any(terms.attribution for terms in known.values()):
        asked.append("credit to every source")
    if commercial := [name for name, terms in known.items() if terms.non_commercial]:
        asked.append(f"no use for money ({', '.join(commercial)})")
    if sharing := [name for name, terms in known.items() if terms.share_alike]:
        asked.append(f"the same licence for what is made of it ({', '.join(sharing)})")
    if still := [name for name, terms in known.items() if terms.no_derivatives]:
        asked.append(f"no changed copies ({', '.join(still)})")
    sentences = [f"Together they ask for {'; '.join(asked)}." if asked else "Together they ask for nothing."]
    if commercial and any(not known[name].non_commercial for name in sharing):
        sentences.append(
            "No single licence can exist for the whole: one source wants what is made of it under its own licence, "
            "another forbids the use for money that this licence allows. Each picture keeps its own."
        )
    elif still:
        sentences.append("No single licence can exist for the whole: each picture keeps its own.")
    if unknown := [name for name in names if name not in known]:
        sentences.append(
            f"Of some nothing is known ({', '.join(unknown)}): ask their owners before any use that the law does not "
            "allow anyway."
        )
    return " ".join(sentences)


_PLAIN = {
    "CC0-1.0": Terms(attribution=False),
    "PDDL-1.0": Terms(attribution=False),
    "ODC-BY-1.0": Terms(),
    "ODBL-1.0": Terms(share_alike=True),
    "MIT": Terms(),
    "APACHE-2.0": Terms(),
    "BSD-2-CLAUSE": Terms(),
    "BSD-3-CLAUSE": Terms(),
}
