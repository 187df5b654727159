"""Features of the optical profile: how much light each channel gave, over what length, and in what shape.

Of each channel (log: natural logarithm of 1 + value, where values span decades):

=====================  ========================================================================================
name                   what
=====================  ========================================================================================
log total              all light of the pulse (mV · samples)
log maximum            its highest sample (mV)
log length             Length of CytoClus in µm; only where sample spacing and beam width are known
log width              width at half maximum in samples
log cells              Number of cells of CytoClus: how often the pulse goes up and down
inertia, fill, lean    Inertia, Fill factor and Asymmetry of CytoClus: spread, fullness, distance of the center of
                       the light from the middle
signed lean            the same with its side: negative where the light comes early; it turns with the particle
first, last, least     first, last and lowest sample as a share of the maximum
spread, skew, tails    standard deviation, skewness and kurtosis of where the light is along the particle
at half, at tenth      width at 50 % and at 10 % of the maximum as a share of the whole profile
peaks, parts           log number of peaks, and of stretches above half of the maximum
cosine 1 … 8           cosine terms of the outline divided by its mean; odd ones, which would turn their sign with
                       the particle, without sign
=====================  ========================================================================================

Of the whole particle: ``log samples`` and ``log µm`` (where the spacing is known). Of each channel against forward
scatter (or the first channel), and of each fluorescence against red: ``A / B log total``, the log ratio of totals, and
``A ~ B outline``, the correlation of the outlines. Channels that lie around zero (Curvature) have only spread, highest,
lowest, peaks and cosines.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seston.features.listmode_formulas import channel_parameters, widths_at
from seston.features.pulses import Array, Pulses
from seston.particle import is_signal

__all__ = ["pulse_features", "pulse_table"]

_COSINES = 8
_PEAK = 0.2
"""Share of the maximum that a peak must reach."""
_AROUND_ZERO = frozenset({"Curvature"})
_RED = ("FL Red", "FL Red HS", "FL Red LS", "2 FL Red", "2 FL Red HS", "2 FL Red LS")


def pulse_features(
    profile: NDArray[np.floating],
    channels: Sequence[str],
    spacing_um: float | None = None,
    beam_width_um: float | None = None,
) -> dict[str, float]:
    """Measure the pulse shapes of one particle.

    Parameters
    ----------
    profile
        Shape (channels, samples), in mV.
    channels
        Canonical channel names, one a row; triggers and dummies are left out.
    spacing_um
        µm a sample, or None where it is not known.
    beam_width_um
        Width of the laser beam, or None.

    Returns
    -------
    dict
        Name → value as the table above says; NaN where a channel gave no light or a value is not defined. Names that
        need a spacing or beam width that is not known are absent. Many particles are measured some ten times faster
        together, by `pulse_table`.
    """
    names, table = pulse_table([profile], channels, [spacing_um], [beam_width_um])
    known = {"log µm": spacing_um is not None}
    length_known = spacing_um is not None and beam_width_um is not None
    return {
        name: value
        for name, value in zip(names, table[0].tolist(), strict=True)
        if known.get(name, length_known or not name.endswith(" log length"))
    }


def pulse_table(
    profiles: Sequence[NDArray[np.floating]],
    channels: Sequence[str],
    spacings_um: Sequence[float | None],
    beam_widths_um: Sequence[float | None],
) -> tuple[tuple[str, ...], Array]:
    """Measure the pulse shapes of many particles with the same channels.

    Parameters
    ----------
    profiles
        Each of shape (channels, samples), of any length.
    channels
        Canonical channel names, one a row of each profile.
    spacings_um, beam_widths_um
        One a profile, None where not known.

    Returns
    -------
    (names, table)
        Names of the features, and an array of shape (particles, features) that is finite or NaN.
    """
    keep = [row for row, channel in enumerate(channels) if is_signal(channel)]
    lit = tuple(channels[row] for row in keep if channels[row] not in _AROUND_ZERO)
    others = tuple(channels[row] for row in keep if channels[row] in _AROUND_ZERO)
    whole = np.array([profile.shape[1] > 0 for profile in profiles], dtype=np.bool_)
    spacing, beam = (
        np.array([np.nan if value is None else value for value in values], dtype=np.float64)[whole]
        for values in (spacings_um, beam_widths_um)
    )
    if not keep or not whole.any():
        names = _names(lit, others)
        return names, np.full((len(profiles), len(names)), np.nan)
    pulses = Pulses.of([profile for profile, some in zip(profiles, whole, strict=True) if some])
    count = pulses.counts.astype(np.float64)
    parts = [np.log(count)[None], np.log(np.maximum(count - 1, 1) * spacing)[None]]
    with np.errstate(all="ignore"):
        if lit:
            light = pulses.rows([row for row in keep if channels[row] not in _AROUND_ZERO])
            parts += [_of_channels(light, spacing, beam), _between_channels(light, _pairs(lit))]
        if others:
            parts.append(_around_zero(pulses.rows([row for row in keep if channels[row] in _AROUND_ZERO])))
    measured = np.concatenate(parts).T
    table = np.full((len(profiles), measured.shape[1]), np.nan)
    table[whole] = np.where(np.isfinite(measured), measured, np.nan)
    return _names(lit, others), table


_OF_CHANNEL = (
    *("log total", "log maximum", "log length", "log width", "log cells", "inertia", "fill", "lean", "signed lean"),
    *("first", "last", "least", "spread", "skew", "tails", "at half", "at tenth", "peaks", "parts"),
    *(f"cosine {k + 1}" for k in range(_COSINES)),
)
_OF_DARK_CHANNEL = 2
"""So many of them are known of a channel that gave no light."""
_AROUND_ZERO_FEATURES = ("spread", "highest", "lowest", "peaks", *(f"cosine {k + 1}" for k in range(_COSINES)))


@lru_cache(maxsize=256)
def _names(lit: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    names = ["log samples", "log µm"] if lit or others else []
    names += [f"{channel} {feature}" for feature in _OF_CHANNEL for channel in lit]
    names += [f"{lit[one]} / {lit[other]} log total" for one, other in _pairs(lit)]
    names += [f"{lit[one]} ~ {lit[other]} outline" for one, other in _pairs(lit)]
    names += [f"{channel} {feature}" for feature in _AROUND_ZERO_FEATURES for channel in others]
    return tuple(names)


def _of_channels(pulses: Pulses, spacing_um: Array, beam_width_um: Array) -> Array:
    """Shape (features · channels, particles), features in the order of `_OF_CHANNEL`."""
    signals, count = pulses.signals, pulses.counts.astype(np.float64)
    cytoclus = channel_parameters(pulses, spacing_um, beam_width_um)
    highest, total = cytoclus["Maximum"], cytoclus["Total"]
    weight = np.clip(signals, 0, None)
    weight /= pulses.along(pulses.sums(weight))
    place = (pulses.index + 0.5) / pulses.along(count)
    center = pulses.sums(weight * place)
    away = place - pulses.along(center)
    variance = pulses.sums(weight * away**2)
    half = widths_at(pulses, 0.5)
    columns = [
        np.log1p(np.maximum(total, 0)),
        np.log1p(np.maximum(highest, 0)),
        np.log1p(cytoclus["Length"]),
        np.log1p(half),
        np.log1p(cytoclus["Number of cells"]),
        cytoclus["Inertia"],
        cytoclus["Fill factor"],
        cytoclus["Asymmetry"],
        2 * center - 1,
        cytoclus["First"] / highest,
        cytoclus["Last"] / highest,
        cytoclus["Minimum"] / highest,
        np.sqrt(variance),
        pulses.sums(weight * away**3) / variance**1.5,
        pulses.sums(weight * away**4) / variance**2,
        half / count,
        widths_at(pulses, 0.1) / count,
        np.log1p(_peaks(pulses, _PEAK * highest)),
        np.log1p(_parts(pulses, signals > pulses.along(0.5 * highest))),
        *_cosines(pulses, total / count),
    ]
    broken = ~np.isfinite(pulses.sums(signals))
    for number, values in enumerate(columns):
        values[broken | (highest <= 0) if number >= _OF_DARK_CHANNEL else broken] = np.nan
    return np.concatenate(columns)


def _between_channels(pulses: Pulses, pairs: Sequence[tuple[int, int]]) -> Array:
    """Shape (2 · pairs, particles): ratios of totals, then correlations of outlines."""
    totals = np.log1p(np.maximum(pulses.sums(pulses.signals), 0))
    outlines = pulses.signals - pulses.along(pulses.sums(pulses.signals) / pulses.counts)
    outlines /= pulses.along(np.sqrt(pulses.sums(outlines**2)))
    ratios = [totals[one] - totals[other] for one, other in pairs]
    alike = [pulses.sums(outlines[one] * outlines[other]) for one, other in pairs]
    return np.array(ratios + alike).reshape(2 * len(pairs), len(pulses.counts))


@lru_cache(maxsize=256)
def _pairs(names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Which channels are compared, by their places."""
    if not names:
        return ()
    reference = names.index("FWS") if "FWS" in names else 0
    pairs = [(row, reference) for row in range(len(names)) if row != reference]
    red = next((names.index(name) for name in _RED if name in names), reference)
    if red != reference:
        pairs += [(row, red) for row, name in enumerate(names) if "FL " in name and row not in (red, reference)]
    return tuple(pairs)


