"""Learning from pictures and texts about them, end to end on tiny pictures."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import signal
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import distributed

from seston.errors import UsageError
from seston.models.config import ImageTowerConfig, Inputs, ModelConfig, TextInputs, TextTowerConfig
from seston.models.crossmodal import CrossModalModel
from seston.models.tokens import Tokenizer
from seston.particle import Silence
from seston.store import DataSet, open_data_set
from seston.taxonomy import resolve
from seston.training import load_recipe, load_run, train, untrained_run
from seston.training.batches import Gathered
from seston.training.particles import choose_parts
from seston.training.processes import joined_processes
from seston.training.randomness import particle_keys
from seston.training.sources import direct_source
from seston.training.taxon_texts import said_of
from seston.training.text_naming import named_by_texts
from seston.training.text_objective import TextTargets, text_loss
from seston.training.text_preparation import TextPreparation
from seston.training.text_settings import TextSettings
from seston.training.text_table import make_text_table
from seston.training.texts import said_of_parts, text_targets

_CLASSES = ("Acartia", "Oithona", "Chaetoceros", "detritus", "unidentified")
_SMALL = (
    'model.image={tower="conv",width=8,blocks=[1]}', "model.embedding=16", "model.hidden=16", "model.dropout=0.0",
    "model.text.width=16", "model.text.layers=1", "model.text.heads=2", "pictures.size=16", "training.batch=16",
    "training.ema=0.5",
)  # fmt: skip


@pytest.fixture(scope="module")
def named_data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Give 60 tiny pictures of five classes."""
    folder = tmp_path_factory.mktemp("named")
    chance = np.random.default_rng(0)
    for number, name in enumerate(_CLASSES):
        (folder / "Pond" / name).mkdir(parents=True)
        for copy in range(12):
            pixels = np.full((20, 20), 230.0)
            pixels[4 : 6 + 2 * number, 4 : 18 - 2 * number] = 30 + 20 * number
            pixels += chance.normal(0, 4, pixels.shape)
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "Pond" / name / f"{copy}.png")
    data = open_data_set(folder / "data", create=True)
    data.import_([folder / "Pond"])
    return data


@pytest.mark.parametrize("recipe", ["clip-text", "siglip-text"])
def test_a_run_learns_from_texts_and_is_whole_when_loaded_again(
    recipe: str, named_data: DataSet, tmp_path: Path
) -> None:
    made = train(named_data, recipe=recipe, to=tmp_path / "run", epochs=3, overrides=_SMALL)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert all(np.isfinite(line["loss"]) for line in lines if "loss" in line)
    judged = [line for line in lines if "validation_loss" in line]
    assert judged
    assert all(line["validation_loss"] == 1 - line["validation_macro_f1"] for line in judged)
    assert all(np.isfinite(line["validation_training_loss"]) for line in judged)
    again = load_run(tmp_path / "run")
    assert again.model_id == made.model_id
    assert isinstance(again.preparation.text, TextPreparation)
    assert "living > Biota > Eukaryota" in again.preparation.text.named[-1]
    assert not list((tmp_path / "run").rglob("*.pkl"))
    steps = made.steps
    assert steps == 3 * -(-46 // 16)  # 48 of 60 say something, 2 of these are held out


@pytest.mark.parametrize(("turned", "right"), [(0, 1.0), (1, 0.0)])
def test_held_out_pictures_are_named_by_the_closest_texts(turned: int, right: float, named_data: DataSet) -> None:
    recipe = load_recipe("clip-text", _SMALL)
    parts = choose_parts(named_data, None, 0, recipe.needs, 0.5, 0)
    run = untrained_run(named_data, recipe, 0)
    targets = text_targets(recipe, run.preparation, *said_of_parts(named_data, recipe, parts))
    model = run.model
    assert isinstance(model, CrossModalModel)
    encode = model.encode_texts
    taxa = int(targets.validation.max()) + 1

    def look(gathered: Gathered) -> tuple[torch.Tensor, torch.Tensor]:
        """See the sum of what is said of each particle's taxon, or of the next one; one picture, which says otherwise,
        is missing.
        """
        taxon = (targets.validation[gathered.rows] + turned) % taxa
        taxon[0] = (targets.validation[gathered.rows[0]] + 1 - turned) % taxa
        rows = targets.table.choices[taxon, 0]
        said = [encode(torch.from_numpy(targets.table.tokens[of_taxon])) for of_taxon in rows]
        present = torch.ones(len(taxon), dtype=torch.bool)
        present[0] = False
        return torch.stack([vectors.sum(dim=0) for vectors in said]), present

    source = direct_source(named_data, parts[1], run.preparation, [])
    with torch.no_grad(), joined_processes("cpu") as processes:
        scores = named_by_texts(model, look, source, targets, processes, 8)
    assert scores["accuracy"] == scores["macro_f1"] == right


@pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed (extra towers)")
def test_fixed_parts_of_a_tower_stay_while_texts_teach_the_others(named_data: DataSet, tmp_path: Path) -> None:
    tower = 'model.image={tower="timm:test_efficientnet", weights="random", fixed=["within-channels"]}'
    recipe = load_recipe("clip-text", [*_SMALL, tower, "pictures.size=32"])
    run = train(named_data, recipe=recipe, to=tmp_path / "run", epochs=1)
    before, after = untrained_run(named_data, recipe).model.state_dict(), run.model.state_dict()
    convolutions = [one for one in after if one.startswith("image_tower.network.blocks") and ".conv" in one]
    within = {one for one in convolutions if ".conv_dw." in one}
    assert within
    assert {one for one in convolutions if torch.equal(before[one], after[one])} == within


def test_a_training_that_was_interrupted_ends_as_an_unbroken_one(named_data: DataSet, tmp_path: Path) -> None:
    class Interrupt(Silence):
        left = 4

        def advance(self, amount: float = 1, detail: str = "") -> None:
            self.left -= detail.startswith("loss")
            if self.left == 0:
                self.left = -1
                os.kill(os.getpid(), signal.SIGINT)

    whole = train(named_data, recipe="clip-text", to=tmp_path / "whole", epochs=3, overrides=_SMALL)
    with pytest.raises(KeyboardInterrupt):
        train(named_data, recipe="clip-text", to=tmp_path / "cut", epochs=3, overrides=_SMALL, progress=Interrupt())
    resumed = train(named_data, to=tmp_path / "cut", resume=True)
    assert resumed.model_id == whole.model_id
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_an_untrained_run_reads_the_same_texts_by_other_weights(named_data: DataSet) -> None:
    recipe = load_recipe("clip-text", _SMALL)
    one, other = untrained_run(named_data, recipe, 0), untrained_run(named_data, recipe, 1)
    assert one.preparation == other.preparation
    tokens = torch.tensor([[5, 6, 7]])
    assert not torch.allclose(one.model.encode_texts(tokens), other.model.encode_texts(tokens))  # type: ignore[operator]


def test_particles_that_lack_a_profile_a_picture_or_a_label_teach_what_they_can(
    named_data: DataSet, small_data: DataSet, tmp_path: Path
) -> None:
    mixed = open_data_set(tmp_path / "mixed", create=True)
    mixed.import_([named_data.path.parent / "Pond", small_data.path.parent / "files"])
    options = (
        "pictures.size=16", "profiles.length=32", "model.image={width=8,blocks=[1]}", "model.embedding=16",
        "model.profile={width=8,blocks=[1]}", "model.hidden=16", "model.within=8", "model.text.width=16",
        "training.batch=40", "training.validation_share=0.0", "measured=false",
    )  # fmt: skip
    made = train(mixed, recipe="joint", to=tmp_path / "run", epochs=1, overrides=options)
    assert made.steps == mixed.count_rows() // 40  # 60 pictures alone, and 100 pairs whose labels name no taxon
    first = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[0])
    terms = {name: first[name] for name in ("cross", "within_image", "within_profile", "fused", "text", "text_profile")}
    assert all(np.isfinite(value) for value in terms.values())
    assert terms["text"] > 0
    assert terms["cross"] > 0
    with pytest.raises(UsageError, match="both a picture and a profile"):
        train(named_data, recipe="joint", to=tmp_path / "pairs", epochs=1, overrides=(*options, "loss.partial=false"))


