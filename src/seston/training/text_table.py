"""The texts of a training as numbers: which may be said of which taxon, and which groups lie within which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.training.randomness import uniforms
from seston.training.taxon_texts import Said

__all__ = ["Levels", "TextTable", "draw_texts", "make_text_table"]

_PURPOSE = 0x7E47

Levels = tuple[tuple[Said, ...], ...]
"""What can be said of one taxon, as `seston.training.taxon_texts.said_of` gives it."""


@dataclass(frozen=True)
class TextTable:
    """All texts of a training."""

    tokens: NDArray[np.int64]
    """(T, length), one row a text."""
    statement: NDArray[np.int64]
    """(T,): texts of the same number say the same, whatever their words."""
    node: NDArray[np.int64]
    """(T,): the group that a text names."""
    choices: NDArray[np.int64]
    """(taxa, levels, templates): rows of texts; where a taxon has fewer levels, its widest one is repeated."""
    levels: NDArray[np.int64]
    """(taxa,): how many levels each has."""
    taxon_node: NDArray[np.int64]
    """(taxa,): the group that each taxon is itself."""
    holds: NDArray[np.bool_]
    """(nodes, nodes): whether the first group is the second or holds it."""


def make_text_table(said: Sequence[Levels], tokenizer: Callable[[Sequence[str]], NDArray[np.int64]]) -> TextTable:
    """Number everything that can be said of some taxa.

    Parameters
    ----------
    said
        For each taxon the levels of what can be said of it, the finest first.
    tokenizer
        Turns texts into tokens.
    """
    texts: dict[Said, int] = {}
    nodes: dict[tuple[str, ...], int] = {}
    deepest = max(len(levels) for levels in said)
    choices = np.zeros((len(said), deepest, len(said[0][0])), np.int64)
    taxon_node = np.zeros(len(said), np.int64)
    for taxon, levels in enumerate(said):
        for level in range(deepest):
            row = levels[min(level, len(levels) - 1)]
            choices[taxon, level] = [texts.setdefault(one, len(texts)) for one in row]
        finest = max((one.path for one in levels[0]), key=len)
        taxon_node[taxon] = nodes.setdefault(finest, len(nodes))
    for one in texts:
        nodes.setdefault(one.path, len(nodes))
    statements: dict[tuple[tuple[str, ...], str], int] = {}
    return TextTable(
        tokens=tokenizer([one.text for one in texts]),
        statement=np.array([statements.setdefault((one.path, one.detail), len(statements)) for one in texts]),
        node=np.array([nodes[one.path] for one in texts]),
        choices=choices,
        levels=np.array([len(levels) for levels in said]),
        taxon_node=taxon_node,
        holds=_holds(nodes),
    )


def draw_texts(
    table: TextTable, taxa: NDArray[np.int64], keys: NDArray[np.uint64], truncate: float, purpose: tuple[int, ...]
) -> NDArray[np.int64]:
    """Choose a text for each particle.

    Parameters
    ----------
    table
        Of the training.
    taxa
        (B,) taxon of each particle.
    keys
        (B,) of the particles: the same particle gets the same text for the same purpose.
    truncate
        Share of the texts that name a wider group.
    purpose
        Seed and epoch.

    Returns
    -------
    array of int64
        (B,) rows of texts.
    """
    drawn = uniforms(keys, 3, *purpose, _PURPOSE)
    wider = np.maximum(table.levels[taxa] - 1, 0)
    level = np.where((drawn[:, 0] < truncate) & (wider > 0), 1 + (drawn[:, 1] * wider).astype(np.int64), 0)
    template = (drawn[:, 2] * table.choices.shape[2]).astype(np.int64)
    chosen: NDArray[np.int64] = table.choices[taxa, level, template]
    return chosen


def _holds(nodes: dict[tuple[str, ...], int]) -> NDArray[np.bool_]:
    holds = np.zeros((len(nodes), len(nodes)), np.bool_)
    for path, node in nodes.items():
        for depth in range(1, len(path) + 1):
            above = nodes.get(path[:depth])
            if above is not None:
                holds[above, node] = True
    return holds
