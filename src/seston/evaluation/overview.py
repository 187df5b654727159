"""A look at particles without labels: a plane in which those that a model finds alike lie close together."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.plots import map_plot
from seston.evaluation.provenance import provenance
from seston.evaluation.results import Evaluation, Figure
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import Encoder, embed, stream_particles
from seston.recognition.thumbnails import thumbnail
from seston.recognition.views import fit_spaces, views_of

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["likeness_map", "overview"]

_POINTS = 4000
_PICTURES = 70


def overview(data: DataSet, model: Encoder, *, split: str | None = None, seed: int = 0) -> Evaluation:
    """Say what can be said of particles that no one has labelled.

    That is: whether pictures find their profiles (where there are pairs), and a map of the particles by likeness.
    """
    vectors = embed(data, model)
    how = (
        f"no (or hardly any) labels: give some with  seston annotate {data.path} LABELS.csv  and names can be measured"
    )
    found = _partners(data, model, split, seed) or Evaluation(
        title="",
        protocol="overview",
        provenance=provenance(data=str(data.path), data_version=data.version, model=model.model_id, seed=seed),
    )
    drawn = likeness_map(data, vectors, seed=seed)
    return replace(
        found,
        title=f"Particles of {data.path.name} by likeness",
        figures=() if drawn is None else (drawn,),
        notes=(how, *found.notes),
    )


def _partners(data: DataSet, model: Encoder, split: str | None, seed: int) -> Evaluation | None:
    """Search partners; None where there are too few pairs to search among."""
    from seston.evaluation.protocol import retrieval

    try:
        return retrieval(data, model=model, split=split, seed=seed)
    except UsageError:
        return None


def likeness_map(data: DataSet, vectors: Embeddings, *, seed: int = 0) -> Figure | None:
    """Draw the particles of a data set by their likeness, coloured by sample; None where there are too few.

    The plane is that of the two main directions of the fused space (or of the one modality that most particles have).
    """
    spaces = fit_spaces(vectors)
    views = views_of(vectors, spaces)
    usable = {view: int(views[view][1].sum()) for view in ("IP", "I", "P") if view in views}
    if not usable or max(usable.values()) < 10:
        return None
    view = "IP" if 2 * usable.get("IP", 0) >= max(usable.values()) else max(usable, key=lambda name: usable[name])
    placed, has = views[view]
    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(np.flatnonzero(has))[:_POINTS])
    places = _plane(placed[rows])
    ids = [vectors.ids[row] for row in rows.tolist()]
    pictures = {
        place: f"data:image/png;base64,{base64.b64encode(small).decode()}"
        for place, small in _thumbnails(data, ids, _spread(places, generator)).items()
    }
    what = {"IP": "picture and profile together", "I": "their pictures", "P": "their profiles"}[view]
    lead = f"{len(rows):,} particles by the likeness of {what}, as the model sees it; a colour a sample."
    groups = [name.rpartition("/")[0] for name in ids]
    return Figure("Particles by likeness", lead, map_plot(places, groups, pictures))


def _plane(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ directions[:, -2:][:, ::-1], np.float32)


def _spread(places: NDArray[np.float32], generator: np.random.Generator) -> list[int]:
    """Pick particles that lie apart, so that their pictures do not cover each other."""
    scaled = (places - places.mean(axis=0)) / np.maximum(places.std(axis=0), 1e-9)
    chosen = [int(generator.integers(len(places)))]
    nearest = np.full(len(places), np.inf)
    for _ in range(min(_PICTURES, len(places)) - 1):
        nearest = np.minimum(nearest, ((scaled - scaled[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(nearest.argmax()))
    return chosen


def _thumbnails(data: DataSet, ids: list[str], places: list[int]) -> dict[int, bytes]:
    found = {}
    particles = stream_particles(data, [ids[place] for place in places])
    for place, particle in zip(places, particles, strict=True):
        small = thumbnail(particle.image, 64)
        if small is not None:
            found[place] = small
    return found