def test_labels_that_say_nothing_are_refused(named_data: DataSet, tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "data", create=True)
    data.import_([named_data.path.parent / "Pond" / "unidentified"])
    with pytest.raises(UsageError, match="two different things"):
        train(data, recipe="clip-text", to=tmp_path / "run", epochs=1, overrides=_SMALL)


def test_a_weight_without_a_text_tower_is_refused() -> None:
    with pytest.raises(UsageError, match="both tables"):
        load_recipe("default", ["loss.text=1.0"])


def _loss_of_share(rows: slice) -> list[list[float]]:
    """Give the loss of both kinds over some particles, and the gradients of a text weight and of the scale."""
    torch.manual_seed(0)
    said = [said_of(taxon, ("scientific", "photo")) for taxon in resolve(["Acartia", "Oithona", "Copepoda", "egg"])]
    tokenizer = Tokenizer([], 48)
    config = ModelConfig(
        image=ImageTowerConfig(width=4, blocks=(1,)),
        embedding=6,
        hidden=6,
        within=0,
        fused=False,
        text=TextTowerConfig(width=8, layers=1, heads=2, dropout=0.0),
    )
    inputs = Inputs(
        picture_size=16, picture_channels=1, picture_sizes=0, profile_channels=1, profile_length=64, profile_sizes=0,
        text=TextInputs(vocabulary=tokenizer.vocabulary, length=48),
    )  # fmt: skip
    model = CrossModalModel(config, inputs)
    assert model.text is not None
    vectors = torch.nn.functional.normalize(torch.randn(9, 6), dim=1)
    taxa = np.array([0, 1, -1, 2, 0, 3, 1, 2, 0])
    keys = particle_keys([str(number) for number in range(9)])
    answers = []
    for kind in ("clip", "siglip"):
        model.zero_grad()
        targets = TextTargets(TextSettings(), kind, make_text_table(said, tokenizer), taxa, taxa)
        there = torch.ones(9, dtype=torch.bool)
        loss = text_loss(model, vectors[rows], there[rows], taxa[rows], keys[rows], targets, (0, 0))
        loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
        weight, scale = model.text.head[0].weight.grad, model.text.logit_scale.grad  # type: ignore[index]
        assert weight is not None
        assert scale is not None
        answers.append([loss.item(), scale.item(), *weight.flatten().tolist()])
    return answers


def _in_process(rank: int, port: int, answers: Any) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    answers.put((rank, _loss_of_share(slice(0, 3) if rank == 0 else slice(3, 9))))
    distributed.destroy_process_group()


def test_two_processes_give_the_loss_and_the_summed_gradients_of_one() -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    workers = [context.Process(target=_in_process, args=(rank, port, answers)) for rank in (0, 1)]
    for worker in workers:
        worker.start()
    given = dict(answers.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join(timeout=30)
    for kind, alone in enumerate(_loss_of_share(slice(0, 9))):
        first, second = given[0][kind], given[1][kind]
        assert first[0] == second[0] == pytest.approx(alone[0], abs=1e-5)
        assert [a + b for a, b in zip(first[1:], second[1:], strict=True)] == pytest.approx(alone[1:], abs=1e-5)
