"""WebDataset shards, read back by tarfile alone and by the datasets library."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interchange_making import make_data_set, picture, put

import seston.interchange.export_folder as export_folder
from seston.errors import UsageError
from seston.interchange import export_webdataset
from seston.particle import Particle, Sample
from seston.store import DataSet, rows_to_particles
from seston.taxonomy import resolve
from seston.taxonomy.captions import caption


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return make_data_set(tmp_path_factory.mktemp("webdataset") / "data")


def _contents(folder: Path) -> dict[str, dict[str, bytes]]:
    """Shard and key → ending → bytes."""
    found: dict[str, dict[str, bytes]] = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                key, _, ending = member.name.partition(".")
                file = tar.extractfile(member)
                assert file is not None
                found.setdefault(f"{path.stem}/{key}", {})[ending] = file.read()
    return found


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.tar"))}


def test_every_particle_is_there_with_its_bytes_as_they_were(data: DataSet, tmp_path: Path) -> None:
    report = export_webdataset(data, tmp_path / "out")
    particles = [one for batch in data.particles() for one in rows_to_particles(batch)]
    found = list(_contents(tmp_path / "out").values())
    assert report.particles == len(found) == len(particles) == 40
    for one, particle in zip(found, particles, strict=True):
        described: dict[str, Any] = json.loads(one["json"])
        assert described["id"] == particle.id
        assert one["png" if particle.image_format == "png" else "jpg"] == particle.image
        assert described["licence"] == particle.licence
        if particle.profile is not None:
            profile = np.load(io.BytesIO(one["profile.npy"]), allow_pickle=False)
            assert np.array_equal(profile, particle.profile)
            assert described["profile_channels"] == list(particle.profile_channels)


def test_the_caption_is_the_lineage_or_says_what_it_is(data: DataSet, tmp_path: Path) -> None:
    export_webdataset(data, tmp_path / "out")
    texts = {}
    for one in _contents(tmp_path / "out").values():
        described = json.loads(one["json"])
        texts[described["label"], described["status"]] = one["txt"].decode()
    assert texts["Copepoda", "unstated"].startswith("Animalia Arthropoda")
    assert texts["no such name at all", "unstated"] == caption(resolve(["no such name at all"])[0])
    assert texts["detritus", "validated"] == "detritus"
    assert texts[None, None] == ""
    assert texts["Acartia", "dubious"] == ""


def test_shards_are_no_larger_than_asked_and_the_same_each_time(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seston.interchange.webdataset._TAR_BLOCK", 60_000)  # so that shards of 1 MB hold few
    first = export_webdataset(data, tmp_path / "a", shard_mb=1)
    export_webdataset(data, tmp_path / "b", shard_mb=1)
    assert len(first.files) > 2
    assert all((tmp_path / "a" / name).stat().st_size <= 1_000_000 for name in first.files)
    assert _hashes(tmp_path / "a") == _hashes(tmp_path / "b")


def test_an_export_that_was_broken_off_goes_on_to_the_same_bytes(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seston.interchange.webdataset._TAR_BLOCK", 60_000)
    whole = export_webdataset(data, tmp_path / "whole", shard_mb=1)
    finish = export_folder.ExportFolder.finish_shard
    calls = iter(range(100))

    def die(self: export_folder.ExportFolder, *arguments: Any, **named: Any) -> None:
        if next(calls) == 2:
            raise KeyboardInterrupt
        finish(self, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(export_folder.ExportFolder, "finish_shard", die)
        with pytest.raises(KeyboardInterrupt):
            export_webdataset(data, tmp_path / "broken", shard_mb=1)
    report = export_webdataset(data, tmp_path / "broken", shard_mb=1)
    assert report.resumed
    assert _hashes(tmp_path / "broken") == _hashes(tmp_path / "whole")
    assert (report.particles, report.licences, report.statuses) == (40, whole.licences, whole.statuses)
    assert not list((tmp_path / "broken").glob("*.half"))


def test_the_parts_of_a_split_have_shards_of_their_own(data: DataSet, tmp_path: Path) -> None:
    split = data.split("pictures", by="image", folds=4, overwrite=True)
    report = export_webdataset(data, tmp_path / "out", split="pictures", fold=1)
    found: dict[str, set[str]] = {}
    for name, one in _contents(tmp_path / "out").items():
        found.setdefault(name.partition("-")[0], set()).add(json.loads(one["json"])["id"])
    assert found == {part: set(split.ids_of(1, part)) for part in ("train", "validation", "test")}
    assert report.particles == 40


def test_nothing_is_overwritten_unless_asked(data: DataSet, tmp_path: Path) -> None:
    export_webdataset(data, tmp_path / "out")
    with pytest.raises(UsageError, match="--overwrite"):
        export_webdataset(data, tmp_path / "out")
    report = export_webdataset(data, tmp_path / "out", licence="attribution", overwrite=True)
    assert report.particles == 16
    assert report.left_out == {"licence CC-BY-NC-4.0": 8, "licence CC-BY-SA-4.0": 8, "licence unknown": 8}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="other files"):
        export_webdataset(data, tmp_path / "mine", overwrite=True)


def test_captions_can_be_sentences(data: DataSet, tmp_path: Path) -> None:
    export_webdataset(data, tmp_path / "out", template="photo")
    texts = [one["txt"].decode() for one in _contents(tmp_path / "out").values()]
    assert any(text.startswith("a photo of ") for text in texts)
    with pytest.raises(UsageError, match="did you mean 'photo'"):
        export_webdataset(data, tmp_path / "no", template="foto")


def test_an_export_of_nothing_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    data = put(tmp_path / "data", iter([Sample(id="s"), Particle(id="s/1", sample_id="s", image=picture(1))]))
    with pytest.raises(UsageError, match="1: licence unknown"):
        export_webdataset(data, tmp_path / "out", licence="commercial")
    assert not (tmp_path / "out").exists()


def test_an_export_is_not_gone_on_with_where_labels_mean_something_else(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: export_folder.ExportFolder) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(export_folder.ExportFolder, "complete", die)
        with pytest.raises(KeyboardInterrupt):
            export_webdataset(data, tmp_path / "out")
    table = data.path / "taxonomy.tsv"
    table.write_text("raw_label\tname\nno such name at all\tCalanus\n")
    try:
        with pytest.raises(UsageError, match="--overwrite"):
            export_webdataset(data, tmp_path / "out")
    finally:
        table.unlink()
    assert export_webdataset(data, tmp_path / "out").resumed
