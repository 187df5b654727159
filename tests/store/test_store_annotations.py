from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_making import particle, picture, put

from seston.errors import DataSetError, InputError, NotFoundError, UsageError
from seston.particle import Annotation, Status
from seston.store import DataSet, open_data_set
from seston.store.annotations import current_labels
from seston.store.journal import Event, append_events, empty_journal, last_number, read_events
from seston.store.schema import ANNOTATIONS

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def said(
    particle_id: str, label: str, status: Status = "validated", *, minutes: int = 0, author: str = "anna"
) -> Annotation:
    return Annotation(
        particle_id=particle_id, label=label, status=status, author=author, time=NOON + timedelta(minutes=minutes)
    )


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    put(tmp_path / "d", [particle(n, image=picture(n), label="source" if n < 2 else None) for n in range(4)])
    return open_data_set(tmp_path / "d")


def test_without_annotations_the_label_of_the_source_holds(data: DataSet) -> None:
    assert data.labels() == {"a/0": "source", "a/1": "source"}


def test_the_newest_validated_label_holds_whatever_is_predicted_later(data: DataSet) -> None:
    data.annotate([said("a/3", "one"), said("a/3", "two", minutes=1), said("a/3", "guess", "predicted", minutes=2)])
    assert data.labels()["a/3"] == "two"


def test_the_newest_goes_by_time_and_not_by_the_order_of_writing(data: DataSet) -> None:
    data.annotate([said("a/3", "late", minutes=5), said("a/3", "early", minutes=1)])
    assert data.labels()["a/3"] == "late"


def test_a_prediction_never_hides_a_word_of_a_person(data: DataSet) -> None:
    data.annotate(
        [said("a/0", "guess", "predicted"), said("a/3", "hm", "dubious"), said("a/3", "guess", "predicted", minutes=9)]
    )
    assert data.labels() == {"a/0": "source", "a/1": "source", "a/3": "hm"}


def test_a_doubt_replaces_the_label_of_the_source_and_a_validated_one_replaces_the_doubt(data: DataSet) -> None:
    data.annotate(said("a/0", "doubt", "dubious"))
    assert data.labels()["a/0"] == "doubt"
    data.annotate([said("a/0", "sure"), said("a/0", "doubt", "dubious", minutes=3)])
    assert data.labels()["a/0"] == "sure"


def test_a_source_that_calls_its_label_predicted_gives_way_to_a_newer_prediction() -> None:
    raw = [("a/1", "guess", "predicted"), ("a/2", "word", "V")]
    assert current_labels(raw, ANNOTATIONS.empty_table()) == {"a/1": "guess", "a/2": "word"}


@pytest.mark.parametrize(
    ("status", "holds", "trusted"),
    [
        ("validated", {"a": "word"}, {"a": "word"}),
        ("dubious", {"a": "word"}, {}),
        ("D", {"a": "word"}, {}),
        ("X", {}, {}),
        ("discarded", {}, {}),
        ("P", {"a": "word"}, {}),
    ],
)
def test_the_status_of_the_source_says_how_much_its_label_counts(
    status: str, holds: dict[str, str], trusted: dict[str, str]
) -> None:
    raw = [("a", "word", status)]
    assert current_labels(raw, ANNOTATIONS.empty_table()) == holds
    assert current_labels(raw, ANNOTATIONS.empty_table(), trusted=True) == trusted


def test_trusted_labels_are_neither_predictions_nor_doubts(data: DataSet) -> None:
    put(data.path, [particle(8, image=picture(8))])
    data.annotate(
        [
            said("a/0", "guess", "predicted"),
            said("a/1", "hm", "dubious"),
            said("a/2", "guess", "predicted"),
            said("a/3", "sure"),
            said("a/3", "hm", "dubious", minutes=1),
        ]
    )
    assert data.labels(trusted=True) == {"a/0": "source", "a/3": "sure"}
    guessed = current_labels([("a/1", "guess", "predicted")], ANNOTATIONS.empty_table(), trusted=True)
    assert guessed == {}


def test_unknown_particles_are_listed_and_nothing_is_written_for_them(data: DataSet) -> None:
    report = data.annotate([said("a/3", "x"), said("a/99", "x"), said("a/99", "y")])
    assert (report.added, report.unknown_particles) == (1, ["a/99"])
    assert data.history("a/99") == []


