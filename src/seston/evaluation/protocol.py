"""Naming labelled particles by small galleries of others: our protocol, and the paper's as it is coded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError, nearest_word
from seston.evaluation.draws import Draw, Sides, nested_draws, paper_draws
from seston.evaluation.examples import pick_examples
from seston.evaluation.grid import Trial, differences, join_trials, run_grid, to_rows
from seston.evaluation.methods import Combination, Method, chance, classical, learned, paper_rule
from seston.evaluation.provenance import provenance
from seston.evaluation.results import Confusion, Evaluation, class_rows
from seston.evaluation.retrieval import RetrievalRow, match_pairs
from seston.evaluation.subjects import Subjects, block_features, choose_subjects, part_sides, saved_split, split_masks
from seston.particle import Progress, Silence
from seston.recognition.classical import ClassicalModel
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import Encoder, Model, embed, load

if TYPE_CHECKING:
    from seston.store import DataSet, Split

__all__ = ["gallery_knn", "resolve_data", "resolve_model"]

Protocol = Literal["seston", "paper"]
_SIZES = (1, 2, 4, 8, 16)
_PAPER_SHUFFLE = 42
_UNTRAINED = "untrained encoder"


def gallery_knn(
    data: DataSet | Path | str,
    *,
    model: Encoder | Path | str | Sequence[Encoder | Path | str] | None = None,
    protocol: Protocol = "seston",
    n: Sequence[int] = _SIZES,
    k: int = 3,
    repeats: int = 5,
    split: str | None = None,
    fold: int = 0,
    seed: int = 0,
    baselines: bool = True,
    classifier: str = "soft-lda",
    examples: int = 24,
    to: Path | str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Name labelled particles by small galleries of others, and say how often the name is right.

    Every method sees the same galleries and queries: the model, an encoder of the same recipe with random weights,
    classical features with three rules, and chance.

    Parameters
    ----------
    data
        With labels (predictions do not count as such).
    model
        A run, ``classical``, or None for the baselines alone. For the paper's protocol one model a fold may be given.
    protocol
        ``seston``: nested galleries, one fixed query set over all n, classes with too few particles left out and
        named. ``paper``: that of arXiv 2603.16427 as coded, nine combinations by its vote of k neighbours.
    n
        Gallery particles of each class.
    k
        Neighbours that vote in the paper's rule.
    repeats
        Galleries drawn for each n (and fold).
    split, fold
        Galleries come from the training part of this saved split, queries from its test part. Without a name the only
        split of the data set is taken; where there is none, ``seston`` halves the samples (or, with one sample, the
        particles), and ``paper`` draws galleries from one pool and asks about the rest.
    seed
        The same seed draws the same galleries.
    baselines
        Measure the baselines too.
    classifier
        Rule of the model in question: see `seston.recognition.CLASSIFIERS`.
    examples
        Queries to show in the report.
    to
        Write a report here: a folder, or the path of the HTML file.

    Raises
    ------
    UsageError
        For a wrong protocol, or too few labelled particles.
    """
    if protocol not in ("seston", "paper"):
        raise UsageError(f"there is no protocol {protocol!r}{nearest_word(protocol, ('seston', 'paper'))}")
    sizes = sorted(set(n))
    if not sizes or sizes[0] < 1 or k < 1 or repeats < 1:
        raise UsageError("n, k and repeats have to be 1 or more")
    say = progress or Silence()
    opened = resolve_data(data)
    partition = saved_split(opened, split)
    models = _models(opened, model, partition, fold)
    setups = [_setup(opened, encoder, partition, number, seed, baselines, say) for number, encoder in models]
    plan = _Plan(sizes, k, repeats, seed, classifier, baselines)
    measure = _by_paper if protocol == "paper" else _by_seston
    found = measure(opened, setups, partition, plan, say)
    if examples and found.draw is not None:
        picked = pick_examples(opened, setups[0].subjects, setups[0].vectors, found.draw, found.pool, examples, seed)
        found = replace(found, evaluation=replace(found.evaluation, examples=picked))
    if to is None:
        return found.evaluation
    from seston.evaluation.report import write_report

    return write_report(found.evaluation, to, overwrite=overwrite)


def resolve_data(data: DataSet | Path | str) -> DataSet:
    """Open a data set that is named by its path."""
    from seston.store import open_data_set

    return open_data_set(data) if isinstance(data, str | Path) else data


def resolve_model(data: DataSet, model: Encoder | Path | str) -> Encoder:
    """Load a model that is named by its run; ``classical`` measures features that the data set has."""
    if model == "classical" and not Path("classical").exists():
        return ClassicalModel.of(data)
    return load(model) if isinstance(model, str | Path) else model


@dataclass(frozen=True)
class _Plan:
    sizes: list[int]
    k: int
    repeats: int
    seed: int
    classifier: str
    baselines: bool


@dataclass(frozen=True)
class _Setup:
    """One model with the vectors of everything that it is compared with."""

    encoder: Encoder
    is_model: bool
    fold: int
    subjects: Subjects
    vectors: Embeddings
    untrained: Embeddings | None
    measured: Embeddings | None


