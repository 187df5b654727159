"""Programs that the tests of the store start, and kill: ``python store_killing.py WHAT FOLDER [NUMBER]``."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from store_making import particle, picture, profile, put

from seston.errors import SestonError
from seston.particle import Annotation, Particle
from seston.store import open_data_set

__all__ = ["many_particles"]

PARTICLES = 3000


def many_particles() -> Iterator[Particle]:
    """Pictures, of which each hundredth is that of its neighbour; then the profiles of some of them, in pairs."""
    for n in range(PARTICLES):
        yield particle(n, image=picture(n - (n % 100 == 7)), label=f"class {n % 7}")
    for n in range(0, PARTICLES, 3):
        yield particle(n, wave=profile(n // 6), listmode={"FWS Total": float(n)})


def do_import(folder: Path) -> None:
    report = put(folder, many_particles())
    sys.stdout.write(f"{report.added} {report.already_there} {report.decoded} {len(report.skipped)}\n")


def do_annotate(folder: Path, count: int, author: str) -> None:
    data = open_data_set(folder)
    for n in range(count):
        said = Annotation(
            particle_id=f"a/{n % 5}", label=f"label {n}", status="validated", author=author, time=datetime.now(UTC)
        )
        data.annotate(said)
        sys.stdout.write(f"{n}\n")
        sys.stdout.flush()


def do_import_on_full_disk(folder: Path, limit: int) -> None:
    """Import where no file can grow over a limit, as on a full disk."""
    open_data_set(folder, create=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        put(folder, many_particles())
    except SestonError as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")


if __name__ == "__main__":
    what, where = sys.argv[1], Path(sys.argv[2])
    if what == "import":
        do_import(where)
    elif what == "annotate":
        do_annotate(where, int(sys.argv[3]), sys.argv[4])
    elif what == "full-disk":
        do_import_on_full_disk(where, int(sys.argv[3]))
