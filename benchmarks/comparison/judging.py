"""Judge a method on a set: which queries each rule names rightly, and where partners are found; kept in one small file.

Nothing but whether each query was named rightly is needed later: means, spreads and paired differences follow from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison.bench import MATRICES, Bench
from comparison.contenders import Contender
from seston.evaluation.draws import Draw
from seston.evaluation.grid import run_grid
from seston.evaluation.methods import Method, classical, learned, paper_rule
from seston.evaluation.partners import ranks
from seston.evaluation.subjects import block_features
from seston.particle import Silence
from seston.recognition.alignment import FEWEST_PAIRS
from seston.recognition.embeddings import Embeddings
from seston.recognition.views import fit_spaces, views_of

__all__ = ["Answer", "Judgement", "judge", "load_judgement"]

_NEIGHBOURS = 3
_COMBINATIONS = {("I", "I"), ("P", "P"), ("IP", "IP"), ("I", "P"), ("P", "I")}
_CARD = "card"
_ALONE = "towers alone"


@dataclass(frozen=True, order=True)
class Answer:
    """What was asked of a method: by which rule, with what in the gallery and in the query, at which size."""

    rule: str
    gallery: str
    query: str
    n: int

    def __str__(self) -> str:
        return f"{self.rule}|{self.gallery}|{self.query}|{self.n}"


@dataclass(frozen=True)
class Judgement:
    """A method of one seed on a set."""

    card: Mapping[str, Any]
    right: Mapping[Answer, NDArray[np.bool_]]
    """Shape (galleries, queries)."""
    ranks: Mapping[str, NDArray[np.int64]]
    """``HOW|DIRECTION`` → place of each query's partner, 1 for the first."""

    def save(self, path: Path) -> None:
        """Write all of it, or nothing."""
        arrays: dict[str, NDArray[Any]] = {_CARD: np.array(json.dumps(dict(self.card)))}
        for answer, right in self.right.items():
            arrays[f"right|{answer}"] = np.packbits(right, axis=1)
        for name, places in self.ranks.items():
            arrays[f"ranks|{name}"] = places.astype(np.int32)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".part")
        with half.open("wb") as stream:
            np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]  # the stub takes no mapping of names
        half.replace(path)


def load_judgement(path: Path) -> Judgement:
    """Read what `Judgement.save` wrote."""
    with np.load(path, allow_pickle=False) as file:
        card = json.loads(str(file[_CARD]))
        right, places = {}, {}
        for name in file.files:
            kind, _, rest = name.partition("|")
            if kind == "right":
                rule, gallery, query, n = rest.split("|")
                bits = np.unpackbits(file[name], axis=1, count=card["queries"])
                right[Answer(rule, gallery, query, int(n))] = bits.astype(np.bool_)
            elif kind == "ranks":
                places[rest] = file[name].astype(np.int64)
    return Judgement(card, right, places)


def judge(
    contender: Contender, found: Embeddings, bench: Bench, draws: list[Draw], card: Mapping[str, Any]
) -> Judgement:
    """Let every rule of a method name the queries of every draw, and search partners among the queries."""
    vectors = bench.vectors(found, contender.sees)
    methods = [
        replace(one, combinations=tuple(pair for pair in one.combinations if pair in _COMBINATIONS))
        for one in _methods(contender, vectors, bench)
    ]
    right: dict[Answer, NDArray[np.bool_]] = {}
    for trial in run_grid(methods, draws, bench.classes, Silence()):
        if trial.combination in _COMBINATIONS:
            right[Answer(trial.classifier, *trial.combination, trial.n)] = np.stack(trial.right)
    facts = {"queries": len(bench.sides.queries), "sees": contender.sees}
    return Judgement(dict(card) | facts, right, dict(_partners(vectors, bench)))


def _methods(contender: Contender, vectors: Embeddings, bench: Bench) -> Iterator[Method]:
    """Soft LDA for all; the vote of neighbours as the paper has it where there is a trained space to vote in.

    Where hand-made features stand beside what was learned, soft LDA judges once more without them.
    """
    name, classes, pool = contender.name, bench.classes, bench.pool
    yield learned(name, vectors, classes, pool)
    alone = _towers_alone(vectors)
    if alone is not None:
        yield replace(learned(name, alone, classes, pool), classifier=f"soft-lda, {_ALONE}")
    if not contender.recipe:
        blocks = block_features(vectors, "both")
        for rule in ("shrinkage-lda", "random-forest"):
            yield classical(name, blocks, classes, pool, rule)
    elif contender.recipe in ("image-only", "profile-only"):
        # Their heads for the shared space are never trained: neighbours vote in the space of the tower's features.
        yield learned(name, vectors, classes, pool, classifier="knn")
    else:
        yield paper_rule(name, vectors, classes, _NEIGHBOURS)


def _towers_alone(vectors: Embeddings) -> Embeddings | None:
    """Give what the towers found, without hand-made features; None where there are none beside it."""
    measured = [name for name in MATRICES if name.startswith("measured")]
    if not any(getattr(vectors, name).shape[1] for name in measured):
        return None
    nothing: dict[str, Any] = dict.fromkeys(measured, np.zeros((len(vectors), 0), np.float32))
    return replace(vectors, **nothing)


def _partners(vectors: Embeddings, bench: Bench) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Search the profile of each picture among all queries, and back: by the model's own space, and by alignment."""
    if not vectors.has_both.all():
        return
    asked = vectors.take(bench.sides.queries)
    spaces = {"cosine": (asked.shared_image, asked.shared_profile)} if asked.crosses else {}
    if len(bench.pool) >= FEWEST_PAIRS:
        for how, part in (("aligned", vectors), (f"aligned, {_ALONE}", _towers_alone(vectors))):
            if part is not None:
                views = views_of(part.take(bench.sides.queries), fit_spaces(part.take(bench.pool)))
                spaces[how] = views["SI"][0], views["SP"][0]
    for how, (image, profile) in spaces.items():
        yield f"{how}|image→profile", ranks(image, profile)
        yield f"{how}|profile→image", ranks(profile, image)
