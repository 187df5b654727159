"""What a model must know to read a text: templates, word pieces, and which groups its training named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.models.config import TextInputs, TextTowerConfig
from seston.models.tokens import Tokenizer, learn_merges
from seston.training.text_settings import TextSettings

__all__ = ["PATH_JOIN", "TextPreparation", "make_text_preparation", "text_inputs", "tokenizer_of"]

PATH_JOIN = " > "
"""Between the groups of a path where it is written as one text."""


class TextPreparation(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a run's preparation that is about texts."""

    templates: tuple[str, ...]
    length: int
    """Tokens of the longest text."""
    merges: tuple[tuple[str, str], ...] = ()
    """Of the tower ``lineage``: see `seston.models.tokens`."""
    open_clip: dict[str, Any] = {}
    """Of the tower ``open-clip``: the ``model_cfg`` of its model."""
    named: tuple[str, ...] = ()
    """Paths of all groups that a text of the training named, the widest group first."""


def make_text_preparation(
    settings: TextSettings, tower: TextTowerConfig, texts: Iterable[str], named: Iterable[tuple[str, ...]]
) -> TextPreparation:
    """Prepare for reading texts.

    Parameters
    ----------
    settings, tower
        Of the recipe.
    texts
        Of the training; word pieces are learnt from them.
    named
        Paths of the groups that these texts name.

    Raises
    ------
    InputError, NotFoundError, MissingExtraError
        A model of open_clip is asked for that cannot be had.
    """
    paths = tuple(sorted(PATH_JOIN.join(path) for path in set(named)))
    if tower.tower == "open-clip":
        from seston.models.open_clip_text import open_clip_config

        config = open_clip_config(tower.weights)
        length = int(config["text_cfg"].get("context_length", 77))
        return TextPreparation(templates=settings.templates, length=length, open_clip=config, named=paths)
    merges = tuple(learn_merges(texts, settings.merges))
    return TextPreparation(templates=settings.templates, length=settings.length, merges=merges, named=paths)


def tokenizer_of(preparation: TextPreparation) -> Callable[[Sequence[str]], NDArray[np.int64]]:
    """Give what turns texts into (texts, length) tokens."""
    if preparation.open_clip:
        from seston.models.open_clip_text import open_clip_tokenizer

        return open_clip_tokenizer(preparation.open_clip)
    return Tokenizer(preparation.merges, preparation.length)


def text_inputs(preparation: TextPreparation) -> TextInputs:
    """Give what a text tower must know to be built."""
    if preparation.open_clip:
        vocabulary = int(preparation.open_clip["text_cfg"].get("vocab_size", 49408))
        return TextInputs(vocabulary=vocabulary, length=preparation.length, open_clip=preparation.open_clip)
    vocabulary = Tokenizer(preparation.merges, preparation.length).vocabulary
    return TextInputs(vocabulary=vocabulary, length=preparation.length)
