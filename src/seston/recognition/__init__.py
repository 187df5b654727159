"""Naming particles: vectors of an encoder, a gallery of labelled particles, names, counts, and checks of the files."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seston.recognition.classifiers import CLASSIFIERS
    from seston.recognition.embeddings import Embeddings

_WHERE = {
    "CLASSIFIERS": "classifiers",
    "Embeddings": "embeddings",
}

__all__ = ["CLASSIFIERS", "Embeddings"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'seston.recognition' has no attribute {name!r}")
    return getattr(importlib.import_module(f"seston.recognition.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
