"""A small simulated data set, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from seston.simulate import simulate
from seston.store import DataSet, open_data_set


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Give a data set of 100 simulated pairs from two runs."""
    folder = tmp_path_factory.mktemp("training")
    simulate(folder / "files", particles=50, runs=2, seed=5)
    data = open_data_set(folder / "data", create=True)
    data.import_([Path(folder / "files")])
    return data
