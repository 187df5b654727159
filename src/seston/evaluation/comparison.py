"""What is compared: a model with the vectors of everything that it has to beat, on the same particles."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.draws import Draw
from seston.evaluation.grid import Trial, differences, to_rows
from seston.evaluation.methods import Combination, Method, chance, classical, learned, paper_rule
from seston.evaluation.partners import RetrievalRow, match_pairs
from seston.evaluation.provenance import Provenance, provenance
from seston.evaluation.results import Confusion, Evaluation, class_rows
from seston.evaluation.subjects import Subjects, block_features, choose_subjects
from seston.particle import Progress
from seston.recognition.alignment import FEWEST_PAIRS
from seston.recognition.choosing import choose_model
from seston.recognition.classical import ClassicalModel
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import Encoder, Model, embed
from seston.recognition.onnx_model import OnnxModel
from seston.recognition.open_clip_model import OpenClipModel
from seston.recognition.views import fit_spaces, views_of

if TYPE_CHECKING:
    from seston.store import DataSet, Split

__all__ = [
    "Comparison",
    "Finding",
    "Plan",
    "compare",
    "evaluation_of",
    "methods_of",
    "models_of",
    "notes_of",
    "partner_evaluation",
    "partners_of",
    "provenance_of",
]

_UNTRAINED = "untrained encoder"
_WHAT = {"both": "a picture and a profile", "image": "a picture", "profile": "a profile or listmode"}

ModelLike = Encoder | Path | str


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    sizes: list[int]
    k: int
    repeats: int
    seed: int
    classifier: str
    baselines: bool


@dataclass(frozen=True)
class Comparison:
    """One model with the vectors of everything that it is compared with; rows of all are those of `subjects`."""

    encoder: Encoder
    is_model: bool
    """Whether it is a model of any kind; else it is measured features."""
    fold: int
    subjects: Subjects
    vectors: Embeddings
    untrained: Embeddings | None
    measured: Embeddings | None


@dataclass(frozen=True)
class Finding:
    """An evaluation, and a draw to show examples of."""

    evaluation: Evaluation
    draw: Draw
    pool: NDArray[np.int64]


def models_of(
    data: DataSet, model: ModelLike | Sequence[ModelLike] | None, partition: Split | None, fold: int
) -> list[tuple[int, Encoder | None]]:
    """Pair models with folds: several models go with folds 0, 1, …; a single one with the fold asked for."""
    if model is None:
        return [(fold, None)]
    if not isinstance(model, str | Path) and isinstance(model, Sequence) and len(model) == 1:
        model = model[0]
    if isinstance(model, str | Path) or not isinstance(model, Sequence):
        return [(fold, choose_model(data, model))]
    folds = 1 if partition is None else partition.folds
    if not model or (partition is not None and len(model) > folds):
        raise UsageError(f"{len(model)} models for {folds} folds: give one a fold")
    return [(min(number, folds - 1), choose_model(data, one)) for number, one in enumerate(model)]


def compare(
    data: DataSet,
    encoder: Encoder | None,
    partition: Split | None,
    fold: int,
    plan: Plan,
    say: Progress,
    *,
    names: bool = True,
) -> Comparison:
    """Embed a data set with a model, with the same model untrained, and by measured features.

    Without `names`, partners alone are to be searched, and labels are not needed.
    """
    measured_by = ClassicalModel.of(data) if encoder is None or plan.baselines else None
    main = encoder or measured_by
    assert main is not None
    vectors = embed(data, main, progress=say)
    subjects = choose_subjects(data, vectors, names=names)
    blank = _untrained(data, main, partition, fold, plan.seed) if plan.baselines else None
    return Comparison(
        encoder=main,
        is_model=not isinstance(main, ClassicalModel),
        fold=fold,
        subjects=subjects,
        vectors=vectors.of(subjects.ids),
        untrained=None if blank is None else embed(data, blank, progress=say).of(subjects.ids),
        measured=None if measured_by is None else embed(data, measured_by, progress=say).of(subjects.ids),
    )


def _untrained(data: DataSet, main: Encoder, partition: Split | None, fold: int, seed: int) -> Encoder | None:
    """Give the same encoder with random weights, where there can be one."""
    if isinstance(main, OpenClipModel):
        return main.untrained(seed)
    recipe = main.recipe if isinstance(main, Model | OnnxModel) else None
    if recipe is None or not importlib.util.find_spec("torch"):
        return None
    from seston.training import untrained_run

    name = None if partition is None else partition.name
    return Model(untrained_run(data, recipe, seed, split=name, fold=fold))


def methods_of(compared: Comparison, pool: NDArray[np.int64], plan: Plan) -> list[Method]:
    """List the methods, the one in question first; spaces are learnt from the rows of `pool`."""
    classes = np.maximum(compared.subjects.classes, 0)
    name = "model" if compared.is_model else "classical"
    rule = plan.classifier
    methods = [learned(name, compared.vectors, classes, pool, classifier=rule)]
    crosses = isinstance(compared.encoder, Model | OnnxModel) and compared.vectors.crosses
    if crosses:
        methods.append(paper_rule(name, compared.vectors, classes, plan.k))
    if compared.untrained is not None:
        methods.append(learned(_UNTRAINED, compared.untrained, classes, pool, classifier=rule))
        if crosses:
            methods.append(paper_rule(_UNTRAINED, compared.untrained, classes, plan.k))
    if compared.measured is not None:
        if compared.is_model:
            methods.append(learned("classical", compared.measured, classes, pool, classifier=rule))
        blocks = block_features(compared.measured, compared.subjects.modality)
        methods += [classical("classical", blocks, classes, pool, name) for name in ("shrinkage-lda", "random-forest")]
    if plan.baselines:
        pairs: dict[Combination, None] = {pair: None for method in methods for pair in method.combinations}
        methods.append(chance(classes, pairs, plan.seed))
    return methods


def partners_of(
    compared: Comparison, rows: NDArray[np.int64], pool: NDArray[np.int64], seed: int
) -> tuple[RetrievalRow, ...]:
    """Search partners among some particles.

    By the model's own shared space, with its pairs as they are and shuffled; by an alignment of features that is learnt
    from the unlabelled pairs of `pool`, of the model, of the untrained encoder and of measured features.
    """
    if compared.subjects.modality != "both" or len(rows) < 2:
        return ()
    found: list[RetrievalRow] = []
    name = "model" if compared.is_model else "classical"
    for method, vectors in ((name, compared.vectors), (_UNTRAINED, compared.untrained)):
        if vectors is not None and vectors.crosses:
            image, profile = vectors.shared_image[rows], vectors.shared_profile[rows]
            found += match_pairs(method, image, profile, seed=seed)
            if method == name:
                found += match_pairs(method, image, profile, shuffled=True, seed=seed)
    measured = compared.measured if compared.is_model else None
    for method, vectors in ((name, compared.vectors), (_UNTRAINED, compared.untrained), ("classical", measured)):
        if vectors is None or vectors.take(pool).has_both.sum() < FEWEST_PAIRS:
            continue
        asked = vectors.take(rows)
        if asked.has_both.all():
            views = views_of(asked, fit_spaces(vectors.take(pool)))
            found += match_pairs(f"{method}, aligned", views["SI"][0], views["SP"][0], seed=seed)
    return tuple(found)


def partner_evaluation(
    data: DataSet, compared: Comparison, partners: tuple[RetrievalRow, ...], note: str, seed: int
) -> Evaluation:
    """Put a search for partners together as an evaluation."""
    return Evaluation(
        title=f"Does the picture find its profile? {data.path.name}",
        protocol="retrieval",
        main="model (cosine)",
        retrieval=partners,
        notes=(note, *notes_of(compared)),
        simulated=compared.subjects.made_up,
        provenance=provenance_of(data, compared, seed),
    )


def notes_of(compared: Comparison) -> tuple[str, ...]:
    """Say what a reader of the figures has to know."""
    subjects = compared.subjects
    notes = []
    if subjects.labelled_without:
        without = f"{subjects.labelled_without:,} labelled particles without {_WHAT[subjects.modality]}"
        notes.append(f"{without} take no part")
    if subjects.made_up:
        notes.append(f"particles are {subjects.made_up}")
    notes.append("intervals cover the choice of queries and galleries, not that of training seeds or of other samples")
    return tuple(notes)


def evaluation_of(
    data: DataSet,
    compared: Comparison,
    trials: Sequence[Trial],
    main: str,
    plan: Plan,
    partners: tuple[RetrievalRow, ...],
) -> Evaluation:
    """Put trials together as an evaluation; `main` is the method in question, as ``method (classifier)``."""
    own = [trial for trial in trials if f"{trial.method} ({trial.classifier})" == main]
    shown = max(own, key=lambda trial: (trial.n, len("".join(trial.combination))))
    names = compared.subjects.class_names
    there = np.flatnonzero(shown.confusion.sum(axis=0) + shown.confusion.sum(axis=1))
    what = f"{main}, {'-'.join(shown.combination)}, n = {shown.n}, {len(shown.scores)} galleries"
    return Evaluation(
        title=f"How well particles of {data.path.name} are named",
        protocol="",
        rows=tuple(to_rows(trials, plan.seed)),
        main=main,
        differences=tuple(differences(trials, main, plan.seed)),
        retrieval=partners,
        confusion=Confusion(what, tuple(names[row] for row in there), shown.confusion[np.ix_(there, there)]),
        classes=class_rows(shown, names),
        simulated=compared.subjects.made_up,
        provenance=provenance_of(data, compared, plan.seed),
    )


def provenance_of(data: DataSet, compared: Comparison, seed: int) -> Provenance:
    """Note down which data and model were compared, where and when."""
    model = compared.encoder.model_id if compared.is_model else "classical features"
    return provenance(data=str(data.path), data_version=data.version, model=model, seed=seed)
