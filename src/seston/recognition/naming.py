"""Names for particles by a gallery, with whatever each particle has: picture, profile, both, or listmode alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from seston.models.spaces import unit
from seston.recognition.calibration import Calibration, calibrate, familiar_share, probabilities
from seston.recognition.caution import NONE, UNKNOWN, Caution
from seston.recognition.ensemble import Ensemble, fit_ensemble
from seston.recognition.familiarity import Familiarity, Surroundings, fit_familiarity
from seston.recognition.neighbours import nearest
from seston.recognition.views import Views, gallery_vectors, vectors_at

__all__ = ["Identification", "Route", "fit_routes", "name_particles", "route_rule"]

_NEAREST = 3
_LISTMODE = "L-L"
_NO_TAXA: Mapping[str, str] = MappingProxyType({})
_MODALITY = {"IP": "image+profile", "I": "image", "P": "profile", "L": "listmode"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """The name that one particle was given, and what speaks for it."""

    id: str
    path: str = ""
    """File or folder that the particle came from."""
    sample: str = ""
    label: str | None
    """A label of the gallery, ``unknown`` where caution was asked for, or None where it cannot be named."""
    taxon: str | None = None
    """Accepted scientific name of what the label means; None where it names no taxon."""
    score: float | None = None
    """Probability of the label, as calibrated within the gallery."""
    margin: float | None = None
    """Score less that of the second label."""
    familiarity: float | None = None
    """Share of the gallery's own particles (each left out of it) that are less like its labels than this one; a
    particle of a label that the gallery lacks has a small one."""
    modality: str
    """What the name rests on: ``image+profile``, ``image``, ``profile``, ``listmode`` or ``none``."""
    nearest: tuple[str, ...] = ()
    """Ids of the gallery particles most like it …"""
    nearest_labels: tuple[str, ...] = ()
    """… their labels …"""
    nearest_likeness: tuple[float, ...] = ()
    """… and how like it they are: cosines, 1 for the same."""
    reason: str = ""
    """Why it could not be named."""
    rank: str = ""
    """By the model in the box or a run: ``label``, or the rank of the wider group that the name is; else empty."""
    ranks: tuple[str, ...] = ()
    """By the same: from ``label`` to ``kingdom`` …"""
    rank_names: tuple[str, ...] = ()
    """… the likeliest group of each rank …"""
    rank_scores: tuple[float, ...] = ()
    """… and its probability: that of its labels together."""
    warning: str = ""
    """Why the name is to be doubted: the picture does not look like those that the model learned from."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way from a query to a name: which view of the gallery it is compared with, and the rules fitted to that."""

    gallery_view: str
    query_view: str
    rows: NDArray[np.int64]
    """Gallery particles that have the view."""
    classes: NDArray[np.int64]
    """Class numbers that occur among them."""
    labels: NDArray[np.int64]
    """Class number of each."""
    vectors: NDArray[np.float32]
    rule: Ensemble
    calibration: Calibration
    around: Surroundings | None = None
    """Unlabelled particles in the same space."""
    _familiarity: list[Familiarity] = field(default_factory=list, repr=False, compare=False)

    @property
    def familiarity(self) -> Familiarity | None:
        """How particles are told from strangers here; None across modalities, and where nothing was held out."""
        if self.gallery_view != self.query_view or not self.calibration.familiar_above:
            return None
        if not self._familiarity:
            numbers = np.searchsorted(self.classes, self.labels).astype(np.int64)
            pool = None if self.around is None else self.around.vectors
            self._familiarity.append(fit_familiarity(self.vectors, numbers, pool))
        return self._familiarity[0]

    @property
    def name(self) -> str:
        """``I-I``, ``P-P``, ``IP-IP``, ``I-P`` (pictures in the gallery, profiles asked), ``P-I`` or ``L-L``."""
        return "-".join(view.removeprefix("S") for view in (self.gallery_view, self.query_view))


_PAIRS = (("IP", "IP"), ("I", "I"), ("P", "P"), ("SI", "SP"), ("SP", "SI"), ("L", "L"))


