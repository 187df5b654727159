"""The term of a training that brings pictures and texts about them together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seston.models.crossmodal import CrossModalModel
from seston.models.gather import gather_rows
from seston.models.text_losses import statement_loss
from seston.training.text_settings import TextSettings
from seston.training.text_table import TextTable, draw_texts

__all__ = ["TextTargets", "pair_relations", "text_loss"]


@dataclass
class TextTargets:
    """What is said of the particles of a training."""

    settings: TextSettings
    kind: str
    """``clip`` or ``siglip``."""
    table: TextTable
    train: NDArray[np.int64]
    """(N,) taxon of each training particle, -1 where its label says nothing."""
    validation: NDArray[np.int64]
    """(M,) taxon of each held-out particle."""
    _holds: dict[torch.device, Tensor] = field(default_factory=dict)

    def holds(self, device: torch.device) -> Tensor:
        """Give the table of which group holds which, on a device."""
        if device not in self._holds:
            self._holds[device] = torch.from_numpy(self.table.holds).to(device)
        return self._holds[device]


def text_loss(
    model: CrossModalModel,
    vectors: Tensor,
    present: Tensor,
    taxa: NDArray[np.int64],
    keys: NDArray[np.uint64],
    targets: TextTargets,
    purpose: tuple[int, ...],
) -> Tensor:
    """Compute the loss between what particles are seen to be and what is said of them, over all processes.

    Parameters
    ----------
    model
        Reads the texts; holds scale and bias of this term.
    vectors
        (B, D) unit vectors of pictures (or profiles).
    present
        (B,) bool: which of them there are.
    taxa
        (B,) taxon of each particle, -1 for none.
    keys
        (B,) of the particles.
    targets
        Of the training.
    purpose
        Seed and epoch, on which the choice of texts depends.

    Returns
    -------
    Tensor
        The same number in every process; 0 where no particle has both.
    """
    assert model.text is not None
    device = vectors.device
    labelled = torch.from_numpy(taxa >= 0).to(device) & present
    mine = labelled.cpu().numpy()
    texts = draw_texts(targets.table, taxa[mine], keys[mine], targets.settings.truncate, purpose)
    distinct, of = np.unique(np.concatenate([[0], texts]), return_inverse=True)  # one at least, for every process's
    tokens = torch.from_numpy(targets.table.tokens[distinct]).to(device)  # gradient to have the same parts
    said = model.encode_texts(tokens)[torch.from_numpy(of[1:]).to(device)]

    def gathered(numbers: NDArray[np.int64]) -> Tensor:
        return gather_rows(torch.from_numpy(numbers).to(device))

    def relations() -> tuple[Tensor, Tensor]:
        table = targets.table
        of_text = gathered(table.statement[texts]), gathered(table.node[texts])
        return pair_relations(*of_text, gathered(table.taxon_node[taxa[mine]]), targets.holds(device))

    learned = model.text.logit_scale, model.text.logit_bias
    return statement_loss(targets.kind, learned, vectors[labelled], said, relations)


def pair_relations(statement: Tensor, text_node: Tensor, image_node: Tensor, holds: Tensor) -> tuple[Tensor, Tensor]:
    """Tell which pairs of a picture and a text belong together, and which contradict each other.

    Parameters
    ----------
    statement
        (B,) number of what the text of each particle says.
    text_node
        (B,) group that the text of each particle names.
    image_node
        (B,) group that each particle is, as far as its label says.
    holds
        (nodes, nodes) bool: whether the first group is the second or holds it.

    Returns
    -------
    positive, negative
        (B, B) bool, pictures by texts. A pair is positive where the text says the same as the picture's own, negative
        where its group neither holds the picture's nor lies within it; any other pair is neither.
    """
    positive = statement[:, None] == statement[None, :]
    apart = ~(holds[text_node[None, :], image_node[:, None]] | holds[image_node[:, None], text_node[None, :]])
    return positive, apart & ~positive
