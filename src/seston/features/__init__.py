"""Classical measurements of particles: the rivals and companions of learned features.

Listmode, pulse-shape and picture features need no training. Each is a dict from name to number, or one table of all::

    table = classical_table(data)
    table.of("picture").values
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seston.features.listmode import listmode_features
    from seston.features.listmode_formulas import cytoclus_parameters
    from seston.features.picture import picture_features
    from seston.features.pulse import pulse_features, pulse_table
    from seston.features.table import FeatureTable, classical_table, feature_blocks

__all__ = [
    "FeatureTable",
    "classical_table",
    "cytoclus_parameters",
    "feature_blocks",
    "listmode_features",
    "picture_features",
    "pulse_features",
    "pulse_table",
]

_HOMES = {
    "FeatureTable": "table",
    "classical_table": "table",
    "cytoclus_parameters": "listmode_formulas",
    "feature_blocks": "table",
    "listmode_features": "listmode",
    "picture_features": "picture",
    "pulse_features": "pulse",
    "pulse_table": "pulse",
}


def __getattr__(name: str) -> object:
    """Load a part of the room when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
