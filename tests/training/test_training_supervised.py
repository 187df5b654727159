"""Learning names: heads, what is kept, freezing, small matrices, and what a run can then do."""

from __future__ import annotations

import importlib.util
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from seston.errors import UsageError
from seston.models.classifier import ClassifierModel
from seston.particle import Annotation, Silence
from seston.recognition import load
from seston.recognition.compiled import compile_model
from seston.recognition.encoder import stream_particles
from seston.store import DataSet, open_data_set
from seston.training import Recipe, load_recipe, load_run, train, untrained_run
from seston.training.classes import read_classes

TINY = (
    "pictures.size=32", "model.embedding=32", 'model.image={tower="conv", weights="random", width=8, blocks=[1, 1]}',
    "training.batch=20", "training.device=cpu", "optimiser.tower_rate=1.0", "training.precision=float32",
    "training.validation_steps=2", "training.validation_share=0.2", "training.ema=0.5", "augmentation.coarse=0.0",
)  # fmt: skip

PLAIN = (
    "augmentation.rotation=0", "augmentation.invert=0", "augmentation.gamma=1.0", "augmentation.blur=0",
    "augmentation.zoom=[0.95, 1.05]",
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def _steps(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def learnt(small_data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a run that was trained until it knows its particles."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("supervised") / "run"
    options = ("optimiser.learning_rate=5e-3", "supervised.loss.smoothing=0", "training.validation_steps=40", *PLAIN)
    train(small_data, recipe="supervised", to=folder, epochs=20, overrides=(*TINY, *options))
    return folder


def test_a_run_names_the_particles_that_it_learnt_from_far_better_than_an_untrained_one(
    learnt: Path, small_data: DataSet
) -> None:
    particles = list(stream_particles(small_data))
    labels = small_data.labels(trusted=True)
    right = {}
    for name, run in (("learnt", load_run(learnt)), ("untrained", untrained_run(small_data, load_run(learnt).recipe))):
        assert run.classes is not None
        said = run.classify(particles)
        np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)
        names = [run.classes.names[number] for number in said.argmax(axis=1)]
        right[name] = np.mean([names[row] == labels.get(one.id) for row, one in enumerate(particles)])
    assert right["learnt"] > 0.3 > 0.15 > right["untrained"]  # 24 classes


def test_a_run_embeds_like_any_other_and_compiled_graphs_say_the_same(learnt: Path, small_data: DataSet) -> None:
    particles = list(stream_particles(small_data))[:20]
    by_torch = load(learnt, runtime="torch").embed(particles)
    compile_model(learnt)
    by_graph = load(learnt, runtime="onnx").embed(particles)
    assert by_graph.model_id == by_torch.model_id
    np.testing.assert_allclose(by_graph.shared_image, by_torch.shared_image, atol=1e-4)
    assert by_torch.shared_image.shape == (20, 32)
    assert by_torch.profile.shape[1] == 0
    session = onnxruntime.InferenceSession(learnt / "onnx" / "classes.onnx", providers=["CPUExecutionProvider"])
    answers = session.run(None, {"features": by_torch.image})[0]
    said = load_run(learnt).classify(particles)
    np.testing.assert_allclose(torch.tensor(answers).softmax(dim=1), said, atol=1e-4)


def test_the_run_tells_its_classes_and_by_what_its_weights_were_chosen(learnt: Path) -> None:
    run = load_run(learnt)
    assert run.classes == read_classes(learnt)
    assert run.best is not None
    assert f"macro-F1 on held-out particles, {1 - run.best:.4f}" in run.choice
    card = (learnt / "README.md").read_text()
    assert "The labels of the training particles were learnt" in card
    assert f"| classes | {len(read_classes(learnt))} by label" in card


def test_training_goes_on_from_a_checkpoint_bit_for_bit(small_data: DataSet, tmp_path: Path) -> None:
    options = (*TINY, "training.checkpoint_steps=2")
    train(small_data, recipe="supervised", to=tmp_path / "whole", epochs=2, overrides=options)

    class Half(Silence):
        left = 6

        def advance(self, amount: float = 1, detail: str = "") -> None:
            if detail.startswith("loss"):
                self.left -= 1
                if not self.left:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(small_data, recipe="supervised", to=tmp_path / "broken", epochs=2, overrides=options, progress=Half())
    train(small_data, recipe="supervised", to=tmp_path / "broken", epochs=2, overrides=options, resume=True)
    whole, broken = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "broken"))
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    assert _steps(tmp_path / "whole") == _steps(tmp_path / "broken")


