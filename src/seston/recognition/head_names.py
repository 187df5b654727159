"""From the answers of a head to a name: the narrowest that is right often enough, from the label up to the kingdom.

A particle gets its likeliest label, or else the genus, family, order and so on, for which the probabilities of the
labels below are added up. One that does not look like those that the head learnt from gets no name narrower than an
order, and a warning, or none at all. The model in the box and the head of a run name alike.
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
from seston.recognition.head_trust import HeadTrust
from seston.recognition.naming import Identification

__all__ = ["PRECISION", "UNFAMILIAR", "HeadNamer"]

PRECISION = 0.8
"""Share of names at each rank that are to be right, unless another one is asked for."""

UNFAMILIAR = 0.1
"""Particles less familiar than all but this share of held-out ones are strange, unless another share is asked for."""

_WIDE = ("order", "class", "phylum", "kingdom")
_PRECISION_OF_STRANGE = 0.95


@dataclass(frozen=True)
class HeadNamer:
    """The classes of a head, and what to make of its answers."""

    classes: tuple[KnownClass, ...]
    trust: HeadTrust
    who: str
    """Names, as in ``the run``."""
    learnt_from: str = ""
    """What its pictures were, for the warning."""

    @cached_property
    def groups(self) -> tuple[Groups, ...]:
        """From the label to the kingdom."""
        return group_classes(self.classes)

    def promises(self, precision: float) -> dict[str, float | None]:
        """Give the score from which on names are right so often, by rank; None where no score promises that."""
        known = self.trust.calibrations
        return {each.rank: score_for(known.get(each.rank, Calibration()), precision) for each in self.groups}

    def name(
        self, ids: Sequence[str], has_image: NDArray[np.bool_], answers: NDArray[np.float32], caution: Caution
    ) -> list[Identification]:
        """Name particles by their pictures.

        Parameters
        ----------
        ids, has_image
            Of all N particles.
        answers
            (M, classes) of those M that have a picture, in their order.
        caution
            `PRECISION` holds where neither a precision nor a threshold is asked for, `UNFAMILIAR` where no share is.
        """
        names = [Identification(id=name, label=None, modality="none", reason=self._no_picture) for name in ids]
        found = self._look(answers, caution.unfamiliar)
        lowest = self._lowest(caution)
        for place, row in enumerate(np.flatnonzero(has_image).tolist()):
            names[row] = self._name(ids[row], found, place, lowest)
        return names

    @property
    def _no_picture(self) -> str:
        return f"{self.who} names pictures, and this particle has none that can be used"

    @property
    def _strange(self) -> str:
        return f"does not look like the pictures that {self.who} learned from{self.learnt_from}"

    def _look(self, answers: NDArray[np.float32], unfamiliar: float | None) -> _Looked:
        shares = probabilities(answers.astype(np.float64), self.trust.temperature)
        familiarity = self.trust.familiar_share(answers)
        return _Looked(
            shares=shares,
            best=[groups.best(shares) for groups in self.groups],
            familiarity=familiarity,
            strange=familiarity <= (UNFAMILIAR if unfamiliar is None else unfamiliar),
            lost=self.trust.is_lost(answers),
        )

    def _lowest(self, caution: Caution) -> tuple[dict[str, float], dict[str, float]]:
        """Give the score that a name of each rank needs: for familiar particles, and for strange ones."""
        lowest = caution.threshold or 0.0
        wanted = caution.precision
        if wanted is None and caution.threshold is None:
            wanted = PRECISION

        def needed(precision: float | None) -> dict[str, float]:
            scores = {each.rank: 0.0 for each in self.groups} if precision is None else self.promises(precision)
            return {rank: float("inf") if score is None else max(lowest, score) for rank, score in scores.items()}

        strange = needed(max(_PRECISION_OF_STRANGE, wanted or 0.0))
        return needed(wanted), {rank: score for rank, score in strange.items() if rank in _WIDE}

    def _name(
        self, name: str, found: _Looked, place: int, lowest: tuple[dict[str, float], dict[str, float]]
    ) -> Identification:
        strange = bool(found.strange[place])
        needed = lowest[1] if strange else lowest[0]
        steps = [
            (groups, int(group[place]), float(score[place]))
            for groups, (group, score) in zip(self.groups, found.best, strict=True)
        ]
        answer = None
        if not (strange and found.lost[place]):
            answer = next((step for step in steps if step[2] >= needed.get(step[0].rank, float("inf"))), None)
        best = int(found.shares[place].argmax())
        of_label, familiarity = float(found.shares[place, best]), float(found.familiarity[place])
        return Identification(
            id=name,
            label=UNKNOWN if answer is None else answer[0].names[answer[1]],
            taxon=None if answer is None else answer[0].taxa[answer[1]],
            score=of_label if answer is None else answer[2],
            margin=of_label - float(np.delete(found.shares[place], best).max()),
            familiarity=None if np.isnan(familiarity) else round(familiarity, 6),
            modality="image",
            rank="" if answer is None else answer[0].rank,
            ranks=tuple(groups.rank for groups, _, _ in steps),
            rank_names=tuple(groups.names[group] for groups, group, _ in steps),
            rank_scores=tuple(round(score, 4) for _, _, score in steps),
            warning=self._strange if strange else "",
        )


@dataclass(frozen=True)
class _Looked:
    """What a head says of particles, one row each."""

    shares: NDArray[np.float64]
    best: list[tuple[NDArray[np.int64], NDArray[np.float64]]]
    """Likeliest group of each rank, and how likely it is."""
    familiarity: NDArray[np.float64]
    strange: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    """Like nothing that was learned."""
