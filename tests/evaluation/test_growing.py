"""Searching galleries that grow gives what searching each of them by itself gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seston.evaluation import growing
from seston.evaluation.growing import GrowingSearch
from seston.recognition.neighbours import nearest_units

# Steps along axes: their cosines are exact, so that equally near particles abound.
_AXES = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)


def _check(
    found: tuple[NDArray[np.float32], NDArray[np.int64]],
    gallery: NDArray[np.float32],
    queries: NDArray[np.float32],
    members: NDArray[np.int64],
    k: int,
) -> None:
    distances, rows = nearest_units(gallery[members], queries, k)
    assert np.array_equal(found[0], distances)
    assert np.array_equal(found[1], members[rows])


@settings(deadline=None, max_examples=150)
@given(data=st.data(), k=st.integers(1, 4))
def test_neighbours_equal_those_of_each_gallery_alone(data: st.DataObject, k: int) -> None:
    count = data.draw(st.integers(4, 20))
    steps = st.lists(st.integers(0, 5), min_size=count, max_size=count)
    gallery, queries = _AXES[data.draw(steps)], _AXES[data.draw(steps)]
    search = GrowingSearch(gallery, queries, k)
    order = np.array(data.draw(st.permutations(range(count))))
    asked = np.array(data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=5)))
    for share in data.draw(st.lists(st.integers(1, count), min_size=1, max_size=5)):
        members = np.array(data.draw(st.permutations(order[:share].tolist())) if share % 3 == 0 else order[:share])
        if data.draw(st.booleans()):
            members = np.sort(members)
        _check(search(members, asked), gallery, queries[asked], members, k)


def test_only_what_is_new_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def counted(
        gallery: NDArray[np.float32], queries: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        compared.append(len(gallery))
        return nearest_units(gallery, queries, k)

    monkeypatch.setattr(growing, "nearest_units", counted)
    search = GrowingSearch(_AXES, _AXES, 2)
    asked = np.arange(6)
    for members in ([1, 4], [0, 1, 4, 5], [0, 1, 4, 5], [1, 0]):
        search(np.array(members), asked)
    search(np.array([1, 0]), asked[:3])
    assert compared == [2, 2, 2, 2]
