"""The particles of a data set on their way out: each with its sample and the name that holds, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from seston.interchange.licences import LicenceChoice, is_let_out
from seston.particle import Annotation, Particle, Sample
from seston.store import DataSet, Standing, outranks_source, rows_to_particles

__all__ = ["Naming", "NamingStatus", "Outgoing", "naming_of", "outgoing"]

NamingStatus = Literal["validated", "predicted", "dubious", "discarded", "unstated"]
"""Who stands behind a name; ``unstated``: a source's own label, of which it does not say so."""

_LIGHT = (
    "id", "sample_id", "source", "image_format", "width", "height", "pixel_size_um", "raw_label", "raw_status", "time",
    "latitude", "longitude", "depth_min_m", "depth_max_m", "licence", "attribution", "flags",
)  # fmt: skip
_HEAVY = (
    "image", "profile", "profile_channels", "profile_length", "profile_spacing_um", "listmode", "listmode_names",
)  # fmt: skip
_BATCH = 256
_STATUS_OF_SOURCE: dict[str, NamingStatus] = {
    "v": "validated",
    "validated": "validated",
    "p": "predicted",
    "predicted": "predicted",
    "d": "dubious",
    "dubious": "dubious",
    "x": "discarded",
    "discarded": "discarded",
}


@dataclass(frozen=True, slots=True)
class Naming:
    """The name that holds for a particle, and who gave it."""

    label: str
    status: NamingStatus
    author: str = ""
    """A person or a model; empty for a source's own label."""
    score: float | None = None
    time: datetime | None = None

    @property
    def is_trusted(self) -> bool:
        """Whether the name says what the particle is, and not what it is not or may not be."""
        return self.status not in ("dubious", "discarded")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One particle on its way out."""

    position: int
    """Its place among the particles that were asked for."""
    particle: Particle
    sample: Sample
    naming: Naming | None
    left_out: str = ""
    """Why it stays here; empty where it goes out."""


def outgoing(
    data: DataSet,
    standing: Standing,
    *,
    ids: Sequence[str] | None = None,
    start: int = 0,
    licence: LicenceChoice = "any",
    heavy: bool = True,
) -> Iterator[Outgoing]:
    """Stream particles with what is known of them.

    Parameters
    ----------
    standing
        The annotations of the data set.
    ids
        Some particles, in this order; all in the order of the data set if not given.
    start
        Begin at this place among them.
    licence
        Others are given with the reason why they stay here, so that they are counted.
    heavy
        With pictures, profiles and listmode.
    """
    columns = [*_LIGHT, *(_HEAVY if heavy else ())]
    samples = {sample.id: sample for sample in data.samples()}
    if ids is None:
        batches = data.particles(columns, batch_size=_BATCH, start=start)
    else:
        batches = data.particles(columns, ids=ids[start:], batch_size=_BATCH)
    position = start
    for batch in batches:
        particles = rows_to_particles(batch)
        said = standing.of([particle.id for particle in particles])
        for particle, annotation in zip(particles, said, strict=True):
            sample = samples.get(particle.sample_id) or Sample(id=particle.sample_id)
            reason = "" if is_let_out(particle.licence, licence) else f"licence {particle.licence}"
            yield Outgoing(position, particle, sample, naming_of(particle, annotation), reason)
            position += 1


def naming_of(particle: Particle, annotation: Annotation | None) -> Naming | None:
    """Give the name that holds: a person's word before the source's, that before a prediction.

    Parameters
    ----------
    annotation
        The annotation that counts for this particle, where it has one.
    """
    if annotation is not None and outranks_source(annotation, particle.raw_label, particle.raw_status):
        return Naming(annotation.label, annotation.status, annotation.author, annotation.score, annotation.time)
    if not particle.raw_label:
        return None
    status = _STATUS_OF_SOURCE.get((particle.raw_status or "").strip().lower(), "unstated")
    return Naming(particle.raw_label, status)
