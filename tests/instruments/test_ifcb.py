"""IFCB bins made here: pixels, numbers, stitching, volumes, labels, archives, and what is damaged."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ifcb_making import NEW_BIN, OLD_BIN, Box, new_adc, old_adc, pixels_of, some_boxes, write_new, write_old
from numpy.typing import NDArray
from scipy.io import savemat

from seston.errors import InputError
from seston.instruments import Record, decode_image, find_sources, read
from seston.instruments.ifcb_adc import parse_adc
from seston.instruments.ifcb_header import parse_header
from seston.instruments.ifcb_labels import read_labels_of_bin
from seston.instruments.ifcb_manual import read_manual_labels
from seston.instruments.ifcb_names import bin_file, parse_bin_name
from seston.instruments.ifcb_volume import analysed_volume
from seston.instruments.matlab_file import read_matlab_file
from seston.particle import Note, Particle, Sample, Skipped


def _read(path: Path) -> list[Record]:
    sources, _ = find_sources([path])
    records: list[Record] = []
    for source in sources:
        assert source.reader == "ifcb"
        try:
            records.extend(read(source))
        except InputError as error:
            records.append(Skipped(str(source.path), "", str(error)))
    return records


def _particles(records: list[Record]) -> dict[str, Particle]:
    return {record.id: record for record in records if isinstance(record, Particle)}


def _sample(records: list[Record]) -> Sample:
    return next(record for record in records if isinstance(record, Sample))


def _reasons(records: list[Record]) -> list[str]:
    return [f"{record.item}: {record.reason}" for record in records if isinstance(record, Skipped)]


def _pixels(particle: Particle) -> NDArray[np.uint8]:
    assert particle.image is not None
    return decode_image(particle.image)


def test_every_line_is_a_particle_and_every_picture_has_its_pixels(tmp_path: Path) -> None:
    boxes = some_boxes(20)
    write_new(tmp_path, boxes)
    found = _particles(_read(tmp_path))
    assert list(found) == [f"{NEW_BIN}/{number:05d}" for number in range(1, 21)]
    for particle, box, pixels in zip(found.values(), boxes, pixels_of(boxes), strict=True):
        if box.width:
            assert np.array_equal(_pixels(particle), pixels)
        else:
            assert particle.image is None
        assert particle.listmode["trigger"] == box.trigger
        assert particle.listmode["PMT B peak"] == 1.2
        assert "time of flight" not in particle.listmode  # -999: none


def test_a_line_s_time_is_that_of_the_bin_and_its_seconds(tmp_path: Path) -> None:
    write_new(tmp_path, some_boxes(3))
    times = [particle.time for particle in _particles(_read(tmp_path)).values()]
    start = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert times == [start + timedelta(seconds=seconds) for seconds in (1.5, 3.0, 4.5)]


def test_the_same_bin_gives_the_same_bytes_again(tmp_path: Path) -> None:
    write_new(tmp_path, some_boxes(9))
    once, again = (_particles(_read(tmp_path)) for _ in range(2))
    assert {name: one.image for name, one in once.items()} == {name: one.image for name, one in again.items()}


def _laid_together_slowly(
    one: Box, first: NDArray[np.uint8], other: Box, second: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Stitch by asking each pixel of the union which box covers it."""
    left, top = min(one.x, other.x), min(one.y, other.y)
    right = max(one.x + one.width, other.x + other.width)
    bottom = max(one.y + one.height, other.y + other.height)
    grid: dict[tuple[int, int], int | None] = {}
    for y in range(top, bottom):
        for x in range(left, right):
            grid[y, x] = None
            if one.x <= x < one.x + one.width and one.y <= y < one.y + one.height:
                grid[y, x] = int(first[y - one.y, x - one.x])
            if other.x <= x < other.x + other.width and other.y <= y < other.y + other.height:
                grid[y, x] = int(second[y - other.y, x - other.x])
    border = []
    for (y, x), value in grid.items():
        around = [grid.get(place, 0) for place in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))]
        if value is not None and None in around:
            border.append(value)
    fill = round(sum(border) / len(border)) if border else 0
    rows = [[fill if (value := grid[y, x]) is None else value for x in range(left, right)] for y in range(top, bottom)]
    return np.array(rows, np.uint8)


