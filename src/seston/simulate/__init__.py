"""Simulated instrument files: made-up species seen by a physically argued CytoSense.

::

    report = simulate("simulated", particles=1000, runs=4)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seston.simulate.runs import SimulationReport
    from seston.simulate.semi import simulate_from_images
    from seston.simulate.simulation import simulate
    from seston.simulate.species import Species, look_alikes, species_table

__all__ = ["SimulationReport", "Species", "look_alikes", "simulate", "simulate_from_images", "species_table"]

_HOMES = {
    "SimulationReport": "runs",
    "Species": "species",
    "look_alikes": "species",
    "simulate": "simulation",
    "simulate_from_images": "semi",
    "species_table": "species",
}


def __getattr__(name: str) -> object:
    """Load a part of the room when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
