"""The model in the box: names for pictures without a gallery of one's own, offline, right after the installation.

A picture gets the narrowest name that is right often enough among pictures that were held out of the training: its
label, or else the genus, family, order and so on, the probabilities of whose labels are added up. A picture that does
not look like those that the network learned from gets no name narrower than an order, and a warning, or none at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from seston.particle import Particle
from seston.recognition.box_files import BoxFiles
from seston.recognition.box_model import BoxModel
from seston.recognition.box_names import LABEL, Groups, group_classes
from seston.recognition.calibration import probabilities, score_for
from seston.recognition.caution import UNKNOWN, Caution
from seston.recognition.embeddings import Embeddings
from seston.recognition.naming import Identification

__all__ = ["PRECISION", "UNFAMILIAR", "Box", "evidence", "open_box"]

PRECISION = 0.8
"""Share of names at each rank that are to be right, unless another one is asked for."""

UNFAMILIAR = 0.1
"""Pictures less familiar than all but this share of held-out ones are strange, unless another share is asked for."""

_WIDE = ("order", "class", "phylum", "kingdom")
_PRECISION_OF_STRANGE = 0.95
_NEAREST = 3
_NO_PICTURE = "the model in the box names pictures, and this particle has none that can be used"


@dataclass(frozen=True)
class Box:
    """The model in the box, ready to name."""

    model: BoxModel

    levels = None
    """Runs stay at their own level."""
    flags: tuple[str, ...] = ()

    @property
    def model_id(self) -> str:
        """Name of what the network does."""
        return self.model.model_id

    @property
    def files(self) -> BoxFiles:
        """What it was made of."""
        return self.model.files

    @cached_property
    def groups(self) -> tuple[Groups, ...]:
        """From the label to the kingdom."""
        return group_classes(self.files.card.classes)

    def identify(
        self,
        embeddings: Embeddings,
        particles: Sequence[Particle] = (),
        *,
        threshold: float | None = None,
        precision: float | None = None,
        unfamiliar: float | None = None,
    ) -> list[Identification]:
        """Name particles by their pictures.

        Parameters
        ----------
        embeddings
            Of `model`.
        threshold
            Names with a lower score give way to a wider group.
        precision
            So do names of which a smaller share is right; `PRECISION` where neither of both is given.
        unfamiliar
            Share of held-out pictures that count as strange; `UNFAMILIAR` where it is not given.

        Raises
        ------
        UsageError
            Where a share is none.
        """
        caution = Caution(threshold, precision, UNFAMILIAR if unfamiliar is None else unfamiliar)
        rows = np.flatnonzero(embeddings.has_image)
        names = [Identification(id=name, label=None, modality="none", reason=_NO_PICTURE) for name in embeddings.ids]
        if len(rows):
            found = self._look(embeddings.image[rows], embeddings.shared_image[rows])
            lowest = self._lowest(caution)
            for place, row in enumerate(rows.tolist()):
                names[row] = self._name(embeddings.ids[row], found, place, lowest, caution)
        return names

    def promises(self, precision: float) -> dict[str, float | None]:
        """Give the score from which on names are right so often, by rank; None where no score promises that."""
        return {rank: score_for(learnt, precision) for rank, learnt in self.files.card.calibrations.items()}

    def familiarity(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give the share of held-out pictures that there is less evidence for than for each of these."""
        steps = np.asarray(self.files.card.familiarity)
        return np.interp(evidence(scores), steps, np.linspace(0, 1, len(steps)), left=0.0, right=1.0)

    def _look(self, features: NDArray[np.float32], scores: NDArray[np.float32]) -> _Looked:
        cosines = self.files.likeness(features)
        near = np.argsort(-cosines, axis=1)[:, :_NEAREST]
        shares = probabilities(scores.astype(np.float64), self.files.card.temperature)
        return _Looked(
            shares=shares,
            best=[groups.best(shares) for groups in self.groups],
            familiarity=self.familiarity(scores),
            lost=evidence(scores) < self.files.card.strangest,
            near=near,
            cosines=np.take_along_axis(cosines, near, axis=1),
        )

    def _lowest(self, caution: Caution) -> tuple[dict[str, float], dict[str, float]]:
        """Give the score that a name of each rank needs: for familiar pictures, and for strange ones."""
        card = self.files.card
        lowest = caution.threshold or 0.0
        wanted = caution.precision
        if wanted is None and caution.threshold is None:
            wanted = PRECISION

        def needed(precision: float | None) -> dict[str, float]:
            scores = {
                rank: 0.0 if precision is None else score_for(learnt, precision)
                for rank, learnt in card.calibrations.items()
            }
            return {rank: float("inf") if score is None else max(lowest, score) for rank, score in scores.items()}

        strange = needed(max(_PRECISION_OF_STRANGE, wanted or 0.0))
        return needed(wanted), {rank: score for rank, score in strange.items() if rank in _WIDE}

    def _name(
        self,
        name: str,
        found: _Looked,
        place: int,
        lowest: tuple[dict[str, float], dict[str, float]],
        caution: Caution,
    ) -> Identification:
        familiarity = float(found.familiarity[place])
        strange = caution.unfamiliar is not None and familiarity <= caution.unfamiliar
        needed = lowest[1] if strange else lowest[0]
        steps = [
            (groups.rank, groups.names[int(group[place])], float(score[place]))
            for groups, (group, score) in zip(self.groups, found.best, strict=True)
        ]
        answer = None
        if not (strange and found.lost[place]):
            answer = next((step for step in steps if step[2] >= needed.get(step[0], float("inf"))), None)
        best = int(found.shares[place].argmax())
        of_label = float(found.shares[place, best])
        wider = answer is not None and answer[0] != LABEL
        card, near = self.files.card, found.near[place]
        return Identification(
            id=name,
            label=UNKNOWN if answer is None else answer[1],
            taxon=None if answer is None else answer[1] if wider else card.classes[best].taxon,
            score=of_label if answer is None else answer[2],
            margin=of_label - float(np.delete(found.shares[place], best).max()),
            familiarity=round(familiarity, 6),
            modality="image",
            nearest=tuple(self.files.ids[row] for row in near),
            nearest_labels=tuple(card.classes[number].label for number in self.files.classes[near]),
            nearest_likeness=tuple(round(float(cosine), 4) for cosine in found.cosines[place]),
            rank="" if answer is None else answer[0],
            ranks=tuple(rank for rank, _, _ in steps),
            rank_names=tuple(group for _, group, _ in steps),
            rank_scores=tuple(round(score, 4) for _, _, score in steps),
            warning=_STRANGE if strange else "",
        )


_STRANGE = "does not look like the pictures that the model in the box learned from (FlowCam and lake camera)"


@dataclass(frozen=True)
class _Looked:
    """What the network says of pictures, one row each."""

    shares: NDArray[np.float64]
    best: list[tuple[NDArray[np.int64], NDArray[np.float64]]]
    """Likeliest group of each rank, and how likely it is."""
    familiarity: NDArray[np.float64]
    lost: NDArray[np.bool_]
    """Like nothing that was learned."""
    near: NDArray[np.int64]
    cosines: NDArray[np.float32]


def evidence(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Say how much speaks for any class at all: ln Σ exp(score), the negative energy of Liu et al. (2020), eq. 4.

    Pictures of other instruments have less of it than the nearness of gallery pictures or the highest probability tell.
    """
    highest = scores.max(axis=1).astype(np.float64)
    return np.asarray(highest + np.log(np.exp(scores - highest[:, None]).sum(axis=1)))


@lru_cache(maxsize=1)
def open_box() -> Box:
    """Open the model that comes with the package.

    Raises
    ------
    NotFoundError, InputError
        Where it is not there, or damaged.
    """
    return Box(BoxModel())
