"""What happens to particles of species that the gallery lacks: some are left out of it on purpose, and asked about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.comparison import Comparison, ModelLike, Plan, compare, models_of, notes_of, provenance_of
from seston.evaluation.draws import Draw, Sides, nested_draws
from seston.evaluation.measuring import unlabelled_pool
from seston.evaluation.plots import COLOURS, coverage_plot
from seston.evaluation.reported import reported
from seston.evaluation.results import Evaluation, Figure
from seston.evaluation.simple_shot import probe_features, standardised
from seston.evaluation.stranger_heads import HEAD, ask_head
from seston.evaluation.strangers import SCORES, OpenSetRow, Outcome, coverage_curve, judge, outcome
from seston.evaluation.subjects import part_sides, saved_split
from seston.particle import Progress, Silence
from seston.recognition.familiarity import Surroundings
from seston.recognition.naming import fit_routes
from seston.recognition.views import Views, fit_spaces, views_of, voting_views

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["ood"]

_POOL = 1500
_VIEWS = ("IP", "I", "P")
_WORDS = {"IP": "picture and profile", "I": "picture", "P": "profile"}
_NEW = "familiarity, strangers new to the data set"
_SHOWN = ("familiarity", "probability", "probability × familiarity")
_CHANCE = "chance"
_FEWEST_KNOWN = 3

Found = dict[tuple[str, str, str], list[Outcome]]
"""By method, score and view: what came out, draw by draw."""


def ood(
    data: DataSet | Path | str,
    *,
    model: ModelLike,
    leave_out: int | None = None,
    n: int = 16,
    repeats: int = 5,
    split: str | None = None,
    fold: int = 0,
    seed: int = 0,
    classifier: str = "soft-lda",
    baselines: bool = True,
    detectors: bool = True,
    to: Path | str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Leave species out of the gallery, and see how well their particles are told from those that it knows.

    In each draw other species are left out, and other gallery particles of the rest are taken. All queries are of other
    samples than the gallery, where there are several. What is left of the gallery's side serves as the unlabelled
    particles around it; there are strangers among them, as there are in the sea. One row shows what becomes of the
    familiarity where there are none.

    Parameters
    ----------
    model
        An encoder, the folder of a run, or ``classical``.
    leave_out
        How many species: a quarter of them by default.
    n
        Gallery particles of each of the others.
    repeats
        Draws.
    baselines
        Show chance, other scores, and measured features beside the model.
    detectors
        Show the usual detectors beside it (`seston.evaluation.detectors`): those of a logistic regression on the same
        gallery's features, brought to mean 0 and spread 1.
    to
        Write the report there.

    Raises
    ------
    UsageError
        Where fewer than three species would be left.
    """
    from seston.store import open_data_set

    say = progress or Silence()
    opened = open_data_set(data) if isinstance(data, str | Path) else data
    partition = saved_split(opened, split)
    ((number, encoder),) = models_of(opened, model, partition, fold)
    plan = Plan([n], 1, repeats, seed, classifier, baselines)
    compared = compare(opened, encoder, partition, number, plan, say)
    subjects = compared.subjects
    sides = part_sides(subjects, partition, number, n, seed)
    pool = unlabelled_pool(subjects, sides, partition, number)
    classes = np.unique(subjects.classes[sides.gallery])
    gone = _how_many_leave(len(classes), leave_out, n)
    found = _measure(compared, sides, pool, classes, gone, plan, say, detectors=detectors)
    return reported(
        _evaluation(opened, compared, sides, found, gone, len(classes), plan), opened, to, overwrite=overwrite
    )