def _around_zero(pulses: Pulses) -> Array:
    signals = pulses.signals
    size = pulses.highest(np.abs(signals))
    mean = pulses.sums(signals) / pulses.counts
    variance = np.maximum(pulses.sums(signals**2) / pulses.counts - mean**2, 0)
    peaks = np.log1p(_peaks(pulses, 0.5 * size))
    columns = [np.sqrt(variance), pulses.highest(signals), pulses.lowest(signals), peaks, *_cosines(pulses, size)]
    return np.concatenate(columns)


def _peaks(pulses: Pulses, least: Array) -> Array:
    """Count the local maxima of each lightly smoothed profile that reach a level."""
    signals = pulses.signals
    before, after = pulses.before(signals, np.nan), pulses.after(signals, np.nan)
    smooth = 0.25 * before + 0.5 * signals + 0.25 * after
    smooth = np.where(np.isnan(smooth), signals, smooth)
    higher = (smooth > pulses.before(smooth, -np.inf)) & (smooth >= pulses.after(smooth, -np.inf))
    return pulses.sums(higher & (smooth >= pulses.along(least)))


def _parts(pulses: Pulses, over: NDArray[np.bool_]) -> Array:
    """Count the stretches of True in each profile."""
    return pulses.sums(over & ~pulses.before(over, False))


def _cosines(pulses: Pulses, scale: Array) -> list[Array]:
    count = pulses.counts.astype(np.float64)
    angle = np.pi * (pulses.index + 0.5) / pulses.along(count)
    terms = [2 / count * pulses.sums(pulses.signals * np.cos(k * angle)) / scale for k in range(1, _COSINES + 1)]
    return [np.abs(term) if k % 2 == 0 else term for k, term in enumerate(terms)]
