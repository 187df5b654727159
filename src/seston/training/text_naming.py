"""Held-out particles named by the texts that a model learns from: how well it does what it is trained for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seston.models.crossmodal import CrossModalModel
from seston.models.gather import gather_rows
from seston.training.batches import Gathered, gather
from seston.training.naming_scores import naming_scores
from seston.training.processes import Processes
from seston.training.sources import PreparedSource
from seston.training.text_objective import TextTargets

__all__ = ["named_by_texts"]

_AT_ONCE = 256


def named_by_texts(
    model: CrossModalModel,
    look: Callable[[Gathered], tuple[Tensor, Tensor]],
    source: PreparedSource,
    targets: TextTargets,
    processes: Processes,
    batch: int,
) -> dict[str, float]:
    """Give each held-out picture the taxon of the training whose texts are closest, and score these names.

    A taxon stands for itself by the mean of the vectors of its own texts, one of each template.

    Parameters
    ----------
    model
        Reads the texts.
    look
        Gives the (B, D) unit vectors of pictures and which of them there are, (B,) bool.
    source
        The held-out particles.
    targets
        Of the training; particles without a taxon are left out.
    batch
        Number of particles at once.

    Returns
    -------
    dict
        As of `naming_scores`, over the taxa of the held-out particles; the same in every process.
    """
    names = _taxon_vectors(model, targets, processes.device)
    truth, answers = [], []
    for number, rows in enumerate(np.array_split(np.arange(len(source)), -(-len(source) // batch))):
        gathered = gather(source, np.array_split(rows, processes.count)[processes.rank], number)
        vectors, present = look(gathered)
        taxa = torch.from_numpy(targets.validation[gathered.rows]).to(processes.device)
        asked = present & (taxa >= 0)
        truth.append(gather_rows(taxa[asked]))
        answers.append(gather_rows((vectors[asked].float() @ names.T).argmax(dim=1)))
    return naming_scores(torch.cat(truth).cpu().numpy(), torch.cat(answers).cpu().numpy())


def _taxon_vectors(model: CrossModalModel, targets: TextTargets, device: torch.device) -> Tensor:
    """Give the (taxa, D) unit vectors of taxa by their finest texts."""
    texts, of = np.unique(targets.table.choices[:, 0], return_inverse=True)
    tokens = torch.from_numpy(targets.table.tokens[texts]).to(device)
    each = torch.cat([model.encode_texts(part).float() for part in torch.split(tokens, _AT_ONCE)])
    of_taxon = each[torch.from_numpy(of.reshape(len(targets.table.choices), -1)).to(device)]
    return functional.normalize(of_taxon.mean(dim=1), dim=1)
