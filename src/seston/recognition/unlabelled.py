"""Which particles of a data set have a label, and which could be asked about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seston.recognition.identification import made_up

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["Unlabelled", "look_for_unlabelled"]


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """The particles of a data set, seen by someone who wants to label more of them."""

    candidates: tuple[str, ...]
    """Ids that could be asked about, in the order of the data set."""
    labels: dict[str, str]
    """Id → label that people or sources gave."""
    left: int
    """Particles without a label in all, before any were drawn."""
    doubted: int
    """Particles that a person could not name."""
    repeats: int
    """Particles that show, byte for byte, what a labelled or an earlier one shows."""
    simulated: str = ""


def look_for_unlabelled(data: DataSet, gallery_ids: Iterable[str], *, most: int, seed: int) -> Unlabelled:
    """Find the particles that could be asked about.

    Parameters
    ----------
    gallery_ids
        Particles that have a label in a gallery, whether they are of this data set or not.
    most
        Of more than so many, so many are drawn at random …
    seed
        … the same with the same seed.
    """
    labels, doubted = data.labels(trusted=True), data.doubted()
    known = {*labels, *gallery_ids}
    seen = {content for name, content, _ in _contents(data) if name in known}
    marks = {flag for sample in data.samples() for flag in sample.flags}
    candidates, repeats = [], 0
    for name, content, flags in _contents(data):
        marks.update(flags)
        if name in known or name in doubted:
            continue
        if content in seen:
            repeats += 1
            continue
        seen.add(content)
        candidates.append(name)
    chosen = candidates
    if len(candidates) > most:
        drawn = np.random.default_rng(seed).permutation(len(candidates))[:most]
        chosen = [candidates[place] for place in np.sort(drawn).tolist()]
    return Unlabelled(
        candidates=tuple(chosen),
        labels=labels,
        left=len(candidates),
        doubted=len(doubted - known),
        repeats=repeats,
        simulated=made_up(tuple(marks)),
    )


def _contents(data: DataSet) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Give each particle's id, a number for what its picture and profile show, and its flags."""
    for batch in data.particles(["id", "image_hash", "profile_hash", "flags"], batch_size=8192):
        for name, picture, profile, flags in zip(*(batch.column(place).to_pylist() for place in range(4)), strict=True):
            # A particle with listmode alone shows nothing that could be repeated: its id stands for it.
            shown = (picture, profile) if picture or profile else name
            yield name, hash(shown), tuple(flags or ())
