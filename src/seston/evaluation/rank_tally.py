"""Names judged rank by rank, kingdom to species, out of counts: predictions may stream, and none is kept."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError, nearest_word
from seston.evaluation.lineages import NO_LINEAGE, RULES, Lineage, RankKeys
from seston.evaluation.metrics import RESAMPLES
from seston.evaluation.rank_figures import Pairs, RankFigures, figures_of, intervals_of
from seston.taxonomy import RANKS

__all__ = ["RankRow", "RankTally", "by_rank", "label_row"]

_BITS = 21
_WAITING = 1 << 19
_NOWHERE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class RankRow:
    """How well names are right at one rank; figures are fractions of 1, each with its 95 % bootstrap interval.

    Macro figures are means over the taxa that occur in the truth or among the names (a precision or recall without a
    denominator counts as 0, as in scikit-learn); the balanced accuracy is the mean recall over the taxa of the truth.
    A resample in which a rare taxon does not occur is a mean over fewer taxa, so the intervals of macro figures lean
    upwards where many taxa are rare.
    """

    rank: str
    """Of the seven; or ``label``: exactly the label."""
    rule: str
    """One of `RULES`; ``exact`` for labels."""
    method: str = ""
    """Who gave the names."""
    part: str = "all"
    """Which particles: ``all``, or of one source or instrument."""
    particles: int
    """Support: particles whose truth has this rank."""
    without: int
    """Particles whose truth does not."""
    taxa: int
    """Taxa of this rank in the truth."""
    abstained: float
    """Share of the particles whose name does not go down to this rank; they count as wrong."""
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    balanced_accuracy: float
    balanced_accuracy_low: float
    balanced_accuracy_high: float
    macro_precision: float
    macro_precision_low: float
    macro_precision_high: float
    macro_recall: float
    macro_recall_low: float
    macro_recall_high: float
    macro_f1: float
    macro_f1_low: float
    macro_f1_high: float
    samples: int
    """Samples that were resampled for the intervals; 0 where particles were (image-level: optimistic)."""


def by_rank(
    truth: Sequence[Lineage],
    named: Sequence[Lineage | None],
    samples: Sequence[str] | None = None,
    *,
    rule: str = "known-ranks",
    method: str = "",
    part: str = "all",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[RankRow]:
    """Judge names rank by rank: `RankTally` for what is in memory anyway.

    Parameters
    ----------
    truth, named
        Lineage of each particle and of its name; None where it got none.
    samples
        The sample of each particle, so that intervals are over samples.
    rule
        One of `RULES`.
    method, part
        What the rows shall say of who gave the names, and of which particles these are.
    """
    tally = RankTally(rule=rule)
    tally.add(truth, named, samples)
    return tally.rows(method=method, part=part, resamples=resamples, seed=seed)


def label_row(
    truth: NDArray[np.int64],
    named: NDArray[np.int64],
    samples: Sequence[str] | None = None,
    *,
    method: str = "",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> RankRow:
    """Judge labels as they stand, each its own class.

    Parameters
    ----------
    truth, named
        Number of the class of each particle and of its name; -1 where it got none.
    samples
        The sample of each particle, so that the interval is over samples.
    """
    many = len(set(samples)) if samples is not None else 0
    units = np.arange(len(truth))
    if samples is not None and many > 1:
        units = np.unique(np.asarray(samples), return_inverse=True)[1].astype(np.int64)
    pairs = Pairs(truth, named, np.ones(len(truth), np.int64), units)
    expected = np.bincount(units).astype(np.int64)
    (ends,) = intervals_of([pairs], expected, grouped=many > 1, resamples=resamples, seed=seed)
    found = figures_of(pairs)
    return _row("label", "exact", method, "all", found, ends, found.particles, many if many > 1 else 0)


class RankTally:
    """Counts (sample, truth, name) and gives figures for each rank.

    Memory grows with the number of different triples, not with that of particles.

    Parameters
    ----------
    rule
        One of `RULES`.

    Raises
    ------
    UsageError
        For another rule.
    """

    def __init__(self, rule: str = "known-ranks") -> None:
        if rule not in RULES:
            raise UsageError(f"there is no rule {rule!r} to compare lineages{nearest_word(rule, list(RULES))}")
        self.rule = rule
        self._taxa: list[dict[Hashable, int]] = [{} for _ in RANKS]
        self._names: dict[tuple[int, ...], int] = {}
        self._lineages: dict[Lineage, int] = {}
        self._samples: dict[str, int] = {}
        self._grouped: bool | None = None
        self._keys = np.zeros(0, np.int64)
        self._counts = np.zeros(0, np.int64)
        self._waiting: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._held = 0

    def number(self, lineage: Lineage | None) -> int:
        """Give the number by which `add_numbers` knows a lineage; None stands for *no name*."""
        lineage = lineage or NO_LINEAGE
        known = self._lineages.get(lineage)
        if known is None:
            known = self._lineages[lineage] = self.number_of_ranks(self.taxa_of(lineage))
        return known

    def taxa_of(self, lineage: Lineage) -> tuple[int, ...]:
        """Give the number of a lineage's taxon at each rank, -1 where it has none."""
        keys: RankKeys = RULES[self.rule](lineage)
        return tuple(
            _NOWHERE if key is None else taxa.setdefault(key, len(taxa))
            for key, taxa in zip(keys, self._taxa, strict=True)
        )

    def number_of_ranks(self, taxa: tuple[int, ...]) -> int:
        """Give the number of a name that was chosen rank by rank, each taxon by its number (see `taxa_of`)."""
        return self._names.setdefault(taxa, len(self._names))

    def add(
        self, truth: Sequence[Lineage], named: Sequence[Lineage | None], samples: Sequence[str] | None = None
    ) -> None:
        """Count some particles."""
        first, second = (np.fromiter(map(self.number, side), np.int64, len(side)) for side in (truth, named))
        self.add_numbers(first, second, samples)

    def add_numbers(
        self, truth: NDArray[np.int64], named: NDArray[np.int64], samples: Sequence[str] | None = None
    ) -> None:
        """Count some particles by the numbers of their lineages (see `number`).

        Raises
        ------
        UsageError
            Where the columns are not of one length, or only some particles have samples.
        """
        if len(truth) != len(named) or (samples is not None and len(samples) != len(truth)):
            raise UsageError("truth, names and samples have to be of the same particles")
        if self._grouped not in (None, samples is not None):
            raise UsageError("either all particles have a sample or none has")
        self._grouped = samples is not None
        of = np.zeros(len(truth), np.int64)
        if samples is not None:
            seen = self._samples
            of = np.fromiter((seen.setdefault(name, len(seen)) for name in samples), np.int64, len(samples))
        if max(len(self._names), len(self._samples)) >= 1 << _BITS:
            raise UsageError(f"more than {1 << _BITS:,} different names or samples cannot be counted")
        keys, counts = np.unique((of << 2 * _BITS) | (truth << _BITS) | named, return_counts=True)
        self._waiting.append((keys, counts))
        self._held += len(keys)
        if self._held > max(_WAITING, len(self._keys)):
            self._merge()

    def rows(self, *, method: str = "", part: str = "all", resamples: int = RESAMPLES, seed: int = 0) -> list[RankRow]:
        """Give the figures of each rank that the truth of any particle has.

        Intervals come from resampled samples where there are several, else from resampled particles; the same resamples
        serve all ranks.
        """
        self._merge()
        return list(self._rows(method, part, resamples, seed))

    def most_frequent(self) -> RankTally:
        """Give the same particles, each named as the most frequent taxon of every rank."""
        found = self._same_particles()
        codes, truth = self._codes(), (self._keys >> _BITS) & _MASK
        commonest = []
        for column in codes[truth].T:
            there = column >= 0
            counts = np.bincount(column[there], self._counts[there])
            commonest.append(int(counts.argmax()) if len(counts) else _NOWHERE)
        found._waiting = [((self._keys & ~_MASK) | found.number_of_ranks(tuple(commonest)), self._counts)]
        return found

    def shuffled(self, seed: int = 0) -> RankTally:
        """Give the same particles, the same names dealt out among them at random (without their samples)."""
        found = self._same_particles()
        found._samples, found._grouped = {}, False
        random = np.random.default_rng(seed)
        left = np.bincount(self._keys & _MASK, self._counts, len(self._names)).astype(np.int64)
        of_truth = np.bincount((self._keys >> _BITS) & _MASK, self._counts).astype(np.int64)
        for truth in np.flatnonzero(of_truth).tolist():
            drawn = random.multivariate_hypergeometric(left, of_truth[truth], method="marginals")
            left -= drawn
            names = np.flatnonzero(drawn)
            found._waiting.append(((truth << _BITS) | names, drawn[names]))
        return found

    def _same_particles(self) -> RankTally:
        self._merge()
        found = RankTally(self.rule)
        found._taxa, found._names, found._lineages = self._taxa, dict(self._names), dict(self._lineages)
        found._samples, found._grouped = self._samples, self._grouped
        return found

    def _codes(self) -> NDArray[np.int64]:
        """Give the taxa of each name, shape (names, ranks)."""
        return np.array(list(self._names), np.int64).reshape(-1, len(RANKS))

    def _rows(self, method: str, part: str, resamples: int, seed: int) -> Iterator[RankRow]:
        sample, truth, named = self._keys >> 2 * _BITS, (self._keys >> _BITS) & _MASK, self._keys & _MASK
        grouped = len(self._samples) > 1
        units = sample if grouped else np.arange(len(sample))
        expected = np.bincount(units, self._counts, int(units.max(initial=-1)) + 1).astype(np.int64)
        codes = self._codes()
        at_ranks: dict[str, Pairs] = {}
        for place, rank in enumerate(RANKS):
            there = codes[truth, place] != _NOWHERE
            if there.any():
                pairs = (codes[truth[there], place], codes[named[there], place], self._counts[there], units[there])
                at_ranks[rank] = Pairs(*pairs)
        intervals = intervals_of(list(at_ranks.values()), expected, grouped=grouped, resamples=resamples, seed=seed)
        for (rank, of_rank), ends in zip(at_ranks.items(), intervals, strict=True):
            figures, all_in_all = figures_of(of_rank), int(self._counts.sum())
            yield _row(rank, self.rule, method, part, figures, ends, all_in_all, len(self._samples) * grouped)

    def _merge(self) -> None:
        if not self._waiting:
            return
        keys = np.concatenate([self._keys, *(keys for keys, _ in self._waiting)])
        counts = np.concatenate([self._counts, *(counts for _, counts in self._waiting)])
        self._keys, places = np.unique(keys, return_inverse=True)
        self._counts = np.bincount(places, counts, len(self._keys)).astype(np.int64)
        self._waiting, self._held = [], 0


_MASK = (1 << _BITS) - 1


def _row(
    rank: str,
    rule: str,
    method: str,
    part: str,
    figures: RankFigures,
    ends: dict[str, tuple[float, float]],
    particles: int,
    samples: int,
) -> RankRow:
    values = {name: float(value[0]) for name, value in figures.named().items()}
    low = {f"{name}_low": interval[0] for name, interval in ends.items()}
    high = {f"{name}_high": interval[1] for name, interval in ends.items()}
    return RankRow(
        rank=rank,
        rule=rule,
        method=method,
        part=part,
        particles=figures.particles,
        without=particles - figures.particles,
        taxa=figures.taxa,
        abstained=figures.abstained / figures.particles,
        samples=samples,
        **values,
        **low,
        **high,
    )
