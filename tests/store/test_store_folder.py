from __future__ import annotations

import json
import multiprocessing
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from store_making import particle, picture, profile, put

from seston.errors import DataSetError, NotFoundError, UsageError
from seston.store import DataSet, open_data_set


def test_a_path_without_a_data_set_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="seston import"):
        open_data_set(tmp_path / "nothing")
    with pytest.raises(NotFoundError, match="no data set"):
        open_data_set(tmp_path)


def test_a_newer_format_is_refused_with_one_plain_line(tmp_path: Path) -> None:
    open_data_set(tmp_path / "d", create=True)
    (tmp_path / "d" / "seston.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(DataSetError, match="newer Seston") as caught:
        open_data_set(tmp_path / "d")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "1"}', "\0"])
def test_a_damaged_card_is_refused(tmp_path: Path, content: str) -> None:
    open_data_set(tmp_path / "d", create=True)
    (tmp_path / "d" / "seston.json").write_text(content)
    with pytest.raises(DataSetError, match="damaged"):
        open_data_set(tmp_path / "d")


def test_a_folder_with_other_files_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(UsageError, match=r"thesis\.tex"):
        open_data_set(tmp_path, create=True)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_creation_that_was_killed_halfway_is_finished_by_the_next(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, image=picture(1))])
    (tmp_path / "d" / "seston.json").unlink()
    (tmp_path / "d" / ".seston.json.x1").write_text("half")
    assert open_data_set(tmp_path / "d", create=True).count_rows() == 1


def test_opening_an_existing_data_set_with_create_keeps_it(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, image=picture(1))])
    assert open_data_set(tmp_path / "d", create=True).ids() == ["a/1"]


def test_a_pickled_data_set_opens_at_the_same_version(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, image=picture(1))])
    data = open_data_set(tmp_path / "d")
    put(tmp_path / "d", [particle(2, image=picture(2))])
    again = pickle.loads(pickle.dumps(data))
    assert (again.version, again.ids()) == (data.version, ["a/1"])


def _take(data: DataSet) -> list[str]:
    ids: list[str] = data.take(np.array([1, 0]), ["id"]).column("id").to_pylist()
    return ids


def test_a_spawned_worker_reads_the_data_set(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n), wave=profile(n)) for n in range(2)])
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_take, (open_data_set(tmp_path / "d"),)) == ["a/1", "a/0"]


def test_importing_the_package_loads_neither_the_store_nor_lance() -> None:
    import subprocess

    code = "import seston, sys; print([name for name in ('lance', 'pyarrow', 'numpy') if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
