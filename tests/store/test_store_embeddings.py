from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seston.errors import DataSetError, NotFoundError, UsageError
from seston.store import open_data_set


def test_arrays_come_back_as_they_were_with_their_ids(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    ids = ["a/1", "Utö/é 2", "", "a/3"]
    arrays = {
        "image": np.arange(12, dtype=np.float32).reshape(4, 3),
        "has_image": np.array([True, False, True, True]),
        "profile": np.zeros((4, 0), np.float32),
    }
    data.save_embeddings("m1", ids, arrays)
    found_ids, found = open_data_set(tmp_path / "d").load_embeddings("m1")
    assert found_ids == ids
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_saving_again_replaces_the_arrays_of_the_model_and_of_no_other(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    for model, value in (("m1", 1.0), ("m2", 2.0), ("m1", 3.0)):
        data.save_embeddings(model, ["a"], {"image": np.full((1, 2), value, np.float32)})
    assert data.load_embeddings("m1")[1]["image"].tolist() == [[3.0, 3.0]]
    assert data.load_embeddings("m2")[1]["image"].tolist() == [[2.0, 2.0]]
    assert data.embeddings() == ["m1", "m2"]
    assert [file.name for file in (tmp_path / "d" / "embeddings").iterdir() if file.name.startswith(".")] == []


def test_arrays_that_do_not_fit_the_ids_are_refused(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    with pytest.raises(UsageError, match="does not fit 2 particles"):
        data.save_embeddings("m1", ["a", "b"], {"image": np.zeros((3, 2), np.float32)})


def test_a_model_that_is_not_there_and_a_damaged_file_are_told_apart(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    data.save_embeddings("model-abc", ["a"], {"image": np.zeros((1, 2), np.float32)})
    with pytest.raises(NotFoundError, match="did you mean 'model-abc'"):
        data.load_embeddings("model-abd")
    (tmp_path / "d" / "embeddings" / "model-abc.safetensors").write_bytes(b"\x05")
    with pytest.raises(DataSetError, match="damaged"):
        data.load_embeddings("model-abc")


def test_a_model_id_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    data = open_data_set(tmp_path / "d", create=True)
    with pytest.raises(UsageError, match="cannot be a name"):
        data.save_embeddings("../x", ["a"], {"image": np.zeros((1, 2), np.float32)})
