"""FlowCam runs made here: boxes, calibration, clocks, volumes, classes, and what is damaged or missing."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from flowcam_making import CONTEXT, RUN, collage_pixels, list_text, row, write_run
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments import Record, decode_image, find_sources, read
from seston.instruments.flowcam_classes import parse_classes
from seston.particle import Note, Particle, Sample, Skipped


def _read(path: Path) -> list[Record]:
    records: list[Record] = []
    for source in find_sources([path])[0]:
        assert source.reader == "flowcam"
        try:
            records.extend(read(source))
        except InputError as error:
            records.append(Skipped(str(source.path), "", str(error)))
    return records


def _particles(records: list[Record]) -> list[Particle]:
    return [record for record in records if isinstance(record, Particle)]


def _sample(records: list[Record]) -> Sample:
    return next(record for record in records if isinstance(record, Sample))


def _reasons(records: list[Record]) -> list[str]:
    return [f"{record.item}: {record.reason}" for record in records if isinstance(record, Skipped)]


def _notes(records: list[Record]) -> list[str]:
    return [record.text for record in records if isinstance(record, Note)]


def _pixels(particle: Particle) -> NDArray[np.uint8]:
    assert particle.image is not None
    return decode_image(particle.image)


@pytest.mark.parametrize("colour", [False, True])
def test_pictures_are_the_boxes_of_the_collages(tmp_path: Path, colour: bool) -> None:
    write_run(tmp_path, 12, colour=colour)
    found = _particles(_read(tmp_path))
    assert [particle.id for particle in found] == [f"{RUN}/{number}" for number in range(1, 13)]
    for number, particle in enumerate(found, start=1):
        collage = collage_pixels((number - 1) // 5 + 1, colour=colour)
        place = (number - 1) % 5
        wanted = collage[3 * place : 3 * place + 20 + number % 3, 17 * place : 17 * place + 15]
        assert np.array_equal(_pixels(particle), wanted)


def test_the_columns_are_those_that_the_list_names(tmp_path: Path) -> None:
    write_run(tmp_path, 3)
    lines = (tmp_path / f"{RUN}.lst").read_text().splitlines()
    shuffled = [lines[0], "num-fields|13", "ppc|int32", *reversed(lines[2:14])]
    shuffled += ["|".join(["2", *reversed(line.split("|"))]) for line in lines[14:]]
    (tmp_path / f"{RUN}.lst").write_text("\n".join(shuffled) + "\n")
    found = _particles(_read(tmp_path))
    assert [particle.id[-1] for particle in found] == ["1", "2", "3"]
    assert found[0].listmode == {"ppc": 2.0, "raw_area": 12.0, "abd_diameter": 3.25, "elapsed_time": 1.5}
    assert np.array_equal(_pixels(found[0]), collage_pixels(1)[:21, :15])


def test_the_sample_says_when_where_and_how_much(tmp_path: Path) -> None:
    write_run(tmp_path, 10)
    sample = _sample(_read(tmp_path))
    assert (sample.volume_sampled_ml, sample.volume_imaged_ml, sample.dilution) == (0.5, 0.125, 4.0)
    assert (sample.n_counted, sample.n_recorded, sample.n_imaged) == (10, 10, 10)
    assert (sample.latitude, sample.longitude) == (54.18, 7.9)
    assert (sample.serial_number, sample.pixel_size_um, sample.trigger) == ("77", 0.5, "Ch1 > 300")
    assert sample.provenance["volume_imaged_ml"] == f"{RUN}_summary.csv: Sample Volume Imaged ml"


def test_no_person_and_no_folder_of_the_maker_is_kept(tmp_path: Path) -> None:
    write_run(tmp_path, 2)
    text = repr(_read(tmp_path)).lower()
    assert "jane" not in text
    assert "template.ctf" not in text


@pytest.mark.parametrize(
    ("start", "utc", "note"),
    [
        ("2021-06-01 12:00:00", 12, "2 h ahead"),
        ("2021-06-01 08:30:00", 8.5, "5.5 h ahead"),
        ("2021-06-01 14:00:00", 14, ""),
        ("2021-05-30 02:00:00", 2, "the .ctx says that the run began at"),
    ],
)
def test_a_clock_whole_quarters_of_an_hour_off_is_utc(tmp_path: Path, start: str, utc: float, note: str) -> None:
    write_run(tmp_path, 2)
    (tmp_path / f"{RUN}.ctx").write_text(CONTEXT.format(start=start, end=start))
    records = _read(tmp_path)
    began = _sample(records).start
    assert began is not None
    assert began.hour + began.minute / 60 == utc
    assert any(note in text for text in _notes(records)) or not note
    first = _particles(records)[0].time
    if "ahead" in note:
        assert first == datetime(2021, 6, 1, int(utc), round(utc % 1 * 60), 1, 500_000, tzinfo=UTC)
    else:
        assert first == datetime(2021, 6, 1, 14, 0, 1, 500_000, tzinfo=UTC)


def test_a_calibration_that_was_never_set_gives_no_pixel_size(tmp_path: Path) -> None:
    rows = [[*row(1)[:5], "1.0000", *row(1)[6:]]]
    write_run(tmp_path, 1)
    (tmp_path / f"{RUN}.lst").write_text(list_text(rows))
    records = _read(tmp_path)
    assert _particles(records)[0].pixel_size_um is None
    assert _sample(records).pixel_size_um is None
    assert any("never set" in text for text in _notes(records))


def test_a_row_cut_off_costs_only_itself(tmp_path: Path) -> None:
    lst = write_run(tmp_path, 5)
    lst.write_bytes(lst.read_bytes()[:-6])
    records = _read(tmp_path)
    assert len(_particles(records)) == 4
    assert _reasons(records) == ["line 19: the row has 11 fields where the list has 12 columns"]


@pytest.mark.parametrize(
    ("place", "text", "reason"),
    [
        (1, "-3", "is no box"),
        (3, "0", "is no box"),
        (1, "x", "holds 'x' where a whole number should stand (image_x)"),
        (3, "1e9", "leads out of"),
        (2, "59", "leads out of"),
        (0, "1", "a second particle 1"),
    ],
)
def test_a_bad_row_costs_only_itself(tmp_path: Path, place: int, text: str, reason: str) -> None:
    write_run(tmp_path, 5)
    rows = [row(particle) for particle in range(1, 6)]
    rows[2][place] = text
    (tmp_path / f"{RUN}.lst").write_text(list_text(rows))
    records = _read(tmp_path)
    assert sum(particle.image is not None for particle in _particles(records)) == 4
    assert len(_reasons(records)) == 1
    assert reason in _reasons(records)[0]


def test_a_missing_collage_is_said_once(tmp_path: Path) -> None:
    write_run(tmp_path, 10)
    (tmp_path / f"{RUN}_000002.tif").unlink()
    records = _read(tmp_path)
    assert sum(particle.image is not None for particle in _particles(records)) == 5
    lost = "the collage is not there: 5 particles have no picture, their parameters were read"
    assert _reasons(records) == [f"{RUN}_000002.tif: {lost}"]


def test_a_collage_cut_off_is_said_once(tmp_path: Path) -> None:
    write_run(tmp_path, 10)
    collage = tmp_path / f"{RUN}_000001.tif"
    collage.write_bytes(collage.read_bytes()[:1000])
    records = _read(tmp_path)
    assert len(_particles(records)) == 10
    assert len(_reasons(records)) == 1
    assert "5 particles have no picture" in _reasons(records)[0]


def test_a_renamed_run_finds_its_collages(tmp_path: Path) -> None:
    write_run(tmp_path, 10)
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name.replace(RUN, "renamed")))
    records = _read(tmp_path)
    assert all(particle.image is not None for particle in _particles(records))
    assert any("the run was renamed" in text for text in _notes(records))


def test_a_collage_may_be_named_with_the_folder_of_another_computer(tmp_path: Path) -> None:
    write_run(tmp_path, 1)
    rows = [row(1)]
    rows[0][10] = f"C:\\Users\\jane\\runs\\{RUN}_000001.tif"
    (tmp_path / f"{RUN}.lst").write_text(list_text(rows))
    records = _read(tmp_path)
    assert _particles(records)[0].image is not None
    assert "jane" not in repr(records)


def test_classes_become_labels_and_rules_predictions(tmp_path: Path) -> None:
    write_run(tmp_path, 5)
    classes = "v3\n1\nby_jane\n2\nDiatom\nOR\n0\n2\n1\n3\nJunk\nOR\n1\nC:\\x.flt\n3\n2\n3\n99\n"
    (tmp_path / f"{RUN}.cla").write_text(classes)
    records = _read(tmp_path)
    found = [(particle.raw_label, particle.raw_status) for particle in _particles(records)]
    assert found == [("Diatom", None), ("Junk", "predicted"), ("Diatom", None), (None, None), (None, None)]
    assert any("1 particles stand in several classes" in text for text in _notes(records))
    assert _reasons(records) == [f"{RUN}.cla: names 1 particles that the list does not have (99, …)"]
    assert "jane" not in repr(records)


@pytest.mark.parametrize("classes", ["v2\n", "v3\n1\nname\n2\nDiatom\nOR\n0\n5\n1\n", "v3\nmany\n"])
def test_damaged_classes_cost_only_the_labels(tmp_path: Path, classes: str) -> None:
    write_run(tmp_path, 5)
    (tmp_path / f"{RUN}.cla").write_text(classes)
    records = _read(tmp_path)
    assert len(_particles(records)) == 5
    assert len(_reasons(records)) == 1
    assert "the particles have no labels" in _reasons(records)[0]


_TABLE = (
    "Particle ID,Area (ABD) (um2),Calibration Factor,Image File,Image Height,Image Width,Image X,Image Y,Volume (ABD)"
)


def test_a_table_alone_is_a_run_too(tmp_path: Path) -> None:
    write_run(tmp_path, 1)
    (tmp_path / f"{RUN}.lst").unlink()
    (tmp_path / f"{RUN}.csv").write_text(f"{_TABLE}\n1,8.3,0.5,{RUN}_000001.tif,21,15,0,0,1.5e+01\n")
    (found,) = _particles(_read(tmp_path))
    assert found.listmode == {"abd_area": 8.3, "volume_abd": 15.0}
    assert np.array_equal(_pixels(found), collage_pixels(1)[:21, :15])


def test_the_table_adds_what_the_list_lacks(tmp_path: Path) -> None:
    write_run(tmp_path, 2)
    rows = "".join(f"{number},8.3,0.5,{RUN}_000001.tif,21,15,0,0,{number}\n" for number in (1, 3))
    (tmp_path / f"{RUN}.csv").write_text(f"{_TABLE}\n{rows}")
    records = _read(tmp_path)
    first, second = _particles(records)
    assert first.listmode["volume_abd"] == 1.0
    assert "volume_abd" not in second.listmode
    assert _reasons(records) == [f"{RUN}.csv: line 3: particle 3 out of order; the list was read without it from there"]


def test_a_run_without_list_says_what_it_lacks(tmp_path: Path) -> None:
    write_run(tmp_path, 2).unlink()
    records = _read(tmp_path)
    assert _sample(records).volume_imaged_ml == 0.125
    assert not _particles(records)
    assert _reasons(records)[0].startswith(f"{RUN}.lst: is not there, nor a .csv of the run")


def test_two_runs_in_one_folder_keep_their_files(tmp_path: Path) -> None:
    write_run(tmp_path, 5)
    write_run(tmp_path, 5, run="bay-01_b")
    sources = {source.path.stem: source for source in find_sources([tmp_path])[0]}
    assert {name: len(source.files) for name, source in sources.items()} == {RUN: 5, "bay-01_b": 5}


def test_one_file_brings_its_run(tmp_path: Path) -> None:
    write_run(tmp_path, 5)
    (source,) = find_sources([tmp_path / f"{RUN}_000001.tif"])[0]
    assert (source.reader, len(source.files)) == ("flowcam", 5)


def test_a_list_that_promises_too_many_fields_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"{RUN}.lst").write_text("017\nnum-fields|99999999999\nid|int32\n")
    assert "its second line should be num-fields|N" in _reasons(_read(tmp_path))[0]


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_damaged_bytes_never_raise_anything_but_one_plain_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    write_run(folder, 6)
    (folder / f"{RUN}.cla").write_text("v3\n1\nx\n1\nDiatom\nOR\n0\n2\n1\n3\n")
    path = data.draw(st.sampled_from(sorted(folder.iterdir())))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    for record in _read_any(folder):
        if isinstance(record, (Skipped, Note)):
            text = record.reason if isinstance(record, Skipped) else record.text
            assert text
            assert "\n" not in text


def _read_any(folder: Path) -> list[Record]:
    records: list[Record] = []
    for source in find_sources([folder], reader="flowcam")[0]:
        try:
            records.extend(read(source))
        except InputError as error:
            records.append(Skipped(str(source.path), "", str(error)))
    return records


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.integers(-3, 10**18).map(str), st.text(max_size=4)), max_size=25))
def test_any_classes_are_read_or_refused(lines: list[str]) -> None:
    with suppress(InputError):
        parse_classes(("v3\n" + "\n".join(lines)).encode())


@given(head=st.binary(max_size=60), ending=st.sampled_from([".csv", ".lst", ".ctx", ".cla"]))
def test_any_other_file_is_not_a_run_s_and_stops_no_one(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, ending: str
) -> None:
    folder = tmp_path_factory.mktemp("other")
    (folder / f"x{ending}").write_bytes(head)
    assert not find_sources([folder], reader="flowcam")[0]


@pytest.mark.parametrize("head", [b'a,"b\rc\n', b"time,depth\r1,2\r3,4\r", b'"\r\n', b'"' + b"x" * 9000])
def test_tables_with_odd_line_ends_and_quotes_stop_no_one(tmp_path: Path, head: bytes) -> None:
    for name in ("x.csv", "D20200102T030405_IFCB123.csv"):
        (tmp_path / name).write_bytes(head)
    sources, _ = find_sources([tmp_path])
    assert not {source.reader for source in sources} & {"flowcam", "ifcb"}