@settings(max_examples=25, deadline=None)
@given(dx=st.integers(-25, 25), dy=st.integers(-20, 20), trigger=st.sampled_from([2, 3]))
def test_old_halves_of_one_trigger_become_one_picture(
    tmp_path_factory: pytest.TempPathFactory, dx: int, dy: int, trigger: int
) -> None:
    one, other = Box(2, 100, 200, 20, 15), Box(trigger, 100 + dx, 200 + dy, 24, 12)
    boxes = [Box(1, 5, 5, 6, 4), one, other, Box(9, 300, 300, 5, 5)]
    folder = tmp_path_factory.mktemp("old")
    write_old(folder, boxes)
    found = _particles(_read(folder))
    _, first, second, _ = pixels_of(boxes)
    overlaps = -24 + 2 < dx < 20 - 2 and -12 + 2 < dy < 15 - 2
    if overlaps and trigger == 2:
        assert [name[-5:] for name in found] == ["00001", "00002", "00004"]
        assert np.array_equal(_pixels(found[f"{OLD_BIN}/00002"]), _laid_together_slowly(one, first, other, second))
    else:
        assert [name[-5:] for name in found] == ["00001", "00002", "00003", "00004"]
        assert np.array_equal(_pixels(found[f"{OLD_BIN}/00003"]), second)


def test_new_bins_are_never_stitched(tmp_path: Path) -> None:
    write_new(tmp_path, [Box(1, 0, 0, 20, 20), Box(1, 5, 5, 20, 20)])
    records = _read(tmp_path)
    assert len(_particles(records)) == 2
    assert (_sample(records).n_counted, _sample(records).n_recorded, _sample(records).n_imaged) == (1, 2, 2)


def test_an_empty_trigger_between_halves_keeps_them_apart(tmp_path: Path) -> None:
    write_old(tmp_path, [Box(1, 0, 0, 20, 20), Box(1, 0, 0, 0, 0), Box(1, 5, 5, 20, 20)])
    assert len(_particles(_read(tmp_path))) == 3


def test_the_sample_says_when_where_and_how_much(tmp_path: Path) -> None:
    write_new(tmp_path, some_boxes(5))
    sample = _sample(_read(tmp_path))
    assert (sample.instrument, sample.serial_number) == ("IFCB", "123")
    assert sample.start == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert sample.settings["SoftwareVersion"] == "2.0.0.0"
    assert "DataFilePath" not in sample.settings
    assert set(sample.provenance) >= {"start", "volume_analysed_ml", "n_counted", "n_recorded", "n_imaged"}


@pytest.mark.parametrize(
    ("run", "inhibit", "ml"),
    [
        (7.52, 0.32, 0.25 * (7.52 - 0.32) / 60),  # header and .adc agree: the header counts
        (7.60, 0.32, 0.25 * (7.60 - 0.32) / 60),  # within 2 %: the header still counts
        (9.00, 0.32, 0.25 * (7.52 - 0.32) / 60),  # off: the .adc's run time, the header's inhibit time
        (7.52, 0.50, 0.25 * (7.52 - 0.32) / 60),
    ],
)
def test_header_and_adc_are_weighed_against_each_other(run: float, inhibit: float, ml: float) -> None:
    name = parse_bin_name(NEW_BIN)
    assert name is not None
    adc = parse_adc(new_adc(some_boxes(5)).encode(), old_style=False)
    volume = analysed_volume(name, parse_header(f"runTime: {run}\ninhibitTime: {inhibit}\n".encode()), adc)
    assert volume.ml == pytest.approx(ml)


def test_a_slip_of_the_inhibit_time_is_replaced_by_the_usual_step() -> None:
    name = parse_bin_name(NEW_BIN)
    assert name is not None
    lines = new_adc(some_boxes(9)).splitlines()
    lines[-1] = lines[-1].rpartition(",")[0] + ",400"  # 0.56 → 400 s
    adc = parse_adc("\n".join(lines).encode(), old_style=False)
    volume = analysed_volume(name, parse_header(b""), adc)
    assert volume.ml == pytest.approx(0.25 * (13.52 - 0.64) / 60)


@pytest.mark.parametrize("instrument", ["IFCB008", "IFCB005"])
def test_where_the_rule_does_not_hold_no_volume_is_given(tmp_path: Path, instrument: str) -> None:
    write_new(tmp_path, some_boxes(5), name=f"D20200102T030405_{instrument}")
    records = _read(tmp_path)
    assert _sample(records).volume_analysed_ml is None
    assert any("does not hold" in record.text for record in records if isinstance(record, Note))


