"""What only some arms can do, judged beside: naming by texts alone, and names in which place and season weigh."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from comparison.bench import Bench
from numpy.typing import NDArray

from seston.evaluation.draws import Draw
from seston.models import CrossModalModel
from seston.models.config import ContextTowerConfig
from seston.models.contexts import context_features
from seston.models.spaces import unit
from seston.recognition.calibration import calibrate, probabilities
from seston.recognition.classifiers import DEFAULT_CLASSIFIER, fit_rule
from seston.recognition.context_prior import label_scores
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import Model
from seston.recognition.views import fit_spaces, views_of
from seston.simulate import Station
from seston.taxonomy.label_taxa import taxa_of
from seston.training import Run
from seston.training.context_settings import ContextPreparation
from seston.training.particle_contexts import chosen_contexts
from seston.training.particles import choose_particles
from seston.training.taxon_texts import said_of
from seston.training.text_preparation import TextPreparation
from seston.training.text_vectors import text_vectors

__all__ = ["judge_aside"]

Right = NDArray[np.bool_]


def judge_aside(
    run: Run, vectors: Embeddings, bench: Bench, draws: Sequence[Draw], stations: dict[str, Station], seed: int
) -> dict[str, Right]:
    """Judge a run on what `comparison.judging.judge` does not ask.

    Parameters
    ----------
    run, vectors
        Trained on the set, and its vectors of the bench's rows.
    bench, draws
        As for the other judgement.
    stations
        Where each sample of the set is from.
    seed
        Of the set: abundances depend on it.

    Returns
    -------
    dict
        What was asked → which queries were named rightly, shape (draws, queries): ``texts|I`` and ``texts|P``, by the
        nearest text of a class; ``plain|N``, ``context|N`` and ``oracle|N``, by a gallery of N a class with both
        modalities, alone, with what the model says of the context, and with the abundances from which the set was
        drawn.
    """
    found = dict(_by_texts(run, vectors, bench))
    for name, answers in _by_contexts(run, vectors, bench, draws, stations, seed).items():
        found[name] = np.stack(answers)
    return found


def _by_texts(run: Run, vectors: Embeddings, bench: Bench) -> Iterator[tuple[str, Right]]:
    model, preparation = run.model, run.preparation.text
    if not isinstance(model, CrossModalModel) or model.text is None or not isinstance(preparation, TextPreparation):
        return
    names = bench.subjects.class_names
    taxa = taxa_of([("", name) for name in names], bench.data.path)
    texts = [[one.text for one in said_of(taxa["", name], preparation.templates)[0]] for name in names]
    of_class = text_vectors(model.text, preparation, texts)
    asked = bench.sides.queries
    for letter, shared, has in (
        ("I", vectors.shared_image, vectors.has_image),
        ("P", vectors.shared_profile, vectors.has_profile),
    ):
        if has[asked].all():
            named = (unit(shared[asked]) @ of_class.T).argmax(axis=1)
            yield f"texts|{letter}", (named == bench.classes[asked])[None]


def _by_contexts(
    run: Run, vectors: Embeddings, bench: Bench, draws: Sequence[Draw], stations: dict[str, Station], seed: int
) -> dict[str, list[Right]]:
    view = "IP" if vectors.has_both.all() else "I"
    spaces = fit_spaces(vectors.take(bench.pool))
    asked = bench.sides.queries
    weighed = _weighed(run, bench, asked)
    found: dict[str, list[Right]] = {}
    in_space = views_of(vectors, spaces)[view][0]
    for draw in draws:
        classes, numbers = np.unique(bench.classes[draw.gallery], return_inverse=True)
        numbers = numbers.astype(np.int64)
        gallery = in_space[draw.gallery]
        rule = fit_rule(DEFAULT_CLASSIFIER, gallery, numbers, len(classes))
        samples = [bench.subjects.samples[row] for row in draw.gallery.tolist()]
        calibration = calibrate({view: gallery}, numbers, samples, DEFAULT_CLASSIFIER)
        says = np.log(np.maximum(probabilities(rule(in_space[asked]), calibration.temperature), 1e-12))
        priors = {"plain": np.zeros((1, len(classes))), "oracle": _oracle(bench, asked, classes, stations, seed)}
        if weighed is not None:
            priors["context"] = label_scores(weighed, vectors.take(draw.gallery), numbers)
        for name, prior in priors.items():
            named = classes[(says + prior).argmax(axis=1)]
            found.setdefault(f"{name}|{draw.n}", []).append(named == bench.classes[asked])
    return found


def _weighed(run: Run, bench: Bench, asked: NDArray[np.int64]) -> NDArray[np.float32] | None:
    """Give what the model makes of where and when queries were taken; None where it reads no contexts."""
    tower, known = run.recipe.model.context, run.preparation.context
    if not isinstance(tower, ContextTowerConfig) or not isinstance(known, ContextPreparation):
        return None
    chosen = choose_particles(bench.data, (False, False))
    (every,) = chosen_contexts(bench.data, chosen)
    row_of = {name: row for row, name in enumerate(chosen.ids)}
    rows = [row_of[bench.subjects.ids[row]] for row in asked.tolist()]
    return Model(run).weighed_contexts(context_features(every[rows], tower.harmonics, tower.octaves, known.parts))


def _oracle(
    bench: Bench, asked: NDArray[np.int64], classes: NDArray[np.int64], stations: dict[str, Station], seed: int
) -> NDArray[np.float64]:
    """Give the logarithm of how common each class is where a query was taken: what no model can know better."""
    names = [bench.subjects.class_names[number] for number in classes]
    shares = {
        sample: np.log([station.abundances(names, seed=seed)[name] for name in names])
        for sample, station in stations.items()
    }
    return np.stack([shares[bench.subjects.samples[row]] for row in asked.tolist()])
