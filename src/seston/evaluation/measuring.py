"""The two ways of drawing galleries and asking queries: our own, and that of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.comparison import Comparison, Finding, Plan, evaluation_of, methods_of, notes_of, partners_of
from seston.evaluation.draws import Sides, nested_draws, paper_draws
from seston.evaluation.grid import Trial, join_trials, run_grid
from seston.evaluation.subjects import Subjects, part_sides, split_masks
from seston.particle import Progress

if TYPE_CHECKING:
    from seston.store import DataSet, Split

__all__ = ["by_nested_galleries", "by_paper", "sides_for", "unlabelled_pool"]

_PAPER_SHUFFLE = 42


def by_nested_galleries(
    data: DataSet, compared: Sequence[Comparison], partition: Split | None, plan: Plan, say: Progress
) -> Finding:
    """Measure with nested galleries and one fixed query set; of several models only the first is looked at."""
    one = compared[0]
    sides, sizes, notes = sides_for(one, partition, plan)
    draws = nested_draws(one.subjects.labels, sides, sizes, plan.repeats, plan.seed)
    pool = unlabelled_pool(one.subjects, sides, partition, one.fold)
    methods = methods_of(one, pool, plan)
    trials = run_grid(methods, draws, np.maximum(one.subjects.classes, 0), say)
    main = f"{methods[0].name} ({methods[0].classifier})"
    evaluation = replace(
        evaluation_of(data, one, trials, main, plan, partners_of(one, sides.queries, pool, plan.seed)),
        protocol="seston",
        grouped=sides.grouped,
        left_out=sides.left_out,
        notes=(sides.note, *notes, *notes_of(one)),
    )
    return Finding(evaluation, next(draw for draw in draws if draw.n == sizes[-1]), pool)


def sides_for(one: Comparison, partition: Split | None, plan: Plan) -> tuple[Sides, list[int], tuple[str, ...]]:
    """Part the particles; gallery sizes that fewer than two classes can fill are dropped, and a note says so."""
    sizes = list(plan.sizes)
    while True:
        try:
            sides = part_sides(one.subjects, partition, one.fold, sizes[-1], plan.seed)
        except UsageError:
            if len(sizes) == 1:
                raise
            sizes.pop()
            continue
        dropped = [size for size in plan.sizes if size not in sizes]
        notes = (f"n = {', '.join(map(str, dropped))}: too few classes are that large",) if dropped else ()
        return sides, sizes, notes


def unlabelled_pool(subjects: Subjects, sides: Sides, partition: Split | None, fold: int) -> NDArray[np.int64]:
    """Give the particles, labelled or not, to learn the spread of features from: none of the queries' side."""
    if partition is not None:
        train, _, _ = split_masks(subjects.ids, partition, fold)
        return np.flatnonzero(train)
    outside = np.ones(len(subjects.ids), np.bool_)
    if sides.grouped:
        asked = {subjects.samples[row] for row in sides.queries.tolist()}
        outside = np.array([sample not in asked for sample in subjects.samples], np.bool_)
    outside[sides.queries] = False
    return np.flatnonzero(outside)


def by_paper(
    data: DataSet, compared: Sequence[Comparison], partition: Split | None, plan: Plan, say: Progress
) -> Finding:
    """Measure as the paper's code does, fold by fold, one model a fold."""
    trials: list[Trial] = []
    found: list[Finding] = []
    for one in compared:
        subjects = one.subjects
        rows, asked = _paper_rows(subjects, partition, one.fold)
        labels = [str(label) for label in subjects.labels]
        draws = [
            draw for size in plan.sizes for draw in paper_draws(labels, rows, asked, size, plan.repeats, plan.seed)
        ]
        pool = np.array(rows, np.int64)
        methods = methods_of(one, pool, plan)
        trials = join_trials(trials, run_grid(methods, draws, np.maximum(subjects.classes, 0), say))
        own = next((method for method in methods if method.classifier == "knn"), methods[0])
        partners = partners_of(one, draws[-1].queries, pool, plan.seed)
        main = f"{own.name} ({own.classifier})"
        found.append(Finding(evaluation_of(data, one, trials, main, plan, partners), draws[-1], pool))
    sides = "one pool: all particles that are not in the gallery are queries" if partition is None else partition.note
    evaluation = replace(
        found[-1].evaluation,
        retrieval=found[0].evaluation.retrieval,
        protocol="paper",
        grouped=partition is not None and partition.grouped,
        notes=("galleries and queries drawn as in the code of arXiv 2603.16427", sides, *notes_of(compared[0])),
    )
    return Finding(evaluation, found[0].draw, found[0].pool)


def _paper_rows(subjects: Subjects, partition: Split | None, fold: int) -> tuple[list[int], list[int] | None]:
    """Give the rows to draw from and the rows to ask about (None: whatever is not drawn).

    The paper's code shuffles each table once when it reads it (pandas, random state 42); which particles are drawn
    depends on that order.
    """
    rows, asked = subjects.labelled, None
    if partition is not None:
        train, test, _ = split_masks([subjects.ids[row] for row in rows.tolist()], partition, fold)
        rows, asked = rows[train], rows[test].tolist()
    return rows[np.random.RandomState(_PAPER_SHUFFLE).permutation(len(rows))].tolist(), asked
