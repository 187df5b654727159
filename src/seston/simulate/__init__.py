"""Simulated instrument files: made-up species seen by a physically argued CytoSense.

::

    report = simulate("simulated", particles=1000, runs=4)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names

if TYPE_CHECKING:
    from seston.simulate.runs import SimulationReport
    from seston.simulate.semi import simulate_from_images
    from seston.simulate.settings import RunSettings
    from seston.simulate.simulation import simulate, simulate_settings
    from seston.simulate.species import Species, look_alikes, species_table
    from seston.simulate.stations import Station, draw_stations

__all__ = [
    "RunSettings",
    "SimulationReport",
    "Species",
    "Station",
    "draw_stations",
    "look_alikes",
    "simulate",
    "simulate_from_images",
    "simulate_settings",
    "species_table",
]

_WHERE = {
    "RunSettings": "settings",
    "SimulationReport": "runs",
    "Species": "species",
    "Station": "stations",
    "draw_stations": "stations",
    "look_alikes": "species",
    "simulate": "simulation",
    "simulate_from_images": "semi",
    "simulate_settings": "simulation",
    "species_table": "species",
}


__getattr__ = late_names(__name__, _WHERE)


def __dir__() -> list[str]:
    return sorted(__all__)
