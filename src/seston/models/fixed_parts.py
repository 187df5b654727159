"""Parts of a tower that keep the weights they begin with, so that a training step takes half the time on a CPU."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from seston.errors import UsageError

__all__ = ["fix_parts", "unfolded"]


def fix_parts(network: nn.Module, parts: Sequence[str], example: Tensor) -> None:
    """Let parts of a network keep what its weights say, in place.

    Parameters
    ----------
    network
        Of convolutions, some of them followed by a batch norm.
    parts
        ``norms``: batch norms keep their statistics, weights and offsets, and are folded into the convolutions before
        them (Jacob et al. 2018, section 3.2, arXiv 1712.05877), which learn on. ``within-channels``: convolutions that
        work on each channel by itself keep their weights; they hold a few hundredths of a tower's weights, and on a
        CPU their gradient takes as long as a third of the rest.
    example
        A batch of pictures, by which the folded network is compared with the one that was given.

    Raises
    ------
    UsageError
        The network has no such parts, or a batch norm that cannot be folded.
    """
    if "norms" in parts:
        _fold_and_compare(network, example)
    if "within-channels" in parts:
        within = [one for one in network.modules() if isinstance(one, nn.Conv2d) and 1 < one.groups == one.in_channels]
        if not within:
            raise UsageError("model.image.fixed: the tower has no convolutions within channels")
        for convolution in within:
            convolution.requires_grad_(False)


def unfolded(folded: Mapping[str, Tensor], network: nn.Module, example: Tensor) -> dict[str, Tensor]:
    """Give the weights of a folded network under the names of one with batch norms, which then do nothing but add.

    Parameters
    ----------
    folded
        Weights of a network whose norms were folded.
    network
        The same network, not folded; its weights do not matter.
    example
        Pictures that it can take.
    """
    state = dict(folded)
    named = dict(network.named_modules())
    for convolution, norm in _pairs(network.eval(), example):
        module: Any = named[norm]
        assert isinstance(module, nn.BatchNorm2d)
        offset = state.pop(f"{convolution}.bias")
        if named[convolution].bias is not None:
            state[f"{convolution}.bias"] = torch.zeros_like(offset)
        state[f"{norm}.weight"] = torch.ones_like(offset)
        state[f"{norm}.bias"] = offset
        state[f"{norm}.running_mean"] = torch.zeros_like(offset)
        state[f"{norm}.running_var"] = torch.full_like(offset, 1.0 - module.eps)
        state[f"{norm}.num_batches_tracked"] = torch.zeros((), dtype=torch.int64)
    return state


def _fold_and_compare(network: nn.Module, example: Tensor) -> None:
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if not norms:
        raise UsageError("model.image.fixed: the tower has no batch norms to fold")
    before = copy.deepcopy(network.eval())
    pairs = _pairs(network, example)
    for convolution, norm in pairs:
        module: Any = network.get_submodule(norm)
        before_norm: Any = network.get_submodule(convolution)
        _put(network, convolution, fuse_conv_bn_eval(before_norm, module).requires_grad_(True))
        _put(network, norm, getattr(module, "act", None) or nn.Identity())
    left = len(norms) - len(pairs)
    with torch.no_grad():
        wanted, found = before(example), network(example)
    if left or not torch.allclose(wanted, found, rtol=1e-3, atol=1e-3 * float(wanted.abs().max())):
        raise UsageError("model.image.fixed: the tower's batch norms do not all follow convolutions; leave out 'norms'")


def _pairs(network: nn.Module, example: Tensor) -> list[tuple[str, str]]:
    """Name each convolution whose answer a batch norm takes as it is, and that norm."""
    names = {module: name for name, module in network.named_modules()}
    answers: list[tuple[nn.Module, Tensor]] = []
    pairs: list[tuple[str, str]] = []

    def look(module: nn.Module, given: tuple[Any, ...], answer: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            answers.append((module, answer))
        else:
            pairs.extend((names[one], names[module]) for one, said in answers if said is given[0])

    hooks = [module.register_forward_hook(look) for module in names if isinstance(module, nn.Conv2d | nn.BatchNorm2d)]
    with torch.no_grad():
        network(example)
    for hook in hooks:
        hook.remove()
    return pairs


def _put(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent) if parent else network, last, module)