def test_old_volume_counts_what_processing_left(tmp_path: Path) -> None:
    boxes = [Box(trigger, 0, 0, 4, 4) for trigger in (1, 2, 2, 3)]
    write_old(tmp_path, boxes)
    # triggers open at 0, 0.5, 1.5 and grab 0.2 later; processing: 0.073, 0.3, 0.8
    assert _sample(_read(tmp_path)).volume_analysed_ml == pytest.approx(5 / 48000 * 40 * (1.7 - 0.073 - 0.3 - 0.8))


def test_labels_beside_a_bin_are_the_particles_(tmp_path: Path) -> None:
    write_new(tmp_path / "raw", some_boxes(6))
    table = f'"file_name","class_name","score"\n"{NEW_BIN}_00002.png","Ciliophora",0.9\n"{NEW_BIN}_00077.png","x",1\n'
    (tmp_path / f"{NEW_BIN}.csv").write_text(table + '"other_00001.png","y",1\n')
    records = _read(tmp_path)
    found = _particles(records)
    assert (found[f"{NEW_BIN}/00002"].raw_label, found[f"{NEW_BIN}/00002"].raw_status) == ("Ciliophora", "predicted")
    assert found[f"{NEW_BIN}/00003"].raw_label is None
    assert _reasons(records) == [
        f"{NEW_BIN}.csv, line 4: names no ROI of {NEW_BIN}",
        f"{NEW_BIN}_00077: the labels name it (x), but the bin does not have it",
    ]


def _manual(path: Path, *, compressed: bool = True) -> None:
    names = np.array(["unclassified", "Ciliophora", "Dinobryon"], dtype=object)[None]
    table = np.array([[1, np.nan, np.nan], [2, 2, 3], [3, 1, np.nan], [4, np.nan, 3], [6, 99, np.nan]])
    content = {"class2use_manual": names, "class2use_auto": names, "classlist": table, "other": {"a": 1}}
    savemat(path, content, do_compression=compressed)


@pytest.mark.parametrize("compressed", [True, False])
def test_a_person_s_list_of_classes_stands_before_predictions(tmp_path: Path, compressed: bool) -> None:
    write_new(tmp_path, some_boxes(6))
    (tmp_path / "manual").mkdir()
    _manual(tmp_path / "manual" / f"{NEW_BIN}.mat", compressed=compressed)
    table = f"file_name,class_name,score\n{NEW_BIN}_00002.png,Pennales,1\n{NEW_BIN}_00006.png,unclassified,0\n"
    (tmp_path / f"{NEW_BIN}.csv").write_text(table)
    found = [(particle.raw_label, particle.raw_status) for particle in _particles(_read(tmp_path)).values()]
    nothing = (None, None)
    assert found == [nothing, ("Ciliophora", "validated"), nothing, ("Dinobryon", "predicted"), nothing, nothing]


