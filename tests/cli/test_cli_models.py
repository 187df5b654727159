"""The commands about models on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from seston.cli.call import call
from seston.recognition import Model
from seston.simulate import simulate
from seston.store import open_data_set
from seston.training import untrained_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of an untrained run."""
    folder = tmp_path_factory.mktemp("models")
    simulate(folder / "files", particles=20, runs=1, seed=1)
    data = open_data_set(folder / "data", create=True)
    data.import_([folder / "files"])
    Model(untrained_run(data, "tiny")).save(folder / "runs" / "one")
    return folder / "runs" / "one"


def _json(capsys: pytest.CaptureFixture[str], *tokens: str) -> dict[str, Any]:
    capsys.readouterr()
    assert call([*tokens, "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_run_is_compiled_and_listed_as_such(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(run, tmp_path / "run")
    (before,) = _json(capsys, "models", "list", str(tmp_path))["models"]
    assert (before["path"], before["recipe"], before["compiled"]) == (str(tmp_path / "run"), "tiny", "none")
    made = _json(capsys, "models", "compile", str(tmp_path / "run"))
    assert made["graphs"] == ["fused", "image", "profile"]
    assert made["bytes"] == sum(path.stat().st_size for path in (tmp_path / "run" / "onnx").glob("*.onnx"))
    (after,) = _json(capsys, "models", "list", str(tmp_path))["models"]
    assert (after["compiled"], after["model_id"]) == ("fresh", made["model"])


def test_a_copy_is_compiled_and_the_run_stays_as_it_is(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _json(capsys, "models", "compile", str(run), "--to", str(tmp_path / "copy"))
    assert made["run"] == str(tmp_path / "copy")
    assert not (run / "onnx").exists()
    assert call(["models", "compile", str(run), "--to", str(tmp_path / "copy")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert call(["models", "compile", str(run), "--to", str(tmp_path / "copy"), "--overwrite"]) == 0


def test_a_damaged_run_is_listed_with_what_is_wrong(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "model.safetensors").write_bytes(b"nothing")
    assert call(["models", "list", str(tmp_path), "--json"]) == 1
    (one,) = json.loads(capsys.readouterr().out)["models"]
    assert "cannot be loaded" in one["problem"]


def test_compiling_what_is_no_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["models", "compile", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
