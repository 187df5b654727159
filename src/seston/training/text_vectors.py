"""Vectors of what is said of classes: one for each, whatever number of texts it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.training.text_preparation import TextPreparation, tokenizer_of

if TYPE_CHECKING:
    from torch import nn

__all__ = ["text_vectors"]

_AT_ONCE = 256


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
