"""Released image–text models (BioCLIP, Planktonzilla, CLIP) as an encoder: pictures to vectors, without training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments import decode_image
from seston.models.released import ReleasedModel, released_model
from seston.particle import Particle, Progress, Skipped
from seston.recognition.embeddings import Embeddings

if TYPE_CHECKING:
    from seston.models.open_clip_pair import OpenClipPair
    from seston.store import DataSet
    from seston.training.text_preparation import TextPreparation

__all__ = ["OpenClipModel", "is_open_clip"]

_FILE = "open_clip_config.json"
_TEMPLATES = ("lineage",)
"""BioCLIP and Planktonzilla were trained on the names from the kingdom down."""


@dataclass(frozen=True)
class OpenClipModel:
    """The unit vectors of a pair's picture encoder stand where a trained model has the features of its image tower.

    Pictures are shown as the pair was trained, whole or cut as its configuration says; a scale bar is painted over
    first. Nothing is said of profiles, and of the size of a particle.
    """

    pair: OpenClipPair

    @classmethod
    def load(cls, where: Path | str) -> OpenClipModel:
        """Load it from a folder, or from ``hf-hub:ORGANISATION/NAME``; errors as for `load_pair`."""
        from seston.models.open_clip_pair import load_pair

        return cls(load_pair(str(where)))

    @property
    def model_id(self) -> str:
        """``open-clip-`` and a hash of the picture encoder and of how pictures are shown to it."""
        return self.pair.model_id

    @property
    def released(self) -> ReleasedModel | None:
        """What is known of it, where it is a released model that Seston knows by name."""
        return released_model(self.pair.where)

    @property
    def text_preparation(self) -> TextPreparation:
        """How it reads texts.

        Raises
        ------
        InputError
            Its text encoder or tokenizer is not one of open_clip's own.
        """
        from seston.training.text_preparation import TextPreparation

        config = self.pair.text_config
        length = int(config["text_cfg"].get("context_length", 77))
        return TextPreparation(templates=_TEMPLATES, length=length, open_clip=config)

    def encode(self, particles: Sequence[Particle], skipped: list[Skipped] | None = None) -> Embeddings:
        """Turn some particles into vectors, in their order; a picture that cannot be used counts as absent."""
        from seston.training.squares import without_scale_bar

        pictures: list[NDArray[np.uint8]] = []
        has_image = np.zeros(len(particles), np.bool_)
        for row, particle in enumerate(particles):
            if particle.image is None:
                continue
            try:
                pictures.append(without_scale_bar(decode_image(particle.image), particle.scale_bar))
                has_image[row] = True
            except InputError as error:
                if skipped is not None:
                    skipped.append(Skipped(particle.source, particle.id, str(error)))
        seen = self.pair.see(pictures)
        image = np.zeros((len(particles), seen.shape[1]), np.float32)
        image[has_image] = seen
        nothing = np.zeros((len(particles), 0), np.float32)
        return Embeddings(
            ids=tuple(particle.id for particle in particles),
            image=image,
            profile=nothing,
            shared_image=nothing,
            shared_profile=nothing,
            has_image=has_image,
            has_profile=np.zeros(len(particles), np.bool_),
            model_id=self.model_id,
        )

    def embed(
        self,
        particles: DataSet | Iterable[Particle],
        progress: Progress | None = None,
        skipped: list[Skipped] | None = None,
    ) -> Embeddings:
        """Turn a data set, or any number of particles, into vectors; nothing is saved."""
        from seston.recognition.encoder import embed_particles

        return embed_particles(self, particles, progress, skipped)

    def save(self, folder: Path) -> None:
        """Write the picture encoder into a folder: as large as half of the pair, or more."""
        self.pair.save_pictures_encoder(folder)

    def untrained(self, seed: int) -> OpenClipModel:
        """Give the same encoder with random weights: what every table shows beside it."""
        return OpenClipModel(self.pair.untrained(seed))


def is_open_clip(folder: Path) -> bool:
    """Tell whether a folder holds a model in open_clip's layout."""
    return (folder / _FILE).is_file()
