"""Particles as a gallery sees them: by picture, by profile, by both, across modalities, or by listmode alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seston.models.spaces import SHARE, Space, fit_space
from seston.recognition.alignment import FEWEST_PAIRS, align, keep_shared
from seston.recognition.embeddings import Embeddings

__all__ = ["Views", "few_a_class", "fit_spaces", "views_of"]

Views = Mapping[str, tuple[NDArray[np.float32], NDArray[np.bool_]]]
"""Unit vectors of particles by what they show, with a mask of which particles have it: ``I`` picture, ``P`` profile,
``IP`` both, ``SI`` and ``SP`` picture and profile in the space that they share, ``L`` listmode."""

_FEWEST = 2
_SHARE_FOR_FEW = 0.9
_MEASURED_PICTURE = 2.0
_NARROW = 300
"""Features of a tower, up to which the measured ones have that weight; beside a wider tower they have less."""


def few_a_class(particles: int, classes: int) -> bool:
    """Tell whether a gallery has fewer than two particles a class, on the mean: too few to tell how classes scatter."""
    return particles < 2 * classes


def fit_spaces(pool: Embeddings, listmode: NDArray[np.float32] | None = None, *, few: bool = False) -> dict[str, Space]:
    """Learn the spaces of all views from particles, labelled or not.

    A space that fewer than two particles could show is left out. Pictures and profiles are brought together by
    `align` where there are enough pairs, else by the encoder's own shared space, where it has one.

    Parameters
    ----------
    pool
        The particles.
    listmode
        Their listmode features.
    few
        Whether the gallery has fewer than two particles a class (`few_a_class`). Neighbours then tell nearly all that
        is known of how particles of a class differ, and count for more; with more labels a rule learns it from
        classmates.
    """
    share = _SHARE_FOR_FEW if few else SHARE
    parts = _parts(pool, listmode)
    samples = _samples(pool.ids)
    spaces = {
        view: _space_of(features, has, samples, pool, share)
        for view, (features, has) in parts.items()
        if view in ("I", "P", "IP", "L") and features and has.sum() >= _FEWEST
    }
    both = pool.has_both
    if both.sum() >= FEWEST_PAIRS:
        spaces["SI"], spaces["SP"] = align(parts["SI"][0][0][both], parts["SP"][0][0][both])
    elif pool.crosses and "I" in spaces and "P" in spaces:
        for view, shared, has in (
            ("SI", pool.shared_image, pool.has_image),
            ("SP", pool.shared_profile, pool.has_profile),
        ):
            features = parts[view][0][0].shape[1] - shared.shape[1]
            spaces[view] = keep_shared(features, shared[has])
    return spaces


def views_of(embeddings: Embeddings, spaces: Mapping[str, Space], listmode: NDArray[np.float32] | None = None) -> Views:
    """Bring particles into spaces; a view without a space is left out.

    Parameters
    ----------
    listmode
        Listmode features, one row a particle, a row of NaN where there are none.
    """
    views = {}
    for view, (features, has) in _parts(embeddings, listmode).items():
        if view in spaces:
            vectors = np.zeros((len(embeddings), spaces[view].width), np.float32)
            if has.any():
                vectors[has] = spaces[view]([part[has] for part in features])
            views[view] = vectors, has
    return views


def _space_of(
    features: Sequence[NDArray[np.float32]],
    has: NDArray[np.bool_],
    samples: NDArray[np.int64],
    pool: Embeddings,
    share: float,
) -> Space:
    """Learn the space of a view; hand-made features beside learned ones count by their rank.

    Three blocks of a picture are learned and much alike; the one that is measured counts as much as two of them. A wide
    tower, as those with ImageNet weights are, sees by itself most of what is measured, and is disturbed by the rest
    where a gallery has one picture a class: beside it the weight goes down with the root of the number of features.
    """
    weight = _MEASURED_PICTURE * min(1.0, _NARROW / max(1, pool.image.shape[1])) ** 0.5
    return fit_space(
        [part[has] for part in features],
        samples[has] if len(has) == len(samples) else None,  # listmode may be that of a part of the pool
        [weight if part is pool.measured_image else 1.0 for part in features],
        [part is pool.measured_image or part is pool.measured_profile for part in features],
        share=share,
    )


def _samples(ids: Sequence[str]) -> NDArray[np.int64]:
    """Number the samples of particles by their ids, ``<sample>/<number>``."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name.rpartition("/")[0], len(numbers)) for name in ids], np.int64)


def _parts(
    embeddings: Embeddings, listmode: NDArray[np.float32] | None
) -> dict[str, tuple[list[NDArray[np.float32]], NDArray[np.bool_]]]:
    image, profile = embeddings.image, embeddings.profile
    shared_image, shared_profile = embeddings.shared_image, embeddings.shared_profile
    measured_image, measured_profile = embeddings.measured_image, embeddings.measured_profile
    # What a modality shares with the other, what it is compared with itself by, and what was measured by hand are
    # blocks of their own: each names better beside the tower's features than among them.
    pictures = [part for part in (image, embeddings.within_image, shared_image, measured_image) if part.shape[1]]
    profiles = [
        part for part in (profile, embeddings.within_profile, shared_profile, measured_profile) if part.shape[1]
    ]
    parts: dict[str, tuple[list[NDArray[np.float32]], NDArray[np.bool_]]] = {
        "I": (pictures, embeddings.has_image),
        "P": (profiles, embeddings.has_profile),
        "IP": ([*pictures, *profiles], embeddings.has_both),
        "SI": ([np.concatenate([image, measured_image, shared_image], axis=1)], embeddings.has_image),
        "SP": ([np.concatenate([profile, measured_profile, shared_profile], axis=1)], embeddings.has_profile),
    }
    if listmode is not None:
        parts["L"] = ([listmode], np.asarray(np.isfinite(listmode).any(axis=1)))
    return parts