def fit_routes(
    views: Views,
    labels: NDArray[np.int64],
    samples: Sequence[str],
    classifier: str,
    known: Mapping[str, Calibration] | None = None,
    pool: Views | None = None,
    pool_samples: Sequence[str] = (),
) -> dict[str, Route]:
    """Fit every route that the gallery allows.

    Parameters
    ----------
    views, labels, samples
        Of the gallery particles.
    known
        Calibrations by name of route that were learnt before; the others are learnt now.
    pool, pool_samples
        Unlabelled particles in the same spaces, and the sample of each.
    """
    routes = {}
    for gallery_view, query_view in _PAIRS:
        if gallery_view not in views or query_view not in views:
            continue
        vectors, has = views[gallery_view]
        rows = np.flatnonzero(has)
        classes, numbers = np.unique(labels[rows], return_inverse=True)
        if len(classes) < 2:
            continue
        numbers = numbers.astype(np.int64)
        name = "-".join(view.removeprefix("S") for view in (gallery_view, query_view))
        around = _around(pool, pool_samples, query_view)
        if known is not None and name in known:
            calibration = known[name]
        else:
            calibration = _calibrate(views, gallery_view, query_view, labels, samples, classifier, around)
        rule = fit_ensemble(
            route_rule(classifier, gallery_view, query_view),
            gallery_vectors(views, gallery_view, query_view, rows),
            numbers,
            len(classes),
            calibration.votes,
        )
        routes[name] = Route(
            gallery_view,
            query_view,
            rows,
            classes,
            labels[rows],
            vectors[rows],
            rule,
            calibration,
            around,
        )
    return routes


def _calibrate(
    views: Views,
    gallery_view: str,
    query_view: str,
    labels: NDArray[np.int64],
    samples: Sequence[str],
    classifier: str,
    around: Surroundings | None,
) -> Calibration:
    rows = np.flatnonzero(views[gallery_view][1] & views[query_view][1])
    if not len(rows):
        return Calibration()
    numbers = np.unique(labels[rows], return_inverse=True)[1].astype(np.int64)
    of_rows = [samples[int(row)] for row in rows]
    rule = route_rule(classifier, gallery_view, query_view)
    of_gallery = gallery_vectors(views, gallery_view, query_view, rows)
    across = {query_view: views[query_view][0][rows]} if gallery_view != query_view else None
    return calibrate(of_gallery, numbers, of_rows, rule, around, across=across)


def _around(pool: Views | None, samples: Sequence[str], view: str) -> Surroundings | None:
    if pool is None or view not in pool:
        return None
    vectors, has = pool[view]
    return Surroundings(vectors[has], tuple(samples[row] for row in np.flatnonzero(has).tolist()))


def route_rule(classifier: str, gallery_view: str, query_view: str) -> str:
    """Give the rule for a route: across modalities soft LDA gives way to the nearest mean.

    How pictures scatter within a class says nothing about how profiles do, and leaning on it loses (it fell from 18 to
    13 % between galleries of 1 and of 16 on simulated particles, where the nearest mean rose to 23 %).
    """
    return "centroid" if classifier == "soft-lda" and gallery_view != query_view else classifier


def name_particles(
    ids: Sequence[str],
    views: Views,
    routes: Mapping[str, Route],
    class_names: Sequence[str],
    gallery_ids: Sequence[str],
    caution: Caution = NONE,
    taxa: Mapping[str, str] = _NO_TAXA,
    prior: NDArray[np.float64] | None = None,
) -> list[Identification]:
    """Name particles, each by the best routes for what it has.

    Where the gallery holds enough pairs, a particle with picture and profile is named by both at once; otherwise by
    the product of what each says alone. A particle with one modality is compared with that modality of the gallery,
    and through the shared space with the other one where some classes lack its own. `taxa` says which taxon a label
    means, `prior` what is known of each particle's class (particles by classes, logarithms) before it is looked at.
    """
    names: list[Identification | None] = [None] * len(ids)
    for modality, rows in _by_modality(views, len(ids)).items():
        chosen = _choose(modality, routes, len(class_names))
        if not len(rows):
            continue
        if not chosen:
            reason = _why_not(modality, routes)
            for row in rows:
                names[row] = Identification(
                    id=ids[row], label=None, modality=_MODALITY.get(modality, "none"), reason=reason
                )
            continue
        found = _Found(
            modality="".join(letter for letter in "IPL" if any(letter in route.query_view for route in chosen)),
            shares=_product(chosen, views, rows, len(class_names), prior),
            familiarity=_familiarity(chosen, views, rows),
            near=nearest(chosen[0].vectors, unit(views[chosen[0].query_view][0][rows]), _NEAREST),
            lowest=caution.lowest([route.calibration for route in chosen]),
        )
        for place, row in enumerate(rows):
            one = _identification(ids[row], found, place, chosen[0], class_names, gallery_ids, caution)
            names[row] = replace(one, taxon=taxa.get(one.label or "")) if taxa else one
    return [one for one in names if one is not None]


