"""Vectors of a model, kept with the data set: one safetensors file a model, replaced whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seston.errors import DataSetError, NotFoundError, UsageError, nearest_word
from seston.store.folder import write_whole
from seston.store.splits import check_name

__all__ = ["list_embeddings", "load_embeddings", "save_embeddings"]

_SUFFIX = ".safetensors"
_TEXT, _ENDS, _ARRAY = "ids.text", "ids.ends", "array."


def save_embeddings(folder: Path, model_id: str, ids: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays, one row of each for every particle; an older file of the same model is replaced."""
    from safetensors.numpy import save

    check_name(model_id)
    for name, array in arrays.items():
        if array.ndim < 1 or len(array) != len(ids):
            raise UsageError(f"array {name!r} has shape {array.shape}, which does not fit {len(ids)} particles")
    texts = [text.encode() for text in ids]
    tensors: dict[str, NDArray[Any]] = {
        _TEXT: np.frombuffer(b"".join(texts), np.uint8),
        _ENDS: np.cumsum([len(text) for text in texts], dtype=np.int64),
    }
    tensors |= {_ARRAY + name: np.ascontiguousarray(array) for name, array in arrays.items()}
    folder.mkdir(exist_ok=True)
    write_whole(folder / f"{model_id}{_SUFFIX}", save(tensors))


def load_embeddings(folder: Path, model_id: str) -> tuple[list[str], dict[str, NDArray[Any]]]:
    """Read the ids and the named arrays of a model.

    Raises
    ------
    NotFoundError
        The data set holds none of this model.
    DataSetError
        The file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / f"{check_name(model_id)}{_SUFFIX}"
    if not path.is_file():
        hint = nearest_word(model_id, list_embeddings(folder)) or "; make them with  seston embed DATA --model RUN"
        raise NotFoundError(f"there are no embeddings of model {model_id!r}{hint}")
    try:
        tensors = load_file(path)
        text, ends = tensors.pop(_TEXT).tobytes(), tensors.pop(_ENDS).tolist()
        ids = [text[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)]
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise DataSetError(f"{path}: is damaged ({error}); run `seston embed` again") from error
    return ids, {name.removeprefix(_ARRAY): array for name, array in tensors.items()}


def list_embeddings(folder: Path) -> list[str]:
    """Name the models whose vectors are there."""
    return sorted(file.name.removesuffix(_SUFFIX) for file in folder.glob(f"[!.]*{_SUFFIX}")) if folder.is_dir() else []
