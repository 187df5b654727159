"""Classes that are named by texts alone: what stands for each in the space that pictures and texts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError, nearest_word
from seston.evaluation.lineages import Lineage, lineage_of
from seston.taxonomy import TEMPLATES, Taxon, resolve
from seston.training.run_files import kept_config
from seston.training.taxon_texts import said_of
from seston.training.text_preparation import PATH_JOIN, TextPreparation, tokenizer_of

if TYPE_CHECKING:
    from torch import nn

    from seston.models.crossmodal import TextEncoder
    from seston.training import Run

__all__ = ["TextClasses", "asked_classes", "check_templates", "named_classes", "text_vectors", "untrained_texts"]


_AT_ONCE = 256


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


def check_templates(run: Run, templates: Sequence[str]) -> tuple[TextPreparation, tuple[str, ...]]:
    """Give how a run reads texts, and the templates to use: its own where none are asked for.

    Raises
    ------
    UsageError
        The run reads no texts, or there is no such template.
    """
    preparation = run.preparation.text
    if isinstance(preparation, msgspec.UnsetType):
        raise UsageError(
            f"{run.path or 'the run'}: was trained without texts, so it cannot name by them; train one with  "
            "seston train DATA --recipe clip-text --to RUN"
        )
    for template in templates:
        if template not in TEMPLATES:
            raise UsageError(f"there is no template {template!r}{nearest_word(template, TEMPLATES)}")
    return preparation, tuple(templates) or preparation.templates


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


def text_vectors(
    encoder: nn.Module, preparation: TextPreparation, texts: Sequence[Sequence[str]]
) -> NDArray[np.float32]:
    """Give a unit vector for each class: the mean of the unit vectors of its texts (prompt ensembling).

    As in CLIP (arXiv 2103.00020, section 3.1.4); each class has as many texts.

    Returns
    -------
    array of float32
        (classes, D).
    """
    import torch
    from torch.nn import functional

    tokens = torch.from_numpy(tokenizer_of(preparation)([text for of_class in texts for text in of_class]))
    with torch.inference_mode():
        each = torch.cat([functional.normalize(encoder(part).float(), dim=1) for part in torch.split(tokens, _AT_ONCE)])
        of_class = each.reshape(len(texts), -1, each.shape[1]).mean(dim=1)
        found: NDArray[np.float32] = functional.normalize(of_class, dim=1).numpy()
    return found


def untrained_texts(run: Run, seed: int) -> TextEncoder:
    """Give the text tower and head of a run with random weights: what reads the same texts and has learnt nothing."""
    import torch

    from seston.models.config import TextTowerConfig
    from seston.models.crossmodal import TextEncoder

    config = kept_config(run.recipe.model)
    assert isinstance(config.text, TextTowerConfig)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TextEncoder(config.text, config, run.preparation.inputs).eval()
