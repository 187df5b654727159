"""Particles as a gallery sees them: by picture, by profile, by both, across modalities, or by listmode alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from seston.recognition.alignment import FEWEST_PAIRS, align, keep_shared
from seston.recognition.embeddings import Embeddings
from seston.recognition.spaces import Space, fit_space

__all__ = ["Views", "fit_spaces", "views_of"]

Views = Mapping[str, tuple[NDArray[np.float32], NDArray[np.bool_]]]
"""Unit vectors of particles by what they show, with a mask of which particles have it: ``I`` picture, ``P`` profile,
``IP`` both, ``SI`` and ``SP`` picture and profile in the space that they share, ``L`` listmode."""

_FEWEST = 2


def fit_spaces(pool: Embeddings, listmode: NDArray[np.float32] | None = None) -> dict[str, Space]:
    """Learn the spaces of all views from particles, labelled or not.

    A space that fewer than two particles could show is left out. Pictures and profiles are brought together by
    `align` where there are enough pairs, else by the encoder's own shared space, where it has one.
    """
    parts = _parts(pool, listmode)
    spaces = {
        view: fit_space([part[has] for part in features])
        for view, (features, has) in parts.items()
        if view in ("I", "P", "IP", "L") and features and has.sum() >= _FEWEST
    }
    both = pool.has_both
    if both.sum() >= FEWEST_PAIRS:
        spaces["SI"], spaces["SP"] = align(parts["SI"][0][0][both], parts["SP"][0][0][both])
    elif pool.crosses and "I" in spaces and "P" in spaces:
        spaces["SI"] = keep_shared(pool.image.shape[1], pool.shared_image[pool.has_image])
        spaces["SP"] = keep_shared(pool.profile.shape[1], pool.shared_profile[pool.has_profile])
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
            vectors = np.zeros((len(embeddings), len(spaces[view].centre)), np.float32)
            if has.any():
                vectors[has] = spaces[view]([part[has] for part in features])
            views[view] = vectors, has
    return views


def _parts(
    embeddings: Embeddings, listmode: NDArray[np.float32] | None
) -> dict[str, tuple[list[NDArray[np.float32]], NDArray[np.bool_]]]:
    image, profile = embeddings.image, embeddings.profile
    shared_image, shared_profile = embeddings.shared_image, embeddings.shared_profile
    # What a modality shares with the other is a block of its own: it names better beside the tower's features.
    pictures = [part for part in (image, shared_image) if part.shape[1]]
    profiles = [part for part in (profile, shared_profile) if part.shape[1]]
    parts: dict[str, tuple[list[NDArray[np.float32]], NDArray[np.bool_]]] = {
        "I": (pictures, embeddings.has_image),
        "P": (profiles, embeddings.has_profile),
        "IP": ([*pictures, *profiles], embeddings.has_both),
        "SI": ([np.concatenate([image, shared_image], axis=1)], embeddings.has_image),
        "SP": ([np.concatenate([profile, shared_profile], axis=1)], embeddings.has_profile),
    }
    if listmode is not None:
        parts["L"] = ([listmode], np.asarray(np.isfinite(listmode).any(axis=1)))
    return parts
