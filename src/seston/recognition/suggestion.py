"""Suggest which particles to label next: those whose labels would help a gallery most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seston.errors import UsageError
from seston.particle import Progress, Silence
from seston.recognition.asking import Asked, Known, ask
from seston.recognition.choosing import CLASSICAL, choose_model, gallery_model
from seston.recognition.classifiers import DEFAULT_CLASSIFIER
from seston.recognition.embeddings import Embeddings, join
from seston.recognition.encoder import Encoder, embed, embed_particles, stream_particles
from seston.recognition.gallery import Gallery
from seston.recognition.levelling import samples_of
from seston.recognition.run_levels import learn_levels
from seston.recognition.unlabelled import Unlabelled, look_for_unlabelled
from seston.recognition.views import fit_spaces, views_of

if TYPE_CHECKING:
    from seston.models.spaces import Space
    from seston.store import DataSet

__all__ = ["KINDS", "SuggestResult", "Suggestion", "suggest"]

KINDS = {
    "new": "Perhaps new: clusters far from anything that has a label",
    "uncertain": "Uncertain between two labels",
    "few": "Labels with few particles so far",
    "edge": "Far from what is labelled",
}
"""Why a particle is suggested, in the order in which they are listed."""

_MOST_CANDIDATES = 50_000
_MOST_LABELLED = 5_000
_NEW, _NEW_MARGIN = 1.5, 0.7
"""So many times farther from any label than from its neighbours, and named with less of a margin: more often of a class
without labels than others (4 in 10 against 1 in 6, on simulated sets)."""
_UNCERTAIN = 0.5
_FEW = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A particle whose label would help."""

    id: str
    label: str = ""
    """To be filled in."""
    suggested: str | None = None
    """The likeliest label so far; None while fewer than two labels are known."""
    score: float | None = None
    """Probability of it, by the labels so far; not calibrated."""
    why: str
    """In words, for instance *uncertain between A and B*."""
    kind: str
    """Which of `KINDS`."""
    sample: str
    path: str = ""
    """File or folder that the particle came from."""


@dataclass(frozen=True)
class SuggestResult:
    """Particles to label next, the most helpful first within each kind, and what was looked at."""

    particles: tuple[Suggestion, ...]
    candidates: int
    """Unlabelled particles that were compared."""
    labels: Mapping[str, int]
    """Label → particles that have it."""
    notes: tuple[str, ...] = ()
    simulated: str = ""
    """``simulated`` or ``semi-simulated`` where particles are."""
    to: Path | None = None
    sheet: Path | None = None
    """The contact sheet beside the table."""


