"""Classes that are named by texts alone: what stands for each in the space that pictures and texts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError, nearest_word
from seston.evaluation.lineages import Lineage, lineage_of
from seston.taxonomy import TEMPLATES, Taxon, resolve
from seston.training.taxon_texts import said_of
from seston.training.text_preparation import PATH_JOIN, TextPreparation

__all__ = ["TextClasses", "asked_classes", "check_templates", "named_classes"]


@dataclass(frozen=True)
class TextClasses:
    """Classes by what is said of them."""

    texts: tuple[tuple[str, ...], ...]
    """For each class its texts, one a template."""
    lineages: tuple[Lineage, ...]
    seen: NDArray[np.bool_]
    """Whether a text of the training named the class, or it was named as a group that holds a class of the training."""

    def __len__(self) -> int:
        return len(self.texts)


def asked_classes(
    taxa: Sequence[Taxon], preparation: TextPreparation, templates: Sequence[str]
) -> tuple[TextClasses, NDArray[np.int64]]:
    """Make classes of taxa: taxa of which all texts are the same are one class.

    Returns
    -------
    TextClasses
    array of int64
        The class of each taxon.
    """
    named = set(preparation.named)
    numbers: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
    lineages, seen, of = [], [], []
    for taxon in taxa:
        said = said_of(taxon, tuple(templates))[0]
        path = max((one.path for one in said_of(taxon, ("scientific",))[0]), key=len)
        key = (path, tuple(one.text for one in said))
        if key not in numbers:
            numbers[key] = len(numbers)
            lineages.append(lineage_of(taxon))
            seen.append(PATH_JOIN.join(path) in named)
        of.append(numbers[key])
    texts = tuple(texts for _, texts in numbers)
    return TextClasses(texts, tuple(lineages), np.array(seen, np.bool_)), np.array(of, np.int64)


def check_templates(preparation: TextPreparation, templates: Sequence[str]) -> tuple[str, ...]:
    """Give the templates to use: the model's own where none are asked for.

    Raises
    ------
    UsageError
        There is no such template.
    """
    for template in templates:
        if template not in TEMPLATES:
            raise UsageError(f"there is no template {template!r}{nearest_word(template, TEMPLATES)}")
    return tuple(templates) or preparation.templates


def named_classes(names: Sequence[str]) -> list[Taxon]:
    """Find the taxa that a user names.

    Raises
    ------
    UsageError
        A name that stands for no taxon.
    """
    taxa = resolve(names)
    for name, taxon in zip(names, taxa, strict=True):
        if taxon.name is None:
            raise UsageError(f"--classes {name}: names no taxon; see  seston taxonomy resolve {name!r}")
    return taxa
