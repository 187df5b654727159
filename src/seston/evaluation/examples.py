"""A few queries with their names and the gallery particles that speak for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.draws import Draw
from seston.evaluation.results import Example
from seston.evaluation.subjects import Subjects
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import stream_particles
from seston.recognition.gallery import Gallery, GalleryCard
from seston.recognition.thumbnails import thumbnail
from seston.recognition.views import few_a_class, fit_spaces

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["pick_examples"]

_SHARE_WRONG = 1 / 3
_LOOKED_AT = 2000


def pick_examples(
    data: DataSet,
    subjects: Subjects,
    vectors: Embeddings,
    draw: Draw,
    pool: NDArray[np.int64],
    count: int,
    seed: int,
) -> tuple[Example, ...]:
    """Name some queries of a draw by the default rule and pick examples: up to a third wrong ones, of many classes."""
    labels = tuple(str(label) for label in subjects.labels[draw.gallery])
    gallery = Gallery(
        embeddings=vectors.take(draw.gallery),
        labels=labels,
        samples=tuple(subjects.samples[row] for row in draw.gallery.tolist()),
        spaces=fit_spaces(vectors.take(pool), few=few_a_class(len(draw.gallery), len(set(labels)))),
        card=GalleryCard(model_id=vectors.model_id),
    )
    generator = np.random.default_rng(seed)
    asked = generator.permutation(draw.queries)[:_LOOKED_AT]
    names = gallery.identify(vectors.take(asked))
    truth = [str(label) for label in subjects.labels[asked]]
    wrong = [place for place, one in enumerate(names) if one.label != truth[place]]
    right = [place for place, one in enumerate(names) if one.label == truth[place]]
    chosen = _of_many_classes(wrong, truth, min(len(wrong), round(count * _SHARE_WRONG)))
    chosen += _of_many_classes(right, truth, count - len(chosen))
    chosen = generator.permutation(np.array(chosen, np.int64)).tolist()
    shown = [name for place in chosen for name in (names[place].id, *names[place].nearest)]
    particles = {particle.id: particle for particle in stream_particles(data, list(dict.fromkeys(shown)))}
    of = dict(zip(gallery.embeddings.ids, gallery.labels, strict=True))
    examples = []
    for place in chosen:
        one, particle = names[place], particles[names[place].id]
        examples.append(
            Example(
                id=one.id,
                truth=truth[place],
                name=one.label or "",
                score=one.score,
                modality=one.modality,
                picture=thumbnail(particle.image),
                profile=particle.profile,
                channels=particle.profile_channels,
                nearest=tuple((near, of[near], thumbnail(particles[near].image, 64)) for near in one.nearest),
            )
        )
    return tuple(examples)


def _of_many_classes(places: list[int], truth: list[str], count: int) -> list[int]:
    """Take one of each class, then a second, and so on."""
    turn: dict[str, int] = {}
    ordered = []
    for place in places:
        turn[truth[place]] = turn.get(truth[place], 0) + 1
        ordered.append((turn[truth[place]], place))
    return [place for _, place in sorted(ordered)[:count]]
