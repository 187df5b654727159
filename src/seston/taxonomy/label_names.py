"""Which scientific names labels may hold that are not known yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from seston.particle import Progress
from seston.taxonomy.label_counts import count_labels
from seston.taxonomy.resolving import resolve
from seston.taxonomy.taxon import Taxon

__all__ = ["unknown_names"]

_BETWEEN = re.compile(r"[<>|,;/+&()\[\]]+|\bx\b|-like\b")
_SPACES = re.compile(r"[\s_]+")
_UNINOMIAL = re.compile(r"[A-Z][a-zß-ÿ\-]{2,}")
_EPITHET = re.compile(r"[a-zß-ÿ][a-zß-ÿ\-]{2,}")
_NO_EPITHETS = frozenset(
    {"sp", "spp", "cf", "aff", "var", "like", "and", "other", "others", "mix", "egg", "eggs", "larva", "larvae", "part"}
)


def unknown_names(path: Path, *, progress: Progress | None = None) -> list[str]:
    """Give the names in the labels of a data set or table (see `count_labels`) about which a register may know more.

    These are words that are written like scientific names, in labels that lead to no taxon letter by letter, or to one
    without an AphiaID. A word in lower case is none, so that *fiber* does not become a genus.
    """
    by_source: dict[str, list[str]] = {}
    for count in count_labels(path, progress=progress):
        by_source.setdefault(count.source, []).append(count.raw_label)
    names: dict[str, None] = {}
    for source, labels in by_source.items():
        for taxon in resolve(labels, source=source):
            if not _is_known(taxon):
                names.update(dict.fromkeys(_names((taxon.name or "", taxon.raw_label))))
    return [taxon.raw_label for taxon in resolve(names) if not _is_known(taxon)]


def _is_known(taxon: Taxon) -> bool:
    return taxon.aphia_id is not None and taxon.how in ("exact", "synonym", "override")


def _names(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for part in _BETWEEN.split(text):
            words = [word.rstrip(".") for word in _SPACES.split(part.strip())]
            for word, following in zip(words, [*words[1:], ""], strict=True):
                if not _UNINOMIAL.fullmatch(word):
                    continue
                yield word
                if _EPITHET.fullmatch(following) and following not in _NO_EPITHETS:
                    yield f"{word} {following}"
