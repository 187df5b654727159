"""Name every particle of some files or of a data set: by a gallery, the head of a run, or the model in the box."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from seston.errors import UsageError
from seston.particle import Annotation, Particle, Progress, Sample, Silence, Skipped
from seston.recognition.box import Box, open_box
from seston.recognition.caution import Caution
from seston.recognition.choosing import gallery_model, means_box
from seston.recognition.embeddings import Embeddings
from seston.recognition.encoder import Encoder
from seston.recognition.gallery import Gallery
from seston.recognition.head_names import PRECISION
from seston.recognition.levelling import levelled
from seston.recognition.names_file import NamesWriter, read_names
from seston.recognition.naming import Identification
from seston.recognition.run_head import RunHead, open_head
from seston.recognition.source_particles import Reading, open_source

if TYPE_CHECKING:
    from seston.recognition.text_names import TextNames
    from seston.store import DataSet

__all__ = ["IdentifyResult", "identify", "made_up"]


@dataclass(frozen=True)
class IdentifyResult:
    """Names of particles, and what could not be read.

    Without a file, names are held in memory; with one they are read back from it when they are asked for.
    """

    to: Path | None
    held: tuple[Identification, ...]
    count: int
    """Particles, named or not."""
    samples: dict[str, Sample]
    skipped: list[Skipped] = field(default_factory=list)
    """Items that could not be read, and particles that could not be named, each with the reason."""
    simulated: str = ""
    """``simulated`` or ``semi-simulated`` where the particles or the gallery are."""
    notes: tuple[str, ...] = ()
    """What one has to know of the names."""
    seconds: float = 0.0

    @property
    def particles(self) -> list[Identification]:
        """All particles with their names."""
        return list(self.held) if self.to is None else list(read_names(self.to))


def identify(
    paths: DataSet | Path | str | Sequence[Path | str],
    *,
    gallery: Gallery | Path | str | None = None,
    model: Encoder | Path | str | None = None,
    texts: Sequence[str] | Path | str | None = None,
    to: Path | str | None = None,
    threshold: float | None = None,
    precision: float | None = None,
    unfamiliar: float | None = None,
    annotate: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> IdentifyResult:
    """Name particles, each by what it has: picture and profile, one of them, or listmode parameters alone.

    Parameters
    ----------
    paths
        A data set, or instrument files and folders of them.
    gallery
        From `Gallery.from_dataset` or its folder. Without one the model in the box names pictures, or the head of a
        run that learnt names: see `seston.recognition.head_names`.
    model
        With a gallery: its model, where it does not hold it (they have to be the same). Without one: a run that learnt
        names (``seston train --recipe supervised``), or, with `texts`, what reads them.
    texts
        Names of taxa to choose from, without any gallery: a list, a file with one a line, or the folder of a data set,
        whose labels are taken. `model` is then a run that was trained with texts, or a released image–text model such
        as ``bioclip``; scores are its softmax over the names, not calibrated.
    to
        A CSV, Parquet or JSON file to write the names into as they come; what is known of the samples goes beside it,
        so that `seston count` can divide by volumes.
    threshold
        Scores below it become ``unknown``. Without this and the next two everything is named.
    precision
        A share, such as 0.95: names become ``unknown`` unless their score is one from which on at least that share was
        right when the gallery's own particles were named by the others. `IdentifyResult.notes` says where no score
        promises that. It counts on particles of the gallery's labels; strangers are what `unfamiliar` is for.
    unfamiliar
        A share, such as 0.05: particles less like the gallery's labels than all but that share of its own become
        ``unknown``.
    annotate
        Add the names to the data set's annotations, as predictions; `paths` has to be a data set.
    overwrite
        Replace the file.

    Raises
    ------
    UsageError
        Where there is a model without names and no gallery, or one that the gallery was not made with.
    InputError
        Where nothing can be read.
    """
    started = time.perf_counter()
    caution = Caution(threshold, precision, unfamiliar)
    known, encoder = _known(gallery, model) if texts is None else _by_texts(texts, gallery, model, caution)
    if isinstance(known, RunHead):
        known.check(caution)
    reading = open_source(paths)
    if annotate and reading.data is None:
        raise UsageError("names are added to the annotations of a data set; these are files: import them first")
    names = _name_all(reading, known, encoder, caution, annotate, progress or Silence())
    target = None if to is None else Path(to)
    held: list[Identification] = []
    count = 0
    if target is None:
        held = [one for part in names for one in part]
        count = len(held)
    else:
        with NamesWriter(target, overwrite=overwrite) as writer:
            for part in names:
                writer.write(part)
                count += len(part)
            writer.write_samples(reading.samples)
    return IdentifyResult(
        to=target,
        held=tuple(held),
        count=count,
        samples=reading.samples,
        skipped=reading.skipped,
        simulated=made_up(known.flags, *(sample.flags for sample in reading.samples.values())),
        notes=_notes(known, caution),
        seconds=time.perf_counter() - started,
    )


_Namer = Gallery | Box | RunHead


def _known(gallery: Gallery | Path | str | None, model: Encoder | Path | str | None) -> tuple[_Namer, Encoder]:
    """Give what names, and the encoder that goes with it."""
    if gallery is None:
        namer = open_box() if model is None or means_box(model) else open_head(model)
        return namer, namer.model
    known = gallery if isinstance(gallery, Gallery) else Gallery.load(gallery)
    return known, gallery_model(known, model)


def _by_texts(
    texts: Sequence[str] | Path | str,
    gallery: Gallery | Path | str | None,
    model: Encoder | Path | str | None,
    caution: Caution,
) -> tuple[TextNames, Encoder]:
    """Give a list of names to choose from, and the encoder that goes with it."""
    from seston.recognition.open_clip_model import OpenClipModel
    from seston.recognition.text_names import names_by_texts

    if gallery is not None:
        raise UsageError("name either by a gallery or by texts")
    if caution.precision is not None or caution.unfamiliar is not None:
        raise UsageError("names by texts are not calibrated: precision and unfamiliar cannot be kept, a threshold can")
    if not isinstance(model, str | Path | OpenClipModel):
        raise UsageError("texts need a model that reads them: a run trained with texts, or a released one (bioclip)")
    known = names_by_texts(texts, model)
    return known, known.encoder


def _notes(known: _Namer | TextNames, caution: Caution) -> tuple[str, ...]:
    """Say what the names are worth, and where a promise cannot be kept."""
    if not isinstance(known, _Namer):
        return known.notes
    wanted = caution.precision
    if wanted is None and caution.threshold is None and not isinstance(known, Gallery):
        wanted = PRECISION
    if wanted is None:
        return ()
    share = f"{wanted * 100:g} %"
    unkept = [name for name, score in known.promises(wanted).items() if score is None]
    if not unkept:
        return ()
    if isinstance(known, Gallery):
        return (
            f"by {', '.join(unkept)} no score of this gallery promises that {share} of the names are right: particles "
            "that only these can name are unknown; label more particles, or ask for less",
        )
    return (
        f"at the rank of {', '.join(unkept)} no score promises that {share} of the names are right: no particle gets "
        "such a name; ask for less by --precision, or hold more particles out of a training",
    )


def _name_all(
    reading: Reading,
    gallery: _Namer | TextNames,
    encoder: Encoder,
    caution: Caution,
    annotate: bool,
    say: Progress,
) -> Iterator[list[Identification]]:
    """Name particles a few hundred at a time, as they are read, at the level of the gallery's runs."""
    say.start("naming particles", reading.total)
    unusable: list[Skipped] = []
    for part, embeddings in levelled(reading.particles(), encoder, gallery.levels, unusable):
        named = [
            replace(one, path=reading.path_of(particle), sample=particle.sample_id)
            for one, particle in zip(_name(gallery, embeddings, part, reading, caution), part, strict=True)
        ]
        reading.skipped.extend(_left_out(named, unusable))
        if annotate and reading.data is not None:
            reading.data.annotate(_predictions(named, gallery.model_id))
        yield named
        say.advance(len(part))
    say.finish()


