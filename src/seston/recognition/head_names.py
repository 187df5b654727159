"""From the answers of a head to a name: the narrowest that is right often enough, from the label up to the kingdom.

A particle gets its likeliest label, or else the genus, family, order and so on, for which the probabilities of the
labels below are added up. One that does not look like those that the head learnt from, or that another instrument has
seen, is strange: it gets a warning, no name narrower than an order, and only one that is right often enough among
strange particles; else it is unknown. The model in the box and the head of a run name alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seston.recognition.calibration import Calibration, probabilities, score_for
from seston.recognition.caution import UNKNOWN, Caution
from seston.recognition.class_groups import Groups, KnownClass, group_classes
from seston.recognition.head_trust import HeadTrust, evidence
from seston.recognition.naming import Identification

__all__ = ["PRECISION", "UNFAMILIAR", "HeadNamer"]

PRECISION = 0.8
"""Share of names at each rank that are to be right, unless another one is asked for."""

UNFAMILIAR = 0.1
"""Particles less familiar than all but this share of held-out ones are strange, unless another share is asked for."""

_WIDE = ("order", "class", "phylum", "kingdom")


@dataclass(frozen=True)
class HeadNamer:
    """The classes of a head, and what to make of its answers."""

    classes: tuple[KnownClass, ...]
    trust: HeadTrust
    who: str
    """Names, as in ``the run``."""
    learnt_from: str = ""
    """What its pictures were, for the warning."""
    unfamiliar: float = UNFAMILIAR
    """Share of held-out particles that count as strange where no other is asked for."""

    @cached_property
    def groups(self) -> tuple[Groups, ...]:
        """From the label to the kingdom."""
        return group_classes(self.classes)

    def promises(self, precision: float) -> dict[str, float | None]:
        """Give the score from which on names are right so often, by rank; None where no score promises that."""
        known = self.trust.calibrations
        return {each.rank: score_for(known.get(each.rank, Calibration()), precision) for each in self.groups}

    def name(
        self,
        ids: Sequence[str],
        has_image: NDArray[np.bool_],
        answers: NDArray[np.float32],
        caution: Caution,
        *,
        likeness: NDArray[np.float64] | None = None,
        foreign: Sequence[str] = (),
    ) -> list[Identification]:
        """Name particles by their pictures.

        Parameters
        ----------
        ids, has_image
            Of all N particles.
        answers
            (M, classes) of those M that have a picture, in their order.
        caution
            `PRECISION` holds where neither a precision nor a threshold is asked for, `unfamiliar` where no share is.
        likeness
            (M,) as `trust` knows it; by itself the `evidence`.
        foreign
            For each of the N, the instrument that has seen it where that is one that the head did not learn from; else
            empty.
        """
        names = [Identification(id=name, label=None, modality="none", reason=self._no_picture) for name in ids]
        found = self._look(answers, evidence(answers) if likeness is None else likeness, caution.unfamiliar)
        lowest = self._lowest(caution)
        for place, row in enumerate(np.flatnonzero(has_image).tolist()):
            instrument = foreign[row] if len(foreign) else ""
            if instrument or found.strange[place]:
                names[row] = self._name_strange(ids[row], found, place, lowest.of_strange, self._warning(instrument))
            else:
                names[row] = self._name_familiar(ids[row], found, place, lowest)
        return names

    @property
    def _no_picture(self) -> str:
        return f"{self.who} names pictures, and this particle has none that can be used"

    def _warning(self, instrument: str) -> str:
        if instrument:
            return f"was taken by {instrument}, and {self.who} learned from other pictures{self.learnt_from}"
        return f"does not look like the pictures that {self.who} learned from{self.learnt_from}"

    def _look(self, answers: NDArray[np.float32], likeness: NDArray[np.float64], unfamiliar: float | None) -> _Looked:
        shares = probabilities(answers.astype(np.float64), self.trust.temperature)
        familiarity = self.trust.familiar_share(likeness)
        return _Looked(
            shares=shares,
            best=[groups.best(shares) for groups in self.groups],
            familiarity=familiarity,
            strange=familiarity <= (self.unfamiliar if unfamiliar is None else unfamiliar),
            known=self.trust.known(familiarity),
        )

    def _lowest(self, caution: Caution) -> _Lowest:
        wanted = caution.precision
        if wanted is None and caution.threshold is None:
            wanted = PRECISION
        promised = {each.rank: 0.0 for each in self.groups} if wanted is None else self.promises(wanted)
        by_itself = {rank: float("inf") if score is None else score for rank, score in promised.items()}
        threshold = caution.threshold or 0.0
        return _Lowest(by_itself, threshold, max(threshold, wanted or 0.0))

    def _name_familiar(self, name: str, found: _Looked, place: int, lowest: _Lowest) -> Identification:
        """Give the narrowest name whose score, by itself, promises enough, and is high enough with all doubts."""
        known = float(found.known[place])
        scores = found.scores(place)
        enough = [
            score >= lowest.by_itself[groups.rank] and score * known >= lowest.threshold
            for groups, score in zip(self.groups, scores, strict=True)
        ]
        return self._identification(name, found, place, [score * known for score in scores], enough, "")

    def _name_strange(self, name: str, found: _Looked, place: int, lowest: float, warning: str) -> Identification:
        """Give the narrowest of the wide names whose score among strange particles is high enough."""
        scores = [
            self.trust.strange_score(groups.rank, score)
            for groups, score in zip(self.groups, found.scores(place), strict=True)
        ]
        enough = [
            groups.rank in _WIDE and score > 0 and score >= lowest
            for groups, score in zip(self.groups, scores, strict=True)
        ]
        return self._identification(name, found, place, scores, enough, warning)

    def _identification(
        self,
        name: str,
        found: _Looked,
        place: int,
        scores: Sequence[float],
        enough: Sequence[bool],
        warning: str,
    ) -> Identification:
        """Put together what is said of one particle; `scores` and `enough` go from the label to the kingdom."""
        groups = [int(group[place]) for group, _ in found.best]
        step = next((number for number, one in enumerate(enough) if one), None)
        shares, familiarity = found.shares[place], float(found.familiarity[place])
        first, second = np.sort(shares)[:-3:-1].tolist()
        return Identification(
            id=name,
            label=UNKNOWN if step is None else self.groups[step].names[groups[step]],
            taxon=None if step is None else self.groups[step].taxa[groups[step]],
            score=scores[step or 0],
            margin=(first - second) * scores[0] / first,
            familiarity=None if np.isnan(familiarity) else round(familiarity, 6),
            modality="image",
            rank="" if step is None else self.groups[step].rank,
            ranks=tuple(each.rank for each in self.groups),
            rank_names=tuple(each.names[group] for each, group in zip(self.groups, groups, strict=True)),
            rank_scores=tuple(round(score, 4) for score in scores),
            warning=warning,
        )


@dataclass(frozen=True)
class _Lowest:
    """The scores that names need."""

    by_itself: dict[str, float]
    """Of each rank, before any doubt that the particle is a stranger."""
    threshold: float
    """Of any name, after it."""
    of_strange: float


@dataclass(frozen=True)
class _Looked:
    """What a head says of particles, one row each."""

    shares: NDArray[np.float64]
    best: list[tuple[NDArray[np.int64], NDArray[np.float64]]]
    """Likeliest group of each rank, and how likely it is."""
    familiarity: NDArray[np.float64]
    strange: NDArray[np.bool_]
    known: NDArray[np.float64]
    """How likely each is of what was learnt at all."""

    def scores(self, place: int) -> list[float]:
        """Give the score of the likeliest group of each rank, for one particle."""
        return [float(score[place]) for _, score in self.best]
