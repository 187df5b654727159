"""What place and season say of labels, and how it weighs in names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from seston.particle import Particle
from seston.particle.placing import placed
from seston.recognition import Gallery, Model, compile_model, identify
from seston.recognition.context_prior import context_prior, label_scores
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import Encoder, load, stream_particles
from seston.simulate import simulate, species_table
from seston.store import DataSet, open_data_set
from seston.store.filling import Found
from seston.training import load_recipe, untrained_run

_PLACES = (60.0, -40.0, None)


def _look_up(ids: Sequence[str]) -> list[Found | None]:
    when = datetime(2024, 1, 10, tzinfo=UTC)
    by_run = {f"run{number:02d}": place for number, place in enumerate(_PLACES, start=1)}
    found = []
    for name in ids:
        latitude = None if "/" in name else next(place for run, place in by_run.items() if run in name)
        found.append(None if latitude is None else Found(source="a test", latitude=latitude, longitude=8.0, time=when))
    return found


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Give three runs of 24 particles of four species, two of them placed."""
    folder = tmp_path_factory.mktemp("prior")
    species = [one.name for one in species_table()[:4]]
    simulate(folder / "files", particles=24, runs=3, seed=3, species=species)
    data = open_data_set(folder / "data", create=True)
    data.import_([folder / "files"])
    data.fill_in(_look_up, _look_up)
    return data


@pytest.fixture(scope="module")
def model(data: DataSet) -> Model:
    options = ("loss.context=1.0", "model.context={width=16}", "context.prior=0.5", "measured=false")
    return Model(untrained_run(data, load_recipe("tiny", options)))


def _weighing(gallery: Gallery, model: Model, prior: float) -> Gallery:
    """Give a gallery whose model lets the context weigh so much."""
    recipe = msgspec.structs.replace(model.recipe, context=msgspec.structs.replace(model.recipe.context, prior=prior))
    return replace(gallery, model=Model(replace(model.run, recipe=recipe)))


def test_label_scores_are_bayes_rule_in_a_loop() -> None:
    chance = np.random.default_rng(0)
    image, profile, weighed = (chance.normal(size=(rows, 4)).astype(np.float32) for rows in (7, 7, 3))
    has = np.array([[1, 1, 1, 1, 0, 0, 0], [0, 1, 1, 0, 1, 1, 0]], np.bool_)
    labels = np.array([2, 0, 1, 0, 1, 0, 3])  # the last label has nothing to compare
    gallery = Embeddings(
        ids=tuple("abcdefg"), image=image, profile=profile, shared_image=image * has[0][:, None],
        shared_profile=profile * has[1][:, None], has_image=has[0], has_profile=has[1],
    )  # fmt: skip
    given = label_scores(weighed, gallery, labels)
    for row, context in enumerate(weighed):
        ratios: dict[int, list[float]] = {0: [], 1: [], 2: []}
        for vectors, there in zip((image, profile), has, strict=True):
            for place in np.flatnonzero(there):
                ratios[int(labels[place])].append(math.exp(float(vectors[place] @ context)))
        means = [sum(values) / len(values) for values in ratios.values()]
        means.append(sum(means) / 3)
        assert np.exp(given[row]) == pytest.approx(np.array(means) / sum(means), rel=1e-5)


def test_the_more_the_context_weighs_the_more_it_names(data: DataSet, model: Model) -> None:
    gallery = Gallery.from_dataset(data, model, per_class=5, as_measured=True)
    assert _weighing(gallery, model, 0.0).identify(model.encode([])) == []
    particles = _placed(data)
    embeddings = model.encode(particles)
    plain = _weighing(gallery, model, 0.0).identify(embeddings, particles)
    heavy = _weighing(gallery, model, 1000.0)
    prior = context_prior(heavy.model, particles, heavy.embeddings, heavy.class_numbers)
    assert prior is not None
    by_context = [gallery.class_names[best] for best in prior.argmax(axis=1)]
    assert [one.label for one in heavy.identify(embeddings, particles)] == by_context
    assert [one.label for one in identify(data, gallery=heavy).particles] == by_context
    assert [one.label for one in plain] != by_context
    nowhere = [replace(one, time=None, latitude=None) for one in particles]
    assert heavy.identify(embeddings, nowhere) == plain


def _placed(data: DataSet) -> list[Particle]:
    samples = {sample.id: sample for sample in data.samples()}
    return [placed(one, samples[one.sample_id]) for one in stream_particles(data)]


def test_a_compiled_run_weighs_contexts_as_torch_does(data: DataSet, model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "run")
    made = compile_model(tmp_path / "run")
    assert "context" in made.graphs
    particles = _placed(data)[:30]
    gallery = model.encode(particles)
    labels = np.arange(len(particles)) % 3

    def of(encoder: Encoder) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        found = context_prior(encoder, particles, gallery, labels)
        assert found is not None
        return found

    by_torch, by_onnx = of(model), of(load(tmp_path / "run", runtime="onnx"))
    assert by_onnx == pytest.approx(by_torch, abs=1e-5)
    assert by_torch.min() < 0
