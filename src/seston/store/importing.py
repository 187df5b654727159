"""Import: files in, particles in the data set, each once.

The reader runs in the calling thread, pictures are decoded in as many threads as there are cores, and everything that
depends on order (what is a duplicate of what, what is committed first) is decided in the order of the source. So the
data set after a kill and a rerun is the one that an unbroken import makes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from seston.cores import core_count
from seston.errors import InputError
from seston.instruments import Claim, Source
from seston.particle import Annotation, Note, Particle, Progress, Sample, Silence, Skipped
from seston.store.annotations import Annotations
from seston.store.examine import Examined, examine
from seston.store.folder import Folder
from seston.store.judging import Judge
from seston.store.reports import ImportReport
from seston.store.schema import PARTICLES
from seston.store.source_annotations import SourceAnnotations
from seston.store.tables import Table

__all__ = ["import_into"]

_CHUNK_PARTICLES = 64
_CHUNK_BYTES = 4 * 1024 * 1024
_IN_FLIGHT_BYTES = 48 * 1024 * 1024
_UNREAD_NAMED = 20


@dataclass(slots=True)
class _Chunk:
    """Some particles that go through the threads together."""

    path: str
    particles: list[Particle] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    size: int = 0


def import_into(
    folder: Folder,
    particles: Table,
    samples: Table,
    annotations: Annotations,
    paths: Sequence[str | Path],
    *,
    reader: str | None = None,
    source: str | None = None,
    licence: str | None = None,
    attribution: str | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Read files and folders into the tables of a data set; see `DataSet.import_`."""
    from seston.instruments import find_sources

    started = time.monotonic()
    progress = progress or Silence()
    sources, claims = find_sources([Path(path) for path in paths], reader=reader)
    with folder.importing(progress):
        particles.refresh()
        samples.refresh()
        particles.adopt(PARTICLES)
        history = SourceAnnotations(annotations)
        judge = Judge(particles, samples, history=history, licence=licence, attribution=attribution)
        _report_unread(judge, sources, claims)
        progress.start("importing")
        _run(judge, _chunks(sources, judge, name=source), progress, name=source)
        report = judge.finish(time.monotonic() - started)
        progress.finish()
    return report


def _run(judge: Judge, chunks: Iterator[_Chunk], progress: Progress, *, name: str | None) -> None:
    """Send chunks through the threads and take them back in their order, a bounded number of bytes at a time."""
    threads = _threads()
    waiting: deque[tuple[_Chunk, Future[list[Examined]]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="seston-import") as pool:

        def take_first() -> None:
            chunk, future = waiting.popleft()
            source = name or Path(chunk.path).name
            judge.take(chunk.path, future.result(), source=source, annotations=chunk.annotations)
            progress.advance(len(chunk.particles))

        try:
            for chunk in chunks:
                decode = judge.needs_decoding(chunk.particles)
                waiting.append((chunk, pool.submit(_examine_all, chunk.particles, decode)))
                while len(waiting) > 3 * threads or sum(chunk.size for chunk, _ in waiting) > _IN_FLIGHT_BYTES:
                    take_first()
            while waiting:
                take_first()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _examine_all(particles: list[Particle], decode: list[bool]) -> list[Examined]:
    return [examine(particle, decode=needed) for particle, needed in zip(particles, decode, strict=True)]


def _chunks(sources: Sequence[Source], judge: Judge, *, name: str | None) -> Iterator[_Chunk]:
    from seston.instruments import read

    for source in sources:
        chunk = _Chunk(str(source.path))
        try:
            for record in read(source, name=name):
                if isinstance(record, Particle):
                    if len(chunk.particles) >= _CHUNK_PARTICLES or chunk.size >= _CHUNK_BYTES:
                        yield chunk  # with the annotations that came behind its last particle
                        chunk = _Chunk(str(source.path))
                    chunk.particles.append(record)
                    chunk.size += _size(record)
                elif isinstance(record, Annotation):
                    chunk.annotations.append(record)
                elif isinstance(record, Sample):
                    judge.take_sample(record)
                elif isinstance(record, Skipped):
                    judge.skipped.append(record)
                else:
                    judge.notes.append(record)
        except InputError as error:
            judge.skipped.append(Skipped(str(source.path), "", str(error).removeprefix(f"{source.path}: ")))
        except OSError as error:
            judge.skipped.append(Skipped(str(source.path), "", f"cannot be read: {error.strerror or error}"))
        if chunk.particles:
            yield chunk


def _size(particle: Particle) -> int:
    return len(particle.image or b"") + (0 if particle.profile is None else particle.profile.nbytes)


def _report_unread(judge: Judge, sources: Sequence[Source], claims: Sequence[Claim]) -> None:
    """Say which files no reader claims: empty ones as skipped, all if nothing can be read at all, else as notes."""
    unread = [claim for claim in claims if claim.reader is None]
    empty = [claim for claim in unread if sources and _is_empty(Path(claim.path))]
    judge.skipped.extend(Skipped(claim.path, "", "the file is empty; export it again") for claim in empty)
    unread = [claim for claim in unread if claim not in empty]
    if not sources:
        judge.skipped.extend(Skipped(claim.path, "", claim.reason) for claim in unread)
        return
    judge.notes.extend(Note(claim.path, f"not read: {claim.reason}") for claim in unread[:_UNREAD_NAMED])
    if len(unread) > _UNREAD_NAMED:
        judge.notes.append(
            Note(unread[_UNREAD_NAMED].path, f"{len(unread) - _UNREAD_NAMED:,} more files were not read")
        )


def _is_empty(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size == 0
    except OSError:
        return False


def _threads() -> int:
    return min(8, core_count())
