"""Annotations that come with files: once in the history, whatever happens, and only of particles that are there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from store_making import particle, picture, put

from seston.instruments import Record
from seston.particle import Annotation
from seston.store import open_data_set
from seston.store.annotations import Annotations

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def said(number: int, label: str = "word", *, days: int = 0) -> Annotation:
    return Annotation(
        particle_id=f"a/{number}", label=label, status="validated", author="anna", time=NOON + timedelta(days=days)
    )


def records(n: int, label: str = "word", *, days: int = 0) -> Iterator[Record]:
    for number in range(n):
        yield particle(number, image=picture(number), label=label)
        yield said(number, label, days=days)


def test_each_is_one_event_however_often_it_comes(tmp_path: Path) -> None:
    for _ in range(2):
        put(tmp_path / "d", records(150))
    data = open_data_set(tmp_path / "d")
    assert data.info().annotations == 150
    assert data.history("a/149") == [said(149)]


def test_the_report_says_how_many_are_new(tmp_path: Path) -> None:
    first = put(tmp_path / "d", records(3))
    second = put(tmp_path / "d", records(3))
    texts = [[note.text for note in report.notes if "history" in note.text] for report in (first, second)]
    assert texts == [["3 annotations of the files, with who made them and when, are now in the history"], []]


def test_a_newer_one_renames_a_particle_that_is_there(tmp_path: Path) -> None:
    put(tmp_path / "d", records(2))
    report = put(tmp_path / "d", records(2, "other", days=1))
    assert set(open_data_set(tmp_path / "d").labels().values()) == {"other"}
    assert not any("keeps the first one" in note.text for note in report.notes)


def test_an_older_one_renames_nothing(tmp_path: Path) -> None:
    put(tmp_path / "d", records(1))
    put(tmp_path / "d", records(1, "other", days=-1))
    assert open_data_set(tmp_path / "d").labels() == {"a/0": "word"}


def test_none_is_kept_of_a_particle_that_was_refused(tmp_path: Path) -> None:
    put(tmp_path / "d", records(1))
    report = put(tmp_path / "d", [particle(0, image=picture(9)), said(0, "of another picture", days=9)])
    assert len(report.skipped) == 1
    assert open_data_set(tmp_path / "d").labels() == {"a/0": "word"}


def test_none_is_kept_of_a_particle_that_was_empty(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(0), said(0)])
    assert open_data_set(tmp_path / "d").info().annotations == 0


def test_they_follow_the_name_of_the_import(tmp_path: Path) -> None:
    put(tmp_path / "d", records(1), source="leg1")
    assert open_data_set(tmp_path / "d").history("leg1:a/0")[0].label == "word"


def test_what_a_broken_import_lost_the_next_one_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(BaseException):
        pass

    def add(self: Annotations, annotations: object) -> None:
        raise Broken

    with monkeypatch.context() as patch:
        patch.setattr(Annotations, "add", add)
        with pytest.raises(Broken):
            put(tmp_path / "d", records(5))
    assert open_data_set(tmp_path / "d").count_rows() == 5
    report = put(tmp_path / "d", records(5))
    assert (report.added, report.already_there) == (0, 5)
    assert open_data_set(tmp_path / "d").info().annotations == 5


def test_the_same_picture_with_other_parameters_is_the_same_particle(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(0, image=picture(0), listmode={"area": 1.0})])
    report = put(tmp_path / "d", [particle(0, image=picture(0), listmode={"area": 2.0}), said(0)])
    data = open_data_set(tmp_path / "d")
    assert (report.already_there, report.skipped) == (1, [])
    assert any("other parameters in their files" in note.text for note in report.notes)
    assert data.labels() == {"a/0": "word"}
    assert [row["listmode"] for batch in data.particles(["listmode"]) for row in batch.to_pylist()] == [[1.0]]


def test_other_parameters_without_a_picture_are_another_particle(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(0, listmode={"area": 1.0})])
    report = put(tmp_path / "d", [particle(0, listmode={"area": 2.0}), said(0)])
    assert len(report.skipped) == 1
    assert open_data_set(tmp_path / "d").labels() == {}


def test_a_parameter_without_a_number_is_one_that_is_not_there(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(0, listmode={"area": 1.0, "mean": float("nan")})])
    report = put(tmp_path / "d", [particle(0, listmode={"area": 1.0})])
    assert (report.already_there, report.skipped) == (1, [])
