"""Texts about what a picture shows, to train or ask image–text models with."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from seston.errors import UsageError, nearest_word
from seston.taxonomy.knowledge import known_facts
from seston.taxonomy.overrides import Overrides
from seston.taxonomy.resolving import resolve
from seston.taxonomy.taxon import RANKS, Taxon

__all__ = ["TEMPLATES", "Caption", "caption", "common_name", "common_name_and_bearer", "lineage"]

TEMPLATES = ("scientific", "common", "lineage", "photo")
"""Kinds of text: the accepted name; the common name; every name from the kingdom down; a sentence."""

_EVERYONE = frozenset({"Animalia", "Eukaryota", "Plantae", "Bacteria"})
"""Taxa so wide that their common name is no answer where a narrower scientific name is known."""
_OTHER_KINDS = {
    "detritus": "detritus",
    "artefact": "an artefact of the picture",
    "inert": "a lifeless particle",
    "living": "an organism",
    "unknown": "an unidentified particle",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A label and the text about it."""

    raw_label: str
    source: str
    name: str | None
    """Accepted name; None where the label names no taxon."""
    text: str


def lineage(
    labels: Iterable[str], *, source: str = "", template: str = "lineage", overrides: Path | Overrides | None = None
) -> list[Caption]:
    """Write a text for each label.

    Parameters
    ----------
    labels
        Raw labels.
    source
        The collection that they come from.
    template
        One of `TEMPLATES`.
    overrides
        A user's table of what labels mean, or its path.

    Raises
    ------
    UsageError
        If there is no such template.
    """
    _check_template(template)
    return [
        Caption(raw_label=taxon.raw_label, source=source, name=taxon.name, text=caption(taxon, template))
        for taxon in resolve(labels, source=source, overrides=overrides)
    ]


def caption(taxon: Taxon, template: str = "lineage") -> str:
    """Write the text about one taxon.

    ``scientific`` is the accepted name, ``common`` the common name or, where there is none, the scientific one,
    ``lineage`` all names from the kingdom down, a species by its epithet alone, and ``photo`` the sentence *a photo of
    …* with the stage or part. What is no organism is called so in each of them.

    Raises
    ------
    UsageError
        If there is no such template.
    """
    _check_template(template)
    if taxon.name is None:
        other = taxon.stage or taxon.part or _OTHER_KINDS[taxon.kind]
        return f"a photo of {_with_article(other)}" if template == "photo" else other
    if template == "scientific":
        return taxon.name
    if template == "lineage":
        return " ".join(_names(taxon))
    if template == "common":
        return common_name(taxon) or taxon.name
    return f"a photo of {_described(taxon)}"


def common_name(taxon: Taxon) -> str | None:
    """Give the common name of the taxon, or of the narrowest group above it that has one."""
    found = common_name_and_bearer(taxon)
    return None if found is None else found[0]


def common_name_and_bearer(taxon: Taxon) -> tuple[str, str] | None:
    """Give a common name as `common_name` does, and the accepted name of the taxon or group that it belongs to."""
    tree, names = known_facts(), _common_names()
    for fact in tree.find(taxon.name or ""):
        if fact.name == taxon.name and tree.lineage(fact) == taxon.lineage:
            for above in reversed(tree.path(fact)):
                if above.name in names and (above is fact or above.name not in _EVERYONE):
                    return names[above.name], above.name
    return None


def _names(taxon: Taxon) -> list[str]:
    """Give the seven-rank lineage and the taxon itself where its rank lies between; a species by its epithet."""
    names = [taxon.lineage[rank] for rank in RANKS if rank in taxon.lineage]
    if taxon.name is not None and taxon.name not in names:
        names.append(taxon.name)
    genus = taxon.lineage.get("genus", "")
    return [name.removeprefix(f"{genus} ") if genus else name for name in names]


def _described(taxon: Taxon) -> str:
    """Put the name beside the group that people know, and stage and part before both.

    *the tail of an arrow worm*, *the nauplius of Temora, a calanoid copepod*
    """
    common = common_name(taxon)
    name = taxon.name or ""
    own = common is not None and _common_names().get(name) == common
    whole = _with_article(common) if own and common else name
    if common is not None and not own:
        whole += f", {_with_article(common)}"
    detail = taxon.part or taxon.stage
    if detail is None:
        return whole
    return f"a part of {whole}" if detail == "part" else f"the {detail} of {whole}"


def _with_article(words: str) -> str:
    if words[0].isupper() or words.startswith(("a ", "an ", "the ")) or words in ("detritus", "krill"):
        return words
    return f"{'an' if words[0] in 'aeio' else 'a'} {words}"


def _check_template(template: str) -> None:
    if template not in TEMPLATES:
        raise UsageError(f"there is no template {template!r}{nearest_word(template, TEMPLATES)}")


@lru_cache(maxsize=1)
def _common_names() -> dict[str, str]:
    text = resources.files("seston.taxonomy").joinpath("common_names.tsv").read_text(encoding="utf-8")
    return {row["name"]: row["common_name"] for row in csv.DictReader(text.splitlines(), delimiter="\t")}
