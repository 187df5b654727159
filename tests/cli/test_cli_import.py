"""What the import command says about files that cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from seston.cli.call import call


@pytest.fixture(autouse=True)
def _own_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")


def test_a_folder_with_nothing_readable_ends_with_1_and_says_whom_to_ask(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert call(["import", str(tmp_path / "empty"), "--to", str(tmp_path / "data")]) == 1
    assert "nothing in these paths could be read" in capsys.readouterr().err


def test_a_bad_picture_among_good_ones_is_listed_and_costs_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(3):
            Image.new("L", (20, 10 + number), 128).save(tmp_path / "pictures" / name / f"{number}.png")
    bad = tmp_path / "pictures" / "b" / "1.png"
    bad.write_bytes(bad.read_bytes()[:40])
    assert call(["import", str(tmp_path / "pictures"), "--to", str(tmp_path / "data"), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["added"], len(document["skipped"])) == (5, 1)
    assert "b/1" in "".join(document["skipped"][0])


def test_importing_twice_adds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        Image.new("L", (20, 10), 99).save(tmp_path / "pictures" / name / "1.png")
    arguments = ["import", str(tmp_path / "pictures"), "--to", str(tmp_path / "data"), "--json"]
    assert [call(arguments), call(arguments)] == [0, 0]
    first, second = (json.loads(text + "}") for text in capsys.readouterr().out.split("}\n")[:2])
    assert (first["added"], second["added"], second["already_there"]) == (2, 0, 2)


@pytest.mark.parametrize(
    ("arguments", "right_word"),
    [
        ("train data --to run --recipe defualt", "did you mean 'default'"),
        ("train --recipe defualt data --to run", "did you mean 'default'"),
        ("train data --to run --set training.bach=8", "did you mean 'training.batch'"),
        ("train data --to run --set model.image.tower=konv", "conv"),
        ("train data --to run --split by-sampel", "there is no split 'by-sampel'"),
        ("train dta --to run", "did you mean 'data'"),
        ("annotate data table.csv", "unknown column 'labl'; did you mean 'label'"),
        ("import table.csv --to data --reader cytoklus", "did you mean 'cytoclus'"),
        ("gallery data --model rn --to gallery", "rn: no such run"),
    ],
)
def test_a_wrong_word_is_answered_before_torch_loads(arguments: str, right_word: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("particle,labl\na,b\n", encoding="utf-8")
    code = (
        "import sys\nfrom seston.store import open_data_set\nfrom seston.cli.call import call\n"
        "open_data_set('data', create=True)\n"
        f"print(call({arguments.split()!r}), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "2 False\n"
    assert right_word in done.stderr
    assert done.stderr.count("\n") == 1


def test_files_are_read_and_counted_where_no_torch_is_installed(tmp_path: Path) -> None:
    lines = [
        "simulate --to Lab --particles 24 --runs 2",
        "readers Lab",
        "import Lab --to data",
        "info data",
        "split data --name parts",
        "count data",
        "doctor data",
        "recipes show default",
        "train data --to run",
    ]
    code = (
        "import sys\n"
        "class NoTorch:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('torch', 'torchvision'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, NoTorch)\n"
        "from seston.cli.call import call\n"
        f"print('codes:', *[call(line.split()) for line in {lines!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.rpartition("codes: ")[2].split() == ["0"] * 8 + ["1"], done.stderr
    assert done.stderr.splitlines()[-1].endswith("pip install 'seston[train]'")
