"""The network of the model in the box as an encoder: its features can serve galleries of one's own, without torch."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from seston.particle import Particle, Progress, Skipped
from seston.recognition.box_files import BOX_FOLDER, BoxFiles, read_box
from seston.recognition.embeddings import Embeddings
from seston.recognition.onnx_model import OnnxModel

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["BoxModel"]


@dataclass(frozen=True)
class BoxModel:
    """Pictures → 1,280 features and, where others have a space that modalities share, a score for each class."""

    files: BoxFiles = field(default_factory=read_box)

    @classmethod
    def load(cls, folder: Path = BOX_FOLDER) -> BoxModel:
        """Read it from its folder.

        Raises
        ------
        NotFoundError, InputError
            Where it is not there, or damaged.
        """
        return cls(read_box(folder))

    @property
    def model_id(self) -> str:
        """``box-`` and a hash of the weights and of the preparation."""
        return self.files.model_id

    def encode(self, particles: Sequence[Particle], skipped: list[Skipped] | None = None) -> Embeddings:
        """Turn some particles into vectors, in their order."""
        return self._graphs.encode(particles, skipped)

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
        """Copy the files into a folder."""
        shutil.copytree(self.files.folder, folder, dirs_exist_ok=True)

    @cached_property
    def _graphs(self) -> OnnxModel:
        return OnnxModel(self.files.folder, None, self.files.card.preparation, self.model_id, graphs=self.files.folder)