@dataclass(frozen=True)
class _Found:
    evaluation: Evaluation
    draw: Draw | None
    pool: NDArray[np.int64]


def _models(
    data: DataSet,
    model: Encoder | Path | str | Sequence[Encoder | Path | str] | None,
    partition: Split | None,
    fold: int,
) -> list[tuple[int, Encoder | None]]:
    """Pair models with folds: several models go with folds 0, 1, …; a single one with the fold asked for."""
    if model is None:
        return [(fold, None)]
    if isinstance(model, str | Path) or not isinstance(model, Sequence):
        return [(fold, resolve_model(data, model))]
    folds = 1 if partition is None else partition.folds
    if partition is not None and len(model) > folds:
        raise UsageError(f"{len(model)} models for {folds} folds: give one a fold")
    return [(min(number, folds - 1), resolve_model(data, one)) for number, one in enumerate(model)]


def _setup(
    data: DataSet,
    encoder: Encoder | None,
    partition: Split | None,
    fold: int,
    seed: int,
    baselines: bool,
    say: Progress,
) -> _Setup:
    measured_by = ClassicalModel.of(data) if baselines or encoder is None else None
    main = encoder or measured_by
    assert main is not None
    vectors = embed(data, main, progress=say)
    subjects = choose_subjects(data, vectors)
    of = vectors.of(subjects.ids)
    untrained = None
    if baselines and isinstance(encoder, Model):
        from seston.training import untrained_run

        blank = untrained_run(
            data, encoder.run.recipe, seed, split=None if partition is None else partition.name, fold=fold
        )
        untrained = embed(data, Model(blank), progress=say).of(subjects.ids)
    measured = None if measured_by is None else embed(data, measured_by, progress=say).of(subjects.ids)
    return _Setup(main, isinstance(main, Model), fold, subjects, of, untrained, measured)


def _by_seston(data: DataSet, setups: Sequence[_Setup], partition: Split | None, plan: _Plan, say: Progress) -> _Found:
    """Measure by our own protocol; of several models only the first is looked at."""
    setup = setups[0]
    sides, sizes, notes = _sides(setup, partition, plan)
    draws = nested_draws(setup.subjects.labels, sides, sizes, plan.repeats, plan.seed)
    pool = _pool(setup.subjects, sides, partition, setup.fold)
    methods = _methods(setup, pool, plan, with_paper_rule=True)
    trials = run_grid(methods, draws, np.maximum(setup.subjects.classes, 0), say)
    main = f"{methods[0].name} ({methods[0].classifier})"
    asked = setup.vectors.take(sides.queries)
    evaluation = _evaluation(data, setup, trials, main, plan, _pairs(setup, asked, sides.queries, plan.seed))
    evaluation = replace(
        evaluation,
        protocol="seston",
        grouped=sides.grouped,
        left_out=sides.left_out,
        notes=(sides.note, *notes, *_notes(setup)),
    )
    return _Found(evaluation, next(draw for draw in draws if draw.n == sizes[-1]), pool)


def _sides(setup: _Setup, partition: Split | None, plan: _Plan) -> tuple[Sides, list[int], tuple[str, ...]]:
    """Part the particles; gallery sizes that hardly any class can fill are dropped, and the notes say so."""
    sizes = list(plan.sizes)
    while True:
        try:
            sides = part_sides(setup.subjects, partition, setup.fold, sizes[-1], plan.seed)
        except UsageError:
            if len(sizes) == 1:
                raise
            sizes.pop()
            continue
        dropped = [size for size in plan.sizes if size not in sizes]
        notes = (f"n = {', '.join(map(str, dropped))}: too few classes are that large",) if dropped else ()
        return sides, sizes, notes


def _pool(subjects: Subjects, sides: Sides, partition: Split | None, fold: int) -> NDArray[np.int64]:
    """Give the particles, labelled or not, from which features' spread may be learnt: none of the queries' side."""
    if partition is not None:
        train, _, _ = split_masks(subjects.ids, partition, fold)
        return np.flatnonzero(train)
    outside = np.ones(len(subjects.ids), np.bool_)
    if sides.grouped:
        asked = {subjects.samples[row] for row in sides.queries.tolist()}
        outside = np.array([sample not in asked for sample in subjects.samples], np.bool_)
    outside[sides.queries] = False
    return np.flatnonzero(outside)


