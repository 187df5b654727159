"""From a raw label to what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from seston.taxonomy.choosing import Choice, choose
from seston.taxonomy.fact_files import Fact
from seston.taxonomy.kinds import kind_of
from seston.taxonomy.lexicon import Entry, Lexicon
from seston.taxonomy.mentions import Mention, Scanner
from seston.taxonomy.ranks import RANK_ORDER
from seston.taxonomy.taxon import Taxon
from seston.taxonomy.tree import TaxonTree, width
from seston.taxonomy.words import Word, levels_of

__all__ = ["LabelReader"]

_WITH_LEFTOVERS = 0.85
_LIKE_A_NAME = 0.3
_ORDER = RANK_ORDER.index("order")
_APPENDAGES = frozenset({"tentacle", "antenna", "leg", "spine", "seta", "arm"})
_CARRIERS = frozenset({"Copepoda", "Cladocera", "Rotifera"})
"""Animals that carry their eggs: eggs that are told to be theirs are on them."""
_GENERAL_STAGES = ("larva", "juvenile", "adult")
_GENERAL_PART = "part"
_QUALIFIERS = ("non", "cf.", "aff.", "like", "uncertain", "mix", "with parasite", "with epibiont", "sp.", "spp.")
"""The weightiest first: of several a label keeps that one, and any other only where it stands alone."""
_EMPTY_ROLES = frozenset({"qualifier", "ignore", "link"})
_NO_LINEAGE: Mapping[str, str] = MappingProxyType({})
_EGG_BEARING = Entry("state", "egg-bearing", kind="living", informal=True)


class LabelReader:
    """Reads labels, each by itself.

    Parameters
    ----------
    lexicon
        The names and words that are known.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._tree = lexicon.tree
        self._scanner = Scanner(lexicon)

    def read(self, label: str, source: str = "") -> Taxon:
        """Say what a label of a source means."""
        levels: list[list[Mention]] = []
        leftovers: list[Word] = []
        paths = levels_of(label)
        for words in paths:
            mentions, unknown = self._scanner.scan(words)
            levels.append(mentions)
            leftovers += unknown
        phrase = " ".join(word.text for word in paths[0]) if len(paths) == 1 else ""
        choice = choose(levels, phrase, source, self._tree)
        mentions = [one for level in levels for one in _features(level, choice.fact, self._tree)]
        return self._taxon(label, source, choice, mentions, leftovers)

    def _taxon(
        self, label: str, source: str, choice: Choice, mentions: Sequence[Mention], leftovers: Sequence[Word]
    ) -> Taxon:
        fact = choice.fact
        kind = kind_of(mentions, named=fact is not None)
        values: dict[str, list[str]] = {}
        for one in mentions:
            values.setdefault(one.entry.role, []).append(one.entry.value)
        told = fact is not None or not values.keys() <= _EMPTY_ROLES
        confidence, note = choice.sureness if fact else float(told and kind != "unknown"), choice.note
        if leftovers:
            confidence, note = round(confidence * _WITH_LEFTOVERS, 3), _not_understood(note, leftovers)
            if fact is None and kind == "unknown" and any(word.like_a_name for word in leftovers):
                kind, confidence = "living", _LIKE_A_NAME
        shapes = [value for value in (*values.get("shape", ()), *values.get("state", ())) if value]
        return Taxon(
            raw_label=label,
            source=source,
            name=fact.name if fact else None,
            rank=fact.rank if fact else None,
            lineage=self._tree.lineage(fact) if fact else _NO_LINEAGE,
            aphia_id=fact.aphia_id if fact else None,
            kind=kind,
            stage=_first(values.get("stage", ()), _GENERAL_STAGES),
            part=_first(values.get("part", ()), (_GENERAL_PART,)),
            morphology=", ".join(dict.fromkeys(shapes)) if shapes else None,
            qualifier=_qualifier(values.get("qualifier", ()), doubted="?" in label),
            how=choice.how,
            confidence=confidence,
            parts=tuple([part.name for part in choice.parts]) if choice.parts else (),
            note=note,
        )


def _features(level: Sequence[Mention], fact: Fact | None, tree: TaxonTree) -> list[Mention]:
    """Tell what an organism has from what is loose: eggs that are carried, tentacles that are seen, mucus around it.

    Only a plural behind the name counts (``oithona_eggs``, ``cydippid_tentacles``), or a limb that is described in one
    word (``longantenna``), and only a name that loose eggs or limbs would not get.
    """
    if fact is None:
        return list(level)
    read: list[Mention] = []
    behind = beside = False
    for one in level:
        entry = one.entry
        beside = beside or (behind and entry.role == "link" and entry.value == "with")
        behind = behind or entry.role == "taxon"
        if behind and one.plural and entry.role == "stage" and entry.value == "egg" and _carries(fact, tree):
            one = one._replace(entry=_EGG_BEARING)
        elif beside and entry.role in ("part", "kind"):
            one = one._replace(entry=Entry("state", f"with {one.phrase}", informal=True))
        elif behind and (one.plural or one.joined) and entry.value in _APPENDAGES and width(fact) >= _ORDER:
            one = one._replace(entry=Entry("shape", f"with {one.phrase}", informal=True))
        read.append(one)
    return read


def _carries(fact: Fact, tree: TaxonTree) -> bool:
    return any(above.name in _CARRIERS for above in tree.path(fact)[:-1])


def _not_understood(note: str, leftovers: Sequence[Word]) -> str:
    words = f"not understood: {', '.join([word.raw for word in leftovers])}"
    return f"{note}; {words}" if note else words


def _first(values: Sequence[str], general: Sequence[str]) -> str | None:
    """Give the first value that says more than the general ones, or else the first."""
    if not values:
        return None
    special = [value for value in values if value not in general]
    return next(iter(special or values), None)


def _qualifier(values: Sequence[str], *, doubted: bool) -> str | None:
    if not values:
        return "uncertain" if doubted else None
    return next((value for value in _QUALIFIERS if value in values), values[0])