def test_a_damaged_list_of_classes_costs_only_the_labels(tmp_path: Path) -> None:
    write_new(tmp_path, some_boxes(6))
    _manual(tmp_path / f"{NEW_BIN}.mat")
    content = (tmp_path / f"{NEW_BIN}.mat").read_bytes()
    (tmp_path / f"{NEW_BIN}.mat").write_bytes(content[: len(content) // 2])
    records = _read(tmp_path)
    assert len(_particles(records)) == 6
    assert _reasons(records) == [f"{NEW_BIN}.mat: the MATLAB file is damaged or cut off; save it again"]


def test_a_matlab_file_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    savemat(tmp_path / "x.mat", {"classlist": np.zeros((1_000_000, 3))}, do_compression=True)
    with pytest.raises(InputError, match="holds more than 4 MB"):
        read_matlab_file((tmp_path / "x.mat").read_bytes())


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_damaged_matlab_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("matlab") / "x.mat"
    _manual(path, compressed=False)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InputError):
        read_manual_labels(bytes(content[: data.draw(st.integers(0, len(content)))]))


@pytest.mark.parametrize("order", ["adc hdr roi csv", "csv roi hdr adc"])
def test_a_bin_in_a_zip_is_the_bin(tmp_path: Path, order: str) -> None:
    write_new(tmp_path / "loose", some_boxes(12))
    (tmp_path / "loose" / f"{NEW_BIN}.csv").write_text(f"file_name,class_name\n{NEW_BIN}_00002.png,Ciliophora\n")
    with zipfile.ZipFile(tmp_path / "bins.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for ending in order.split():
            folder = "class" if ending == "csv" else "data"
            archive.write(tmp_path / "loose" / f"{NEW_BIN}.{ending}", f"{folder}/{NEW_BIN}.{ending}")
        archive.writestr("data/png/picture.png", b"x")
    loose, zipped = _read(tmp_path / "loose"), _read(tmp_path / "bins.zip")
    assert _particles(zipped) == _particles(loose)
    assert _particles(zipped)[f"{NEW_BIN}/00002"].raw_label == "Ciliophora"
    assert [record.text for record in zipped if isinstance(record, Note)] == [
        "1 members are no part of a bin and were left: 1 .png"
    ]


def test_a_zip_that_is_cut_off_gives_the_bins_before_the_cut(tmp_path: Path) -> None:
    names = [NEW_BIN, "D20200102T033405_IFCB123"]
    with zipfile.ZipFile(tmp_path / "bins.zip", "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            write_new(tmp_path / "loose", some_boxes(12), name=name)
            for ending in ("adc", "hdr", "roi"):
                archive.write(tmp_path / "loose" / f"{name}.{ending}", f"{name}.{ending}")
    whole = (tmp_path / "bins.zip").read_bytes()
    cut = whole[: whole.rindex(b"PK\x03\x04") + 80]
    (tmp_path / "bins.zip").write_bytes(cut)
    records = _read(tmp_path / "bins.zip")
    pictures = [particle for particle in _particles(records).values() if particle.image]
    assert {particle.sample_id for particle in pictures} == {names[0]}
    assert any("is not there" in reason for reason in _reasons(records))
    assert any("cut off" in reason for reason in _reasons(records))


def test_a_roi_cut_off_costs_only_the_pictures_behind_the_cut(tmp_path: Path) -> None:
    boxes = some_boxes(12)
    adc = write_new(tmp_path, boxes)
    roi = adc.with_suffix(".roi")
    roi.write_bytes(roi.read_bytes()[:-1])
    records = _read(tmp_path)
    assert len(_particles(records)) == 12
    assert sum(particle.image is None for particle in _particles(records).values()) == 3 + 1
    assert len(_reasons(records)) == 1
    assert _reasons(records)[0].startswith(f"{NEW_BIN}_00012: its pixels should end at byte")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("3,4.5,", "3,4.5", "has 23 fields where 24 should stand"),
        ("3,4.5,", "three,4.5,", "holds 'three' where a whole number should stand (trigger)"),
        ("30,7,", "30.5,7,", "holds '30.5' where a whole number should stand (x)"),
        ("30,7,", "30,1e400,", "holds '1e400' where a whole number should stand (y)"),
        ("30,7,", "30,1_0,", "holds '1_0' where a whole number should stand (y)"),
    ],
)
def test_a_bad_line_costs_only_itself_and_numbers_stay(tmp_path: Path, old: str, new: str, reason: str) -> None:
    adc = write_new(tmp_path, some_boxes(6))
    lines = adc.read_text().splitlines(keepends=True)
    assert old in lines[2]
    lines[2] = lines[2].replace(old, new, 1)
    adc.write_text("".join(lines))
    records = _read(tmp_path)
    assert [name[-5:] for name in _particles(records)] == ["00001", "00002", "00004", "00005", "00006"]
    assert len(_reasons(records)) == 1
    assert f"{NEW_BIN}.adc, line 3: {reason}" in _reasons(records)[0]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"adc": b"", "hdr": b"", "roi": b""}, "are empty; copy the bin again"),
        ({"hdr": b"runTime: 1\n", "roi": b"abc"}, "has no .adc"),
        ({"adc": b"\x89PNG\r\n\x1a\n\0\0"}, "no line of"),
    ],
)
def test_a_bin_of_which_nothing_can_be_read_says_so(tmp_path: Path, files: dict[str, bytes], reason: str) -> None:
    for ending, data in files.items():
        (tmp_path / f"{NEW_BIN}.{ending}").write_bytes(data)
    records = _read(tmp_path)
    assert [type(record) for record in records] == [Skipped]
    assert reason in _reasons(records)[0]


