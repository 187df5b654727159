"""Where the names come from that are judged: a file, a gallery, or a gallery made with a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.lineages import NO_LINEAGE, Lineage, lineage_of
from seston.evaluation.rank_truth import Truth
from seston.particle import Progress
from seston.recognition.choosing import choose_model, gallery_model
from seston.recognition.encoder import embed
from seston.recognition.gallery import Gallery
from seston.recognition.names_file import read_names
from seston.recognition.naming import Identification
from seston.recognition.views import views_of
from seston.taxonomy import resolve, taxa_of

if TYPE_CHECKING:
    from seston.evaluation.comparison import ModelLike
    from seston.store import DataSet, Split

__all__ = ["Meanings", "Named", "names_by_gallery", "names_of_file", "training_gallery"]

_AT_ONCE = 4096
_UNNAMED = (None, "", "unknown")


@dataclass(frozen=True)
class Named:
    """Names as they come, and who gave them."""

    names: Iterator[Identification]
    by: str
    model: str = ""
    left_out: frozenset[str] = frozenset()
    """Ids that are not asked about, for the gallery holds them."""
    about: str = ""
    """What else to say of who gave them."""
    rows: NDArray[np.int64] | None = None
    """Rows of the particles that are asked about, in the order of the names …"""
    vectors: NDArray[np.float32] | None = None
    """… and their vectors, where there are any."""


def names_of_file(path: Path) -> Named:
    """Read names from a file, one after the other."""
    return Named(read_names(path), path.name)


def training_gallery(
    data: DataSet,
    model: ModelLike,
    split: Split | None,
    fold: int,
    *,
    per_class: int | None = None,
    classifier: str = "soft-lda",
    seed: int = 0,
    progress: Progress | None = None,
) -> Gallery:
    """Make a gallery of the training part of a split.

    Raises
    ------
    UsageError
        Where there is no split: all particles would be in the gallery, and none left to ask about.
    """
    if split is None:
        raise UsageError(
            f"{data.path}: a run names by a gallery of the training part, and no split says which that is; make one "
            f"with  seston split {data.path} --name NAME, or give a gallery"
        )
    return Gallery.from_dataset(
        data,
        choose_model(data, model),
        per_class=per_class,
        split=split.name,
        fold=fold,
        seed=seed,
        classifier=classifier,
        progress=progress,
    )


def names_by_gallery(
    data: DataSet, gallery: Gallery, truth: Truth, progress: Progress, *, with_vectors: bool = False
) -> Named:
    """Name the particles that are asked about by a gallery; those that it holds are left out."""
    encoder = gallery_model(gallery)
    embeddings = embed(data, encoder, progress=progress)
    held = frozenset(gallery.embeddings.ids)
    rows = np.flatnonzero(truth.asked)
    rows = rows[[embeddings.ids[row] not in held for row in rows.tolist()]]
    if not len(rows):
        raise UsageError(f"{data.path}: every labelled particle that is asked about is in the gallery itself")
    samples = truth.samples.at(np.arange(len(embeddings)))
    at_level = gallery.level(embeddings, samples)

    def names() -> Iterator[Identification]:
        for start in range(0, len(rows), _AT_ONCE):
            yield from gallery.identify(at_level.take(rows[start : start + _AT_ONCE]))

    by = f"gallery ({gallery.card.classifier})"
    named = Named(names(), by, encoder.model_id, held, about=f" of {len(gallery):,} particles")
    if not with_vectors:
        return named
    views = views_of(at_level.take(rows), gallery.spaces)
    shown = max((view for view in views if view in ("IP", "I", "P")), key=lambda view: int(views[view][1].sum()))
    vectors, has = views[shown]
    return replace(named, rows=rows[has], vectors=vectors[has])


class Meanings:
    """The lineage of each name, looked up once.

    The accepted name that stands beside a label wins; else the label is read as the source of its particle would.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, str, str], Lineage] = {}

    def lineages(self, names: Sequence[Identification], sources: Sequence[str]) -> list[Lineage]:
        """Give the lineages of some names; none where a particle got no name, or one that is no taxon."""
        keys = [
            ("", "", "") if one.label in _UNNAMED else (one.taxon or "", "" if one.taxon else source, one.label or "")
            for one, source in zip(names, sources, strict=True)
        ]
        self._look_up([key for key in dict.fromkeys(keys) if key not in self._known])
        return [self._known[key] for key in keys]

    def _look_up(self, keys: Sequence[tuple[str, str, str]]) -> None:
        accepted = [key for key in keys if key[0]]
        for key, taxon in zip(accepted, resolve([key[0] for key in accepted]), strict=True):
            self._known[key] = lineage_of(taxon)
        labels = [key for key in keys if not key[0] and key[2]]
        taxa = taxa_of([key[1:] for key in labels], self._folder)
        self._known |= {key: lineage_of(taxa[key[1:]]) for key in labels}
        self._known[("", "", "")] = NO_LINEAGE
