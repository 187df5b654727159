"""Which annotation counts, against the labels of the data set and a plain search."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from store_making import particle, picture, put

from seston.particle import Annotation
from seston.store import ANNOTATIONS, Standing, open_data_set

_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_RANKS = {"validated": 2, "dubious": 1, "predicted": 0}
_EVENTS = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(sorted(_RANKS)), st.integers(0, 3)), max_size=40)


def _table(events: list[tuple[str, str, int]]) -> pa.Table:
    rows = [
        {
            "event": number,
            "particle_id": name,
            "label": f"label {number}",
            "status": status,
            "author": "x",
            "score": None,
            "time": _BEGIN + timedelta(days=day),
        }
        for number, (name, status, day) in enumerate(events, start=1)
    ]
    return pa.Table.from_pylist(rows, schema=ANNOTATIONS)


@settings(deadline=None)
@given(_EVENTS)
def test_the_strongest_then_the_newest_counts(events: list[tuple[str, str, int]]) -> None:
    standing = Standing(_table(events))
    found = standing.of(list("abcdef"))
    for name, annotation in zip("abcdef", found, strict=True):
        numbered = [(number, *event) for number, event in enumerate(events, start=1) if event[0] == name]
        best = max(numbered, key=lambda one: (_RANKS[one[2]], one[3], one[0]), default=None)
        assert (annotation.label if annotation else None) == (f"label {best[0]}" if best else None)
    assert len(standing) == len({name for name, _, _ in events})
    assert standing.last_event == len(events)


def test_it_sees_what_was_annotated_a_moment_ago(tmp_path: Path) -> None:
    put(tmp_path / "data", (particle(n, image=picture(n)) for n in range(3)))
    data = open_data_set(tmp_path / "data")
    assert data.standing().of(data.ids()) == [None, None, None]
    said = Annotation(particle_id="a/1", label="x", status="validated", author="me", time=_BEGIN)
    data.annotate(said)
    assert data.standing().of(data.ids()) == [None, said, None]


def test_particles_can_be_read_from_any_row_on(tmp_path: Path) -> None:
    put(tmp_path / "data", (particle(n, image=picture(n)) for n in range(50)))
    data = open_data_set(tmp_path / "data")
    for start in (0, 1, 49, 50):
        read = [one for batch in data.particles(["id"], start=start) for one in batch.column("id").to_pylist()]
        assert read == data.ids()[start:]
