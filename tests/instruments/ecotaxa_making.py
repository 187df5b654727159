"""Small tables in EcoTaxa's layout, made in the test that reads them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from seston.instruments import Record
from seston.particle import Particle, Sample

TYPES = {"object_area": "f", "object_mean": "f", "object_lat": "f", "object_lon": "f", "img_rank": "f"}


def picture(shade: int = 0, kind: str = "png") -> bytes:
    """Encode a small picture, another one for each shade."""
    written = io.BytesIO()
    Image.fromarray(np.full((6, 8), shade % 256, np.uint8)).save(written, kind)
    return written.getvalue()


def table_text(rows: Sequence[Mapping[str, object]], *, types: bool = True, end: str = "\n") -> str:
    """Write rows with the columns of all of them."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["\t".join(columns)]
    if types:
        lines.append("\t".join(f"[{TYPES.get(name, 't')}]" for name in columns))
    lines += ["\t".join(str(row.get(name, "")) for name in columns) for row in rows]
    return "".join(line + end for line in lines)


def write_tree(
    folder: Path,
    rows: Sequence[Mapping[str, object]],
    pictures: Mapping[str, bytes] | None = None,
    *,
    name: str = "ecotaxa_made.tsv",
    types: bool = True,
) -> Path:
    """Write a table and the pictures beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(table_text(rows, types=types), encoding="utf-8", newline="")
    for member, data in (pictures or {}).items():
        (folder / member).parent.mkdir(parents=True, exist_ok=True)
        (folder / member).write_bytes(data)
    return folder


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    """Make a zip archive."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return written.getvalue()


def some_rows(n: int, **more: object) -> list[dict[str, object]]:
    """Make plain rows of one sample."""
    return [
        {"object_id": f"o{number}", "img_file_name": f"o{number}.png", "object_area": 10 + number, "sample_id": "s"}
        | more
        for number in range(n)
    ]


def samples_of(records: Sequence[Record]) -> dict[str, Sample]:
    """Give the samples by id."""
    return {record.id: record for record in records if isinstance(record, Sample)}


def list_particles(records: Sequence[Record]) -> list[Particle]:
    """Give the particles in their order."""
    return [record for record in records if isinstance(record, Particle)]
