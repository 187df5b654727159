"""Where the tests find real instrument files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Give the folder of real instrument files, or skip the test where there is none."""
    folder = Path(os.environ.get("SESTON_TEST_DATA", _DEFAULT))
    if not (folder / "cytosense").is_dir():
        pytest.skip("no folder of real files (set SESTON_TEST_DATA to run this test)")
    return folder