def test_a_frozen_tower_stays_as_it_is_and_its_features_are_removed_at_the_end(
    small_data: DataSet, tmp_path: Path
) -> None:
    recipe = load_recipe("supervised-frozen", [*TINY, "model.image.frozen=true"])
    run = train(small_data, recipe=recipe, to=tmp_path / "run", epochs=3)
    before = untrained_run(small_data, recipe).model.state_dict()
    after = run.model.state_dict()
    tower = [name for name in after if name.startswith("image_tower.")]
    assert tower
    assert all(torch.equal(before[name], after[name]) for name in tower)
    assert not torch.equal(before["head.weight"], after["head.weight"])
    assert (after["feature_scale"] != 1).any()
    assert not (tmp_path / "run" / "state" / "features").exists()


def test_frozen_layers_stay_and_the_others_move(small_data: DataSet, tmp_path: Path) -> None:
    recipe = load_recipe("supervised", [*TINY, 'supervised.frozen_layers=["layers.0"]'])
    run = train(small_data, recipe=recipe, to=tmp_path / "run", epochs=1)
    before, after = untrained_run(small_data, recipe).model.state_dict(), run.model.state_dict()
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    still = {name for name in after if name.startswith("image_tower.layers.0.")}
    assert still
    assert not moved & still
    assert any(name.startswith("image_tower.layers.1.") for name in moved)
    with pytest.raises(UsageError, match="has no layer 'blocks'"):
        train(small_data, recipe="supervised", to=tmp_path / "other", epochs=1,
              overrides=(*TINY, 'supervised.frozen_layers=["blocks"]'))  # fmt: skip


@pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed (extra towers)")
def test_a_head_that_begins_with_discriminants_knows_more_before_the_first_step(
    small_data: DataSet, tmp_path: Path
) -> None:
    tower = 'model.image={tower="timm:test_efficientnet", weights="random", fixed=["norms"]}'
    options = [*TINY, tower, "supervised.bottleneck=false", "optimiser.tower_rate=0.0", "optimiser.learning_rate=1e-9"]
    losses = {}
    for begin in ("random", "discriminants"):
        recipe = load_recipe("supervised", [*options, f"supervised.begin={begin}"])
        train(small_data, recipe=recipe, to=tmp_path / begin, epochs=1)
        assert not (tmp_path / begin / "state" / "features").exists()
        losses[begin] = next(
            line["validation_training_loss"] for line in _steps(tmp_path / begin) if "validation_loss" in line
        )
    assert losses["discriminants"] < losses["random"]
    with pytest.raises(UsageError, match="fix them"):
        train(small_data, recipe="supervised", to=tmp_path / "norms", epochs=1,
              overrides=(*options, "model.image.fixed=[]", "supervised.begin=discriminants"))  # fmt: skip
    with pytest.raises(UsageError, match="goes with bottleneck = false"):
        load_recipe("supervised", ["supervised.begin=discriminants", "supervised.bottleneck=true"])


@pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed (extra towers)")
def test_fixed_parts_of_a_tower_stay_and_the_others_move(small_data: DataSet, tmp_path: Path) -> None:
    tower = 'model.image={tower="timm:test_efficientnet", weights="random", fixed=["norms", "within-channels"]}'
    recipe = load_recipe("supervised", [*TINY, tower])
    run = train(small_data, recipe=recipe, to=tmp_path / "run", epochs=1)
    before, after = untrained_run(small_data, recipe).model.state_dict(), run.model.state_dict()
    of_tower = [one for one in after if one.startswith("image_tower.network.blocks")]
    within = {one for one in of_tower if ".conv_dw." in one}
    assert within
    assert {one for one in of_tower if torch.equal(before[one], after[one])} == within
    assert not any("running" in one for one in after if one.startswith("image_tower."))


