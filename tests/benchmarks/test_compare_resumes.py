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
_LONGEST_S = 200
_SECOND = "profile-only"


def _start(to: Path, sets: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(_SCRIPT), "--quick", "--epochs", "2", "--seeds", "1", "--sets", "simulated"]
    command += ["--methods", "default", _SECOND, "--to", str(to), "--sets-folder", str(sets)]
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
    """Kill without warning as soon as the first checkpoint of the second training is there."""
    process = _start(to, sets)
    deadline = time.monotonic() + _LONGEST_S
    state = to / "runs" / "simulated" / f"{_SECOND}-seed0" / "state"
    while process.poll() is None and time.monotonic() < deadline:
        if any(path.name.startswith("checkpoint-") for path in state.glob("*")):
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=_LONGEST_S)
    assert any(state.glob("checkpoint-*")), "no checkpoint was written before the end"


@pytest.mark.slow
@pytest.mark.timeout(3 * _LONGEST_S)
def test_a_comparison_that_was_killed_ends_with_the_figures_of_an_unbroken_one(tmp_path: Path) -> None:
    sets, broken = tmp_path / "sets", tmp_path / "broken"
    _finish(tmp_path / "unbroken", sets)
    _kill_in_training(broken, sets)
    assert not (broken / "results.json").exists()
    begun = broken / "runs" / "simulated" / f"{_SECOND}-seed0" / "recipe.toml"
    begun_at = begun.stat().st_mtime_ns
    said = _finish(broken, sets)
    assert said.count("was done before") == 1
    assert begun.stat().st_mtime_ns == begun_at
    assert _figures(broken) == _figures(tmp_path / "unbroken")