def test_a_particle_that_was_imported_after_opening_can_be_annotated(data: DataSet) -> None:
    put(data.path, [particle(50, image=picture(50))])
    assert data.annotate(said("a/50", "x")).added == 1


def test_history_gives_every_event_as_it_was_made(data: DataSet) -> None:
    events = [
        said("a/3", "one", "predicted", author="model-1"),
        Annotation(particle_id="a/3", label="zwei", status="dubious", author="Jörg", score=0.25, time=NOON),
    ]
    data.annotate(events[0])
    data.annotate([said("a/1", "other"), events[1]])
    assert data.history("a/3") == events
    data.compact()
    assert open_data_set(data.path).history("a/3") == events


def test_a_status_that_no_one_knows_is_refused_with_the_nearest(data: DataSet) -> None:
    with pytest.raises(UsageError, match="did you mean 'validated'"):
        data.annotate(said("a/1", "x", "valid"))  # type: ignore[arg-type]  # what a user may write
    with pytest.raises(UsageError, match="no label"):
        data.annotate(said("a/1", "  "))


def test_many_single_annotations_stay_small_and_in_order(data: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seston.store.annotations._FOLD_BYTES", 4000)
    for n in range(200):
        data.annotate(said("a/3", f"label {n}", minutes=n))
    assert [event.label for event in data.history("a/3")] == [f"label {n}" for n in range(200)]
    assert open_data_set(data.path).labels()["a/3"] == "label 199"
    assert data.info().annotations == 200
    assert len(list((data.path / "annotations.lance" / "_versions").iterdir())) < 20


def test_an_event_that_was_folded_but_still_stands_in_the_journal_counts_once(data: DataSet) -> None:
    for label in ("one", "two"):
        data.annotate(said("a/3", label))
    journal = data.path / "annotations.journal"
    before = journal.read_bytes()
    data.tag("folded")
    assert journal.read_bytes() == b""
    journal.write_bytes(before)  # as after a kill between the fold and the emptying
    again = open_data_set(data.path)
    assert [event.label for event in again.history("a/3")] == ["one", "two"]
    again.annotate(said("a/3", "three"))
    again.annotate([said("a/1", f"{n}") for n in range(300)])
    assert [event.label for event in again.history("a/3")] == ["one", "two", "three"]


def test_many_annotations_at_once_come_after_those_that_wait_in_the_journal(data: DataSet) -> None:
    data.annotate(said("a/3", "first"))
    data.annotate([said("a/3", f"{n}") for n in range(300)])
    assert [event.label for event in data.history("a/3")] == ["first", *map(str, range(300))]


def test_a_line_of_the_journal_that_was_cut_short_is_dropped(tmp_path: Path) -> None:
    journal = tmp_path / "j"
    append_events(journal, [Event(1, said("a/1", "x"))])
    whole = journal.read_bytes()
    for cut in (1, len(whole) // 2, len(whole) - 1):
        journal.write_bytes(whole + whole[:cut])
        assert [event.number for event in read_events(journal)] == [1]
        append_events(journal, [Event(2, said("a/2", "y"))])
        assert [(event.number, event.annotation.label) for event in read_events(journal)] == [(1, "x"), (2, "y")]


def test_a_damaged_journal_is_reported_and_not_read_over(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"garbage\n")
    with pytest.raises(DataSetError, match="damaged"):
        read_events(tmp_path / "j")
    with pytest.raises(DataSetError, match="damaged"):
        last_number(tmp_path / "j")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(min_size=1), max_size=10))
def test_the_journal_gives_back_any_label_and_the_last_number(
    tmp_path_factory: pytest.TempPathFactory, labels: list[str]
) -> None:
    journal = tmp_path_factory.mktemp("journal") / "j"
    printable = [label.encode("utf-8", "replace").decode() for label in labels]
    for number, label in enumerate(printable, start=1):
        append_events(journal, [Event(number, said("a/1", label))])
    assert [event.annotation.label for event in read_events(journal)] == printable
    assert last_number(journal) == (len(printable) or None)
    if printable:
        empty_journal(journal)
    assert last_number(journal) is None


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_of_labels_is_read_with_any_separator(data: DataSet, tmp_path: Path, separator: str) -> None:
    rows = [["Particle", "Label", "Score"], ["a/2", '"x, y; z"', "0.5"], ["a/77", "x", ""], ["a/3", "w", '"0,25"']]
    file = tmp_path / "labels.csv"
    file.write_text("\ufeff" + "\r\n".join(separator.join(row) for row in rows), encoding="utf-8")
    report = data.annotate_file(file)
    assert (report.added, report.unknown_particles, report.skipped) == (2, ["a/77"], [])
    assert data.labels()["a/2"] == "x, y; z"
    assert [(event.score, event.status) for event in data.history("a/3")] == [(0.25, "validated")]