def _by_modality(views: Views, count: int) -> dict[str, NDArray[np.int64]]:
    nothing = np.zeros(count, np.bool_)
    image, profile, listmode = (views[view][1] if view in views else nothing for view in ("I", "P", "L"))
    masks = {
        "IP": image & profile,
        "I": image & ~profile,
        "P": profile & ~image,
        "L": listmode & ~image & ~profile,
        "": ~(image | profile | listmode),
    }
    return {modality: np.flatnonzero(mask) for modality, mask in masks.items()}


def _choose(modality: str, routes: Mapping[str, Route], classes: int) -> list[Route]:
    """Choose the routes whose answers are multiplied."""

    def of(*names: str) -> list[Route]:
        return [routes[name] for name in names if name in routes]

    alone = {"IP": of("I-I", "P-P"), "I": of("I-I"), "P": of("P-P"), "L": of(_LISTMODE), "": []}[modality]
    together = of("IP-IP") if modality == "IP" else []
    most = max((len(route.rows) for route in alone), default=0)
    if together and len(together[0].classes) == classes and 2 * len(together[0].rows) >= most:
        return together
    if all(len(route.classes) < classes for route in alone):
        crossed = {"IP": of("P-I", "I-P"), "I": of("P-I"), "P": of("I-P")}.get(modality, [])
        alone = [*alone, *crossed]
    return alone or together


def _why_not(modality: str, routes: Mapping[str, Route]) -> str:
    if modality == "L":
        return "it has listmode alone, and no particle of the gallery has the same parameters"
    if not modality:
        return "it has nothing that the gallery could be compared with"
    return f"the gallery names by {', '.join(sorted(routes)) or 'nothing'}, which this particle lacks"


def _product(
    chosen: Sequence[Route],
    views: Views,
    rows: NDArray[np.int64],
    classes: int,
    prior: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Multiply what several routes say; on a class that a route does not know it says what chance would."""
    total = np.zeros((len(rows), classes)) if prior is None else prior[rows].copy()
    seen = np.zeros(classes, np.bool_)
    for route in chosen:
        shares = probabilities(route.rule(vectors_at(views, route.rule.views, rows)), route.calibration.temperature)
        of_route = np.full((len(rows), classes), -np.log(max(len(route.classes), 1)))
        of_route[:, route.classes] = np.log(np.maximum(shares, 1e-12))
        total += of_route
        seen[route.classes] = True
    total[:, ~seen] = -np.inf
    return probabilities(total, 1.0)


def _familiarity(chosen: Sequence[Route], views: Views, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Say how familiar particles are by the route that finds them strangest; NaN where no route can tell.

    The least of several shares is small more often than one alone: 1 − (1 − least)^routes makes up for that.
    """
    shares = [
        familiar_share(route.calibration, route.familiarity(views[route.query_view][0][rows]))
        for route in chosen
        if route.familiarity is not None
    ]
    if not shares:
        return np.full(len(rows), np.nan)
    return np.asarray(1 - (1 - np.min(shares, axis=0)) ** len(shares))


@dataclass(frozen=True, slots=True)
class _Found:
    """What routes say of particles of one modality, one row a particle."""

    modality: str
    shares: NDArray[np.float64]
    familiarity: NDArray[np.float64]
    near: tuple[NDArray[np.float32], NDArray[np.int64]]
    """Distances and rows of the nearest."""
    lowest: float
    """Score below which a particle is unknown."""


def _identification(
    name: str,
    found: _Found,
    place: int,
    route: Route,
    class_names: Sequence[str],
    gallery_ids: Sequence[str],
    caution: Caution,
) -> Identification:
    shares, familiarity = found.shares[place], float(found.familiarity[place])
    best = int(shares.argmax())
    score = float(shares[best])
    second = float(np.delete(shares, best).max()) if len(shares) > 1 else 0.0
    strange = caution.unfamiliar is not None and familiarity <= caution.unfamiliar
    distances, near = found.near[0][place], found.near[1][place]
    return Identification(
        id=name,
        label=UNKNOWN if strange or score < found.lowest else class_names[best],
        score=score,
        margin=score - second,
        familiarity=None if np.isnan(familiarity) else round(familiarity, 6),
        modality=_MODALITY[found.modality],
        nearest=tuple(gallery_ids[row] for row in route.rows[near]),
        nearest_labels=tuple(class_names[number] for number in route.labels[near]),
        nearest_likeness=tuple(round(1 - float(distance), 4) for distance in distances),
    )
