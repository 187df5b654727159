"""Do runs stand at one level: are signals as strong, pictures as large, sharp and bright, and is the flow as fast?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seston.recognition.signal_levels import RunLook, RunSignals, SignalLevels, learn_signals

__all__ = ["Known", "level_verdicts"]

_Verdict = tuple[bool | None, str]
DetectorLevels = Mapping[str, Mapping[str, float]]
"""Sample → sensitivity level of each detector."""

# How far runs of one instrument and season were seen to lie apart (simulated and real ones), each about three standard
# deviations; a comparison with n runs allows √(1 + 1/n) times as much.
_CHANNEL = 0.42
"""|ln gain| of one channel: 1.5 times as strong as many runs, 1.8 times as strong as one."""
_ALL_CHANNELS = 0.21
"""|ln gain| of all channels together: 1.23 times, 1.35 times."""
_SIZE = 0.10
"""|ln| of the size of particles in pictures."""
_SHARPNESS = 1.1
_BACKGROUND = 36.0
"""Grey levels beyond the darkest and the brightest other run."""
_SPACING = 0.1
_STEPS_BORNE = 3.0
"""Of a sensitivity level: a factor of 1.4, which training bears and naming corrects for."""
_STEPS_A_DECADE = 20.0
"""Steps of the sensitivity level that make signals ten times as strong: so CytoSenses are set up."""
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Known:
    """The runs that others are compared with."""

    signals: SignalLevels | None
    detector_levels: DetectorLevels
    words: str
    """What to call them, such as ``the gallery's runs``."""
    levelled: bool = True
    """Whether naming by them corrects for levels."""


@dataclass(frozen=True, slots=True)
class _Case:
    sample: str
    here: RunSignals
    others: tuple[RunSignals, ...]
    levels: Mapping[str, float]
    other_levels: tuple[Mapping[str, float], ...]

    @property
    def room(self) -> float:
        return math.sqrt(1 + 1 / len(self.others))


def level_verdicts(
    looks: Mapping[str, RunLook], detector_levels: DetectorLevels, known: Known | None
) -> dict[str, _Verdict]:
    """Compare runs with those of a gallery, or with each other.

    Parameters
    ----------
    looks
        By sample: what was measured of it.
    detector_levels
        Of these samples, where the files tell them: a gain that they explain is none to warn of here.
    known
        The runs to compare with; None compares the samples with each other.

    Returns
    -------
    dict
        Name of the check → whether all is well (None: it cannot be told), and what was found.
    """
    signals = learn_signals(looks) if known is None else known.signals
    words = "the other runs" if known is None else known.words
    cases = [] if signals is None else _cases(looks, signals, detector_levels, known)
    of_detectors = {"detector levels equal the gallery's": _detectors(detector_levels, known)}
    if not cases and known is not None and signals is not None and any(sample in signals.runs for sample in looks):
        return of_detectors | dict.fromkeys(_JUDGES, (True, f"there are no runs here but {words}"))
    if not cases:
        why = "nothing to compare with" if known is None else f"{words} hold no particles to compare with"
        few = f"{why}: it takes 50 particles with a picture and a profile, of each run"
        return of_detectors | dict.fromkeys(_JUDGES, (None, few))
    advice = _advice(known)
    return of_detectors | {
        name: _together([(case.sample, judge(case, words)) for case in cases], advice, f"where {words}")
        for name, judge in _JUDGES.items()
    }


def _cases(
    looks: Mapping[str, RunLook], signals: SignalLevels, levels: DetectorLevels, known: Known | None
) -> list[_Case]:
    cases = []
    for sample, look in looks.items():
        here = signals.runs[sample] if sample in signals.runs else signals.compare(look)
        others = {name: run for name, run in signals.runs.items() if name != sample}
        if here is not None and others:
            of_others = levels if known is None else known.detector_levels
            other_levels = tuple(of_others[name] for name in others if name in of_others)
            cases.append(_Case(sample, here, tuple(others.values()), levels.get(sample, {}), other_levels))
    return cases


def _gains(case: _Case, words: str) -> list[str]:
    """Say which channels are stronger or weaker than elsewhere, and than their detectors' levels explain."""
    apart, unexplained = {}, {}
    for channel, gain in case.here.gains.items():
        elsewhere = [math.log(run.gains[channel]) for run in case.others if channel in run.gains]
        if elsewhere:
            apart[channel] = math.log(gain) - float(np.median(elsewhere))
            unexplained[channel] = apart[channel] - _explained(case, channel)
    if not apart:
        return []
    far = [
        f"{channel} {_times(step)}"
        for channel, step in apart.items()
        if min(abs(step), abs(unexplained[channel])) > _CHANNEL * case.room
    ]
    both = [float(np.mean(list(steps.values()))) for steps in (apart, unexplained)]
    if not far and min(abs(step) for step in both) > _ALL_CHANNELS * case.room:
        far = [f"all channels together {_times(both[0])}"]
    return [f"{', '.join(far)} as strong as in {words}"] if far else []


