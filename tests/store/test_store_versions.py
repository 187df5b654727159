from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from store_making import particle, picture, profile, put, put_into, table_of

from seston.errors import NotFoundError, UsageError
from seston.instruments import Record
from seston.particle import Annotation, Sample
from seston.store import DataSet, open_data_set


def _name(data: DataSet, label: str) -> None:
    data.annotate(Annotation(particle_id="a/1", label=label, status="validated", author="anna", time=datetime.now(UTC)))


def test_a_tag_keeps_particles_samples_and_labels_as_they_were(tmp_path: Path) -> None:
    put(tmp_path / "d", [Sample(id="a"), particle(1, image=picture(1))])
    data = open_data_set(tmp_path / "d")
    _name(data, "before")
    data.tag("paper")
    put_into(data, [Sample(id="b"), particle(2, sample="b", image=picture(2))])
    _name(data, "after")
    data.compact()
    old = open_data_set(tmp_path / "d").checkout("paper")
    assert (old.ids(), [sample.id for sample in old.samples()], old.labels()) == (["a/1"], ["a"], {"a/1": "before"})
    assert data.labels() == {"a/1": "after"}
    assert data.info().tags.keys() == {"paper"}


def test_an_older_version_can_be_read_and_not_written(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, image=picture(1))])
    data = open_data_set(tmp_path / "d")
    first = data.version
    put_into(data, [particle(2, image=picture(2))])
    assert [version.number for version in data.versions()][-1] == data.version
    old = data.checkout(first)
    assert old.ids() == ["a/1"]
    with pytest.raises(UsageError, match="only be read"):
        old.import_(tmp_path)
    with pytest.raises(UsageError, match="only be read"):
        old.split("s")


def test_a_version_or_tag_that_is_not_there_is_refused(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    for version in (99, "paper"):
        with pytest.raises(NotFoundError, match="no version or tag"):
            data.checkout(version)


def test_a_tag_is_never_moved(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    data.tag("one")
    with pytest.raises(UsageError, match="already"):
        data.tag("one")


def test_compacting_keeps_every_particle_and_frees_old_versions(tmp_path: Path) -> None:
    for n in range(12):
        put(tmp_path / "d", [particle(n, image=picture(n, 200, 200))])
    put(tmp_path / "d", [particle(n, wave=profile(n)) for n in range(12)])
    before, data = table_of(tmp_path / "d"), open_data_set(tmp_path / "d")
    ids, size = data.ids(), data.info().bytes
    data.compact()
    assert table_of(tmp_path / "d") == before
    assert data.ids() == ids
    assert data.info().bytes < 0.7 * size
    assert len(list((tmp_path / "d" / "particles.lance" / "data").iterdir())) == 1


def test_info_counts_what_is_there(tmp_path: Path) -> None:
    records: list[Record] = [
        Sample(id="a", instrument="CytoSense", licence="CC-BY-4.0"),
        particle(1, image=picture(1), wave=profile(1), label="x"),
        particle(2, image=picture(1), label="x"),
        particle(3, wave=profile(3), label="y"),
        Sample(id="b", flags=("simulated",)),
        particle(1, sample="b", listmode={"FWS Total": 1.0}),
    ]
    put(tmp_path / "d", records)
    info = open_data_set(tmp_path / "d").info()
    assert (info.particles, info.images, info.profiles, info.pairs, info.listmode, info.samples) == (4, 2, 2, 1, 1, 2)
    assert info.labels == {"x": 2, "y": 1}
    assert info.instruments == {"CytoSense": 3, "unknown": 1}
    assert info.licences == {"CC-BY-4.0": 3, "unknown": 1}
    assert (info.simulated, info.semi_simulated, info.duplicates) == (1, 0, 1)
    files = [file for file in (tmp_path / "d").rglob("*") if file.is_file() and file.name != "info.json"]
    assert info.bytes == sum(file.stat().st_size for file in files)


def test_an_empty_data_set_answers_everything(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    info = data.info()
    assert (info.particles, info.labels, info.samples, data.ids(), data.labels()) == (0, {}, 0, [], {})
    assert list(data.particles()) == []
