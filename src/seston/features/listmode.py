"""Features from the instrument's own scalar parameters of a particle."""

from __future__ import annotations

import math
from functools import lru_cache

from seston.particle import PARAMETERS, Particle, split_parameter

__all__ = ["listmode_features"]

_NOT_OF_THE_PARTICLE = frozenset({"Time of Arrival"})
_WITHIN_ONE_DECADE = frozenset({"Fill factor", "Asymmetry"})


def listmode_features(particle: Particle) -> dict[str, float]:
    """Give the listmode parameters in a form that classifiers can use.

    Parameters
    ----------
    particle
        Its `listmode` holds ``"<channel> <parameter>"`` → value.

    Returns
    -------
    dict
        ``"log <channel> <parameter>"`` with sign(x) · ln(1 + |x|) where the parameter spans decades, the plain value of
        Fill factor and Asymmetry; NaN where a value is not finite. Times of arrival, which tell the order of particles
        and not what they are, and columns that are no parameter of a cytometer are left out.
    """
    found: dict[str, float] = {}
    for name, value in particle.listmode.items():
        feature = _feature(name)
        if feature is None:
            continue
        if not math.isfinite(value):
            found[feature] = math.nan
        elif feature.startswith("log "):
            found[feature] = math.copysign(math.log1p(abs(value)), value)
        else:
            found[feature] = float(value)
    return found


@lru_cache(maxsize=4096)
def _feature(name: str) -> str | None:
    """Name of the feature that a listmode parameter becomes; None where it is left out."""
    _, parameter = split_parameter(name)
    if parameter not in PARAMETERS or parameter in _NOT_OF_THE_PARTICLE:
        return None
    return name if parameter in _WITHIN_ONE_DECADE else f"log {name}"
