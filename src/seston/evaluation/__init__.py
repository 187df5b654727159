"""Measuring how well particles are named: protocols, baselines, intervals, the report, and the demonstration."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seston.evaluation.grid import Row

_WHERE = {
    "Row": "grid",
}

__all__ = ["Row"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'seston.evaluation' has no attribute {name!r}")
    return getattr(importlib.import_module(f"seston.evaluation.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
