"""The model in the box: names for pictures without a gallery of one's own, offline, right after the installation.

Its head names as that of any run does (`seston.recognition.head_names`); beside each name stand the pictures of its
gallery that are nearest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from seston.particle import Particle
from seston.recognition.box_files import BoxFiles
from seston.recognition.box_model import BoxModel
from seston.recognition.caution import Caution
from seston.recognition.embeddings import Embeddings
from seston.recognition.head_names import HeadNamer
from seston.recognition.naming import Identification

__all__ = ["Box", "open_box"]

_NEAREST = 3
_UNFAMILIAR = 0.15
"""With fewer doubts than that, every second picture that looks so is none that was learnt (see the page)."""
_LEARNT_FROM = frozenset({"flowcam", "dual"})
"""First words of the names of the instruments whose pictures were learnt."""


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
    def head(self) -> HeadNamer:
        """Its classes, and how far its answers can be trusted."""
        card = self.files.card
        return HeadNamer(card.classes, card.trust, "the model in the box", " (FlowCam and lake camera)", _UNFAMILIAR)

    def identify(
        self,
        embeddings: Embeddings,
        particles: Sequence[Particle] = (),
        *,
        threshold: float | None = None,
        precision: float | None = None,
        unfamiliar: float | None = None,
        instruments: Sequence[str | None] = (),
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
            Share of held-out pictures that count as strange; 0.15 where it is not given.
        instruments
            What has seen each particle, where that is known: pictures of any other instrument than a FlowCam or a dual
            Scripps plankton camera are strange, whatever they look like.

        Raises
        ------
        UsageError
            Where a share is none.
        """
        caution = Caution(threshold, precision, unfamiliar)
        rows = np.flatnonzero(embeddings.has_image)
        features, answers = embeddings.image[rows], embeddings.shared_image[rows]
        names = self.head.name(
            embeddings.ids,
            embeddings.has_image,
            answers,
            caution,
            likeness=self.files.likeness(features, answers),
            foreign=[_foreign(one) for one in instruments],
        )
        if len(rows):
            cosines = self.files.cosines(features)
            near = np.argsort(-cosines, axis=1)[:, :_NEAREST]
            likeness = np.take_along_axis(cosines, near, axis=1)
            for place, row in enumerate(rows.tolist()):
                names[row] = self._with_nearest(names[row], near[place], likeness[place])
        return names

    def promises(self, precision: float) -> dict[str, float | None]:
        """Give the score from which on names are right so often, by rank; None where no score promises that."""
        return self.head.promises(precision)

    def _with_nearest(
        self, one: Identification, near: NDArray[np.int64], likeness: NDArray[np.float32]
    ) -> Identification:
        classes = self.files.card.classes
        return replace(
            one,
            nearest=tuple(self.files.ids[row] for row in near),
            nearest_labels=tuple(classes[number].label for number in self.files.classes[near]),
            nearest_likeness=tuple(round(float(cosine), 4) for cosine in likeness),
        )


def _foreign(instrument: str | None) -> str:
    """Give the name of an instrument whose pictures were not learnt; nothing for one whose were, or that is unknown."""
    words = re.findall(r"\w+", (instrument or "").casefold())
    return "" if not words or words[0] in _LEARNT_FROM else str(instrument)


@lru_cache(maxsize=1)
def open_box() -> Box:
    """Open the model that comes with the package.

    Raises
    ------
    NotFoundError, InputError
        Where it is not there, or damaged.
    """
    return Box(BoxModel())