def suggest(
    data: DataSet | Path | str,
    *,
    gallery: Gallery | Path | str | None = None,
    model: Encoder | Path | str | None = None,
    n: int = 50,
    to: Path | str | None = None,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> SuggestResult:
    """Suggest the unlabelled particles of a data set whose labels would help most.

    How they are chosen, see `seston.recognition.asking.ask`. What counts as labelled is the gallery and what people and
    sources said about the data set's own particles since; neither is needed. Never suggested are labelled particles,
    those that a person could not name (``dubious``), and those that show the same as another.

    Parameters
    ----------
    data
        The data set, or its folder.
    gallery
        Compare by this gallery's model and space, and by its rule.
    model
        Where there is no gallery: an encoder, the folder of a run, or ``classical`` (which it is if not given).
    n
        How many.
    to
        A CSV file to write: one row a particle, with an empty column ``label`` to fill in, which ``seston annotate``
        takes back; beside it, as ``.html``, a contact sheet with the pictures and profiles.
    seed
        Of more than 50,000 unlabelled particles so many are drawn; the same seed draws the same.
    overwrite
        Replace the files.

    Raises
    ------
    UsageError
        Where `n` is below 1, or the files are there already.
    """
    from seston.recognition.suggestion_files import check_target, write_suggestions
    from seston.store import DataSet, open_data_set

    if n < 1:
        raise UsageError(f"n is {n}: ask for 1 or more particles")
    target = None if to is None else check_target(Path(to), overwrite=overwrite)
    opened = data if isinstance(data, DataSet) else open_data_set(data)
    known_gallery = Gallery.load(gallery) if isinstance(gallery, Path | str) else gallery
    encoder = choose_model(opened, model or CLASSICAL) if known_gallery is None else gallery_model(known_gallery, model)
    say = progress or Silence()
    found = look_for_unlabelled(
        opened, () if known_gallery is None else known_gallery.embeddings.ids, most=_MOST_CANDIDATES, seed=seed
    )
    result = _choose(opened, found, known_gallery, encoder, n, say)
    return result if target is None else write_suggestions(opened, result, target)


def _choose(
    data: DataSet, found: Unlabelled, gallery: Gallery | None, encoder: Encoder, n: int, say: Progress
) -> SuggestResult:
    labels = found.labels if gallery is None else _labels_of(gallery) | found.labels
    counts = Counter(labels.values())
    asked: list[Asked] = []
    candidates = None
    if found.candidates:
        candidates, labelled, spaces = _vectors(data, found, labels, gallery, encoder, say)
        place = {label: number for number, label in enumerate(sorted(counts))}
        known = Known(
            views=views_of(labelled, spaces),
            numbers=np.array([place[labels[name]] for name in labelled.ids], np.int64),
            class_names=sorted(counts),
            classifier=DEFAULT_CLASSIFIER if gallery is None else gallery.card.classifier,
        )
        say.start("comparing particles")
        asked = ask(views_of(candidates, spaces), len(candidates), known, n)
        say.finish()
    return SuggestResult(
        particles=_in_words(data, found, asked, counts),
        candidates=len(found.candidates),
        labels=dict(sorted(counts.items())),
        notes=tuple(_notes(found, candidates, len(asked), n, gallery)),
        simulated=found.simulated,
    )


def _labels_of(gallery: Gallery) -> dict[str, str]:
    return dict(zip(gallery.embeddings.ids, gallery.labels, strict=True))


def _vectors(
    data: DataSet,
    found: Unlabelled,
    labels: Mapping[str, str],
    gallery: Gallery | None,
    encoder: Encoder,
    say: Progress,
) -> tuple[Embeddings, Embeddings, Mapping[str, Space]]:
    """Give the vectors of candidates and labelled particles, at the level of one run, and the spaces to compare in."""
    shown = _some_of_each(labels, _MOST_LABELLED)
    own = [name for name in shown if name in found.labels]
    vectors = _embed(data, encoder, [*found.candidates, *own], say)
    samples = samples_of(data, vectors.ids)
    if gallery is not None:
        vectors = gallery.level(vectors, samples)
        others = gallery.embeddings.of([name for name in shown if name not in found.labels])
        return vectors.of(found.candidates), join([vectors.of(own), others]), gallery.spaces
    levels = learn_levels(vectors, samples)
    vectors = vectors if levels is None else levels.correct(vectors, samples)
    return vectors.of(found.candidates), vectors.of(own), fit_spaces(vectors)


def _some_of_each(labels: Mapping[str, str], most: int) -> list[str]:
    """Take at most so many labelled particles, of each label a first one, then a second, and so on."""
    if len(labels) <= most:
        return list(labels)
    names = np.random.default_rng(0).permutation(np.array(list(labels), dtype=object)).tolist()
    turn: Counter[str] = Counter()
    turns = []
    for name in names:
        turn[labels[name]] += 1
        turns.append(turn[labels[name]])
    return [names[place] for place in np.argsort(turns, kind="stable")[:most].tolist()]


def _embed(data: DataSet, encoder: Encoder, ids: Sequence[str], say: Progress) -> Embeddings:
    """Embed the particles that are asked for; a data set of moderate size is embedded whole, and keeps the vectors."""
    if data.count_rows() <= _MOST_CANDIDATES + _MOST_LABELLED:
        return embed(data, encoder, progress=say).of(ids)
    return embed_particles(encoder, stream_particles(data, ids), say, total=len(ids)).of(ids)


def _in_words(
    data: DataSet, found: Unlabelled, asked: Sequence[Asked], counts: Mapping[str, int]
) -> tuple[Suggestion, ...]:
    """Say which particle each is and why it is suggested; those of one kind stand together."""
    class_names, samples = sorted(counts), {sample.id: sample for sample in data.samples()}
    rows: dict[str, tuple[str, str | None]] = {}
    for batch in data.particles(["id", "sample_id", "source"], ids=[found.candidates[one.row] for one in asked]):
        rows |= {name: (sample, source) for name, sample, source in zip(*batch.to_pydict().values(), strict=True)}
    suggestions = []
    for one in asked:
        name = found.candidates[one.row]
        sample, source = rows[name]
        names = [class_names[number] for number in one.names]
        kind, why = _why(one, names, counts, round(one.stands_for * found.left / len(found.candidates)))
        suggestions.append(
            Suggestion(
                id=name,
                suggested=names[0] if names else None,
                score=one.score,
                why=why,
                kind=kind,
                sample=sample,
                path=samples[sample].path if sample in samples else source or "",
            )
        )
    order = list(KINDS)
    return tuple(sorted(suggestions, key=lambda one: order.index(one.kind)))


def _why(one: Asked, names: Sequence[str], counts: Mapping[str, int], stands_for: int) -> tuple[str, str]:
    about = stands_for if stands_for < 20 else round(stands_for, -1)
    if not counts:
        return "new", f"typical of a cluster of about {about:,} particles"
    far = 1 - one.like >= _NEW * (1 - one.density)
    if far and (one.margin is None or one.margin < _NEW_MARGIN):
        return "new", f"perhaps a new cluster, of about {about:,} particles"
    if one.margin is not None and one.margin < _UNCERTAIN:
        return "uncertain", f"uncertain between {names[0]} and {names[1]}"
    if names and counts[names[0]] < _FEW:
        so_far = "1 label" if counts[names[0]] == 1 else f"{counts[names[0]]} labels"
        return "few", f"may be {names[0]}, which has only {so_far} so far"
    like = f"may be {names[0]}, but lies far from" if names else "lies far from"
    return "edge", f"{like} what is labelled; stands for about {about:,} particles"


def _notes(
    found: Unlabelled, candidates: Embeddings | None, given: int, n: int, gallery: Gallery | None
) -> Iterator[str]:
    if found.left > len(found.candidates):
        yield f"of {found.left:,} unlabelled particles {len(found.candidates):,} were drawn at random and compared"
    bare = 0 if candidates is None else int((~(candidates.has_image | candidates.has_profile)).sum())
    if bare:
        yield f"{bare:,} unlabelled particles have no picture and no profile that this model can compare"
    if found.repeats:
        yield f"{found.repeats:,} unlabelled particles show exactly what another shows: one at most is asked about"
    if found.doubted:
        yield f"{found.doubted:,} particles that a person could not name (dubious) are not asked about again"
    later = 0 if gallery is None else len(set(found.labels) - set(gallery.embeddings.ids))
    if later:
        yield f"{later:,} labelled particles of the data set are not in the gallery; here they count too"
    if not found.candidates:
        yield "every particle has a label, repeats one that has, or could not be named: nothing is left to ask"
    elif given < n:
        yield f"{given:,} particles instead of {n:,}: no other can be compared and shows something else"
