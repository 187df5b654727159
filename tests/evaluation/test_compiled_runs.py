"""A run that was compiled is judged as the model that it is, not as measured features."""

from __future__ import annotations

from pathlib import Path

import pytest

from seston.evaluation import gallery_knn
from seston.recognition import compile_model, load
from seston.recognition.onnx_model import OnnxModel
from seston.simulate import simulate
from seston.store import open_data_set
from seston.training import train


def test_a_compiled_run_stands_beside_its_untrained_towers(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    simulate(tmp_path / "files", particles=72, runs=2, seed=4)
    data = open_data_set(tmp_path / "data", create=True)
    data.import_([tmp_path / "files"])
    train(data, recipe="tiny", to=tmp_path / "run", epochs=1)
    compile_model(tmp_path / "run")
    assert isinstance(load(tmp_path / "run"), OnnxModel)
    found = gallery_knn(data, model=tmp_path / "run", n=(1,), repeats=1, examples=0)
    assert {"model", "untrained encoder", "classical"} <= {row.method for row in found.rows}
