"""Classical features as an encoder: measured instead of learned, so it needs no training and no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seston.errors import InputError
from seston.features import Measures, find_measures
from seston.particle import Particle, Progress, Skipped
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import embed_particles, stream_particles

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["ClassicalModel", "is_classical"]

_FILE = "classical.json"
_FORMAT = 1
_LOOKED_AT = 512


@dataclass(frozen=True)
class ClassicalModel:
    """Measures listmode, pulse shape and picture shape of each particle.

    The features of the picture stand where a trained model has those of its image tower; listmode and pulse features
    together where it has those of its profile tower. There is no space that both share.
    """

    picture_names: tuple[str, ...]
    signal_names: tuple[str, ...]

    @classmethod
    def of(cls, data: DataSet) -> ClassicalModel:
        """Learn from a data set which features there are: from particles spread evenly over it."""
        ids = data.ids()
        spread = ids[:: max(1, len(ids) // _LOOKED_AT)]
        return cls.of_particles(stream_particles(data, spread))

    @classmethod
    def of_particles(cls, particles: Iterable[Particle]) -> ClassicalModel:
        """Learn from some particles which features there are."""
        found = find_measures(particles)
        return cls(found.picture, found.signal)

    @classmethod
    def load(cls, folder: Path) -> ClassicalModel:
        """Read which features a gallery was made with."""
        path = folder / _FILE
        try:
            document = json.loads(path.read_bytes())
            return cls(tuple(document["picture"]), tuple(document["signal"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: is damaged ({error}); make the gallery anew") from error

    @property
    def model_id(self) -> str:
        """``classical-`` and a hash of the names of the features."""
        digest = hashlib.sha256(json.dumps([self.picture_names, self.signal_names]).encode())
        return f"classical-{digest.hexdigest()[:8]}"

    def encode(self, particles: Sequence[Particle], skipped: list[Skipped] | None = None) -> Embeddings:
        """Measure some particles; NaN where a single feature is missing."""
        picture, signal = Measures(self.picture_names, self.signal_names)(particles)
        has_image, has_profile = (np.asarray(np.isfinite(block).any(axis=1)) for block in (picture, signal))
        picture[~has_image], signal[~has_profile] = 0, 0
        if skipped is not None:
            skipped += [
                Skipped(particle.source, particle.id, "its picture does not decode, or shows no particle")
                for particle, there in zip(particles, has_image.tolist(), strict=True)
                if particle.image is not None and not there
            ]
        nothing = np.zeros((len(particles), 0), np.float32)
        ids = tuple(particle.id for particle in particles)
        return Embeddings(ids, picture, signal, nothing, nothing, has_image, has_profile, self.model_id)

    def embed(
        self,
        particles: DataSet | Iterable[Particle],
        progress: Progress | None = None,
        skipped: list[Skipped] | None = None,
    ) -> Embeddings:
        """Measure a data set, or any number of particles; nothing is saved."""
        return embed_particles(self, particles, progress, skipped)

    def save(self, folder: Path) -> None:
        """Write which features there are."""
        folder.mkdir(parents=True, exist_ok=True)
        document = {"format": _FORMAT, "picture": self.picture_names, "signal": self.signal_names}
        (folder / _FILE).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def is_classical(folder: Path) -> bool:
    """Tell whether a folder holds classical features and no run."""
    return (folder / _FILE).is_file()
