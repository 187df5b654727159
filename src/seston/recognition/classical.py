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
from seston.features import FeatureTable, feature_blocks
from seston.particle import Particle, Progress, Skipped
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import embed_particles, stream_particles

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["ClassicalModel", "is_classical"]

_FILE = "classical.json"
_FORMAT = 1
_LOOKED_AT = 512
_AT_ONCE = 256
_PICTURE = "picture"


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
        source = iter(particles)
        while part := list(islice(source, _AT_ONCE)):
            for block, name in _columns(feature_blocks(part)):
                (picture if block == _PICTURE else signal)[name] = None
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
        table = feature_blocks(particles)
        columns = {name: values for (_, name), values in zip(_columns(table), table.values.T, strict=True)}
        picture = _in_order(columns, self.picture_names, len(particles))
        signal = _in_order(columns, self.signal_names, len(particles))
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


def _columns(table: FeatureTable) -> list[tuple[str, str]]:
    """Name each column with its block, as a name may stand in two."""
    return [(block, f"{block}: {name}") for block, name in zip(table.blocks, table.names, strict=True)]


def _in_order(columns: Mapping[str, NDArray[np.float32]], names: Sequence[str], particles: int) -> NDArray[np.float32]:
    table = np.full((particles, len(names)), np.nan, np.float32)
    for place, name in enumerate(names):
        if name in columns:
            table[:, place] = columns[name]
    return table
