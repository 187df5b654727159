"""One name of a checklist, and how registers write ranks, states and identifiers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["ChecklistName", "aphia_id_in", "bare_name", "plain_rank"]

_LSID = re.compile(
    r"(?:marinespecies\.org:taxname:|marinespecies\.org/aphia\.php\?p=taxdetails&(?:amp;)?id=)(\d{1,8})\b"
)
_BRACKETS = re.compile(r"\s*\(.*\)$")
_OTHER_WORDS = {
    "division": "phylum",
    "subdivision": "subphylum",
    "form": "forma",
    "f.": "forma",
    "varietas": "variety",
    "var.": "variety",
    "subsp.": "subspecies",
    "ssp.": "subspecies",
    "sp.": "species",
    "regnum": "kingdom",
    "classis": "class",
    "ordo": "order",
    "familia": "family",
}
_BELOW_GENUS = frozenset({"species", "subspecies", "variety", "forma"})
_EPITHET = re.compile(r"[a-zß-öø-ÿ][a-zß-öø-ÿ\-]+")
_SUBGENUS = re.compile(r"\([A-Z][a-z\-]+\)")
_BEFORE_EPITHETS = frozenset({"subsp.", "ssp.", "var.", "f.", "forma"})
_OF_AUTHORS = frozenset(
    {"and", "auct", "da", "de", "del", "den", "der", "di", "du", "emend", "et", "ex", "in", "la", "le", "nec", "non"}
    | {"sensu", "van", "von", "zu"}
)
"""Words in lower case that belong to an author and not to a name."""


@dataclass(frozen=True, slots=True)
class ChecklistName:
    """One name as a checklist has it; keys are the checklist's own."""

    name: str
    """Without its author."""
    rank: str
    """As `plain_rank` gives it; empty where the checklist does not say."""
    key: str = ""
    parent_key: str = ""
    parent: str = ""
    accepted_key: str = ""
    accepted: str = ""
    """The name to use in its place, where the checklist gives it by name."""
    in_use: bool = True
    """False where the checklist says that it is a synonym or otherwise not accepted."""
    aphia_id: int | None = None
    above: tuple[tuple[str, str], ...] = ()
    """Rank and name of each taxon above it, from the widest, where the checklist repeats them in every row."""


def aphia_id_in(*texts: str) -> int | None:
    """Find an identifier of WoRMS in life science identifiers or addresses of its pages."""
    for text in texts:
        if found := _LSID.search(text):
            return int(found.group(1))
    return None


def plain_rank(text: str) -> str:
    """Give a rank in one lower-case word: ``Phylum (Division)`` is a phylum."""
    rank = _BRACKETS.sub("", text.strip().lower())
    return _OTHER_WORDS.get(rank, rank)


def bare_name(name: str, rank: str, author: str = "") -> str:
    """Give a scientific name without its author.

    Parameters
    ----------
    name
        As a checklist has it, with or without its author.
    rank
        As `plain_rank` gives it.
    author
        The author, where the checklist gives it apart.
    """
    squeezed = " ".join(name.split())
    author = " ".join(author.split())
    if author:
        return squeezed.removesuffix(author).rstrip(" ,") or squeezed
    words = squeezed.split()
    if rank == "subgenus":
        return " ".join(words[:2]) if _SUBGENUS.fullmatch(" ".join(words[1:2])) else " ".join(words[:1])
    if rank and rank not in _BELOW_GENUS:
        return " ".join(words[:1])
    kept = words[:1]
    for word, following in pairwise([*words[1:], ""]):
        in_name = _SUBGENUS.fullmatch(word) if len(kept) == 1 else word in _BEFORE_EPITHETS
        if not _is_epithet(word) and not (in_name and _is_epithet(following)):
            break
        kept.append(word)
    # "Genus sp. 3 Smith" is no genus: what cannot be parted stays whole.
    return " ".join(kept) if rank not in _BELOW_GENUS or len(kept) > 1 else squeezed


def _is_epithet(word: str) -> bool:
    return _EPITHET.fullmatch(word) is not None and word not in _OF_AUTHORS