def test_a_picture_beyond_the_limit_is_refused_before_it_is_made(tmp_path: Path) -> None:
    adc = write_new(tmp_path, [Box(1, 0, 0, 4, 4)])
    adc.write_text(adc.read_text().replace(",4,4,", ",4000000000,4000000000,"))
    records = _read(tmp_path)
    assert "over the limit" in _reasons(records)[0]


def test_halves_whose_union_is_huge_are_refused(tmp_path: Path) -> None:
    adc = write_old(tmp_path, [Box(1, 0, 0, 4, 4), Box(1, 0, 0, 5, 5)])
    adc.write_text(adc.read_text().replace(",4,4,", ",20000000,4,").replace(",5,5,", ",4,20000000,"))
    assert "over the limit" in _reasons(_read(tmp_path))[0]


def test_bins_in_a_folder_that_is_set_aside_are_left(tmp_path: Path) -> None:
    write_new(tmp_path / "skip", some_boxes(4))
    assert not _particles(_read(tmp_path))
    assert len(_particles(_read(tmp_path / "skip"))) == 4


def test_products_without_their_bin_are_not_taken_for_pictures(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / f"{NEW_BIN}_blobs_v4.zip", "w") as archive:
        archive.writestr(f"{NEW_BIN}_00002.png", b"\x89PNG\r\n\x1a\n")
    assert "a product (blobs) of the IFCB bin" in _reasons(_read(tmp_path))[0]


def test_one_file_brings_its_bin(tmp_path: Path) -> None:
    write_new(tmp_path, some_boxes(4))
    sources, _ = find_sources([tmp_path / f"{NEW_BIN}.hdr"])
    assert [file.suffix for file in sources[0].files] == [".adc", ".hdr", ".roi"]


@pytest.mark.parametrize(
    ("name", "instrument", "start"),
    [
        ("IFCB5_2012_028_081515", "5", "2012-01-28T08:15:15+00:00"),
        ("IFCB1_2012_366_235959", "1", "2012-12-31T23:59:59+00:00"),
        ("D20130526T095207_IFCB013", "013", "2013-05-26T09:52:07+00:00"),
    ],
)
def test_a_bin_s_name_says_when_and_which(name: str, instrument: str, start: str) -> None:
    found = parse_bin_name(name)
    assert found is not None
    assert (found.instrument, found.start.isoformat()) == (instrument, start)


@pytest.mark.parametrize(
    "name", ["decoy.adc", "IFCB5_2011_366_081515.adc", "D20130231T095207_IFCB013.adc", "xD20130526T095207_IFCB013.adc"]
)
def test_other_names_are_no_bin_s(name: str) -> None:
    assert bin_file(name) is None


def _assert_plain(records: list[Record]) -> None:
    for record in records:
        if isinstance(record, (Skipped, Note)):
            text = record.reason if isinstance(record, Skipped) else record.text
            assert text
            assert "\n" not in text
            assert "Traceback" not in text


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damaged_bytes_never_raise_anything_but_one_plain_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    old = data.draw(st.booleans())
    adc = write_old(folder, some_boxes(6)) if old else write_new(folder, some_boxes(6))
    ending = data.draw(st.sampled_from([".adc", ".hdr", ".roi"]))
    content = bytearray(adc.with_suffix(ending).read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    adc.with_suffix(ending).write_bytes(bytes(content[:cut]))
    _assert_plain(_read(folder))


@settings(max_examples=40, deadline=None)
@given(text=st.lists(st.lists(st.one_of(st.integers(), st.floats(), st.text(max_size=5)), max_size=26), max_size=6))
def test_wrong_fields_never_raise_anything(text: list[list[object]]) -> None:
    lines = "\n".join(",".join(str(value) for value in row) for row in text)
    for old_style in (False, True):
        adc = parse_adc(lines.encode(), old_style=old_style)
        assert len(adc.rois()) == len(adc)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_labels_are_read_or_refused_line_by_line(content: bytes) -> None:
    head = b"file_name,class_name,score\n"
    labels, faults = read_labels_of_bin(head + content, NEW_BIN)
    assert not labels
    assert all("\n" not in reason for _, reason in faults)


def test_old_adc_numbers_its_lines() -> None:
    adc = parse_adc(old_adc(some_boxes(5)).encode(), old_style=True)
    assert adc.numbers.tolist() == [1, 2, 3, 4, 5]
    assert next(roi.start for roi in adc.rois()) == 1
