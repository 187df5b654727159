"""Make a gallery of a data set's labelled particles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston import __version__
from seston.errors import UsageError
from seston.particle import Particle, Progress
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import Encoder, embed, stream_particles
from seston.recognition.gallery import Gallery, GalleryCard
from seston.recognition.levelling import learn_data_levels, samples_of
from seston.recognition.thumbnails import thumbnail
from seston.recognition.views import few_a_class, fit_spaces
from seston.taxonomy import taxa_of

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["make_gallery", "pick"]

_POOL_FOR_LISTMODE = 1000
_POOL_KEPT = 1500
_MADE_UP = ("simulated", "semi-simulated")


def make_gallery(
    data: DataSet,
    model: Encoder,
    *,
    per_class: int | None,
    split: str | None,
    fold: int,
    seed: int,
    classifier: str,
    as_measured: bool = False,
    progress: Progress | None = None,
) -> Gallery:
    """Make a gallery; see `Gallery.from_dataset`."""
    if per_class is not None and per_class < 1:
        raise UsageError(f"per_class is {per_class}: give 1 or more particles of each label")
    embeddings = embed(data, model, progress=progress)
    labels = data.labels(trusted=True)
    inside = set(embeddings.ids if split is None else data.load_split(split).ids_of(fold, "train"))
    usable = _usable(data, embeddings)
    chosen, left_out = pick(labels, inside, usable, per_class, seed)
    if len({labels[name] for name in chosen}) < 2:
        raise UsageError(_too_few(data, labels, left_out))
    pool = embeddings if split is None else embeddings.of([name for name in embeddings.ids if name in inside])
    levels = learn_data_levels(data, pool) if not as_measured else None
    if levels is not None:
        pool = levels.vectors.correct(pool, samples_of(data, pool.ids))
    names, listmode, of_pool = _listmode(data, chosen, pool.ids)
    particles = list(stream_particles(data, chosen))
    return _finish(
        Gallery(
            embeddings=pool.of(chosen),
            labels=tuple(labels[name] for name in chosen),
            samples=tuple(particle.sample_id for particle in particles),
            spaces=fit_spaces(pool, of_pool, few=few_a_class(len(chosen), len({labels[name] for name in chosen}))),
            card=_card(data, model, chosen, particles, left_out, classifier),
            listmode_names=names,
            listmode=listmode,
            thumbnails=tuple(thumbnail(particle.image) for particle in particles),
            model=model,
            pool=_others(pool, chosen),
            levels=levels,
            taxa=_taxa(data, [labels[name] for name in chosen], particles),
        )
    )


def pick(
    labels: dict[str, str], inside: set[str], usable: set[str], per_class: int | None, seed: int
) -> tuple[list[str], dict[str, str]]:
    """Pick the particles of a gallery at random within each label; also say which labels have none, and why.

    Of the same seed a smaller gallery is part of a larger one.
    """
    by_label: dict[str, list[str]] = {}
    for name, label in labels.items():
        by_label.setdefault(label, []).append(name)
    chosen: list[str] = []
    left_out = {}
    for number, (label, names) in enumerate(sorted(by_label.items())):
        of_part = [name for name in names if name in inside]
        able = [name for name in of_part if name in usable]
        if not able:
            where = (
                "has no particle in the training part of the split" if not of_part else _nothing_usable(len(of_part))
            )
            left_out[label] = where
            continue
        order = np.random.default_rng([seed, number]).permutation(len(able))
        chosen += [able[place] for place in sorted(order[:per_class].tolist())]
    return chosen, left_out


def _others(pool: Embeddings, chosen: Sequence[str]) -> Embeddings | None:
    """Spread some particles that are not in the gallery over the whole pool, pairs first."""
    gallery = set(chosen)
    outside = np.array([name not in gallery for name in pool.ids], np.bool_)
    rows = np.flatnonzero(outside & pool.has_both)
    if len(rows) < _POOL_KEPT:
        rows = np.flatnonzero(outside & (pool.has_image | pool.has_profile))
    places = np.unique(np.linspace(0, len(rows) - 1, min(_POOL_KEPT, len(rows))).round().astype(np.int64))
    return pool.take(rows[places]) if len(rows) else None


def _taxa(data: DataSet, labels: Sequence[str], particles: Sequence[Particle]) -> dict[str, str]:
    """Say which taxon each label means in the source where it is seen first."""
    sources: dict[str, str] = {}
    for label, particle in zip(labels, particles, strict=True):
        sources.setdefault(label, particle.source)
    taxa = taxa_of(((source, label) for label, source in sources.items()), data.path)
    return {label: taxon.name for (_, label), taxon in taxa.items() if taxon.name is not None}


def _nothing_usable(count: int) -> str:
    return f"none of its {count} particles has a picture, a profile or listmode parameters that can be used"


def _usable(data: DataSet, embeddings: Embeddings) -> set[str]:
    has = embeddings.has_image | embeddings.has_profile
    usable = {name for name, there in zip(embeddings.ids, has.tolist(), strict=True) if there}
    for batch in data.particles(["id", "listmode_names"], batch_size=8192):
        names, listmode = batch.column(0).to_pylist(), batch.column(1).is_valid().to_pylist()
        usable |= {name for name, there in zip(names, listmode, strict=True) if there}
    return usable


def _listmode(
    data: DataSet, chosen: Sequence[str], pool: Sequence[str]
) -> tuple[tuple[str, ...], NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Measure the listmode features of gallery and pool; None where the gallery has none."""
    from seston.features import listmode_features

    of_gallery = [listmode_features(particle) for particle in _with_listmode(data, chosen)]
    names = tuple(dict.fromkeys(name for row in of_gallery for name in row))
    if not names:
        return (), None, None
    spread = pool[:: max(1, len(pool) // _POOL_FOR_LISTMODE)]
    of_pool = [listmode_features(particle) for particle in _with_listmode(data, spread)]
    return names, _table(of_gallery, names), _table(of_pool, names)


def _with_listmode(data: DataSet, ids: Sequence[str]) -> list[Particle]:
    from seston.store import rows_to_particles

    columns = ["id", "sample_id", "listmode", "listmode_names"]
    return [
        particle for batch in data.particles(columns, ids=ids, batch_size=4096) for particle in rows_to_particles(batch)
    ]


def _table(rows: Sequence[dict[str, float]], names: Sequence[str]) -> NDArray[np.float32]:
    return np.array([[row.get(name, np.nan) for name in names] for row in rows], np.float32).reshape(-1, len(names))


def _card(
    data: DataSet,
    model: Encoder,
    chosen: Sequence[str],
    particles: Sequence[Particle],
    left_out: dict[str, str],
    classifier: str,
) -> GalleryCard:
    here = {particle.sample_id for particle in particles}
    samples = [sample for sample in data.samples() if sample.id in here]
    flags = {flag for sample in samples for flag in sample.flags}
    for batch in data.particles(["id", "flags"], ids=chosen, batch_size=4096):
        flags.update(flag for marks in batch.column(1).to_pylist() for flag in marks or ())
    return GalleryCard(
        model_id=model.model_id,
        classifier=classifier,
        left_out=left_out,
        detector_levels={sample.id: dict(sample.detector_levels) for sample in samples if sample.detector_levels},
        flags=tuple(flag for flag in _MADE_UP if flag in flags),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seston_version=__version__,
    )


def _finish(gallery: Gallery) -> Gallery:
    """Fit the routes once and keep what they taught about the scores."""
    from dataclasses import replace

    learnt = {name: route.calibration for name, route in gallery.routes.items()}
    return replace(gallery, card=replace(gallery.card, calibrations=learnt))


def _too_few(data: DataSet, labels: dict[str, str], left_out: dict[str, str]) -> str:
    if not labels:
        return f"{data.path}: no particle has a label; give some with  seston annotate {data.path} LABELS.csv"
    why = "; ".join(islice((f"{label} {reason}" for label, reason in left_out.items()), 3))
    return f"{data.path}: a gallery needs particles of at least two labels{': ' + why if why else ''}"
