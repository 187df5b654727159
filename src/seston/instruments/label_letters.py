"""Small pictures of the letters that labels of scale bars are made of, and how a letter is compared with them."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "ROWS", "describe_letter", "letter_pictures", "small_picture"]

ROWS, COLUMNS = 12, 8
"""Size of the small pictures; each letter is stretched to it."""
_SLENDERNESS = 0.4
"""Weight of a letter's proportion beside its shape."""


def small_picture(coverage: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shrink or stretch the ink of a letter (0 to 1, cut to its box) to ROWS × COLUMNS, and add ln(width / height)."""
    height, width = coverage.shape
    shrunk = _shares(height, ROWS) @ coverage @ _shares(width, COLUMNS).T
    return np.append(shrunk.ravel(), np.float32(np.log(width / height))).astype(np.float32)


def describe_letter(coverage: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the vector by which letters are compared: squared distances near 0 are the same letter, near 2 unlike."""
    vector: NDArray[np.float32] = _normalise(small_picture(coverage)[None, :])[0]
    return vector


@lru_cache(maxsize=1)
def letter_pictures() -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Give the letters and, a row each, their vectors."""
    lines = files("seston.instruments").joinpath("label_letters.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    pictures = np.array(
        [[int(digit, 16) / 15 for digit in grey] + [int(proportion) / 100] for _, proportion, grey in rows],
        dtype=np.float32,
    )
    return tuple(letter for letter, _, _ in rows), _normalise(pictures)


def _normalise(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    grey = pictures[:, :-1] - pictures[:, :-1].mean(axis=1, keepdims=True)
    grey = grey / np.maximum(np.linalg.norm(grey, axis=1, keepdims=True), 1e-6)
    return np.hstack([grey, _SLENDERNESS * pictures[:, -1:]]).astype(np.float32)


@lru_cache(maxsize=256)
def _shares(size: int, cells: int) -> NDArray[np.float32]:
    """Share of each of `size` pixels in each of `cells` equal parts of their length; each row sums to 1."""
    edges = np.linspace(0, size, cells + 1)
    pixels = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixels[None, :] + 1) - np.maximum(edges[:-1, None], pixels[None, :])
    overlap = np.clip(overlap, 0, None)
    shares: NDArray[np.float32] = (overlap / overlap.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
