"""Particles of files or of a data set, one after the other, with their samples and with what could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from seston.errors import InputError
from seston.particle import Annotation, Note, Particle, Sample, Skipped
from seston.particle.placing import placed

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["Reading", "open_source"]

_DATA_SET = "seston.json"


@dataclass
class Reading:
    """Particles that are being read; `samples`, `skipped` and `notes` fill up meanwhile."""

    data: DataSet | None
    paths: tuple[Path, ...]
    samples: dict[str, Sample] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    total: int | None = None
    """Particles in all, where that is known beforehand."""

    def particles(self) -> Iterator[Particle]:
        """Read; a particle's sample is in `samples` when the particle comes.

        Where a particle does not say where and when it was taken, its sample does.

        Raises
        ------
        InputError
            Where nothing at all can be read.
        """
        if self.data is not None:
            from seston.recognition.encoder import stream_particles

            particles = stream_particles(self.data)
        else:
            particles = self._from_files()
        for particle in particles:
            yield placed(particle, self.samples.get(particle.sample_id))

    def path_of(self, particle: Particle) -> str:
        """Name the file or folder that a particle came from."""
        sample = self.samples.get(particle.sample_id)
        return sample.path if sample is not None else particle.source

    def _from_files(self) -> Iterator[Particle]:
        from seston.instruments import find_sources, read

        sources, claims = find_sources(self.paths)
        unread = [claim for claim in claims if claim.reader is None]
        if not sources:
            why = f" ({unread[0].path}: {unread[0].reason})" if unread else " (there is no file)"
            raise InputError(f"{self.paths[0]}: nothing that Seston can read{why}; see  seston readers PATH --why")
        for source in sources:
            try:
                for record in read(source):
                    if isinstance(record, Particle):
                        yield record
                    elif not isinstance(record, Annotation):
                        self._note(record)
            except InputError as error:
                self.skipped.append(Skipped(str(source.path), "", str(error).removeprefix(f"{source.path}: ")))

    def _note(self, record: Sample | Skipped | Note) -> None:
        if isinstance(record, Sample):
            self.samples[record.id] = record
        elif isinstance(record, Skipped):
            self.skipped.append(record)
        else:
            self.notes.append(record)


def open_source(paths: DataSet | Path | str | Sequence[Path | str]) -> Reading:
    """Open a data set, or files and folders of instruments.

    Raises
    ------
    NotFoundError
        For a path that does not exist.
    """
    from seston.store import DataSet, open_data_set

    if isinstance(paths, DataSet):
        data: DataSet | None = paths
        listed: tuple[Path, ...] = (paths.path,)
    else:
        listed = tuple(Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths))
        data = open_data_set(listed[0]) if len(listed) == 1 and (listed[0] / _DATA_SET).is_file() else None
    if data is None:
        return Reading(None, listed)
    return Reading(data, listed, {sample.id: sample for sample in data.samples()}, total=data.count_rows())
