"""Pictures alone: the model that is kept, lightly's head, and lightly's loss against the paper's formula."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seston.models import Batch, ImageTowerConfig, Inputs, ModelConfig
from seston.models.dino import DinoNetwork, ImageModel, dino_head, dino_loss


def inputs(size: int = 32, sizes: int = 7) -> Inputs:
    return Inputs(
        picture_size=size,
        picture_channels=1,
        picture_sizes=sizes,
        profile_channels=0,
        profile_length=8,
        profile_sizes=3,
    )


def config(tower: str = "conv") -> ModelConfig:
    return ModelConfig(embedding=24, image=ImageTowerConfig(tower=tower, width=8, blocks=(1, 1)))


def batch(pictures: torch.Tensor, present: torch.Tensor, sizes: int = 7) -> Batch:
    rows = len(pictures)
    return Batch(
        image=pictures,
        image_size=torch.ones(rows, sizes),
        image_present=present,
        profile=torch.zeros(rows, 0, 8),
        channel_present=torch.zeros(rows, 0, dtype=torch.bool),
        profile_size=torch.zeros(rows, 3),
        profile_present=torch.zeros(rows, dtype=torch.bool),
        sample=torch.zeros(rows, dtype=torch.int64),
    )


def test_a_picture_becomes_a_unit_vector_and_features_and_a_profile_nothing() -> None:
    torch.manual_seed(0)
    model = ImageModel(config(), inputs()).eval()
    said = model(batch(torch.randn(3, 1, 32, 32), torch.tensor([True, True, False])))
    assert said.image.shape == (3, 24)
    assert said.image.norm(dim=1).tolist() == pytest.approx([1, 1, 0], abs=1e-6)
    assert said.image_features.shape == (3, 9 * 16 + 7)
    assert said.image_features[0, -7:].tolist() == [1.0] * 7
    assert not said.image_features[2].any()
    assert said.profile.shape == said.profile_features.shape == (3, 0)
    assert said.fused is None


@pytest.mark.parametrize("size", [16, 32, 40, 52])
def test_the_small_towers_features_are_means_over_nine_parts(size: int) -> None:
    torch.manual_seed(0)
    tower = ImageModel(config(), inputs(48)).image_tower.eval()
    pictures = torch.randn(2, 1, size, size)
    grid = torch.nn.functional.gelu(tower.norm(tower.layers(pictures)))  # type: ignore[operator]  # untyped modules
    assert torch.allclose(tower(pictures), torch.nn.functional.adaptive_avg_pool2d(grid, 3).flatten(1), atol=1e-5)


def test_the_vector_is_the_bottleneck_that_the_head_sees() -> None:
    torch.manual_seed(0)
    model = ImageModel(config(), inputs()).eval()
    pictures = torch.randn(3, 1, 32, 32)
    compressed = model.compress(pictures)
    vectors = model(batch(pictures, torch.ones(3, dtype=torch.bool))).image
    assert torch.allclose(vectors, compressed / compressed.norm(dim=1, keepdim=True), atol=1e-6)


@pytest.mark.parametrize("tower", ["conv", "timm:vit_tiny_patch16_224", "timm:tf_efficientnet_lite0"])
def test_large_and_small_crops_go_through_the_same_tower(tower: str) -> None:
    torch.manual_seed(0)
    model = ImageModel(config(tower), inputs(64), drop_path=0.1).eval()
    for side in (64, 32):
        assert model.compress(torch.randn(2, 1, side, side)).shape == (2, 24)
    kinds = {type(layer) for layer in model.bottleneck}
    by_batch = tower == "timm:tf_efficientnet_lite0"
    assert (torch.nn.BatchNorm1d in kinds, torch.nn.LayerNorm in kinds) == (by_batch, not by_batch)


def test_the_head_is_that_of_the_paper() -> None:
    torch.manual_seed(0)
    head = dino_head(512, 256, 64, 512, 1)
    shapes = {name: tuple(tensor.shape) for name, tensor in head.state_dict().items()}
    assert shapes == {
        "layers.0.weight": (256, 512),
        "layers.0.bias": (256,),
        "layers.2.weight": (256, 256),
        "layers.2.bias": (256,),
        "layers.4.weight": (64, 256),
        "layers.4.bias": (64,),
        "last_layer.weight_g": (512, 1),
        "last_layer.weight_v": (512, 64),
    }
    # unit vectors against unit prototypes: every answer is a cosine
    answer = head(torch.randn(5, 512))
    weight = head.last_layer.weight_v / head.last_layer.weight_v.norm(dim=1, keepdim=True)
    inner = head.layers(torch.randn(1, 512))
    assert answer.abs().max() <= 1 + 1e-5
    assert torch.allclose(head.last_layer(inner), inner @ weight.T, atol=1e-5)


def test_the_last_layer_keeps_still_in_the_first_epochs_only() -> None:
    torch.manual_seed(0)
    head = dino_head(8, 8, 4, 6, 2)
    for epoch, moves in ((0, False), (1, False), (2, True)):
        head.zero_grad()
        head(torch.randn(3, 8)).square().sum().backward()
        head.cancel_last_layer_gradients(epoch)
        assert (head.last_layer.weight_v.grad is not None) == moves


def slow_loss(
    teacher: NDArray[np.float64],
    student: NDArray[np.float64],
    centre: NDArray[np.float64],
    student_temperature: float,
    teacher_temperature: float,
) -> float:
    """Equations 1 to 3 of arXiv 2104.14294, one pair of views and one particle after the other."""
    terms = []
    for row in range(teacher.shape[1]):
        for large in range(len(teacher)):
            sharp = np.exp((teacher[large, row] - centre) / teacher_temperature)
            for view in range(len(student)):
                if view == large:
                    continue
                soft = np.exp(student[view, row] / student_temperature)
                terms.append(-np.sum(sharp / sharp.sum() * np.log(soft / soft.sum())))
    return float(np.mean(terms))


def test_the_loss_and_its_centre_are_those_of_a_slow_second_implementation() -> None:
    chance = np.random.default_rng(3)
    loss = dino_loss(7, 0.1, 0.9)
    centre = np.zeros(7)
    for temperature in (0.04, 0.055, 0.07):
        teacher, student = chance.normal(0, 0.3, (2, 5, 7)), chance.normal(0, 0.3, (6, 5, 7))
        expected = slow_loss(teacher, student, centre, 0.1, temperature)
        got = loss(
            [torch.tensor(view) for view in teacher], [torch.tensor(view) for view in student], teacher_temp=temperature
        )
        assert float(got) == pytest.approx(expected, rel=1e-6)
        centre = 0.9 * centre + 0.1 * teacher.mean(axis=(0, 1))
        assert loss.center.flatten().tolist() == pytest.approx(centre.tolist(), abs=1e-6)


def test_a_network_gives_its_gradient_to_tower_bottleneck_and_head_without_a_warning() -> None:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network = DinoNetwork(ImageModel(config(), inputs()), dino_head(24, 16, 8, 12, 0, batch_norm=True))
    network(torch.randn(4, 1, 32, 32)).square().sum().backward()
    still = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert still == {"head.last_layer.weight_g"}  # the length of the prototypes is 1 and stays so


def test_a_model_is_built_and_used_without_lightly() -> None:
    code = (
        "import sys; sys.modules['lightly'] = None\n"
        "import torch\n"
        "from seston.models import ImageTowerConfig, Inputs, ModelConfig\n"
        "from seston.models.dino import ImageModel\n"
        "inputs = Inputs(picture_size=16, picture_channels=1, picture_sizes=0,"
        " profile_channels=0, profile_length=8, profile_sizes=0)\n"
        "print(ImageModel(ModelConfig(embedding=4), inputs).compress(torch.zeros(1, 1, 16, 16)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.stdout.strip() == "torch.Size([1, 4])", done.stderr
