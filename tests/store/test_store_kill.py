from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_killing import PARTICLES
from store_making import particle, picture, put, put_into, table_of

from seston.particle import Annotation, Silence
from seston.store import DataSet, open_data_set

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
_PROGRAM = Path(__file__).with_name("store_killing.py")


def _start(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(_PROGRAM), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _finish(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return output


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken") / "d"
    assert _finish(_start("import", folder)).split()[0] == str(PARTICLES)
    return folder


def _everything(folder: Path) -> list[tuple[object, ...]]:
    columns = ["id", "image_hash", "profile_hash", "raw_label", "flags", "image", "profile", "listmode"]
    data = open_data_set(folder)
    rows = [tuple(map(str, row.values())) for batch in data.particles(columns) for row in batch.to_pylist()]
    return sorted(rows)


def test_an_import_killed_five_times_ends_as_an_unbroken_one(tmp_path: Path, unbroken: Path) -> None:
    folder, chance = tmp_path / "d", random.Random(6)
    kills = 0
    for _ in range(5):
        process = _start("import", folder)
        _wait_for_commits(folder, _commits(folder) + chance.randint(0, 2), process)
        time.sleep(chance.uniform(0, 0.05))
        if process.poll() is None:
            kills += 1
        process.kill()
        process.communicate()
    _finish(_start("import", folder))
    assert kills >= 3
    assert _everything(folder) == _everything(unbroken)


def test_a_rerun_after_a_kill_decodes_only_what_was_not_committed(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    process = _start("import", folder)
    _wait_for_commits(folder, 3, process)
    process.kill()
    process.communicate()
    committed = open_data_set(folder).count_rows()
    assert committed >= 2 * 768
    added, there, decoded, skipped = map(int, _finish(_start("import", folder)).split())
    assert added == decoded == PARTICLES - committed
    assert there >= committed
    assert skipped == 0


@pytest.mark.parametrize("importers", [2, 4])
def test_imports_of_the_same_files_at_once_add_nothing_twice(tmp_path: Path, unbroken: Path, importers: int) -> None:
    processes = [_start("import", tmp_path / "d") for _ in range(importers)]
    outputs = [_finish(process).split() for process in processes]
    assert sum(int(output[0]) for output in outputs) == PARTICLES
    assert table_of(tmp_path / "d") == table_of(unbroken)


def test_an_import_that_waits_for_another_says_so(tmp_path: Path) -> None:
    from filelock import FileLock

    class Listener(Silence):
        heard: str = ""

        def note(self, text: str) -> None:
            self.heard += text
            lock.release()

    data = open_data_set(tmp_path / "d", create=True)
    lock, listener = FileLock(tmp_path / "d" / "import.lock"), Listener()
    lock.acquire()
    report = put_into(data, [particle(1, image=picture(1))], progress=listener)
    assert "another import is writing" in listener.heard
    assert report.added == 1


def test_a_full_disk_is_one_plain_line_and_keeps_the_last_commit(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(1, sample="b", image=picture(1))])
    output = _finish(_start("full-disk", tmp_path / "d", "300000"))
    assert output.startswith("DataSetError: ")
    assert "disk is full" in output
    assert output.count("\n") == 1
    assert open_data_set(tmp_path / "d").ids() == ["b/1"]
    assert put(tmp_path / "d", [particle(2, sample="b", image=picture(2))]).added == 1


def test_annotations_confirmed_before_a_kill_are_there_once_each(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n)) for n in range(5)])
    process = _start("annotate", tmp_path / "d", "100000", "anna")
    assert process.stdout is not None
    confirmed = 0
    for line in process.stdout:
        confirmed = int(line) + 1
        if confirmed == 300:
            break
    process.kill()
    rest, _ = process.communicate()
    confirmed += rest.count("\n")
    labels = [said.label for said in _history(open_data_set(tmp_path / "d"))]
    assert len(labels) == len(set(labels))
    assert set(labels) >= {f"label {n}" for n in range(confirmed)}


def test_two_annotators_at_once_lose_nothing(tmp_path: Path) -> None:
    put(tmp_path / "d", [particle(n, image=picture(n)) for n in range(5)])
    for process in [_start("annotate", tmp_path / "d", "150", name) for name in ("anna", "bert")]:
        _finish(process)
    history = _history(open_data_set(tmp_path / "d"))
    for name in ("anna", "bert"):
        assert [said.label for said in history if said.author == name] == [f"label {n}" for n in range(150)]


def _history(data: DataSet) -> list[Annotation]:
    return sorted((said for n in range(5) for said in data.history(f"a/{n}")), key=lambda said: said.time)


def _commits(folder: Path) -> int:
    return len(list((folder / "particles.lance" / "_versions").glob("*.manifest")))


def _wait_for_commits(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    while _commits(folder) < count and process.poll() is None:
        time.sleep(0.005)
