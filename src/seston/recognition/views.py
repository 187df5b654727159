"""Particles as a gallery sees them: by picture, by profile, by both, across modalities, or by listmode alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seston.models.spaces import SHARE, Block, Space, fit_block, join_blocks, spread_rows
from seston.recognition.alignment import FEWEST_PAIRS, align, keep_shared
from seston.recognition.embeddings import Embeddings
from seston.recognition.ensemble import Vectors

__all__ = ["Views", "few_a_class", "fit_spaces", "gallery_vectors", "vectors_at", "views_of", "voting_views"]

Views = Mapping[str, tuple[NDArray[np.float32], NDArray[np.bool_]]]
"""Unit vectors of particles by what they show, with a mask of which particles have it: ``I`` picture, ``P`` profile,
``IP`` both, each also by what the towers found alone (``I-learned``, …) and by hand-made features alone
(``I-measured``, …) where a model has both; ``SI`` and ``SP`` picture and profile in the space that they share, ``L``
listmode."""

# What a modality shares with the other, what it is compared with itself by, and what was measured by hand are blocks
# of their own: each names better beside the tower's features than among them.
_PICTURE = ("image", "within_image", "shared_image", "measured_image")
_PROFILE = ("profile", "within_profile", "shared_profile", "measured_profile")
_SHOWN = {"I": _PICTURE, "P": _PROFILE, "IP": (*_PICTURE, *_PROFILE)}
_TOGETHER = {
    "SI": ("image", "measured_image", "shared_image"),
    "SP": ("profile", "measured_profile", "shared_profile"),
}
_LISTMODE = "L"
_FEWEST = 2
_SHARE_FOR_FEW = 0.9
_MEASURED_PICTURE = 2.0
_NARROW = 300
"""Features of a tower, up to which the measured ones have that weight; beside a wider tower they have less."""
_ROWS_AT_ONCE = 4096


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
    samples = _samples(pool.ids)
    learned: dict[tuple[str, bytes], tuple[Block, NDArray[np.float32]]] = {}
    spaces = {}
    for view, names in _names(pool, listmode).items():
        has = _has(view, pool, listmode)
        if view in _TOGETHER or has.sum() < _FEWEST:
            continue
        rows = np.flatnonzero(has)
        rows = rows[spread_rows(len(rows))]
        for name in names:
            if (name, rows.tobytes()) not in learned:
                part = _part(name, rows, pool, listmode)
                block = fit_block(part, _weight(name, pool), ranked=name.startswith("measured"))
                learned[name, rows.tobytes()] = block, block(part)
        blocks, evened = zip(*(learned[name, rows.tobytes()] for name in names), strict=True)
        # Listmode may be that of a part of the pool.
        of_rows = samples[rows] if len(has) == len(samples) else None
        spaces[view] = join_blocks(blocks, evened, of_rows, share=share)
    return spaces | _spaces_together(pool, spaces)


def views_of(embeddings: Embeddings, spaces: Mapping[str, Space], listmode: NDArray[np.float32] | None = None) -> Views:
    """Bring particles into spaces; a view without a space is left out.

    Parameters
    ----------
    listmode
        Listmode features, one row a particle, a row of NaN where there are none.
    """
    names = {view: of for view, of in _names(embeddings, listmode).items() if view in spaces}
    views = {}
    for view in names:
        has = _has(view, embeddings, listmode)
        views[view] = np.zeros((len(has), spaces[view].width), np.float32), has
    for start in range(0, len(embeddings), _ROWS_AT_ONCE):
        evened: dict[tuple[str, int, bytes], NDArray[np.float32]] = {}
        for view, (vectors, has) in views.items():
            rows = start + np.flatnonzero(has[start : start + _ROWS_AT_ONCE])
            if not len(rows):
                continue
            parts = []
            for name, block in zip(names[view], spaces[view].blocks, strict=True):
                key = name, id(block), rows.tobytes()
                if key not in evened:  # spaces share blocks
                    evened[key] = block(_part(name, rows, embeddings, listmode))
                parts.append(evened[key])
            vectors[rows] = spaces[view].join(parts)
    return views


def voting_views(views: Collection[str], view: str) -> tuple[str, ...]:
    """Name the views that vote on particles shown in a view, it first (see `seston.recognition.ensemble`)."""
    bases = [base for base in ("I", "P") if base in view and base != view] if view in _SHOWN else []
    voters = [f"{base}{kind}" for base in (view, *bases) for kind in ("", "-learned", "-measured")]
    return tuple(voter for voter in voters if voter in views)


def gallery_vectors(views: Views, gallery: str, query: str, rows: NDArray[np.int64]) -> Vectors:
    """Give the vectors of some gallery particles, by the view of the queries that are compared with them."""
    if gallery != query:
        return {query: views[gallery][0][rows]}
    return vectors_at(views, voting_views(views, gallery), rows)


def vectors_at(views: Views, names: Collection[str], rows: NDArray[np.int64]) -> Vectors:
    """Give the vectors of some particles, in some views."""
    return {view: views[view][0][rows] for view in names}


def _names(embeddings: Embeddings, listmode: NDArray[np.float32] | None) -> dict[str, tuple[str, ...]]:
    """Name the blocks of each view that embeddings can be seen by."""
    found: dict[str, tuple[str, ...]] = {}
    for view, all_names in _SHOWN.items():
        names = tuple(name for name in all_names if getattr(embeddings, name).shape[1])
        measured = tuple(name for name in names if name.startswith("measured"))
        if names:
            found[view] = names
        if measured and len(measured) < len(names):
            found[f"{view}-learned"] = tuple(name for name in names if name not in measured)
            found[f"{view}-measured"] = measured
    found |= {view: (view,) for view in _TOGETHER}
    return found if listmode is None else found | {_LISTMODE: (_LISTMODE,)}


def _has(view: str, embeddings: Embeddings, listmode: NDArray[np.float32] | None) -> NDArray[np.bool_]:
    if view == _LISTMODE:
        assert listmode is not None
        return np.asarray(np.isfinite(listmode).any(axis=1))
    modality = view.removeprefix("S").partition("-")[0]
    return {"I": embeddings.has_image, "P": embeddings.has_profile, "IP": embeddings.has_both}[modality]


def _part(
    name: str, rows: NDArray[np.int64], embeddings: Embeddings, listmode: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Give the features of a block for some particles."""
    if name == _LISTMODE:
        assert listmode is not None
        return listmode[rows]
    parts = [getattr(embeddings, part)[rows] for part in _TOGETHER.get(name, (name,))]
    return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]


