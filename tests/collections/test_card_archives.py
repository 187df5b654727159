"""A tiny archive in the layout of each collection is built as its card says."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from collection_layouts import LAYOUTS
from collection_making import jpeg, png, zip_bytes

from seston.collections import build, load_card
from seston.store import open_data_set


def _archive(path: Path, member: str) -> None:
    """Write an archive with one picture, in as many archives inside it as the path goes through."""
    data = png(1) if member.endswith(".png") else jpeg(1)
    parts = PurePosixPath(member).parts
    inner = max((place for place, part in enumerate(parts) if part.endswith(".zip")), default=None)
    while inner is not None:
        data = zip_bytes({"/".join(parts[inner + 1 :]): data})
        parts = parts[: inner + 1]
        inner = max((place for place, part in enumerate(parts[:-1]) if part.endswith(".zip")), default=None)
    name = "/".join(parts)
    if ".tar" in path.suffixes:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, data)


@pytest.mark.parametrize(("name", "path", "label"), [one[:3] for one in LAYOUTS], ids=[one[0] for one in LAYOUTS])
def test_a_tiny_archive_in_the_layout_of_a_card_is_built(
    name: str, path: str, label: str | None, tmp_path: Path
) -> None:
    card = load_card(name)
    folder = tmp_path / "files" / name
    folder.mkdir(parents=True)
    for file in card.files:
        if file.holds == "pictures":
            _archive(folder / file.name.replace("*", "any"), path)
            break
    for table in card.tables:
        if not table.optional:
            label = "Copepoda"
            rows = f"{table.key}\t{table.label}\n{PurePosixPath(path).stem}\t{label}\n"
            (folder / table.file).write_bytes(gzip.compress(rows.encode()))
    report = build([name], to=tmp_path / "data", from_=[str(tmp_path / "files")])
    assert report.failed == {}
    assert report.added == 1, report.collections[0].reasons
    data = open_data_set(tmp_path / "data")
    assert list(data.labels().values()) == ([label] if label else [])
    (row,) = next(iter(data.particles(["source", "licence"]))).to_pylist()
    assert row == {"source": name, "licence": card.licence}
