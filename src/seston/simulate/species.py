"""The species of the simulator, and which of them only the picture or only the profile tells apart."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from itertools import combinations
from typing import Any, Literal

from seston.errors import UsageError, nearest_word

__all__ = ["Across", "Along", "Optics", "Species", "choose_species", "look_alikes", "species_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Along:
    """What lies where along the flow: all that a profile can know of a shape."""

    form: str
    """A name in `seston.simulate.along.FORMS`."""
    length_um: float
    width_um: float
    length_spread: float
    """Standard deviation of the logarithm."""
    width_spread: float
    tilt_deg: float
    """Standard deviation of the angle between the body's axis and the flow."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    """Where the sizes come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """How the matter of each slice is arranged sideways: only a picture shows it."""

    form: str
    """A name in `seston.simulate.across.ARRANGEMENTS`."""
    roll_deg: float = 180.0
    """Standard deviation of the turn about the flow axis; 180 stands for any."""
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Optics:
    """Pigments, granules and scatter: only a profile shows them."""

    pigment: str
    """A name in `seston.simulate.optics.PIGMENTS`."""
    content: float
    granules: float
    scatter: float
    layout: str = "even"
    """A name in `seston.simulate.optics.LAYOUTS`: where along the body the pigment sits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Species:
    """One made-up species."""

    name: str
    imitates: str
    along_name: str
    across_name: str
    optics_name: str
    along: Along
    across: Across
    optics: Optics


@lru_cache(maxsize=1)
def species_table() -> tuple[Species, ...]:
    """Give all species of the simulator, in the order of ``species.toml``."""
    table = tomllib.loads(resources.files(__package__).joinpath("species.toml").read_text(encoding="utf-8"))
    return tuple(_species(entry, table) for entry in table["species"])


def _species(entry: Mapping[str, str], table: Mapping[str, Any]) -> Species:
    along, across, optics = entry["along"], entry["across"], entry["optics"]
    return Species(
        name=entry["name"],
        imitates=entry["imitates"],
        along_name=along,
        across_name=across,
        optics_name=optics,
        along=Along(**table["along"][along]),
        across=Across(**table["across"][across]),
        optics=Optics(**table["optics"][optics]),
    )


def choose_species(names: Iterable[str] | None) -> tuple[Species, ...]:
    """Give the species of these names, or all; a wrong name raises `UsageError` with the nearest right one."""
    table = {species.name: species for species in species_table()}
    if names is None:
        return tuple(table.values())
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in table:
            raise UsageError(f"no simulated species {name!r}{nearest_word(name, table)}")
    if not wanted:
        raise UsageError("no species to simulate: name at least one, or none at all for all of them")
    return tuple(table[name] for name in wanted)


def look_alikes(told_apart_by: Literal["picture", "profile"]) -> tuple[tuple[str, str], ...]:
    """Give the pairs of species that only the picture, or only the profile, tells apart.

    Two species that share what lies along the flow and the optics have profiles of one distribution; two that share
    what lies along the flow and its arrangement across have pictures of one distribution.
    """
    pairs = []
    for one, other in combinations(species_table(), 2):
        same_optics, same_across = one.optics_name == other.optics_name, one.across_name == other.across_name
        if one.along_name == other.along_name and same_optics != same_across:
            apart_by = "picture" if same_optics else "profile"
            if apart_by == told_apart_by:
                pairs.append((one.name, other.name))
    return tuple(pairs)
