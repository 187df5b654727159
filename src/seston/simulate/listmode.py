"""The scalar parameters that CytoClus writes for each channel of a particle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LISTMODE_PARAMETERS", "channel_parameters"]

Array = NDArray[np.float64]

LISTMODE_PARAMETERS = (
    "Length",
    "Total",
    "Maximum",
    "Average",
    "Inertia",
    "Center of gravity",
    "Fill factor",
    "Asymmetry",
    "Number of cells",
    "First",
    "Last",
    "Minimum",
    "SWS covariance",
    "Length(50%)",
)
"""In the order of the columns of a CytoClus 4 export."""


def channel_parameters(signals: Array, sideward: int, spacing_um: float, beam_width_um: float) -> Array:
    """Compute the parameters of each channel, by the definitions of the CytoSense library.

    Source: ``ChannelData.vb`` of CytoBuoy's public CyzFile-API, checked against two real exports. One is not known:
    the SWS covariance of channels other than sideward scatter; here it is Σ (d - mean d)(s - mean s).

    Parameters
    ----------
    signals
        Shape (channels, samples), mV, smoothed as exported; at least three samples.
    sideward
        Row of the sideward scatter.

    Returns
    -------
    array of shape (channels, 14)
        Columns are `LISTMODE_PARAMETERS`.
    """
    count = signals.shape[1]
    index = np.arange(count, dtype=np.float64)
    head, head_index = signals[:, :-1], index[:-1]
    total = signals.sum(axis=1)
    squares = (signals**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (head @ head_index) / head.sum(axis=1)
        inertia = np.abs((head @ head_index**2 - centre**2 * total) / (total * (count - 1) ** 2 / 12.0))
        fill = total**2 / (count * squares)
        wiggle = (np.diff(signals, axis=1) ** 2).sum(axis=1) / (squares - total**2 / count)
        cells = count / (2.0 * np.pi) * np.sqrt(wiggle)
    length = _length(signals, spacing_um, beam_width_um)
    columns = (
        length,
        total,
        signals.max(axis=1),
        head.sum(axis=1) / (count - 1),
        inertia,
        centre,
        fill,
        np.abs(2.0 * centre / (count - 1) - 1.0),
        cells,
        signals[:, 0],
        signals[:, -1],
        signals.min(axis=1),
        _sideward_covariance(signals, sideward),
        length,
    )
    table: Array = np.nan_to_num(np.stack(columns, axis=1), nan=0.0, posinf=0.0, neginf=0.0)
    return table


def _length(signals: Array, spacing_um: float, beam_width_um: float) -> Array:
    """Give the width at half of the maximum, both ends interpolated, less the widening by the beam."""
    count = signals.shape[1]
    rows = np.arange(signals.shape[0])
    half = 0.5 * signals.max(axis=1)
    over = signals >= half[:, None]
    first, last = over.argmax(axis=1), count - 1 - over[:, ::-1].argmax(axis=1)
    before, after = np.maximum(first - 1, 0), np.minimum(last + 1, count - 1)
    rise = signals[rows, first] - signals[rows, before]
    fall = signals[rows, last] - signals[rows, after]
    with np.errstate(divide="ignore", invalid="ignore"):
        start = first - np.where(rise > 0, (signals[rows, first] - half) / rise, 0.0)
        end = last + np.where(fall > 0, (signals[rows, last] - half) / fall, 0.0)
        width = (end - start) * spacing_um
        ratio = (beam_width_um / width) ** 2
        length = width * 70.0 / (70.0 + ratio + 0.5 * ratio**2 + 1.5 * ratio**4)
    bounded: Array = np.maximum(np.nan_to_num(length, nan=0.0), 0.2)
    return bounded


def _sideward_covariance(signals: Array, sideward: int) -> Array:
    count = signals.shape[1]
    centred = signals - signals.mean(axis=1, keepdims=True)
    covariance: Array = centred @ centred[sideward]
    cosine = -2.0 / count * float(signals[sideward] @ np.cos(2.0 * np.pi * np.arange(count) / count))
    covariance[sideward] = max(cosine, 0.0)
    return covariance
