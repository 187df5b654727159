"""The files of the model in the box, which come with the package: a network, its classes, a gallery and a card.

::

    in_the_box/image.onnx            pictures → features and a score for each class
    in_the_box/box.json              classes with their taxa, and what held-out pictures taught about the scores
    in_the_box/gallery.safetensors   vectors of pictures that it learned from, their classes and ids, and axes
    in_the_box/README.md             model card: data, licences, figures, limits

`seston.recognition.box` uses them; ``benchmarks/in_the_box`` in the repository makes them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError, NotFoundError
from seston.models.spaces import unit
from seston.recognition.class_groups import KnownClass
from seston.recognition.discriminants import Discriminants
from seston.recognition.head_trust import HeadTrust, evidence
from seston.training.preparation import Preparation

__all__ = ["BOX_FOLDER", "GRAPH", "BoxCard", "BoxFiles", "Likeness", "is_box", "read_box", "write_box"]

BOX_FOLDER = Path(__file__).with_name("in_the_box")
"""Where the package holds them."""

GRAPH = "image.onnx"
"""The network, pictures to features and scores."""

_CARD, _GALLERY, _READ_ME = "box.json", "gallery.safetensors", "README.md"
_FORMAT = 2
_AXES = ("origin", "axes", "centres", "between")


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """How two signs of strangeness add up: each less its median among held-out pictures, by its spread there."""

    evidence: tuple[float, float]
    """Median and spread (half of what two thirds of the pictures span) of the evidence for any class."""
    nearness: tuple[float, float]
    """The same of the nearness to the nearest class."""

    def of(self, evidence: NDArray[np.float64], nearness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add them up."""
        parts = ((evidence, self.evidence), (nearness, self.nearness))
        return np.asarray(sum((values - median) / spread for values, (median, spread) in parts))

    @classmethod
    def learn(cls, evidence: NDArray[np.float64], nearness: NDArray[np.float64]) -> Likeness:
        """Learn medians and spreads from those of held-out pictures."""
        low, median, high = np.quantile((evidence, nearness), (0.16, 0.5, 0.84), axis=1).round(6)
        steps = zip(median.tolist(), ((high - low) / 2).tolist(), strict=True)
        return cls(**dict(zip(("evidence", "nearness"), steps, strict=True)))


class BoxCard(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the network."""

    format: int = _FORMAT
    preparation: Preparation
    classes: tuple[KnownClass, ...]
    trust: HeadTrust
    """What held-out pictures, and pictures of other collections, taught about the answers."""
    likeness: Likeness
    created: str = ""
    seston_version: str = ""


@dataclass(frozen=True)
class BoxFiles:
    """The files, read."""

    folder: Path
    card: BoxCard
    mean: NDArray[np.float32]
    """(F,) of the features of all gallery pictures."""
    directions: NDArray[np.float32]
    """(F, D): features less their mean times this are the vectors of the gallery, before they get unit length."""
    vectors: NDArray[np.float32]
    """(N, D) unit vectors."""
    classes: NDArray[np.int64]
    """(N,) class number of each."""
    ids: tuple[str, ...]
    """Ids of the pictures in a data set built of the collections."""
    discriminants: Discriminants
    """Of the features of the gallery pictures."""

    @cached_property
    def model_id(self) -> str:
        """Name of what the network does: a hash of its weights and of the preparation."""
        digest = hashlib.sha256((self.folder / GRAPH).read_bytes())
        digest.update(msgspec.json.encode(self.card.preparation))
        return f"box-{digest.hexdigest()[:12]}"

    def likeness(self, features: NDArray[np.float32], answers: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (M,) how like what was learnt pictures are, by the evidence for any class and the nearness to one."""
        return self.card.likeness.of(evidence(answers), self.discriminants.nearness(features))

    def cosines(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the cosine of each picture to each gallery picture, (M, N)."""
        cosines: NDArray[np.float32] = unit((features - self.mean) @ self.directions) @ self.vectors.T
        return cosines


def is_box(folder: Path) -> bool:
    """Tell whether a folder holds such files."""
    return (folder / _CARD).is_file()


def read_box(folder: Path = BOX_FOLDER) -> BoxFiles:
    """Read the files.

    Raises
    ------
    NotFoundError
        There are none: the package was installed without them.
    InputError
        They are damaged, or of a newer version.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not is_box(folder):
        raise NotFoundError(f"{folder}: there is no model in the box; install Seston again, or name a gallery")
    try:
        card = msgspec.json.decode((folder / _CARD).read_bytes(), type=BoxCard)
        tensors = load_file(folder / _GALLERY)
        vectors = unit(tensors["vectors"].astype(np.float32))
        return BoxFiles(
            folder=folder,
            card=card,
            mean=tensors["mean"].astype(np.float32),
            directions=tensors["directions"].astype(np.float32),
            vectors=vectors,
            classes=tensors["classes"].astype(np.int64),
            ids=tuple(tensors["ids"].tobytes().decode().split("\n")),
            discriminants=Discriminants(*(tensors[f"discriminants.{name}"] for name in _AXES)),
        )
    except (OSError, ValueError, KeyError, msgspec.DecodeError, SafetensorError) as error:
        raise InputError(f"{folder}: the model in the box is damaged ({error}); install Seston again") from error


def write_box(
    folder: Path,
    card: BoxCard,
    *,
    mean: NDArray[np.float32],
    directions: NDArray[np.float32],
    vectors: NDArray[np.float32],
    classes: NDArray[np.int64],
    ids: tuple[str, ...],
    discriminants: Discriminants,
    about: str,
) -> None:
    """Write all but the graph; the vectors with 16 bits a number.

    Parameters
    ----------
    about
        The model card.
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    narrow = {"mean": mean, "directions": directions, "vectors": vectors}
    tensors: dict[str, NDArray[Any]] = {name: np.ascontiguousarray(array, np.float16) for name, array in narrow.items()}
    tensors |= {
        "classes": np.ascontiguousarray(classes, np.int16),
        "ids": np.frombuffer("\n".join(ids).encode(), np.uint8).copy(),
    }
    tensors |= {f"discriminants.{name}": getattr(discriminants, name) for name in _AXES}
    save_file(tensors, folder / _GALLERY)
    (folder / _GALLERY).chmod(0o644)
    (folder / _CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=1) + b"\n")
    (folder / _READ_ME).write_text(about, encoding="utf-8")
