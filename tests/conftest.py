"""Where the tests find real instrument files, and a folder of their own in place of the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # each of two processes has a core; read when NumPy or torch loads

_DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Give the folder of real instrument files, or skip the test where there is none."""
    folder = Path(os.environ.get("SESTON_TEST_DATA", _DEFAULT))
    if not (folder / "cytosense").is_dir():
        pytest.skip("no folder of real files (set SESTON_TEST_DATA to run this test)")
    return folder


@pytest.fixture(autouse=True, scope="session")
def _home_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what whoever runs the tests has in the user's folder out of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SESTON_HOME", str(tmp_path_factory.mktemp("home")))
        yield
