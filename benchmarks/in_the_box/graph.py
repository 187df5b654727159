"""The network as an ONNX graph with small weights: 16-bit numbers that ONNX Runtime widens when it loads them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from in_the_box.network import Encoder

__all__ = ["narrow_weights", "write_graph"]

_FEWEST = 256


class _Graph(nn.Module):
    def __init__(self, encoder: Encoder, head: nn.Linear | None, turned: bool) -> None:
        super().__init__()
        self.encoder, self.head, self.turned = encoder, head, turned

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        features = self.encoder(picture)
        if self.turned:
            features = (features + self.encoder(picture.flip(2, 3))) / 2
        scores = features if self.head is None else self.head(features)
        return features, scores


def write_graph(
    encoder: Encoder,
    head: nn.Linear | None,
    path: Path,
    *,
    size: int = 128,
    turned: bool = False,
    weights: str = "float16",
) -> None:
    """Write pictures → (features, scores of the classes).

    Parameters
    ----------
    turned
        Also look at each picture upside down and mirrored, and give the mean: twice the time.
    weights
        ``float32``, ``float16`` or ``int8`` (a scale a channel).
    """
    picture = torch.zeros(2, 1, size, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Graph(encoder, head, turned).eval(), (picture,), str(path), input_names=["picture"],
            output_names=["features", "shared"], opset_version=17, dynamo=False,
            dynamic_axes={name: {0: "particles"} for name in ("picture", "features", "shared")},
        )  # fmt: skip
    if weights != "float32":
        narrow_weights(path, weights)


def narrow_weights(path: Path, weights: str) -> None:
    """Keep the large tensors of a graph in fewer bits, each with the steps that bring it back."""
    model = onnx.load(path)
    graph = model.graph
    kept, nodes = [], []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < _FEWEST:
            kept.append(tensor)
            continue
        small = f"{tensor.name}.small"
        if weights == "float16":
            kept.append(numpy_helper.from_array(array.astype(np.float16), small))
            nodes.append(helper.make_node("Cast", [small], [tensor.name], to=onnx.TensorProto.FLOAT))
            continue
        axes = tuple(range(1, array.ndim))
        scale = np.maximum(np.abs(array).max(axis=axes, keepdims=True), 1e-12).astype(np.float32) / 127
        kept.append(numpy_helper.from_array(np.rint(array / scale).astype(np.int8), small))
        kept.append(numpy_helper.from_array(scale, f"{tensor.name}.scale"))
        nodes.append(helper.make_node("Cast", [small], [f"{tensor.name}.wide"], to=onnx.TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [f"{tensor.name}.wide", f"{tensor.name}.scale"], [tensor.name]))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    body = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *body])
    onnx.checker.check_model(model)
    onnx.save(model, path)