def _how_many_leave(classes: int, wanted: int | None, n: int) -> int:
    gone = max(1, classes // 4) if wanted is None else wanted
    if gone < 1 or classes - gone < _FEWEST_KNOWN:
        raise UsageError(
            f"{classes} species have {n} gallery particles: {gone} left out leave {classes - gone}; "
            f"leave out from 1 to {max(classes - _FEWEST_KNOWN, 1)}"
        )
    return gone


def _evaluation(
    data: DataSet, compared: Comparison, sides: Sides, found: Found, gone: int, classes: int, plan: Plan
) -> Evaluation:
    """Judge what came out when so many of the classes were gone."""
    (n,) = plan.sizes
    rows = [
        judge(method, score, view, n, gone, outcomes, plan.seed) for (method, score, view), outcomes in found.items()
    ]
    return Evaluation(
        title=f"What becomes of species that the gallery lacks? {data.path.name}",
        protocol="ood",
        main=f"{_name(compared)} (familiarity)",
        open_set=tuple(rows),
        grouped=sides.grouped,
        left_out=sides.left_out,
        tables={"Strangers told from known particles": _table(rows)},
        figures=tuple(_figures(found, gone, classes, n)),
        notes=(
            sides.note,
            f"{gone} of {classes} species were left out of the gallery, others in each of {plan.repeats} draws",
            "the particles around the gallery are unlabelled, and species that it lacks are among them",
            *notes_of(compared),
        ),
        simulated=compared.subjects.made_up,
        provenance=provenance_of(data, compared, plan.seed),
    )


def _name(compared: Comparison) -> str:
    return "model" if compared.is_model else "classical"


def _measure(
    compared: Comparison,
    sides: Sides,
    pool: NDArray[np.int64],
    classes: NDArray[np.int64],
    gone: int,
    plan: Plan,
    say: Progress,
    *,
    detectors: bool,
) -> Found:
    sources = {_name(compared): compared.vectors}
    if plan.baselines and compared.is_model:
        if compared.untrained is not None:
            sources["untrained encoder"] = compared.untrained
        if compared.measured is not None:
            sources["classical"] = compared.measured
    labels = compared.subjects.labels
    draws = nested_draws(labels, sides, plan.sizes, plan.repeats, plan.seed)
    features = {
        name: {view: standardised(part, pool) for view, part in parts.items()}
        for name, parts in (probe_features(compared, pool) if detectors else {}).items()
    }
    say.start("leaving species out", len(draws) * len(sources))
    found: Found = {}
    for method, vectors in sources.items():
        views = views_of(vectors, fit_spaces(vectors.take(pool), few=max(plan.sizes) < 2))
        main = method == _name(compared)
        for draw in draws:
            absent = np.random.default_rng([plan.seed, draw.repeat]).permutation(classes)[:gone]
            for key, one in _ask(views, compared, draw, absent, pool, plan, main=main):
                found.setdefault((method if key[0] != _CHANCE else _CHANCE, *key), []).append(one)
            if main and detectors:
                for key, one in ask_head(features[method], compared.subjects.classes, draw, absent):
                    found.setdefault((f"{method}, {HEAD}", *key), []).append(one)
            say.advance(1, method)
    say.finish()
    return found


def _ask(
    views: Views,
    compared: Comparison,
    draw: Draw,
    absent: NDArray[np.int64],
    pool: NDArray[np.int64],
    plan: Plan,
    *,
    main: bool,
) -> Iterator[tuple[tuple[str, str], Outcome]]:
    """Ask a gallery that lacks some classes about particles of all."""
    truth = compared.subjects.classes
    gallery = draw.gallery[~np.isin(truth[draw.gallery], absent)]
    others = np.setdiff1d(pool, gallery)
    around = others[np.unique(np.linspace(0, len(others) - 1, min(_POOL, len(others))).round().astype(np.int64))]
    samples = [compared.subjects.samples[row] for row in gallery.tolist()]
    taken = _take(views, gallery)
    nearby = [compared.subjects.samples[row] for row in around.tolist()]
    pool_views = _take(views, around)
    routes = fit_routes(taken, truth[gallery], samples, plan.classifier, pool=pool_views, pool_samples=nearby)
    asked = truth[draw.queries]
    for name in _VIEWS:
        route = routes.get(f"{name}-{name}")
        if route is None:
            continue
        queries = {view: vectors[draw.queries] for view, (vectors, _) in views.items()}
        for score in SCORES if main and plan.baselines else _SHOWN:
            yield (score, name), outcome(score, route, queries, asked)
        if main and plan.baselines:
            known_alone = around[~np.isin(truth[around], absent)]
            bare = replace(route, around=Surroundings(views[name][0][known_alone], ()), _familiarity=[])
            yield (_NEW, name), replace(outcome("familiarity", bare, queries, asked), share=None)
            blind = np.random.default_rng([plan.seed, draw.repeat, 1]).random(len(asked))
            yield (_CHANCE, name), replace(outcome("nearest particle", route, queries, asked), scores=blind)


def _take(views: Views, rows: NDArray[np.int64]) -> Views:
    used = {one: views[one] for name in _VIEWS if name in views for one in voting_views(views, name)}
    return {name: (vectors[rows], has[rows]) for name, (vectors, has) in used.items()}


_COLUMNS = (
    "method",
    "score",
    "gallery – query",
    "AUROC",
    "95 % interval",
    "FPR95, %",
    "turned away, %",
    "lost, %",
    "right names, %",
    "calibration error, %",
    "known",
    "strangers",
)


def _table(rows: Sequence[OpenSetRow]) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
    """Put the rows as the report shows them."""

    def percent(share: float | None) -> float | None:
        return None if share is None else round(100 * share, 1)

    return _COLUMNS, tuple(
        (
            row.method,
            row.score,
            f"{row.gallery} – {row.query}",
            round(row.auroc, 3),
            f"{row.low:.3f} – {row.high:.3f}",
            percent(row.fpr95),
            percent(row.turned_away),
            percent(row.lost),
            percent(row.accuracy),
            percent(row.calibration_error),
            row.known,
            row.strangers,
        )
        for row in rows
    )


def _figures(
    found: Mapping[tuple[str, str, str], Sequence[Outcome]], gone: int, classes: int, n: int
) -> Iterator[Figure]:
    """Draw accuracy over coverage, one plot a view."""
    for view in _VIEWS:
        curves = {
            f"{method}, {score}": coverage_curve(outcomes)
            for (method, score, of), outcomes in found.items()
            if of == view and score in (*_SHOWN, _CHANCE)
        }
        if not curves:
            continue
        lead = (
            f"By {_WORDS[view]}, {n} gallery particles a species. Share of right names among the particles that get "
            f"one, best score first; the {gone} of {classes} species that the gallery lacks are asked about too, and "
            "any name that they get is wrong."
        )
        yield Figure(f"Accuracy over coverage, {view}-{view}", lead, coverage_plot(curves, COLOURS))