def _weight(name: str, pool: Embeddings) -> float:
    """Say how much a block counts beside others.

    Three blocks of a picture are learned and much alike; the one that is measured counts as much as two of them. A wide
    tower, as those with ImageNet weights are, sees by itself most of what is measured, and is disturbed by the rest
    where a gallery has one picture a class: beside it the weight goes down with the root of the number of features.
    """
    if name != "measured_image":
        return 1.0
    width: int = pool.image.shape[1]
    return _MEASURED_PICTURE * float(min(1.0, _NARROW / max(1, width)) ** 0.5)


def _spaces_together(pool: Embeddings, apart: Collection[str]) -> dict[str, Space]:
    """Learn the space in which pictures are compared with profiles."""
    both = np.flatnonzero(pool.has_both)
    if len(both) >= FEWEST_PAIRS:
        image, profile = (_part(view, both, pool, None) for view in _TOGETHER)
        return dict(zip(_TOGETHER, align(image, profile), strict=True))
    if not pool.crosses or not {"I", "P"} <= set(apart):
        return {}
    shared = {"SI": pool.shared_image[pool.has_image], "SP": pool.shared_profile[pool.has_profile]}
    return {
        view: keep_shared(_part(view, both[:0], pool, None).shape[1] - vectors.shape[1], vectors)
        for view, vectors in shared.items()
    }


def _samples(ids: Sequence[str]) -> NDArray[np.int64]:
    """Number the samples of particles by their ids, ``<sample>/<number>``."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name.rpartition("/")[0], len(numbers)) for name in ids], np.int64)
