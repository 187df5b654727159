from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store_making import particle, picture, put

from seston.particle import Annotation
from seston.store import DataSet, info_of, open_data_set


def _said(data: DataSet) -> None:
    data.annotate(Annotation(particle_id="a/1", label="c", status="validated", author="x", time=datetime.now(UTC)))


_CHANGES: dict[str, Callable[[DataSet], object]] = {
    "import": lambda data: put(data.path, [particle(9, image=picture(9), label="z")]),
    "annotation": _said,
    "split": lambda data: data.split("again", by="image", folds=2),
    "tag": lambda data: data.tag("now"),
    "removal": lambda data: data.remove(["a/2"]),
    "compacting": lambda data: data.compact(),
}


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    put(tmp_path / "d", [particle(n, image=picture(n), label="ab"[n % 2]) for n in range(8)])
    return open_data_set(tmp_path / "d")


def test_what_was_counted_is_kept_and_is_the_same(data: DataSet) -> None:
    counted = data.info()
    assert (data.path / "info.json").is_file()
    assert info_of(data.path) == counted == open_data_set(data.path).info()


@pytest.mark.parametrize("change", _CHANGES)
def test_what_was_kept_does_not_outlive_a_change(data: DataSet, change: str) -> None:
    before = data.info()
    _CHANGES[change](data)
    after = info_of(data.path)
    assert after != before
    assert after == open_data_set(data.path).info()


def test_an_older_state_is_never_kept(data: DataSet) -> None:
    older = open_data_set(data.path)
    put(data.path, [particle(9, image=picture(9))])
    assert older.info().particles == 8
    assert info_of(data.path).particles == 9


@pytest.mark.parametrize("content", [b"", b"{}", b"not json"])
def test_a_damaged_file_is_counted_anew(data: DataSet, content: bytes) -> None:
    counted = data.info()
    (data.path / "info.json").write_bytes(content)
    assert info_of(data.path) == counted


def test_what_was_kept_is_told_without_loading_the_tables(data: DataSet) -> None:
    data.info()
    program = (
        f"import sys; from seston.store import info_of; info_of({str(data.path)!r}); print('lance' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
