"""Modalities by which the labels of a gallery can hardly be told apart."""

from __future__ import annotations

from collections.abc import Mapping

from seston.recognition.naming import Route

__all__ = ["silent_modalities"]

_HARDLY = 0.1
_WORDS = {"I": "picture", "P": "profile"}


def silent_modalities(routes: Mapping[str, Route]) -> tuple[str, ...]:
    """Say in a sentence each which modality is next to silent about the labels, compared with the other one.

    Parameters
    ----------
    routes
        Of a gallery that could leave particles out and name them (see `seston.recognition.calibration.calibrate`); of
        others nothing is said.

    Returns
    -------
    tuple of str
        One for a modality that names the gallery's own particles less than a tenth as far above chance as the other
        does: a detector that failed, a camera out of focus, or labels that do not show there.
    """
    right, above = {}, {}
    for letter in _WORDS:
        route = routes.get(f"{letter}-{letter}")
        if route is not None and route.calibration.accuracy is not None:
            right[letter] = route.calibration.accuracy
            above[letter] = right[letter] - 1 / len(route.classes)
    if len(above) < len(_WORDS):
        return ()
    best = max(above, key=lambda letter: above[letter])
    return tuple(
        f"by {_WORDS[letter]} alone only {right[letter]:.0%} of the gallery's own particles are named rightly, by "
        f"{_WORDS[best]} {right[best]:.0%}: names of pairs rest on the {_WORDS[best]}; look whether every "
        f"{_WORDS[letter]} was measured as it should be"
        for letter in above
        if letter != best and above[letter] < _HARDLY * above[best]
    )