def _explained(case: _Case, channel: str) -> float:
    """Give the part of ln gain that the sensitivity levels tell."""
    elsewhere = [levels[channel] for levels in case.other_levels if channel in levels]
    if channel not in case.levels or not elsewhere:
        return 0.0
    return (case.levels[channel] - float(np.median(elsewhere))) * math.log(10) / _STEPS_A_DECADE


def _pictures(case: _Case, words: str) -> list[str]:
    found = []
    size = math.log(case.here.size) - float(np.median([math.log(run.size) for run in case.others]))
    if abs(size) > _SIZE * case.room:
        found.append(f"pictures show particles {_times(size)} as large (in pixels) as {words}")
    sharp = case.here.sharpness - float(np.median([run.sharpness for run in case.others]))
    if abs(sharp) > _SHARPNESS * case.room:
        found.append(f"pictures are {'sharper' if sharp > 0 else 'more blurred'} than those of {words}")
    grounds = [run.background for run in case.others if run.background is not None]
    ground = case.here.background
    if ground is not None and grounds and not min(grounds) - _BACKGROUND <= ground <= max(grounds) + _BACKGROUND:
        span = f"{min(grounds):.0f}" if min(grounds) == max(grounds) else f"{min(grounds):.0f}-{max(grounds):.0f}"
        found.append(f"the background of pictures is {ground:.0f} of 255, in {words} {span}")
    return found


def _flow(case: _Case, words: str) -> list[str]:
    spacings = [run.spacing_um for run in case.others if run.spacing_um]
    own = case.here.spacing_um
    if not own or not spacings:
        return []
    nearest = min(spacings, key=lambda spacing: abs(math.log(own / spacing)))
    if abs(math.log(own / nearest)) <= _SPACING:
        return []
    return [f"samples of a profile lie {own:.3g} µm apart, in {words} {nearest:.3g}: the core flowed at another speed"]


_JUDGES: dict[str, Callable[[_Case, str], list[str]]] = {
    "signals are as strong as elsewhere": _gains,
    "pictures are as large, sharp and bright as elsewhere": _pictures,
    "the flow is as fast as elsewhere": _flow,
}


def _detectors(here: DetectorLevels, known: Known | None) -> _Verdict:
    """Compare the levels that the files tell."""
    if known is None:
        return None, "no gallery to compare with"
    if not known.detector_levels or not here:
        which = "the gallery's samples" if not known.detector_levels else "these files"
        return None, f"{which} do not say their detector levels"
    there: dict[str, set[float]] = {}
    for levels in known.detector_levels.values():
        for channel, level in levels.items():
            there.setdefault(channel, set()).add(level)
    found = [
        (sample, [_level(channel, level, there) for channel, level in levels.items() if _far(channel, level, there)])
        for sample, levels in here.items()
    ]
    words = f"within {_STEPS_BORNE:g} steps of where the gallery's samples"
    return _together(found, "naming corrects for it as far as it can", words)


def _far(channel: str, level: float, there: Mapping[str, set[float]]) -> bool:
    return channel not in there or min(abs(level - other) for other in there[channel]) > _STEPS_BORNE


def _level(channel: str, level: float, there: Mapping[str, set[float]]) -> str:
    of_gallery = ", ".join(f"{one:g}" for one in sorted(there.get(channel, ()))) or "not there"
    return f"{channel} {level:g} (gallery: {of_gallery})"


def _together(found: Sequence[tuple[str, Sequence[str]]], advice: str, where: str) -> _Verdict:
    wrong = [(sample, said) for sample, said in found if said]
    if not wrong:
        return True, f"{len(found)} {'run stands' if len(found) == 1 else 'runs stand'} {where} do"
    shown = "; ".join(f"{sample}: {', '.join(said)}" for sample, said in wrong[:_SHOWN])
    more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return False, f"{len(wrong)} of {len(found)} runs: {shown}{more}; {advice}"


def _advice(known: Known | None) -> str:
    if known is not None and not known.levelled:
        return "make the gallery without --as-measured, and naming corrects for it"
    return "galleries and identify correct for much of it; label some particles of such a run if it matters"


def _times(step: float) -> str:
    factor = math.exp(step)
    return f"{factor:.2g} times" if factor >= 1 else f"{factor:.2f} times"