def test_optional_columns_of_a_table_are_taken(data: DataSet, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("id,label,status,author,time\na/2,x,P,model-1,2024-06-01T14:00:00+02:00\n")
    data.annotate_file(file)
    assert data.history("a/2") == [said("a/2", "x", "predicted", author="model-1")]


def test_rows_that_cannot_be_used_are_skipped_each_with_its_line(data: DataSet, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    bad = ["a/1", ",x,validated,,", "a/1,,validated,,", "a/1,x,sure,,", "a/1,x,,2,", "a/1,x,,,yesterday"]
    file.write_text("\n".join(["particle,label,status,score,time", *bad, "a/2,fine,,,", "", ""]))
    report = data.annotate_file(file)
    assert report.added == 1
    assert [skipped.item for skipped in report.skipped] == [f"line {n}" for n in range(2, 8)]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("particle,labl\n", "did you mean 'label'"),
        ("particle,score\n", "no column 'label'"),
        ("id,particle,label\n", "more than one column 'particle'"),
    ],
)
def test_a_table_with_wrong_columns_is_refused(data: DataSet, tmp_path: Path, content: str, word: str) -> None:
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(UsageError, match=word):
        data.annotate_file(tmp_path / "labels.csv")


def test_a_table_that_is_missing_empty_or_no_text_is_refused(data: DataSet, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        data.annotate_file(tmp_path / "nothing.csv")
    for content in (b"", b"particle,label\0\n", b'particle,label\n"' + b"x" * 200_000):
        (tmp_path / "labels.csv").write_bytes(content)
        with pytest.raises(InputError):
            data.annotate_file(tmp_path / "labels.csv")


def test_the_table_of_identify_brings_predictions_until_someone_validates(data: DataSet, tmp_path: Path) -> None:
    first, second = data.ids()[:2]
    names = tmp_path / "names.csv"
    names.write_text(
        "id,path,sample,label,taxon,score,margin,modality,nearest,reason,status\n"
        f"{first},a.csv,s,Ceratium,,0.9,0.5,image,,,\n"
        f"{second},a.csv,s,Dinophysis,,0.8,0.4,image,,,validated\n",
        encoding="utf-8",
    )
    assert data.annotate_file(names).added == 2
    assert [event.status for one in (first, second) for event in data.history(one)] == ["predicted", "validated"]


def test_the_table_of_suggest_goes_in_with_the_labels_filled_in_and_without_the_scores(
    data: DataSet, tmp_path: Path
) -> None:
    table = tmp_path / "to-label.csv"
    table.write_text(
        "id,label,suggested,score,why,sample,path\n"
        "a/2,Ceratium,Dinophysis,0.31,uncertain between Dinophysis and Ceratium,a,a.csv\n"
        "a/3,,Dinophysis,0.9,new cluster of about 4 particles,a,a.csv\n",
        encoding="utf-8",
    )
    report = data.annotate_file(table)
    assert (report.added, report.skipped) == (1, [])
    (event,) = data.history("a/2")
    assert (event.label, event.status, event.score) == ("Ceratium", "validated", None)
    assert data.history("a/3") == []


def test_doubted_are_those_that_a_person_could_not_name_and_no_one_has_since(data: DataSet) -> None:
    data.annotate(
        [
            said("a/0", "hm", "dubious"),
            said("a/1", "guess", "predicted", minutes=9),
            said("a/2", "hm", "dubious"),
            said("a/2", "sure", minutes=1),
            said("a/3", "hm", "dubious"),
            said("a/3", "guess", "predicted", minutes=1),
        ]
    )
    assert data.doubted() == {"a/0", "a/3"}
