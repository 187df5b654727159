"""A model as ONNX graphs that run without torch: one for pictures, one for profiles, one that joins both."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from seston.errors import MissingExtraError
from seston.models.batch import Batch
from seston.models.classifier import ClassifierModel
from seston.models.conv_tower import ConvTower
from seston.models.crossmodal import CrossModalModel
from seston.models.dino import ImageModel
from seston.models.graphs import GRAPHS

__all__ = ["write_graphs"]

_OPSET = 17
_EXAMPLES = 2


def write_graphs(model: CrossModalModel | ImageModel | ClassifierModel, folder: Path) -> tuple[str, ...]:
    """Write the graphs of a model; see `seston.models.graphs` for what goes in and out.

    The number of particles stays open; everything else is fixed. Dropout is off. A model without a fused head has no
    such graph, and one of pictures alone has none of profiles either. One that learnt names has one for its head.

    Returns
    -------
    tuple of str
        The graphs written, each as ``NAME.onnx``.

    Raises
    ------
    MissingExtraError
        The package ``onnx`` is not installed.
    """
    inputs = model.inputs
    picture = torch.zeros(_EXAMPLES, inputs.picture_channels, inputs.picture_size, inputs.picture_size)
    pictures = picture, torch.zeros(_EXAMPLES, inputs.picture_sizes)
    if isinstance(model, ImageModel | ClassifierModel):
        copied = copy.deepcopy(model).cpu().float().eval()
        made: _Graphs = {"image": (_OfImageModel(copied), pictures)}
        if isinstance(copied, ClassifierModel):
            made["classes"] = (_ClassGraph(copied), (torch.zeros(_EXAMPLES, len(copied.feature_mean)),))
    else:
        made = _of_both(_for_runtime(model), pictures)
    for name, (graph, examples) in made.items():
        _write(graph, examples, name, folder / f"{name}.onnx")
    return tuple(made)


_Graphs = dict[str, tuple[nn.Module, tuple[Tensor, ...]]]
"""Name → what is traced, and examples of its inputs."""


def _of_both(model: CrossModalModel, pictures: tuple[Tensor, ...]) -> _Graphs:
    inputs = model.inputs
    profiles = (
        torch.zeros(_EXAMPLES, inputs.profile_channels, inputs.profile_length),
        torch.ones(_EXAMPLES, inputs.profile_channels),
        torch.zeros(_EXAMPLES, inputs.profile_sizes),
    )
    made: _Graphs = {"image": (_ImageGraph(model), pictures), "profile": (_ProfileGraph(model), profiles)}
    if model.fused_head is not None:
        with torch.no_grad():
            features = [graph(*examples)[0] for graph, examples in made.values()]
        there = torch.ones(_EXAMPLES, 1)
        made["fused"] = (_FusedGraph(model), (*features, there, there))
    if model.context is not None:
        first = model.context.layers[0]
        assert isinstance(first, nn.Linear)
        made["context"] = (_ContextGraph(model), (torch.zeros(_EXAMPLES, first.in_features),))
    return made


def _write(graph: nn.Module, examples: Sequence[Tensor], name: str, path: Path) -> None:
    """Trace a graph and write it.

    The tracing exporter of torch needs the package onnx alone and half a second; its successor needs onnxscript, which
    brings more packages, and eight seconds. What both write runs equally fast.
    """
    inputs, outputs = GRAPHS[name]
    with torch.no_grad():
        made = graph.eval()(*examples)
    outputs = outputs[: len(made) if isinstance(made, tuple) else 1]
    dynamic = {one: {0: "particles"} for one in (*inputs, *outputs)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces that its next exporter is the default now
        try:
            torch.onnx.export(
                graph.eval(),
                tuple(examples),
                str(path),
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes=dynamic,
                opset_version=_OPSET,
                dynamo=False,
            )
        except torch.onnx.OnnxExporterError as error:
            if "not installed" in str(error):
                raise MissingExtraError("compiling a model", "onnx") from error
            raise


class _ImageGraph(nn.Module):
    def __init__(self, model: CrossModalModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, picture: Tensor, sizes: Tensor) -> tuple[Tensor, ...]:
        features = self.model.image_features(_batch(picture, sizes, None, None, None))
        return _through(features, self.model.image_head, self.model.image_within_head)


def _through(features: Tensor, *heads: nn.Module | None) -> tuple[Tensor, ...]:
    """Give features, and what each head that is there makes of them: unit vectors."""
    return features, *(functional.normalize(head(features), dim=1) for head in heads if head is not None)


class _OfImageModel(nn.Module):
    def __init__(self, model: ImageModel | ClassifierModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, picture: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        said = self.model(_batch(picture, sizes, None, None, None))
        return said.image_features, said.image


class _ClassGraph(nn.Module):
    def __init__(self, model: ClassifierModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor) -> Tensor:
        return self.model.logits(features)


class _ProfileGraph(nn.Module):
    def __init__(self, model: CrossModalModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, profile: Tensor, channels: Tensor, sizes: Tensor) -> tuple[Tensor, ...]:
        features = self.model.profile_features(_batch(None, None, profile, channels > 0, sizes))
        return _through(features, self.model.profile_head, self.model.profile_within_head)


class _FusedGraph(nn.Module):
    def __init__(self, model: CrossModalModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor, profile: Tensor, has_image: Tensor, has_profile: Tensor) -> Tensor:
        return self.model.fuse(image, profile, has_image[:, 0] > 0, has_profile[:, 0] > 0)


class _ContextGraph(nn.Module):
    def __init__(self, model: CrossModalModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, context: Tensor) -> Tensor:
        return self.model.weighed_contexts(context)


def _batch(
    picture: Tensor | None,
    picture_sizes: Tensor | None,
    profile: Tensor | None,
    channels: Tensor | None,
    profile_sizes: Tensor | None,
) -> Batch:
    """Make a batch of one modality, all particles present; nothing looks at the other one."""
    here = picture if picture is not None else profile
    assert here is not None
    every = here.new_ones(here.shape[0], dtype=torch.bool)
    nothing = here.new_zeros(0)
    parts = [nothing if part is None else part for part in (picture, picture_sizes, profile, channels, profile_sizes)]
    return Batch(
        image=parts[0],
        image_size=parts[1],
        image_present=every,
        profile=parts[2],
        channel_present=parts[3],
        profile_size=parts[4],
        profile_present=every,
        sample=nothing,
    )


def _for_runtime(model: CrossModalModel) -> CrossModalModel:
    """Give a copy that computes the same, in the form in which ONNX Runtime is quickest.

    Its convolutions along one axis are slow beside those over two, so a profile goes through the tower as a picture of
    one row. What a residual block adds is weighed in its last convolution already.
    """
    copied = copy.deepcopy(model).cpu().float().eval()
    for tower in (copied.image_tower, copied.profile_tower):
        if isinstance(tower, ConvTower):
            tower.fold_shares()
    if isinstance(copied.profile_tower, ConvTower):
        _make_flat(copied.profile_tower)
        copied.profile_tower = _OneRow(copied.profile_tower)
    return copied


class _OneRow(nn.Module):
    def __init__(self, tower: ConvTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, profile: Tensor) -> Tensor:
        answer: Tensor = self.tower(profile[:, :, None, :])
        return answer


def _make_flat(module: nn.Module) -> None:
    """Put convolutions over one row in the place of convolutions along an axis, with the same weights."""
    for name, child in module.named_children():
        if not isinstance(child, nn.Conv1d):
            _make_flat(child)
            continue
        (kernel,), (stride,) = child.kernel_size, child.stride
        padding = child.padding[0]
        assert isinstance(padding, int)
        flat = nn.Conv2d(
            child.in_channels, child.out_channels, (1, kernel), (1, stride), (0, padding), bias=child.bias is not None
        )
        flat.weight = nn.Parameter(child.weight.detach()[:, :, None, :].clone())
        flat.bias = child.bias
        setattr(module, name, flat)
