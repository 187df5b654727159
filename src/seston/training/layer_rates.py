"""Which parts of a tower move, and how fast: frozen layers, and learning rates that fall towards the first layer."""

from __future__ import annotations

import re
from collections.abc import Callable

from torch import nn

from seston.errors import UsageError
from seston.training.supervised_settings import SupervisedSettings

__all__ = ["freeze_layers", "rate_shares", "set_training"]

_TOWER = "image_tower."
_LAYER = re.compile(r"^(.*?\.\d+)\.")


def freeze_layers(tower: nn.Module, settings: SupervisedSettings, *, whole: bool) -> None:
    """Let the frozen parts of a tower, or the whole of it, want no gradient.

    Raises
    ------
    UsageError
        No layer has a name that begins so.
    """
    if whole:
        tower.requires_grad_(False)
    names = [_own_name(name) for name, _ in tower.named_parameters()]
    for prefix in settings.frozen_layers:
        if not any(_begins(name, prefix) for name in names):
            first = ", ".join(dict.fromkeys(name.rpartition(".")[0] for name in names[:8]))
            raise UsageError(f"supervised.frozen_layers: the tower has no layer {prefix!r}; it begins with {first}, …")
    for name, parameter in tower.named_parameters():
        if any(_begins(_own_name(name), prefix) for prefix in settings.frozen_layers):
            parameter.requires_grad_(False)


def set_training(model: nn.Module, settings: SupervisedSettings, *, whole: bool) -> None:
    """Put a model into training mode, but for frozen layers (or the whole tower), whose statistics must stay too."""
    model.train()
    tower = model.get_submodule(_TOWER.removesuffix("."))
    if whole:
        tower.eval()
    for name, module in tower.named_modules():
        if any(_begins(_own_name(name), prefix) for prefix in settings.frozen_layers):
            module.eval()


def rate_shares(model: nn.Module, tower_rate: float, layer_decay: float = 1.0) -> Callable[[str], float]:
    """Give the share of the learning rate of each parameter, by its name.

    The head and what leads to it move at the full rate, the last layer of the tower at `tower_rate` of it, each layer
    before that slower by `layer_decay`. Layers are the tower's numbered blocks, in order; what stands before the first
    counts as one more.
    """
    layers = list(dict.fromkeys(_layer(name) for name, _ in model.named_parameters() if name.startswith(_TOWER)))
    depth = {layer: len(layers) - 1 - place for place, layer in enumerate(layers)}

    def share(name: str) -> float:
        if not name.startswith(_TOWER):
            return 1.0
        return tower_rate * layer_decay ** depth[_layer(name)]

    return share


def _layer(name: str) -> str:
    found = _LAYER.match(name)
    return found[1] if found else "outside"


def _own_name(name: str) -> str:
    """Give the name that a layer has in its own network, which a timm tower wraps."""
    return name.removeprefix("network.")


def _begins(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")
