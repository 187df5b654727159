"""Small archives in the layouts of collections, and what the tests of the build share."""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from seston.collections import build
from seston.store import open_data_set

__all__ = ["card", "everything", "jpeg", "png", "tar_of", "zip_of"]


def jpeg(seed: int, size: tuple[int, int] = (40, 30), quality: int = 90) -> bytes:
    """A smooth picture of its own for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=quality)
    return written.getvalue()


def png(seed: int, size: tuple[int, int] = (40, 30)) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(written, "PNG")
    return written.getvalue()


def tar_of(path: Path, members: Mapping[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def zip_of(path: Path, members: Mapping[str, bytes]) -> Path:
    path.write_bytes(zip_bytes(members))
    return path


def zip_bytes(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return written.getvalue()


def card(folder: Path, name: str, *lines: str, layout: str = 'pictures = ["{label}/{file}"]') -> Path:
    """Write a card of one's own; lines after the layout are further tables."""
    path = folder / f"{name}.toml"
    text = f'name = "{name}"\ntitle = "Tows of {name}"\nlicence = "CC-BY-4.0"\nlicence_source = "a test"\n'
    path.write_text(f"{text}[layout]\n{layout}\n" + "\n".join(lines), "utf-8")
    return path


def everything(folder: Path) -> list[tuple[object, ...]]:
    """All rows, in their order, with what they hold."""
    columns = ["id", "sample_id", "source", "image", "image_hash", "image_fingerprint", "width", "height"]
    columns += ["raw_label", "time", "licence", "attribution", "flags", "scale_bar", "pixel_size_um"]
    data = open_data_set(folder)
    return [tuple(map(str, row.values())) for batch in data.particles(columns) for row in batch.to_pylist()]


if __name__ == "__main__":
    report = build([sys.argv[1]], to=sys.argv[2], from_=[sys.argv[3]])
    sys.stdout.write(f"{report.collections[0].added} {report.collections[0].already_there}\n")
