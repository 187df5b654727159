"""Name pairs of which one modality says nothing: by one space, by votes of several, and by the other one alone.

    python benchmarks/silent_modality.py SETS/simulated --run RUN [--n 1 2 4 16] [--seed 0]

The vectors of one modality are replaced by noise, as a detector that has failed or a camera out of focus would leave
them: in the unlabelled pool, in the gallery and in the queries. Without --run, measured features are used. Each line is
accuracy in %, the mean of five galleries; galleries and queries are parted as the set's split ``comparison`` does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from comparison.bench import MATRICES, Bench, bench_of

from seston.evaluation.draws import Draw
from seston.recognition import ClassicalModel
from seston.recognition.classifiers import DEFAULT_CLASSIFIER
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import embed_particles, load
from seston.recognition.ensemble import fit_ensemble, fit_voters
from seston.recognition.views import Views, few_a_class, fit_spaces, gallery_vectors, vectors_at, views_of
from seston.store import open_data_set

_SIDES = {"image": "P", "profile": "I"}
_REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--n", type=int, nargs="+", default=[1, 2, 4, 16])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    data = open_data_set(arguments.data)
    encoder = load(arguments.run) if arguments.run else ClassicalModel.of(data)
    bench = bench_of(arguments.data.name, data, max(arguments.n))
    vectors = bench.vectors(embed_particles(encoder, data), "IP")
    draws = bench.draws(arguments.n, _REPEATS, arguments.seed)
    _say("| what is noise | n | one space | votes | the other modality alone |\n| --- | --- | --- | --- | --- |")
    for silent in ("nothing", *_SIDES):
        named = _with_noise(vectors, silent, arguments.seed)
        views = {few: views_of(named, fit_spaces(named.take(bench.pool), few=few)) for few in (False, True)}
        other = _SIDES.get(silent, "")
        for n in arguments.n:
            of_size = [draw for draw in draws if draw.n == n]
            cells = [
                f"{_accuracy(views, bench, of_size, view, all_spaces=votes):.1f}" if view else "–"
                for view, votes in (("IP", False), ("IP", True), (other, False))
            ]
            _say(f"| {silent} | {n} | " + " | ".join(cells) + " |")


def _with_noise(vectors: Embeddings, side: str, seed: int) -> Embeddings:
    random = np.random.default_rng(seed)
    changed: dict[str, Any] = {
        name: random.normal(size=getattr(vectors, name).shape).astype(np.float32)
        for name in MATRICES
        if name.endswith(side)
    }
    return replace(vectors, **changed)


def _accuracy(views: dict[bool, Views], bench: Bench, draws: Sequence[Draw], view: str, *, all_spaces: bool) -> float:
    right = []
    for draw in draws:
        classes, numbers = np.unique(bench.classes[draw.gallery], return_inverse=True)
        numbers = numbers.astype(np.int64)
        seen = views[few_a_class(len(numbers), len(classes))]
        gallery = gallery_vectors(seen, view, view, draw.gallery)
        samples = [bench.subjects.samples[row] for row in draw.gallery.tolist()]
        if all_spaces:
            rule = fit_voters(DEFAULT_CLASSIFIER, gallery, numbers, len(classes), samples)
        else:
            rule = fit_ensemble(DEFAULT_CLASSIFIER, gallery, numbers, len(classes))
        asked = vectors_at(seen, rule.views, draw.queries)
        right.append(classes[rule(asked).argmax(axis=1)] == bench.classes[draw.queries])
    return 100 * float(np.mean(right))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
