"""From judgements to figures: means over seeds, and what the default has over every other, with intervals.

Intervals are percentile bootstrap intervals of 95 %: queries, training seeds, and galleries within a seed are
resampled, and all methods share what is drawn, so that differences are paired.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comparison.contenders import MAIN
from comparison.judging import Judgement
from seston.errors import UsageError
from seston.evaluation.metrics import bootstrap, interval
from seston.evaluation.partners import DEPTHS

__all__ = ["BOTH", "MAIN_RULE", "Cell", "Figures", "Gain", "figures_of"]

MAIN_RULE = "soft-lda"
BOTH = ("IP", "IP")
_OWN = {"I": ("I", "I"), "P": ("P", "P")}
Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Gain:
    """What the default has over a rival, on the same queries, galleries and seeds; fractions of 1."""

    value: float
    low: float
    high: float
    seeds: int

    @property
    def verdict(self) -> str:
        """``ahead``, ``behind``, or ``level`` where the interval holds 0."""
        return "ahead" if self.low > 0 else "behind" if self.high < 0 else "level"


@dataclass(frozen=True)
class Cell:
    """One method, rule, combination and gallery size on one set."""

    set_name: str
    method: str
    rule: str
    what: str
    """``I-I``, …; for partners ``image→profile`` or ``profile→image``."""
    n: int
    """Particles a class in the gallery; for partners how far down the list one looks."""
    accuracy: float
    sd: float
    """Standard deviation over seeds of the mean over galleries (with one seed 0)."""
    seeds: int
    low: float
    high: float
    gain: Gain | None
    """Of the default over this; None for the default itself, or where no seed is common."""


@dataclass(frozen=True)
class Figures:
    """All that tables and plot show."""

    names: list[Cell]
    partners: list[Cell]
    fusion: dict[tuple[str, int], tuple[str, Gain]]
    """Set and n → the better of the default's single modalities, and what both together have over it."""


@dataclass(frozen=True)
class _Table:
    """Queries named rightly by one method: shape (rows, queries), with the seed of each row."""

    right: Rows
    seeds: NDArray[np.int64]


_Key = tuple[str, str]
"""Method and rule."""


def figures_of(judgements: Iterable[Judgement]) -> Figures:
    """Put the judgements of all sets together."""
    by_set: dict[str, list[Judgement]] = defaultdict(list)
    for one in judgements:
        by_set[one.card["set"]].append(one)
    for name, of_set in by_set.items():
        if len({(one.card["seed"], one.card.get("draws")) for one in of_set}) > len(
            {one.card["seed"] for one in of_set}
        ):
            raise UsageError(
                f"{name}: methods were judged on different galleries; judge them with one set and one call"
            )
    figures = Figures([], [], {})
    for set_name, of_set in by_set.items():
        asked = sorted({(one.gallery, one.query, one.n) for judged in of_set for one in judged.right})
        for gallery, query, n in asked:
            tables = _named(of_set, gallery, query, n)
            figures.names.extend(_cells(set_name, f"{gallery}-{query}", n, tables, (MAIN, MAIN_RULE)))
        for n in sorted({n for _, _, n in asked}):
            fused = _fusion(of_set, n)
            if fused is not None:
                figures.fusion[set_name, n] = fused
        for direction in ("image→profile", "profile→image"):
            for depth in DEPTHS:
                tables = _found(of_set, direction, depth)
                figures.partners.extend(_cells(set_name, direction, depth, tables, (MAIN, "aligned")))
    return figures


def _named(judgements: Sequence[Judgement], gallery: str, query: str, n: int) -> dict[_Key, _Table]:
    """Gather the answers of all methods; one that sees one modality alone answers by that one when asked by both."""
    found: dict[_Key, dict[int, Rows]] = defaultdict(dict)
    for judged in judgements:
        combination = gallery, query
        if combination == BOTH:
            combination = _OWN.get(judged.card["sees"], BOTH)
        for answer, right in judged.right.items():
            if (answer.gallery, answer.query) == combination and answer.n == n:
                found[judged.card["method"], answer.rule][judged.card["seed"]] = right
    return _tables(found)


def _found(judgements: Sequence[Judgement], direction: str, depth: int) -> dict[_Key, _Table]:
    found: dict[_Key, dict[int, Rows]] = defaultdict(dict)
    for judged in judgements:
        for name, ranks in judged.ranks.items():
            how, _, towards = name.partition("|")
            if towards == direction:
                found[judged.card["method"], how][judged.card["seed"]] = (ranks <= depth)[None, :]
    return _tables(found)


def _tables(found: Mapping[_Key, Mapping[int, Rows]]) -> dict[_Key, _Table]:
    tables = {}
    for key, by_seed in found.items():
        seeds = sorted(by_seed)
        counts = [len(by_seed[seed]) for seed in seeds]
        tables[key] = _Table(np.concatenate([by_seed[seed] for seed in seeds]), np.repeat(seeds, counts))
    return tables


def _cells(set_name: str, what: str, n: int, tables: Mapping[_Key, _Table], main: _Key) -> Iterable[Cell]:
    gains = _gains(tables, main)
    for (method, rule), table in tables.items():
        means = [float(table.right[table.seeds == seed].mean()) for seed in np.unique(table.seeds)]
        low, high = interval(bootstrap(table.right[None].astype(np.float32), groups=table.seeds.tolist())[0])
        sd = float(np.std(means, ddof=1)) if len(means) > 1 else 0.0
        gain = gains.get((method, rule))
        yield Cell(set_name, method, rule, what, n, float(np.mean(means)), sd, len(means), low, high, gain)


def _gains(tables: Mapping[_Key, _Table], main: _Key) -> dict[_Key, Gain]:
    """Compare the main method with all others, at once where they have the same seeds."""
    if main not in tables:
        return {}
    own = tables[main]
    by_seeds: dict[tuple[int, ...], list[_Key]] = defaultdict(list)
    for key, table in tables.items():
        common = tuple(sorted(set(table.seeds.tolist()) & set(own.seeds.tolist())))
        if key != main and common:
            by_seeds[common].append(key)
    gains = {}
    for seeds, keys in by_seeds.items():
        rows = [_of_seeds(tables[key], seeds) for key in (main, *keys)]
        groups = own.seeds[np.isin(own.seeds, seeds)].tolist()
        means = bootstrap(np.stack(rows).astype(np.float32), groups=groups)
        for place, key in enumerate(keys, start=1):
            low, high = interval(means[0] - means[place])
            gains[key] = Gain(float(rows[0].mean() - rows[place].mean()), low, high, len(seeds))
    return gains


def _of_seeds(table: _Table, seeds: Sequence[int]) -> Rows:
    return table.right[np.isin(table.seeds, seeds)]


def _fusion(judgements: Sequence[Judgement], n: int) -> tuple[str, Gain] | None:
    """Compare the default with both modalities with the better of its single ones."""
    key = MAIN, MAIN_RULE
    both, *single = (_named(judgements, gallery, query, n).get(key) for gallery, query in (BOTH, *_OWN.values()))
    there = {name: table for name, table in zip(("I-I", "P-P"), single, strict=True) if table is not None}
    if both is None or not there:
        return None
    best = max(there, key=lambda name: float(there[name].right.mean()))
    gains = _gains({("both", ""): both, ("single", ""): there[best]}, ("both", ""))
    return best, gains["single", ""]
