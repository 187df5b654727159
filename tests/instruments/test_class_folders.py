"""Pictures in folders of classes, plain and in archives; what is hostile, cut or beside the point."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seston.errors import InputError
from seston.instruments.class_folders import READER
from seston.instruments.source import Listing, Record
from seston.particle import Note, Particle, Sample, Skipped


def _picture(seed: int = 0, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 8), dtype=np.uint8)).save(buffer, kind)
    return buffer.getvalue()


_TREE = {
    "Acartia/1.png": _picture(1),
    "Acartia/2.jpg": _picture(2, "JPEG"),
    "Noctiluca scintillans/1.png": _picture(3),
    "diatoms/chains/a+b (c), d.png": _picture(4),
    "alone.png": _picture(5),
}


def _write(folder: Path, tree: dict[str, bytes]) -> None:
    for name, data in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _tar(path: Path, tree: dict[str, bytes], mode: str = "w", form: int = tarfile.GNU_FORMAT) -> Path:
    with tarfile.open(path, mode, format=form) as archive:  # type: ignore[call-overload]  # the mode is one of its own
        for name, data in tree.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def _zip(path: Path, tree: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in tree.items():
            archive.writestr(name, data)
    return path


def _listing(path: Path) -> Listing:
    if path.is_dir():
        return Listing(path, tuple(sorted(file for file in path.rglob("*") if file.is_file())))
    return Listing(path.parent, (path,))


def _read(path: Path) -> list[Record]:
    (source,) = READER.claim(_listing(path))
    return list(READER.read(source))


def _particles(records: list[Record]) -> list[Particle]:
    return [record for record in records if isinstance(record, Particle)]


def _skipped(records: list[Record]) -> list[Skipped]:
    return [record for record in records if isinstance(record, Skipped)]


def _notes(records: list[Record]) -> list[str]:
    return [record.text for record in records if isinstance(record, Note)]


def _labels(records: list[Record]) -> dict[str, str | None]:
    return {particle.id: particle.raw_label for particle in _particles(records)}


_EXPECTED = {
    "lake/Acartia/1": "Acartia",
    "lake/Acartia/2": "Acartia",
    "lake/Noctiluca scintillans/1": "Noctiluca scintillans",
    "lake/diatoms/chains/a+b (c), d": "diatoms/chains",
    "lake/alone": None,
}


def _make(folder: Path, form: str) -> Path:
    if form == "folder":
        _write(folder / "lake", _TREE)
        return folder / "lake"
    if form == "zip":
        return _zip(folder / "lake.zip", _TREE)
    return _tar(folder / f"lake.{form}", _TREE, "w" if form == "tar" else "w:gz")


@pytest.mark.parametrize("form", ["folder", "tar", "tar.gz", "tgz", "zip"])
def test_folders_and_archives_give_the_same_particles(tmp_path: Path, form: str) -> None:
    records = _read(_make(tmp_path, form))
    assert isinstance(records[0], Sample)
    assert records[0].id == "lake"
    assert _labels(records) == _EXPECTED
    assert {particle.id: particle.image for particle in _particles(records)} == {
        f"lake/{name.rpartition('.')[0]}": data for name, data in _TREE.items()
    }
    assert Counter(particle.image_format for particle in _particles(records)) == {"png": 4, "jpeg": 1}
    assert not _skipped(records)
    assert not _notes(records)


def test_reading_twice_gives_the_same_records(tmp_path: Path) -> None:
    for form in ("folder", "tar", "zip"):
        (tmp_path / form).mkdir()
        path = _make(tmp_path / form, form)
        assert _read(path) == _read(path)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_names_of_more_than_a_hundred_letters_are_whole(tmp_path: Path, form: int) -> None:
    name = f"{'Chaetoceros ' * 9}/{'x' * 90}.png"
    records = _read(_tar(tmp_path / "lake.tar", {"a/1.png": _picture(), name: _picture(1)}, form=form))
    assert _labels(records)[f"lake/{name[:-4]}"] == "Chaetoceros " * 9


def test_names_are_read_in_any_alphabet(tmp_path: Path) -> None:
    tree = {"珪藻/Å µ.png": _picture()}
    for path in (_tar(tmp_path / "lake.tar", tree), _zip(tmp_path / "lake.zip", tree)):
        assert _labels(_read(path)) == {"lake/珪藻/Å µ": "珪藻"}


def test_a_name_that_differs_only_in_its_ending_keeps_the_ending(tmp_path: Path) -> None:
    tree = {"a/1.png": _picture(1), "a/1.jpg": _picture(2, "JPEG"), "a/2.png": _picture(3)}
    assert set(_labels(_read(_tar(tmp_path / "lake.tar", tree)))) == {"lake/a/1", "lake/a/1.jpg", "lake/a/2"}


def test_a_second_member_of_the_same_name_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "lake.tar"
    _tar(path, {"a/1.png": _picture(1)})
    _tar(path, {"a/1.png": _picture(2), "a/3.png": _picture(3)}, "a")
    records = _read(path)
    assert [particle.image for particle in _particles(records)] == [_picture(1), _picture(3)]
    (skipped,) = _skipped(records)
    assert "same name" in skipped.reason


def test_what_is_no_picture_is_counted_in_one_note(tmp_path: Path) -> None:
    tree = {**_TREE, "README.md": b"x", "classes.csv": b"x", "Acartia/notes.csv": b"x", "Acartia/LICENSE": b"x"}
    for path in (_tar(tmp_path / "lake.tar", tree), _zip(tmp_path / "lake.zip", tree)):
        records = _read(path)
        assert _labels(records) == _EXPECTED
        assert _notes(records) == ["4 members are no pictures and were left: 2 .csv, 1 .md, 1 no ending"]


def test_what_macos_leaves_behind_is_counted_in_one_note(tmp_path: Path) -> None:
    tree = {
        **_TREE,
        "__MACOSX/Acartia/._1.png": b"x",
        "Acartia/._2.jpg": b"x",
        "Acartia/.DS_Store": b"x",
        ".hidden.png": b"x",
    }
    for path in (_tar(tmp_path / "lake.tar", tree), _zip(tmp_path / "lake.zip", tree)):
        records = _read(path)
        assert _labels(records) == _EXPECTED
        assert _notes(records) == ["4 members are dot files or what macOS leaves behind, and were left"]


def test_empty_pictures_are_given_as_they_are(tmp_path: Path) -> None:
    records = _read(_tar(tmp_path / "lake.tar", {"a/1.png": b"", "a/2.png": _picture()}))
    assert [particle.image for particle in _particles(records)] == [b"", _picture()]
    assert _particles(records)[0].image_format is None


@pytest.mark.parametrize("name", ["/etc/a.png", "../a.png", "a/../../b.png", "C:/a.png", "a/b\nc.png"])
def test_paths_that_lead_out_of_an_archive_are_skipped(tmp_path: Path, name: str) -> None:
    tree = {name: _picture(), "a/1.png": _picture(1)}
    for path in (_tar(tmp_path / "lake.tar", tree), _zip(tmp_path / "lake.zip", tree)):
        records = _read(path)
        assert set(_labels(records)) == {"lake/a/1"}
        assert len(_skipped(records)) == 1
        assert "\n" not in _skipped(records)[0].item


def test_links_and_devices_in_a_tar_are_never_followed(tmp_path: Path) -> None:
    path = tmp_path / "lake.tar"
    kinds = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
    with tarfile.open(path, "w") as archive:
        for number, kind in enumerate(kinds):
            info = tarfile.TarInfo(f"a/{number}.png")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("a/9.png")
        info.size = len(_picture())
        archive.addfile(info, io.BytesIO(_picture()))
    records = _read(path)
    assert set(_labels(records)) == {"lake/a/9"}
    assert len(_skipped(records)) == len(kinds)


def test_links_and_locked_members_in_a_zip_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "lake.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("a/1.png")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a/2.png", _picture(2))
        archive.writestr("a/3.png", _picture(3))
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"a/3.png"))
    data[place + 8] |= 1
    path.write_bytes(data)
    records = _read(path)
    assert set(_labels(records)) == {"lake/a/2"}
    reasons = " ".join(skipped.reason for skipped in _skipped(records))
    assert "link" in reasons
    assert "encrypted" in reasons


@pytest.mark.parametrize("form", ["tar", "tar.gz"])
def test_a_cut_tar_gives_what_was_whole_and_one_line(tmp_path: Path, form: str) -> None:
    noise = random.Random(0)
    tree = {f"a/{number}.png": _picture() + noise.randbytes(3000) for number in range(40)}
    whole = _tar(tmp_path / f"whole.{form}", tree, "w" if form == "tar" else "w:gz").read_bytes()
    path = tmp_path / f"lake.{form}"
    path.write_bytes(whole[: int(len(whole) * 0.6)])
    records = _read(path)
    names = [particle.id for particle in _particles(records)]
    assert names == [f"lake/a/{number}" for number in range(len(names))]
    assert 15 <= len(names) <= 30
    assert [particle.image for particle in _particles(records)] == list(tree.values())[: len(names)]
    (skipped,) = _skipped(records)
    assert "cut off" in skipped.reason
    assert f"{len(names)} pictures before were read" in skipped.reason


@pytest.mark.parametrize("streamed", [False, True])
def test_a_cut_zip_gives_what_was_whole_and_one_line(tmp_path: Path, streamed: bool) -> None:
    noise = random.Random(0)
    tree = {f"a/{number}.png": _picture() + noise.randbytes(3000) for number in range(40)}
    buffer = io.BytesIO()
    target = _Unseekable(buffer) if streamed else buffer
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in tree.items():
            archive.writestr(name, data)
    whole = buffer.getvalue()
    path = tmp_path / "lake.zip"
    path.write_bytes(whole[: int(len(whole) * 0.6)])
    records = _read(path)
    given = _particles(records)
    assert 15 <= len(given) <= 30
    assert [particle.image for particle in given] == list(tree.values())[: len(given)]
    (skipped,) = _skipped(records)
    assert "cut off" in skipped.reason


class _Unseekable(io.RawIOBase):
    """A pipe: zip then writes sizes after the data."""

    def __init__(self, target: io.BytesIO) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: object) -> int:
        return self._target.write(data)  # type: ignore[arg-type]  # bytes or a view of them


def test_a_tar_cut_between_two_members_says_so(tmp_path: Path) -> None:
    path = _tar(tmp_path / "lake.tar", {"a/1.png": _picture(), "a/2.png": _picture()})
    with tarfile.open(path) as archive:
        second = archive.getmembers()[1]
    path.write_bytes(path.read_bytes()[: second.offset])
    records = _read(path)
    assert len(_particles(records)) == 1
    assert "no end mark" in _skipped(records)[0].reason


def test_a_damaged_header_ends_a_tar_with_one_line(tmp_path: Path) -> None:
    path = _tar(tmp_path / "lake.tar", {f"a/{number}.png": _picture(number) for number in range(5)})
    with tarfile.open(path) as archive:
        third = archive.getmembers()[2]
    data = bytearray(path.read_bytes())
    data[third.offset + 130] ^= 3
    path.write_bytes(data)
    records = _read(path)
    assert len(_particles(records)) == 2
    assert "damaged after 'a/1.png'" in _skipped(records)[0].reason


def test_a_damaged_member_of_a_zip_costs_only_itself(tmp_path: Path) -> None:
    path = _zip(tmp_path / "lake.zip", {f"a/{number}.png": _picture(number) for number in range(5)}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.index(_picture(2)) + 40] ^= 255
    path.write_bytes(data)
    records = _read(path)
    assert [particle.id for particle in _particles(records)] == [f"lake/a/{number}" for number in (0, 1, 3, 4)]
    assert "damaged" in _skipped(records)[0].reason


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seston.instruments.archive_member._HARMLESS_TOTAL", 1 << 20)
    tree = {"a/1.png": _picture(), "a/zeros.bin": bytes(20 << 20), "a/2.png": _picture(2)}
    path = _tar(tmp_path / "lake.tar.gz", tree, "w:gz")
    assert path.stat().st_size < 100_000
    records = _read(path)
    assert set(_labels(records)) == {"lake/a/1"}
    assert "far more data" in _skipped(records)[0].reason


def test_members_that_are_too_large_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("tar_members", "zip_members", "class_folders"):
        monkeypatch.setattr(f"seston.instruments.{module}.LARGEST_MEMBER", 5000)
    tree = {"a/1.png": bytes(6000), "a/2.png": _picture()}
    _write(tmp_path / "lake", tree)
    for path in (_tar(tmp_path / "lake.tar", tree), _zip(tmp_path / "lake.zip", tree), tmp_path / "lake"):
        records = _read(path)
        assert set(_labels(records)) == {"lake/a/2"}
        assert "larger than" in _skipped(records)[0].reason


def test_archives_without_pictures_and_files_that_are_none_are_not_claimed(tmp_path: Path) -> None:
    _tar(tmp_path / "a.tar", {"x.csv": b"1"})
    _zip(tmp_path / "b.zip", {"x.csv": b"1"})
    (tmp_path / "c.zip").write_bytes(b"not a zip")
    (tmp_path / "d.tar").write_bytes(bytes(2000))
    (tmp_path / "e.tar.gz").write_bytes(gzip.compress(b"hello"))
    (tmp_path / "f.tar").write_bytes(b"")
    (tmp_path / "g.csv").write_bytes(b"a,b")
    assert READER.claim(_listing(tmp_path)) == []


def test_an_archive_that_is_gone_or_replaced_by_rubbish_is_an_input_error(tmp_path: Path) -> None:
    for path in (_tar(tmp_path / "lake.tar", _TREE), _zip(tmp_path / "lake.zip", _TREE)):
        (source,) = READER.claim(_listing(path))
        path.write_bytes(b"rubbish" * 200)
        with pytest.raises(InputError, match=path.name):
            list(READER.read(source))
        path.unlink()
        with pytest.raises(InputError, match=path.name):
            list(READER.read(source))


def test_a_picture_that_vanishes_from_a_folder_is_skipped(tmp_path: Path) -> None:
    _write(tmp_path / "lake", _TREE)
    (source,) = READER.claim(_listing(tmp_path / "lake"))
    (tmp_path / "lake" / "Acartia" / "1.png").unlink()
    records = list(READER.read(source))
    assert len(_particles(records)) == len(_TREE) - 1
    assert _skipped(records)[0].item == "Acartia/1.png"


def test_sources_of_one_name_do_not_share_ids(tmp_path: Path) -> None:
    _write(tmp_path, {"x/a/1.png": _picture()})
    (tmp_path / "y").mkdir()
    _tar(tmp_path / "x.tar", {"a/1.png": _picture(1)})
    _tar(tmp_path / "y" / "x.tar", {"a/1.png": _picture(2)})
    _zip(tmp_path / "x.zip", {"a/1.png": _picture(3)})
    sources = READER.claim(_listing(tmp_path))
    ids = [record.id for source in sources for record in READER.read(source) if isinstance(record, Particle)]
    assert len(sources) == 4
    assert len(ids) == len(set(ids)) == 4


def test_a_folder_and_the_archives_in_it_are_sources_of_their_own(tmp_path: Path) -> None:
    _write(tmp_path / "lake", _TREE)
    _tar(tmp_path / "lake" / "pond.tar", {"b/1.png": _picture()})
    sources = READER.claim(_listing(tmp_path / "lake"))
    assert [(source.path.name, len(source.files)) for source in sources] == [("lake", 5), ("pond.tar", 1)]


@settings(max_examples=60, deadline=None)
@given(
    keep=st.floats(0, 1),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=5),
    form=st.sampled_from(["tar", "tar.gz", "zip"]),
)
def test_damaged_archives_give_records_or_one_plain_line(
    tmp_path_factory: pytest.TempPathFactory, keep: float, changes: list[tuple[float, int]], form: str
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    tree = {f"a/{number}.png": _picture(number) for number in range(4)}
    whole = (
        _zip(folder / "x.zip", tree) if form == "zip" else _tar(folder / "x.tar", tree, "w:gz" if "gz" in form else "w")
    )
    data = bytearray(whole.read_bytes())
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    path = folder / f"lake.{form}"
    path.write_bytes(data[: int(keep * len(data))])
    for source in READER.claim(_listing(path)):
        records: list[Record] = []
        try:
            records.extend(READER.read(source))
        except InputError as error:
            records.append(Skipped(str(path), path.name, str(error)))
        lines = [record.reason for record in records if isinstance(record, Skipped)]
        assert all("\n" not in line for line in lines)


_COLLECTIONS = {
    "vliz_flowcam": (15_179, 95),
    "whoi_ifcb_gallery": (928, None),
    "isiis_ndsb2015": (3_084, 121),
    "uvp6_uvpec": (1_250, 10),
    "zooscan_ecotaxa": (400, 4),
    "lake_eawag_dspc": (350, 35),
    "lake_japan_microscope": (55, 13),
}


def test_real_collections_are_read_whole(real_data: Path) -> None:
    folder = real_data / "collections"
    sources = READER.claim(Listing(folder, tuple(sorted(path for path in folder.iterdir() if path.is_file()))))
    assert {source.path.stem for source in sources} == set(_COLLECTIONS)
    for source in sources:
        count, classes = _COLLECTIONS[source.path.stem]
        labels: Counter[str | None] = Counter()
        ids: set[str] = set()
        for record in READER.read(source):
            assert isinstance(record, Particle | Sample)
            if isinstance(record, Particle):
                labels[record.raw_label] += 1
                ids.add(record.id)
        assert labels.total() == len(ids) == count
        assert classes is None or len(labels) == classes
        assert None not in labels


def test_a_real_archive_holds_what_another_tar_reader_finds_in_it(real_data: Path) -> None:
    path = real_data / "collections" / "vliz_flowcam.tar"
    (source,) = READER.claim(Listing(path.parent, (path,)))
    records = READER.read(source)
    assert isinstance(next(records), Sample)
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile():
                particle = next(records)
                file = archive.extractfile(member)
                assert isinstance(particle, Particle)
                assert file is not None
                assert f"{particle.id.removeprefix('vliz_flowcam/')}.jpg" == member.name
                assert particle.image == file.read()
    assert next(records, None) is None
