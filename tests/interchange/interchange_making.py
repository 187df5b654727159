"""What the tests of the interchange make: a small data set with every kind of naming, licence, place and picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image

from seston.instruments import READERS, Reader, Record, Source
from seston.instruments.source import Listing
from seston.particle import Annotation, Particle, Sample
from seston.store import DataSet, open_data_set

__all__ = ["CHANNELS", "LICENCES", "NOW", "make_data_set", "picture", "put", "records"]

CHANNELS = ("FWS", "FL Red")
LICENCES = ("CC-BY-4.0", "CC0-1.0", "CC-BY-NC-4.0", "CC-BY-SA-4.0", "unknown")
NOW = datetime(2024, 5, 17, 8, 30, 5, tzinfo=UTC)
_LABELS = ("Copepoda", "detritus", "Chaetoceros", None, "no such name at all")
_STATUSES = (None, "validated", "predicted", "dubious")


def picture(seed: int, kind: str = "jpeg", size: tuple[int, int] = (24, 16)) -> bytes:
    """An encoded picture whose bytes follow from the seed."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 1), dtype=np.uint8)
    if kind == "jpeg":
        encoded: bytes = simplejpeg.encode_jpeg(pixels, colorspace="GRAY")
        return encoded
    written = io.BytesIO()
    Image.fromarray(pixels[:, :, 0]).save(written, kind)
    return written.getvalue()


def records(number: int = 40) -> Iterator[Record]:
    """Two samples of `number` particles together; every fifth without a label, every seventh with a profile."""
    for sample in ("cast 1", "cast_2"):
        first = sample == "cast 1"
        yield Sample(
            id=sample,
            instrument="IFCB" if first else "FlowCam",
            start=NOW,
            end=NOW + timedelta(minutes=20),
            latitude=48.25,
            longitude=-4.5,
            depth_min_m=2.0,
            depth_max_m=5.0,
            volume_sampled_ml=5000.0,
            volume_analysed_ml=4.5,
            volume_imaged_ml=1.25,
        )
        for n in range(number // 2):
            seed = n + 1000 * (sample == "cast_2")
            wave = np.random.default_rng(seed).lognormal(3, 1, (2, 9)).astype(np.float32) if n % 7 == 3 else None
            yield Particle(
                id=f"{sample}/{n}",
                sample_id=sample,
                source="harbour" if first else "lake",
                image=picture(seed, "png" if n % 4 == 1 else "jpeg"),
                pixel_size_um=0.75,
                profile=wave,
                profile_channels=CHANNELS if wave is not None else (),
                listmode={"FWS Total": n + 0.5, "area": 3.0 * n},
                raw_label=_LABELS[n % 5],
                raw_status=_STATUSES[n % 4] if _LABELS[n % 5] else None,
                time=NOW + timedelta(seconds=n) if n % 2 else None,
                latitude=48.5 if n % 6 == 0 else None,
                longitude=-4.25 if n % 6 == 0 else None,
                depth_min_m=1.0 * n if n % 3 == 0 else None,
                depth_max_m=1.0 * n if n % 3 == 0 else None,
                licence=LICENCES[n % 5],
                attribution="Harbour group" if first else "Lake group",
            )


def make_data_set(folder: Path, made: Callable[[], Iterator[Record]] = records, *, annotated: bool = True) -> DataSet:
    """Import the records, and let a model and a person say something on top."""
    data = put(folder, made())
    if annotated:
        model = {"author": "model abc", "status": "predicted", "score": 0.875}
        data.annotate(
            [
                Annotation(particle_id="cast 1/3", label="Calanus", time=NOW, **model),  # type: ignore[arg-type]
                Annotation(particle_id="cast 1/1", label="Calanus", time=NOW, **model),  # type: ignore[arg-type]
                Annotation(particle_id="cast 1/0", label="Calanus", time=NOW, **model),  # type: ignore[arg-type]
                Annotation(particle_id="cast 1/8", label="Acartia", status="validated", author="someone", time=NOW),
                Annotation(particle_id="cast 1/8", label="Oithona", time=NOW + timedelta(days=1), **model),  # type: ignore[arg-type]
                Annotation(particle_id="cast_2/8", label="Acartia", status="dubious", author="someone", time=NOW),
            ]
        )
    return data


def put(folder: Path, made: Iterator[Record]) -> DataSet:
    """Import records as if a reader had read them from a file."""
    data = open_data_set(folder, create=True)
    file = folder.parent / f"{folder.name}.made"
    file.write_text("made in a test")

    def claim(listing: Listing) -> list[Source]:
        return [Source("made", path, (path,), "made in a test") for path in listing.files if path.suffix == ".made"]

    def read(_: Source) -> Iterator[Record]:
        yield from made

    READERS["made"] = Reader("made", "records made in a test", claim, read)
    try:
        report = data.import_(file, reader="made")
        assert not report.skipped, report.skipped
    finally:
        del READERS["made"]
    return data