def _left_out(named: Sequence[Identification], unusable: list[Skipped]) -> Iterator[Skipped]:
    """Say once of each particle what of it could not be used, or else why it has no name; take it from `unusable`."""
    asked = {one.id for one in named}
    reasons: dict[str, list[str]] = {}
    for found in unusable:
        reasons.setdefault(found.item, []).append(found.reason)
    unusable[:] = [found for found in unusable if found.item not in asked]
    for one in named:
        for reason in reasons.get(one.id, [one.reason] if one.label is None else []):
            yield Skipped(one.path, one.id, reason)


def _name(
    known: _Namer | TextNames, embeddings: Embeddings, part: Sequence[Particle], reading: Reading, caution: Caution
) -> list[Identification]:
    if not isinstance(known, Box):
        return known.identify(embeddings, part, **asdict(caution))
    samples = [reading.samples.get(one.sample_id) for one in part]
    instruments = [None if sample is None else sample.instrument for sample in samples]
    return known.identify(embeddings, part, **asdict(caution), instruments=instruments)


def _predictions(named: Sequence[Identification], author: str) -> list[Annotation]:
    now = datetime.now(UTC)
    return [
        Annotation(particle_id=one.id, label=one.label, status="predicted", author=author, score=one.score, time=now)
        for one in named
        if one.label is not None
    ]


def made_up(*flags: tuple[str, ...]) -> str:
    """Give the word ``simulated`` or ``semi-simulated`` where it is among flags; else nothing."""
    there = {flag for marks in flags for flag in marks}
    return next((word for word in ("simulated", "semi-simulated") if word in there), "")
