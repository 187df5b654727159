"""What names pictures by texts: a run that was trained with them, or a pretrained pair as it was released."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.particle import Particle
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import Encoder, Model, load
from seston.recognition.open_clip_model import OpenClipModel
from seston.training.run_files import kept_config
from seston.training.text_preparation import TextPreparation

if TYPE_CHECKING:
    from torch import nn

    from seston.training import Run

__all__ = ["TextModel", "picture_vectors", "text_model", "text_preparation_of"]


@dataclass(frozen=True)
class TextModel:
    """Gives vectors of pictures and of texts that can be compared."""

    encoder: Encoder
    preparation: TextPreparation
    """How it reads texts, by which templates unless others are asked for, and which groups its training named."""
    texts: nn.Module
    untrained: Callable[[int], nn.Module]
    """Seed → the encoder of texts with random weights."""
    scale: float
    """Factor between cosines and the logits of the training."""
    elsewhere: str = ""
    """What a pretrained pair learnt from: which classes it has seen is not known; empty for a run."""

    @property
    def model_id(self) -> str:
        """That of the encoder of pictures."""
        return self.encoder.model_id

    def see(self, particles: Sequence[Particle]) -> NDArray[np.float32]:
        """Give (N, D) unit vectors of the pictures of particles; zeros where one cannot be used."""
        return picture_vectors(self.encoder.encode(particles, []))


def picture_vectors(embeddings: Embeddings) -> NDArray[np.float32]:
    """Give the vectors of pictures that are compared with texts: those of the space that the modalities share."""
    return embeddings.shared_image if embeddings.crosses else embeddings.image


def text_model(model: Run | OpenClipModel | Path | str) -> TextModel:
    """Give what names pictures by texts.

    Parameters
    ----------
    model
        A run that was trained with texts or its folder, or a pretrained pair or its name (see
        `seston.models.released.open_clip_place`).

    Raises
    ------
    UsageError
        The model reads no texts.
    InputError
        The texts of the pair cannot be read: its text encoder or tokenizer is another library's.
    """
    if isinstance(model, str | Path):
        encoder = load(model, runtime="torch")
        if isinstance(encoder, OpenClipModel):
            return _of_pair(encoder)
        if not isinstance(encoder, Model):
            raise UsageError(f"{model}: reads no texts, so it cannot name by them; see  seston models list")
        return _of_run(encoder.run)
    return _of_pair(model) if isinstance(model, OpenClipModel) else _of_run(model)


def text_preparation_of(run: Run) -> TextPreparation:
    """Give how a run reads texts.

    Raises
    ------
    UsageError
        It reads none.
    """
    preparation = run.preparation.text
    if isinstance(preparation, msgspec.UnsetType):
        raise UsageError(
            f"{run.path or 'the run'}: was trained without texts, so it cannot name by them; train one with  "
            "seston train DATA --recipe clip-text --to RUN"
        )
    return preparation


def _of_run(run: Run) -> TextModel:
    from seston.models.crossmodal import TextEncoder

    preparation = text_preparation_of(run)
    encoder = run.model.text
    assert isinstance(encoder, TextEncoder)
    scale = float(encoder.logit_scale.detach().exp())
    return TextModel(Model(run), preparation, encoder, lambda seed: _untrained(run, seed), scale)


def _untrained(run: Run, seed: int) -> nn.Module:
    """Give the text tower and head of a run with random weights: what reads the same texts and has learnt nothing."""
    import torch

    from seston.models.config import TextTowerConfig
    from seston.models.crossmodal import TextEncoder

    config = kept_config(run.recipe.model)
    assert isinstance(config.text, TextTowerConfig)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TextEncoder(config.text, config, run.preparation.inputs).eval()


def _of_pair(model: OpenClipModel) -> TextModel:
    released, pair = model.released, model.pair
    elsewhere = released.learnt_from if released else "pictures that are not told of here"
    return TextModel(model, model.text_preparation, pair.texts, pair.untrained_texts, pair.scale, elsewhere)
