"""Classical features as an encoder: measured instead of learned, so it needs no training and no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.particle import Particle, Progress, Skipped
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import embed_particles, stream_particles

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["ClassicalModel", "is_classical", "particle_features"]

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
        picture: dict[str, None] = {}
        signal: dict[str, None] = {}
        for particle in islice(particles, 2 * _LOOKED_AT):
            of_picture, of_signal = particle_features(particle)
            picture |= dict.fromkeys(of_picture)
            signal |= dict.fromkeys(of_signal)
        return cls(tuple(picture), tuple(signal))

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
        picture = np.full((len(particles), len(self.picture_names)), np.nan, np.float32)
        signal = np.full((len(particles), len(self.signal_names)), np.nan, np.float32)
        for row, particle in enumerate(particles):
            of_picture, of_signal = particle_features(particle, skipped)
            picture[row] = _in_order(of_picture, self.picture_names)
            signal[row] = _in_order(of_signal, self.signal_names)
        has_image, has_profile = (np.asarray(np.isfinite(block).any(axis=1)) for block in (picture, signal))
        picture[~has_image], signal[~has_profile] = 0, 0
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


def particle_features(
    particle: Particle, skipped: list[Skipped] | None = None
) -> tuple[dict[str, float], dict[str, float]]:
    """Measure one particle: features of its picture, and of its listmode and profile together."""
    from seston.features import listmode_features, picture_features, pulse_features
    from seston.instruments import decode_image

    of_picture: dict[str, float] = {}
    of_signal: dict[str, float] = {}
    if particle.image is not None:
        try:
            grey = decode_image(particle.image, grey=True)
            of_picture = picture_features(grey, particle.scale_bar, particle.pixel_size_um)
        except InputError as error:
            if skipped is not None:
                skipped.append(Skipped(particle.source, particle.id, str(error)))
    if particle.listmode:
        of_signal |= _named("listmode", listmode_features(particle))
    if particle.profile is not None:
        measured = pulse_features(particle.profile, particle.profile_channels, particle.profile_spacing_um)
        of_signal |= _named("pulse", measured)
    return of_picture, of_signal


def _named(block: str, features: Mapping[str, float]) -> dict[str, float]:
    return {f"{block}: {name}": value for name, value in features.items()}


def _in_order(features: Mapping[str, float], names: Sequence[str]) -> NDArray[np.float32]:
    return np.array([features.get(name, np.nan) for name in names], np.float32)
