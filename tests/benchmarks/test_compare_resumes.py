"""The comparison can be killed at any time: what comes out is what an unbroken one gives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

_SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "compare.py"
_LONGEST_S = 100


def _start(to: Path, sets: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(_SCRIPT), "--quick", "--epochs", "4", "--seeds", "1", "--sets", "simulated"]
    command += ["--methods", "default", "untrained", "--to", str(to), "--sets-folder", str(sets)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def _finish(to: Path, sets: Path) -> str:
    process = _start(to, sets)
    said, _ = process.communicate(timeout=_LONGEST_S)
    assert process.returncode == 0, said
    return said


def _figures(to: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((to / "results.json").read_bytes())
    return {key: document[key] for key in ("rows", "retrieval", "fusion")}


def _kill_in_training(to: Path, sets: Path) -> None:
    """Kill without warning as soon as the first checkpoint of a training is there."""
    process = _start(to, sets)
    deadline = time.monotonic() + _LONGEST_S
    state = to / "runs" / "simulated" / "default-seed0" / "state"
    while process.poll() is None and time.monotonic() < deadline:
        if any(path.name.startswith("checkpoint-") for path in state.glob("*")):
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=_LONGEST_S)
    assert any(state.glob("checkpoint-*")), "no checkpoint was written before the end"


@pytest.mark.slow
def test_a_comparison_that_was_killed_ends_with_the_figures_of_an_unbroken_one(tmp_path: Path) -> None:
    sets = tmp_path / "sets"
    _finish(tmp_path / "unbroken", sets)
    _kill_in_training(tmp_path / "broken", sets)
    assert not (tmp_path / "broken" / "results.json").exists()
    run = tmp_path / "broken" / "runs" / "simulated" / "default-seed0"
    begun = (run / "recipe.toml").stat().st_mtime_ns
    assert "was done before" not in _finish(tmp_path / "broken", sets)
    assert (run / "recipe.toml").stat().st_mtime_ns == begun
    assert _figures(tmp_path / "broken") == _figures(tmp_path / "unbroken")
    assert _finish(tmp_path / "broken", sets).count("was done before") == 2