def test_a_tower_without_linear_layers_gets_no_small_matrices(small_data: DataSet, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no linear layer called qkv"):
        train(small_data, recipe="supervised", to=tmp_path / "run", epochs=1,
              overrides=(*TINY, 'supervised.low_rank.layers=["qkv"]'))  # fmt: skip


def test_small_matrices_teach_a_transformer_and_end_up_in_its_own_layers(small_data: DataSet, tmp_path: Path) -> None:
    recipe = load_recipe("supervised", [
        *TINY, 'model.image={tower="timm:test_vit", weights="random"}', "supervised.low_rank.rank=2",
        "optimiser.learning_rate=1e-2",
    ])  # fmt: skip
    run = train(small_data, recipe=recipe, to=tmp_path / "run", epochs=1)
    before, after = untrained_run(small_data, recipe).model.state_dict(), run.model.state_dict()
    assert before.keys() == after.keys()
    moved = {name for name in after if not torch.equal(before[name], after[name]) and "image_tower" in name}
    assert moved
    assert all(name.endswith((".qkv.weight", ".proj.weight", ".fc1.weight", ".fc2.weight")) for name in moved)
    learnt = (after[name] - before[name] for name in moved)
    assert all(torch.linalg.matrix_rank(one, rtol=1e-3) <= 2 for one in learnt)
    assert load_run(tmp_path / "run").model_id == run.model_id


@pytest.mark.parametrize(
    "override",
    ["supervised.head=cosine", "supervised.sampling=balanced", "supervised.loss.reweight_from=0.5"],
)
def test_other_heads_samplings_and_weights_train(small_data: DataSet, tmp_path: Path, override: str) -> None:
    run = train(small_data, recipe="supervised", to=tmp_path / "run", epochs=1, overrides=(*TINY, override))
    assert isinstance(run.model, ClassifierModel)
    assert np.isfinite([line["loss"] for line in _steps(tmp_path / "run") if "loss" in line]).all()


def test_a_coarse_label_teaches_its_ranks_and_is_no_answer_of_its_own(small_data: DataSet, tmp_path: Path) -> None:
    shutil.copytree(small_data.path, tmp_path / "data")
    data = open_data_set(tmp_path / "data")
    names = ["Calanus finmarchicus", "Oithona", "Copepoda", "Noctiluca", "Bubble"]
    said = [
        Annotation(particle_id=one, label=names[row % 5], status="validated", author="A. Person",
                   time=datetime(2100, 1, 1, tzinfo=UTC))
        for row, one in enumerate(data.ids())
    ]  # fmt: skip
    data.annotate(said)
    run = train(data, recipe="supervised-hierarchical", to=tmp_path / "run", epochs=2, overrides=TINY)
    assert run.classes is not None
    probabilities = run.classify(list(stream_particles(data))[:10])
    assert (probabilities[:, run.classes.names.index("Copepoda")] == 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_one_class_is_refused(small_data: DataSet, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 2 are needed to learn names"):
        train(small_data, recipe="supervised", to=tmp_path / "run", epochs=1, overrides=(*TINY, "labels.fewest=90"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("supervised.loss.kind=focus", "loss 'focus' is unknown; did you mean 'focal'?"),
        ("supervised.head=cosin", "did you mean 'cosine'?"),
        ("supervised.low_rank.rank=0", "rank must be 1 or more"),
        ("labels.by=taxa", "labels.by 'taxa' is unknown; did you mean 'taxon'?"),
    ],
)
def test_a_wrong_value_is_refused(override: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe("supervised", [override])
    assert message in str(caught.value)


def test_a_run_without_labels_has_no_names(small_data: DataSet) -> None:
    run = untrained_run(small_data, load_recipe("tiny"))
    assert isinstance(run.recipe, Recipe)
    with pytest.raises(UsageError, match="learnt without labels and has no head"):
        run.classify([])
