"""Classical measurements of particles: the rivals and companions of learned features.

Listmode, pulse-shape and picture features need no training. Each is a dict from name to number, or one table of all::

    table = classical_table(data)
    table.of("picture").values
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names

if TYPE_CHECKING:
    from seston.features.listmode import listmode_features
    from seston.features.listmode_formulas import cytoclus_parameters
    from seston.features.measures import Measures, find_measures
    from seston.features.picture import picture_features
    from seston.features.pulse import pulse_features, pulse_table
    from seston.features.table import FeatureTable, classical_table, feature_blocks

__all__ = [
    "FeatureTable",
    "Measures",
    "classical_table",
    "cytoclus_parameters",
    "feature_blocks",
    "find_measures",
    "listmode_features",
    "picture_features",
    "pulse_features",
    "pulse_table",
]

_WHERE = {
    "FeatureTable": "table",
    "Measures": "measures",
    "classical_table": "table",
    "cytoclus_parameters": "listmode_formulas",
    "feature_blocks": "table",
    "find_measures": "measures",
    "listmode_features": "listmode",
    "picture_features": "picture",
    "pulse_features": "pulse",
    "pulse_table": "pulse",
}


__getattr__ = late_names(__name__, _WHERE)


def __dir__() -> list[str]:
    return sorted(__all__)
