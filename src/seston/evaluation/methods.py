"""Ways of naming queries by a gallery: learned vectors, measured features, chance."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.draws import Draw
from seston.evaluation.growing import GrowingSearch
from seston.models.spaces import unit
from seston.recognition.classifiers import shrinkage_lda
from seston.recognition.embeddings import Embeddings
from seston.recognition.ensemble import fit_voters
from seston.recognition.naming import route_rule
from seston.recognition.neighbours import name_by_vote
from seston.recognition.views import Views, few_a_class, fit_spaces, gallery_vectors, vectors_at, views_of

__all__ = ["Combination", "Method", "Names", "chance", "classical", "learned", "paper_rule"]

Combination = tuple[str, str]
"""Modalities of the gallery and of the query, each ``I``, ``P`` or ``IP``."""
Names = Iterable[tuple[Combination, NDArray[np.int64]]]

_TREES = 50


@dataclass(frozen=True, slots=True)
class Method:
    """One way of naming: what it is called, and the names that it gives the queries of a draw, by combination."""

    name: str
    classifier: str
    combinations: tuple[Combination, ...]
    names: Callable[[Draw], Names]
    k: int = 0


def learned(
    name: str,
    vectors: Embeddings,
    classes: NDArray[np.int64],
    pool: NDArray[np.int64],
    *,
    classifier: str = "soft-lda",
) -> Method:
    """Name by a linear rule in the space of one modality, of both, or of pictures against profiles.

    Parameters
    ----------
    vectors, classes
        Embeddings and class numbers of the particles that draws number.
    pool
        Rows to learn the spaces from, without their labels: never queries.
    """

    @cache
    def views_for(few: bool) -> Views:
        return views_of(vectors, fit_spaces(vectors.take(pool), few=few))

    any_views = views_for(few=False)
    samples = [name.rpartition("/")[0] for name in vectors.ids]
    pairs = [
        (gallery, query) for gallery, query in _PAIRS if _all_have(any_views, gallery) and _all_have(any_views, query)
    ]
    combinations = {(gallery.removeprefix("S"), query.removeprefix("S")): (gallery, query) for gallery, query in pairs}

    def names(draw: Draw) -> Names:
        labels, count = _renumber(classes[draw.gallery])
        views = views_for(few=few_a_class(len(labels), len(count)))
        for combination, (gallery, query) in combinations.items():
            by = route_rule(classifier, gallery, query)
            shown = gallery_vectors(views, gallery, query, draw.gallery)
            of_gallery = [samples[row] for row in draw.gallery.tolist()]
            rule = fit_voters(by, shown, labels, len(count), of_gallery)
            yield combination, count[rule(vectors_at(views, rule.views, draw.queries)).argmax(axis=1)]

    return Method(name, classifier, tuple(combinations), names)


_PAIRS = (("I", "I"), ("P", "P"), ("IP", "IP"), ("SI", "SP"), ("SP", "SI"))


def _all_have(views: Views, view: str) -> bool:
    return view in views and bool(views[view][1].all())


def paper_rule(name: str, vectors: Embeddings, classes: NDArray[np.int64], k: int) -> Method:
    """Name by the vote of `k` neighbours in the shared space, in the nine combinations of arXiv 2603.16427.

    A gallery of both modalities holds two rows a particle, pictures before profiles; a query of both has the votes of
    its picture's neighbours and of its profile's (2k votes).
    """
    parts = {"I": unit(vectors.shared_image), "P": unit(vectors.shared_profile)}
    has = {"I": vectors.has_image.all(), "P": vectors.has_profile.all()}
    sides = [letter for letter in ("I", "P") if has[letter]]
    both = [*sides, "IP"] if len(sides) == 2 else sides
    combinations = tuple((gallery, query) for gallery in both for query in both)
    searches = {
        (gallery, query): GrowingSearch(parts[gallery], parts[query], k) for gallery in sides for query in sides
    }

    def names(draw: Draw) -> Names:
        found = {pair: search(draw.gallery, draw.queries) for pair, search in searches.items()}
        neighbours = {pair: (distances, classes[rows]) for pair, (distances, rows) in found.items()}
        if len(sides) == 2:
            neighbours |= {("IP", query): _merge(neighbours["I", query], neighbours["P", query], k) for query in sides}
            neighbours |= {
                (gallery, "IP"): _beside(neighbours[gallery, "I"], neighbours[gallery, "P"]) for gallery in both
            }
        for combination in combinations:
            distances, voters = neighbours[combination]
            yield combination, name_by_vote(distances, voters)

    return Method(name, "knn", combinations, names, k)


_Neighbours = tuple[NDArray[np.float32], NDArray[np.int64]]


def _beside(first: _Neighbours, second: _Neighbours) -> _Neighbours:
    return np.concatenate([first[0], second[0]], axis=1), np.concatenate([first[1], second[1]], axis=1)


def _merge(first: _Neighbours, second: _Neighbours, k: int) -> _Neighbours:
    """Take the k nearest of two lists of neighbours; of equally near ones those of the first list."""
    distances, labels = _beside(first, second)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(labels, order, axis=1)


def classical(
    name: str, blocks: Mapping[str, NDArray[np.float32]], classes: NDArray[np.int64], pool: NDArray[np.int64], rule: str
) -> Method:
    """Name by measured features, with shrinkage LDA or scikit-learn's random forest.

    Parameters
    ----------
    blocks
        ``I``, ``P`` and ``IP``: features of the particles that draws number, NaN where missing.
    rule
        ``shrinkage-lda`` (the scatter within classes, pooled, shrunk as Ledoit & Wolf 2004 estimate; at one particle a
        class there is none, and it is the nearest mean) or ``random-forest``.
    """
    by = {"shrinkage-lda": _name_by_lda, "random-forest": _name_by_forest}[rule]
    even = {letter: _standardise(block, pool) for letter, block in blocks.items()}

    def names(draw: Draw) -> Names:
        for letter, values in even.items():
            named = by(values[draw.gallery], classes[draw.gallery], values[draw.queries], draw.repeat)
            yield (letter, letter), named

    return Method(name, rule, tuple((letter, letter) for letter in even), names)


def _standardise(block: NDArray[np.float32], pool: NDArray[np.int64]) -> NDArray[np.float32]:
    values = np.where(np.isfinite(block), block, np.nan).astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column may be missing everywhere
        mean, spread = np.nanmean(values[pool], axis=0), np.nanstd(values[pool], axis=0)
    varies = spread > 1e-9 * np.maximum(1, np.abs(mean))
    return np.asarray(np.nan_to_num((values[:, varies] - mean[varies]) / spread[varies]), np.float32)


def _name_by_lda(
    gallery: NDArray[np.float32], classes: NDArray[np.int64], queries: NDArray[np.float32], repeat: int
) -> NDArray[np.int64]:
    names, numbers = np.unique(classes, return_inverse=True)
    rule = shrinkage_lda(gallery, numbers.astype(np.int64), len(names))
    return np.asarray(names[rule(queries).argmax(axis=1)], np.int64)


def _name_by_forest(
    gallery: NDArray[np.float32], classes: NDArray[np.int64], queries: NDArray[np.float32], repeat: int
) -> NDArray[np.int64]:
    from sklearn.ensemble import RandomForestClassifier

    with warnings.catch_warnings():
        # scikit-learn wonders about galleries of one or two particles a class; they are what is measured here.
        warnings.simplefilter("ignore", UserWarning)
        forest = RandomForestClassifier(_TREES, n_jobs=1, random_state=repeat).fit(gallery, classes)
        return np.asarray(forest.predict(queries), np.int64)


def chance(classes: NDArray[np.int64], combinations: Iterable[Combination], seed: int = 0) -> Method:
    """Name each query after a class of the gallery picked blindly."""
    pairs = tuple(combinations)

    def names(draw: Draw) -> Names:
        there = np.unique(classes[draw.gallery])
        for number, pair in enumerate(pairs):
            generator = np.random.default_rng([seed, draw.n, draw.repeat, number])
            yield pair, generator.choice(there, len(draw.queries))

    return Method("chance", "chance", pairs, names)


def _renumber(classes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the classes of a gallery without gaps; also give the way back."""
    there, numbers = np.unique(classes, return_inverse=True)
    return numbers.astype(np.int64), there
