"""How fast the grid of gallery evaluations is, against scikit-learn's brute-force search on the same threads.

    OMP_NUM_THREADS=1 python benchmarks/knn.py [--rounds 3] [--queries 10000]

5 gallery sizes × 5 draws × 9 combinations of picture and profile, 95 classes, 512 dimensions, float32: made vectors,
of which neither side takes advantage. Both sides draw the galleries themselves (Seston's nested draws), find 3
neighbours by cosine and vote by 1/distance. The rival searches once for each gallery (pictures, profiles, both) and
each kind of query, and shares what it found among the nine combinations; a plain loop over the nine would take half
as long again.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from seston.evaluation.draws import Draw, Sides, nested_draws
from seston.evaluation.methods import Combination, paper_rule
from seston.recognition.embeddings import Embeddings

_SIZES, _REPEATS, _K = (1, 2, 4, 8, 16), 5, 3
_A_CLASS = 40
_SIDES = ("I", "P", "IP")
_Named = dict[tuple[int, int, Combination], NDArray[np.int64]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--classes", type=int, default=95)
    parser.add_argument("--dimensions", type=int, default=512)
    arguments = parser.parse_args()
    vectors, classes, sides = make_world(arguments.classes, arguments.dimensions, arguments.queries)
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(f"{arguments.queries:,} queries, {arguments.classes} classes, {arguments.dimensions} dimensions, "
          f"OMP_NUM_THREADS={threads}, load {os.getloadavg()[0]:.1f}")  # fmt: skip
    ratios = []
    for _ in range(arguments.rounds):
        started, busy = time.perf_counter(), time.process_time()
        ours = name_by_seston(vectors, classes, sides)
        ended, ended_busy = time.perf_counter(), time.process_time()
        theirs = name_by_scikit_learn(vectors, classes, sides)
        seconds = ended - started, time.perf_counter() - ended
        cores = ended_busy - busy, time.process_time() - ended_busy
        ratios.append(seconds[1] / seconds[0])
        print(f"Seston {seconds[0]:.1f} s ({cores[0]:.1f} s of processor), scikit-learn {seconds[1]:.1f} s "
              f"({cores[1]:.1f}); ratio {ratios[-1]:.1f} ({cores[1] / cores[0]:.1f} of processor)")  # fmt: skip
    print_differences(ours, theirs, vectors, classes, sides)
    print(f"median ratio: {statistics.median(ratios):.1f}")


def print_differences(
    ours: _Named, theirs: _Named, vectors: Embeddings, classes: NDArray[np.int64], sides: Sides
) -> None:
    """Count predictions that differ, and whom the same search in float64 bears out."""
    parts = {"I": vectors.shared_image.astype(np.float64), "P": vectors.shared_profile.astype(np.float64)}
    differ = with_ours = with_theirs = 0
    for draw in draw_galleries(classes, sides):
        keys = [(draw.n, draw.repeat, pair) for pair in ((side, asked) for side in _SIDES for asked in _SIDES)]
        odd = {key: np.flatnonzero(ours[key] != theirs[key]) for key in keys}
        rows = np.unique(np.concatenate(list(odd.values())))
        if not len(rows):
            continue
        asked = replace(draw, queries=draw.queries[rows])
        exact = dict(name_one_draw(asked, parts, classes))
        for key, places in odd.items():
            truth = exact[key[2]][np.searchsorted(rows, places)]
            differ += len(places)
            with_ours += int((truth == ours[key][places]).sum())
            with_theirs += int((truth == theirs[key][places]).sum())
    total = sum(map(len, theirs.values()))
    print(f"{differ} of {total:,} predictions differ; float64 says as Seston in {with_ours} of them and as "
          f"scikit-learn in {with_theirs}: neighbours or votes that rounding alone tells apart")  # fmt: skip


def make_world(count: int, dimensions: int, queries: int) -> tuple[Embeddings, NDArray[np.int64], Sides]:
    """Make pictures and profiles of classes around centres that both share in part."""
    generator = np.random.default_rng(0)
    classes = np.concatenate([np.repeat(np.arange(count), _A_CLASS), generator.integers(0, count, queries)])
    parts = []
    shared = generator.normal(size=(count, dimensions))
    for _ in range(2):
        centres = shared + generator.normal(size=(count, dimensions))
        noisy = centres[classes] + generator.normal(size=(len(classes), dimensions)) * 4
        parts.append((noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32))
    every = np.ones(len(classes), np.bool_)
    ids = tuple(map(str, range(len(classes))))
    vectors = Embeddings(ids, parts[0], parts[1], parts[0], parts[1], every, every)
    rows = np.arange(len(classes))
    return vectors, classes, Sides(rows[: count * _A_CLASS], rows[count * _A_CLASS :], True, "", {})


def draw_galleries(classes: NDArray[np.int64], sides: Sides) -> list[Draw]:
    return nested_draws(classes.astype(np.str_), sides, _SIZES, _REPEATS, 0)


def name_by_seston(vectors: Embeddings, classes: NDArray[np.int64], sides: Sides) -> _Named:
    method = paper_rule("model", vectors, classes, _K)
    return {
        (draw.n, draw.repeat, pair): names
        for draw in draw_galleries(classes, sides)
        for pair, names in method.names(draw)
    }


def name_by_scikit_learn(vectors: Embeddings, classes: NDArray[np.int64], sides: Sides) -> _Named:
    parts = {"I": vectors.shared_image, "P": vectors.shared_profile}
    return {
        (draw.n, draw.repeat, pair): names
        for draw in draw_galleries(classes, sides)
        for pair, names in name_one_draw(draw, parts, classes)
    }


def name_one_draw(
    draw: Draw, parts: Mapping[str, NDArray[np.floating]], classes: NDArray[np.int64]
) -> Iterator[tuple[Combination, NDArray[np.int64]]]:
    labels = classes[draw.gallery]
    for side in _SIDES:
        gallery = np.concatenate([parts[letter][draw.gallery] for letter in side])
        search = NearestNeighbors(n_neighbors=_K, metric="cosine", algorithm="brute").fit(gallery)
        found = {letter: search.kneighbors(parts[letter][draw.queries]) for letter in ("I", "P")}
        for asked in _SIDES:
            distances = np.concatenate([found[letter][0] for letter in asked], axis=1)
            voters = np.concatenate([np.tile(labels, len(side))[found[letter][1]] for letter in asked], axis=1)
            yield (side, asked), winners(distances, voters, int(classes.max()) + 1)


def winners(distances: NDArray[np.floating], voters: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Sum 1/distance of each class, as scikit-learn's own classifier does."""
    with np.errstate(divide="ignore"):
        weights = 1 / distances.astype(np.float64)
    zero = np.isinf(weights)
    weights[zero.any(axis=1)] = zero[zero.any(axis=1)]
    votes = np.zeros((len(voters), classes))
    np.add.at(votes, (np.arange(len(voters))[:, None], voters), weights)
    return np.asarray(votes.argmax(axis=1))


if __name__ == "__main__":
    main()
