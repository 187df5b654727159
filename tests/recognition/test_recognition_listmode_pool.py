"""Listmode parameters of a part of the pool are enough to learn their space from."""

from __future__ import annotations

import numpy as np

from seston.recognition.embeddings import Embeddings
from seston.recognition.views import fit_spaces


def test_listmode_may_come_from_a_part_of_the_pool() -> None:
    random = np.random.default_rng(0)
    every = np.ones(40, np.bool_)
    image, profile, one, other = (random.normal(size=(40, 3)).astype(np.float32) for _ in range(4))
    pool = Embeddings(tuple(f"run{row % 2}/{row}" for row in range(40)), image, profile, one, other, every, every)
    spaces = fit_spaces(pool, random.normal(size=(10, 5)).astype(np.float32))
    assert set(spaces) == {"I", "P", "IP", "L", "SI", "SP"}