def _by_paper(data: DataSet, setups: Sequence[_Setup], partition: Split | None, plan: _Plan, say: Progress) -> _Found:
    """Measure by the paper's protocol, fold by fold, one model a fold."""
    trials: list[Trial] = []
    first: tuple[Draw, NDArray[np.int64]] | None = None
    main = ""
    for setup in setups:
        subjects = setup.subjects
        rows = subjects.labelled
        asked = None
        if partition is not None:
            train, test, _ = split_masks([subjects.ids[row] for row in rows.tolist()], partition, setup.fold)
            rows, asked = rows[train], rows[test].tolist()
        # The paper's code shuffles each table once when it is read; the order decides which particles are drawn.
        rows = rows[np.random.RandomState(_PAPER_SHUFFLE).permutation(len(rows))]
        labels = [str(label) for label in subjects.labels]
        draws = [
            draw
            for size in plan.sizes
            for draw in paper_draws(labels, rows.tolist(), asked, size, plan.repeats, plan.seed)
        ]
        methods = _methods(setup, rows, plan, with_paper_rule=True)
        own = next((one for one in methods if one.classifier == "knn"), methods[0])
        main = f"{own.name} ({own.classifier})"
        trials = join_trials(trials, run_grid(methods, draws, np.maximum(subjects.classes, 0), say))
        first = first or (draws[-1], rows)
    assert first is not None
    setup = setups[0]
    pairs = _pairs(setup, setup.vectors.take(first[0].queries), first[0].queries, plan.seed)
    evaluation = _evaluation(data, setup, trials, main, plan, pairs)
    sides = "one pool: all particles that are not in the gallery are queries" if partition is None else partition.note
    notes = ("galleries and queries drawn as in the code of arXiv 2603.16427, Python's random seeded alike", sides)
    grouped = partition is not None and partition.grouped
    evaluation = replace(evaluation, protocol="paper", grouped=grouped, notes=(*notes, *_notes(setup)))
    return _Found(evaluation, *first)


def _methods(setup: _Setup, pool: NDArray[np.int64], plan: _Plan, *, with_paper_rule: bool) -> list[Method]:
    """List what is compared, the method in question first."""
    classes = np.maximum(setup.subjects.classes, 0)
    name = "model" if setup.is_model else "classical"
    methods = [learned(name, setup.vectors, classes, pool, classifier=plan.classifier)]
    crosses = setup.is_model and setup.vectors.crosses
    if crosses and with_paper_rule:
        methods.append(paper_rule(name, setup.vectors, classes, plan.k))
    if setup.untrained is not None:
        methods.append(learned(_UNTRAINED, setup.untrained, classes, pool, classifier=plan.classifier))
        if crosses and with_paper_rule:
            methods.append(paper_rule(_UNTRAINED, setup.untrained, classes, plan.k))
    if setup.measured is not None:
        if setup.is_model:
            methods.append(learned("classical", setup.measured, classes, pool, classifier=plan.classifier))
        blocks = block_features(setup.measured, setup.subjects.modality)
        methods += [classical("classical", blocks, classes, pool, rule) for rule in ("shrinkage-lda", "random-forest")]
    if plan.baselines:
        pairs: dict[Combination, None] = {pair: None for method in methods for pair in method.combinations}
        methods.append(chance(classes, pairs, plan.seed))
    return methods


def _pairs(setup: _Setup, asked: Embeddings, rows: NDArray[np.int64], seed: int) -> tuple[RetrievalRow, ...]:
    """Search partners among the queries, by the model, with shuffled pairs, and by the untrained encoder."""
    if not asked.crosses or setup.subjects.modality != "both" or len(asked) < 2:
        return ()
    found = match_pairs("model", asked.shared_image, asked.shared_profile, seed=seed)
    found += match_pairs("model", asked.shared_image, asked.shared_profile, shuffled=True, seed=seed)
    if setup.untrained is not None:
        blank = setup.untrained.take(rows)
        found += match_pairs(_UNTRAINED, blank.shared_image, blank.shared_profile, seed=seed)
    return tuple(found)


def _notes(setup: _Setup) -> tuple[str, ...]:
    subjects = setup.subjects
    notes = []
    if subjects.labelled_without:
        what = {"both": "a picture and a profile", "image": "a picture", "profile": "a profile or listmode"}
        notes.append(f"{subjects.labelled_without:,} labelled particles without {what[subjects.modality]} take no part")
    if subjects.made_up:
        notes.append(f"particles are {subjects.made_up}")
    notes.append("intervals cover the choice of queries and galleries, not that of training seeds or of other samples")
    return tuple(notes)


def _evaluation(
    data: DataSet,
    setup: _Setup,
    trials: Sequence[Trial],
    main: str,
    plan: _Plan,
    pairs: tuple[RetrievalRow, ...],
) -> Evaluation:
    own = [trial for trial in trials if f"{trial.method} ({trial.classifier})" == main]
    shown = max(own, key=lambda trial: (trial.n, len("".join(trial.combination))))
    names = setup.subjects.class_names
    there = np.flatnonzero(shown.confusion.sum(axis=0) + shown.confusion.sum(axis=1))
    what = f"{main}, {'-'.join(shown.combination)}, n = {shown.n}, {len(shown.scores)} galleries"
    return Evaluation(
        title=f"How well particles of {data.path.name} are named",
        protocol="seston",
        rows=tuple(to_rows(trials, plan.seed)),
        main=main,
        differences=tuple(differences(trials, main, plan.seed)),
        retrieval=pairs,
        confusion=Confusion(what, tuple(names[row] for row in there), shown.confusion[np.ix_(there, there)]),
        classes=class_rows(shown, names),
        simulated=setup.subjects.made_up,
        provenance=provenance(
            data=str(data.path),
            data_version=data.version,
            model=setup.encoder.model_id if setup.is_model else "classical features",
            seed=plan.seed,
        ),
    )
