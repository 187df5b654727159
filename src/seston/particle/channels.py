"""One spelling for each channel and listmode parameter of a cytometer, whatever the file calls it.

Spellings seen in exports of CytoClus 3 and 4, cyz2json, RclusTool and raw ``.cyz`` files; matched without regard to
case, spaces, dots, hyphens and underscores. High and low sensitivity detectors (HS, LS) of one light stay apart.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["CHANNEL_ORDER", "PARAMETERS", "canonical_channel", "canonical_parameter", "is_signal", "split_parameter"]

_ALIASES: dict[str, tuple[str, ...]] = {
    "FWS": ("fws", "forward scatter", "forwardscatter sum", "fsc"),
    "FWS L": ("fws l", "forward scatter left", "fws left"),
    "FWS R": ("fws r", "forward scatter right", "fws right"),
    "SWS": ("sws", "sidewards scatter", "sideward scatter", "sideways scatter", "side scatter", "ssc"),
    "FL Blue": ("fl blue", "blue fluorescence"),
    "FL Green": ("fl green", "green fluorescence"),
    "FL Yellow": ("fl yellow", "yellow fluorescence"),
    "FL Orange": ("fl orange", "orange fluorescence"),
    "FL Red": ("fl red", "red fluorescence"),
    "FL Purple": ("fl purple", "purple fluorescence"),
    "2 FL Blue": ("2 fl blue",),
    "2 FL Green": ("2 fl green",),
    "2 FL Yellow": ("2 fl yellow", "fl yellow 2"),
    "2 FL Orange": ("2 fl orange", "fl orange 2"),
    "2 FL Red": ("2 fl red", "fl red 2"),
    "Polarized": ("polarized", "polarised"),
    "Curvature": ("curvature",),
}
_NOT_A_SIGNAL = frozenset({"trigger", "trigger1", "trigger2", "dsp", "dummy", "x", ""})

PARAMETERS: dict[str, tuple[str, ...]] = {
    "Length": ("length",),
    "Total": ("total",),
    "Maximum": ("maximum", "max"),
    "Average": ("average",),
    "Inertia": ("inertia",),
    "Center of gravity": ("center of gravity", "centre of gravity"),
    "Fill factor": ("fill factor",),
    "Asymmetry": ("asymmetry", "asmmetry"),
    "Number of cells": ("number of cells",),
    "Sample Length": ("sample length",),
    "Time of Arrival": ("time of arrival", "arrival time"),
    "First": ("first",),
    "Last": ("last",),
    "Minimum": ("minimum", "min"),
    "SWS covariance": ("sws covariance", "swscov"),
    "Length(50%)": ("length(50%)",),
    "Variable length": ("variable length",),
    "Range": ("range",),
}
"""Canonical listmode parameter → spellings seen."""


def _squeeze(name: str) -> str:
    return re.sub(r"[\s._\-]+", "", name.replace("\ufeff", "")).lower()


_CHANNEL_BY_SPELLING = {_squeeze(alias): name for name, aliases in _ALIASES.items() for alias in aliases}
_PARAMETER_BY_SPELLING = {_squeeze(alias): name for name, aliases in PARAMETERS.items() for alias in aliases}

CHANNEL_ORDER: tuple[str, ...] = tuple(
    f"{name}{suffix}" for name in _ALIASES for suffix in ("", " HS", " LS") if not (suffix and name == "Curvature")
)
"""All canonical names in the order in which tables and models list them."""


@lru_cache(maxsize=4096)
def canonical_channel(name: str) -> str:
    """Give the canonical spelling of a channel.

    A name that the table does not know is kept, with its white space tidied: an instrument may have channels that no
    one has listed, and they must survive.

    Examples
    --------
    >>> canonical_channel("X2.FL.Red.HS")
    '2 FL Red HS'
    >>> canonical_channel("Sidewards Scatter")
    'SWS'
    """
    squeezed = _squeeze(name)
    if re.match(r"x\d", squeezed):  # R puts an X before a name that begins with a digit
        squeezed = squeezed[1:]
    if squeezed in _CHANNEL_BY_SPELLING:
        return _CHANNEL_BY_SPELLING[squeezed]
    for suffix in ("HS", "LS"):
        stem = squeezed.removesuffix(suffix.lower())
        if stem != squeezed and stem in _CHANNEL_BY_SPELLING:
            return f"{_CHANNEL_BY_SPELLING[stem]} {suffix}"
    return " ".join(name.replace("\ufeff", "").split())


def canonical_parameter(name: str) -> str:
    """Give the canonical spelling of a listmode parameter; unknown ones are kept with tidy white space."""
    return _PARAMETER_BY_SPELLING.get(_squeeze(name), " ".join(name.split()))


def is_signal(channel: str) -> bool:
    """Tell whether a channel carries light: triggers, DSP and dummies do not."""
    return _squeeze(channel) not in _NOT_A_SIGNAL


@lru_cache(maxsize=4096)
def split_parameter(column: str) -> tuple[str | None, str]:
    """Split a listmode column into canonical channel and parameter.

    Returns
    -------
    (channel, parameter)
        `channel` is None for a parameter of the whole particle (``Sample Length``).

    Examples
    --------
    >>> split_parameter("X2.FL.Red.Center.of.gravity")
    ('2 FL Red', 'Center of gravity')
    """
    squeezed = _squeeze(column)
    if squeezed in _PARAMETER_BY_SPELLING:
        return None, _PARAMETER_BY_SPELLING[squeezed]
    for spelling in sorted(_PARAMETER_BY_SPELLING, key=len, reverse=True):
        if squeezed.endswith(spelling):
            channel = canonical_channel(_before_last_letters(column, len(spelling)))
            if channel and channel in _KNOWN_CHANNELS:
                return channel, _PARAMETER_BY_SPELLING[spelling]
    return None, " ".join(column.split())


_KNOWN_CHANNELS = frozenset(CHANNEL_ORDER)


def _before_last_letters(text: str, letters: int) -> str:
    """Cut so many letters, not counting separators, off the end of a text."""
    position = len(text)
    while letters and position:
        position -= 1
        if not re.match(r"[\s._\-\ufeff]", text[position]):
            letters -= 1
    return text[:position]
