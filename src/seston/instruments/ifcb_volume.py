"""How much water an IFCB looked at: the syringe's flow times the time in which a trigger could be taken.

Rules and constants after hsosik/ifcb-analysis (``IFCB_volume_analyzed.m``, ``IFCB_volume_analyzed_fromADC.m``) and, for
the first instruments, joefutrelle/pyifcb (``ifcb/metrics/ml_analyzed.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seston.instruments.ifcb_adc import Adc
from seston.instruments.ifcb_header import Header
from seston.instruments.ifcb_names import BinName

__all__ = ["AnalysedVolume", "analysed_volume"]

_ML_A_MINUTE = 0.25
_OLD_ML_A_SECOND = 5 / 48_000 * 40
_SHORTEST_PROCESSING_S = 0.073
_SHORTEST_OF_5_S = 0.05
_DAY_S = 86_400.0
_AGREE = (0.98, 1.02)
_STEPS_S = (-0.1, 5.0)
_OFFSET_S = 10.0
_FIRST_LINES = 10


@dataclass(frozen=True, slots=True)
class AnalysedVolume:
    """The analysed volume, or why it is not known."""

    ml: float | None
    run_s: float | None
    """How long the bin was measured."""
    origin: str
    """What it was computed from."""
    reason: str = ""
    """Why there is no volume; empty where there is."""


def analysed_volume(name: BinName, header: Header, adc: Adc) -> AnalysedVolume:
    """Compute the volume of a bin (ml)."""
    if not len(adc):
        return AnalysedVolume(None, None, "", "the bin has no trigger, so the volume that was looked at is not known")
    return _of_first_instruments(name, adc) if name.old_style else _of_later_instruments(name, header, adc)


def _of_later_instruments(name: BinName, header: Header, adc: Adc) -> AnalysedVolume:
    """0.25 ml/min × (run time - inhibit time), each from the header where the ``.adc`` agrees within 2 %."""
    run_adc, inhibit_adc = _times_of_adc(adc)
    run, run_from = _choose(header.number("runTime"), run_adc)
    inhibit, inhibit_from = _choose(header.number("inhibitTime"), inhibit_adc)
    origin = f"run time of {run_from}, inhibit time of {inhibit_from}, 0.25 ml/min"
    if run is None or inhibit is None:
        return AnalysedVolume(None, run, "", "neither .hdr nor .adc tells how long the instrument was ready")
    if int(name.instrument) < 7 or int(name.instrument) == 8:
        reason = f"the rule for the volume does not hold for instrument {name.instrument}"
        return AnalysedVolume(None, run, "", reason)
    if inhibit == 0:
        return AnalysedVolume(None, run, "", "the inhibit time is 0 throughout: it was not recorded")
    flow = _ML_A_MINUTE
    if header.is_on("runSampleFast") and (factor := header.number("RunFastFactor")):
        flow *= factor
        origin += f" × RunFastFactor {factor:g}"
    ml = flow * (run - inhibit) / 60
    if ml <= 0:
        return AnalysedVolume(None, run, "", "the instrument was never ready: run and inhibit time are damaged")
    return AnalysedVolume(ml, run, origin)


def _choose(of_header: float | None, of_adc: float | None) -> tuple[float | None, str]:
    if of_header is None or (of_adc and not _AGREE[0] <= of_header / of_adc <= _AGREE[1]):
        return of_adc, ".adc"
    return of_header, ".hdr"


def _times_of_adc(adc: Adc) -> tuple[float | None, float | None]:
    """Give run and inhibit time at the last line, with the instrument's known slips taken out."""
    run, inhibit, clock = adc.column("run time s"), adc.column("inhibit time s"), adc.column("ADC time s")
    good = np.isfinite(run) & np.isfinite(inhibit) & (run > 0)
    if not good.any():
        return None, None
    run, inhibit, clock = run[good], inhibit[good], clock[good]
    ahead = float(np.nan_to_num(np.median((run - clock)[:_FIRST_LINES])))
    return float(run[-1]) - (ahead if ahead > _OFFSET_S else 0.0), _total_inhibit(inhibit)


def _total_inhibit(inhibit: NDArray[np.float64]) -> float:
    steps = np.diff(inhibit)
    bad = (steps < _STEPS_S[0]) | (steps > _STEPS_S[1])
    if not bad.any():
        return float(inhibit[-1])
    usual = steps[~bad & (steps > 0)]
    if not len(usual):
        return float(inhibit[0])
    values, often = np.unique(np.round(usual, 3), return_counts=True)
    return float(inhibit[0] + np.where(bad, values[np.argmax(often)], steps).sum())


def _of_first_instruments(name: BinName, adc: Adc) -> AnalysedVolume:
    """Flow × (run time - time spent on processing), one line a trigger; the run ends with the last frame grabbed."""
    _, first = np.unique(adc.column("trigger"), return_index=True)
    first.sort()
    grabbed, opened = (_past_midnight(adc.column(column)[first]) for column in ("frame grab s", "trigger open s"))
    if not (np.isfinite(grabbed).all() and np.isfinite(opened).all()):
        return AnalysedVolume(None, None, "", "the .adc lacks times, so the volume that was looked at is not known")
    # The first trigger has no frame before it; its processing counts as the shortest (so does pyifcb).
    processing = np.append(opened[1:] - grabbed[:-1], 0.0)
    run = float(grabbed[-1])
    looked = run - float(np.maximum(processing, _shortest(name)).sum())
    if looked <= 0:
        return AnalysedVolume(None, run, "", "the times in the .adc leave none for looking: they are damaged")
    return AnalysedVolume(
        _OLD_ML_A_SECOND * looked, run, "frame grab and trigger open times of .adc, 5/48000 ml × 40/s"
    )


def _shortest(name: BinName) -> float:
    changed = int(name.instrument) == 5 and (name.start.year, name.start.month) >= (2015, 6)
    return _SHORTEST_OF_5_S if changed else _SHORTEST_PROCESSING_S


def _past_midnight(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return seconds + np.where(seconds < 0, _DAY_S, 0.0)
