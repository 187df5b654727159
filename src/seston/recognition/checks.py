"""Do these files belong together: does the listmode agree with the profiles, do the pictures with both?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError, NotFoundError
from seston.particle import Particle, Progress, Silence
from seston.recognition.average_ranks import average_ranks
from seston.recognition.evidence import Evidence, gather
from seston.recognition.level_checks import Known, level_verdicts
from seston.recognition.levelling import read_levels
from seston.recognition.signal_levels import ENOUGH_PARTICLES, LookTaker
from seston.recognition.source_particles import Reading, open_source

if TYPE_CHECKING:
    from seston.recognition.gallery import Gallery
    from seston.store import DataSet

__all__ = ["Check", "check_particles", "doctor"]

_FEW = 20
_SHOWN = 4
_CORRELATED = 0.95
_NEAR, _EXACT = 0.1, 0.01
_MOST = 0.9
_MANY_SAMPLES, _OF_MANY = 20, 100
_CROP_STEP_PX = 80
_SPACINGS_UM = (0.55, 0.5, 0.3675)
"""Core speeds of 2.2, 2.0 and 1.47 m/s at 4 MHz: those that instruments were seen to have."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool | None
    """None where it cannot be told."""
    detail: str


_Verdict = tuple[bool | None, str]


def doctor(
    path: DataSet | Path | str | Sequence[Path | str],
    gallery: Gallery | Path | str | None = None,
    *,
    progress: Progress | None = None,
) -> list[Check]:
    """Check whether files or the parts of a data set belong together.

    Parameters
    ----------
    path
        A data set, or instrument files and folders of them.
    gallery
        Compare signals, pictures, flow and detector levels with those of its samples; without it those of the samples
        are compared with each other.

    Returns
    -------
    list of Check
        `ok` is False only where something contradicts, and None where there is too little to tell.

    Raises
    ------
    NotFoundError
        For a path that does not exist.
    InputError
        Where nothing can be read.

    Notes
    -----
    Levels are compared whatever species there are (see `seston.recognition.signal_levels`); runs of one instrument and
    season differ by less than what is warned of. The other checks are those that found a fault or proved soundness on
    real files: listmode values recomputed from the profiles, the number of samples against *Sample Length* in both of
    its meanings, picture length against pulse length, sides of cropped pictures, curvature (its mean is 0), and the
    least value of the detectors (0.5 mV in older electronics, 0 in newer).
    """
    reading = open_source(path)
    say = progress or Silence()
    say.start("looking at particles", reading.total)
    takers: dict[str, LookTaker] = {}
    of_particles = check_particles(_measured(reading.particles(), takers))
    say.finish()
    looks = {sample: taker.look() for sample, taker in takers.items()}
    own_levels = {sample.id: sample.detector_levels for sample in reading.samples.values() if sample.detector_levels}
    verdicts = level_verdicts(looks, own_levels, None if gallery is None else _known(gallery))
    return [
        _reading_check(reading),
        *of_particles,
        *(Check(name, ok, detail) for name, (ok, detail) in verdicts.items()),
        _torch_check(),
    ]


def _measured(particles: Iterable[Particle], takers: dict[str, LookTaker]) -> Iterator[Particle]:
    """Measure the first particles of each sample while they pass by; of many samples fewer of each."""
    for particle in particles:
        if particle.sample_id not in takers:
            takers[particle.sample_id] = LookTaker(ENOUGH_PARTICLES if len(takers) < _MANY_SAMPLES else _OF_MANY)
        takers[particle.sample_id].add(particle)
        yield particle


def _known(gallery: Gallery | Path | str) -> Known:
    levels = read_levels(Path(gallery)) if isinstance(gallery, str | Path) else gallery.levels
    signals = None if levels is None else levels.signals
    return Known(signals, _levels_of(gallery), "the gallery's runs", levelled=levels is not None)


def check_particles(particles: Iterable[Particle]) -> list[Check]:
    """Check whether listmode, profiles and pictures of some particles belong together, sample by sample."""
    found = gather(particles)
    return [_over_samples(name, found, judge) for name, judge in _JUDGES.items()]


def _reading_check(reading: Reading) -> Check:
    name = "everything can be read"
    if not reading.skipped:
        return Check(name, True, "nothing had to be skipped")
    first = "; ".join(
        f"{Path(one.path).name}{': ' + one.item if one.item else ''}: {one.reason}" for one in reading.skipped[:_SHOWN]
    )
    more = len(reading.skipped) - _SHOWN
    return Check(name, None, f"{len(reading.skipped)} skipped: {first}{f'; and {more} more' if more > 0 else ''}")


def _over_samples(name: str, found: Mapping[str, Evidence], judge: Callable[[Evidence], _Verdict]) -> Check:
    """Judge each sample; one that contradicts is enough to fail."""
    verdicts = {sample: judge(evidence) for sample, evidence in found.items()}
    for wanted in (False, True, None):
        those = {sample: detail for sample, (ok, detail) in verdicts.items() if ok is wanted}
        if those:
            return Check(name, wanted, _sum_up(those, len(verdicts), alike=wanted is not False))
    return Check(name, None, "there is no particle")


def _sum_up(details: Mapping[str, str], samples: int, *, alike: bool = False) -> str:
    if samples == 1:
        return next(iter(details.values()))
    if alike:
        sample, detail = next(iter(details.items()))
        return f"{len(details)} of {samples} samples; the first ({sample}): {detail}"
    shown = "; ".join(f"{sample}: {detail}" for sample, detail in list(details.items())[:_SHOWN])
    more = len(details) - _SHOWN
    return f"{len(details)} of {samples} samples: {shown}{f'; and {more} more' if more > 0 else ''}"


def _judge_ids(evidence: Evidence) -> _Verdict:
    listmode, profile, both = evidence.with_listmode, evidence.with_profile, evidence.with_listmode_and_profile
    what = f"{evidence.particles:,} particles: {listmode:,} with listmode, {profile:,} with profile, {both:,} with both"
    what += f"; {evidence.with_image:,} with picture, {evidence.with_image_and_profile:,} of them with profile"
    if listmode and profile and both < _MOST * min(listmode, profile):
        return (False if not both else None), what
    if evidence.with_image and profile and not evidence.with_image_and_profile:
        return False, what
    return (True if both or evidence.with_image_and_profile else None), what


def _judge_listmode(evidence: Evidence) -> _Verdict:
    listed, recomputed = np.array(evidence.listed), np.array(evidence.recomputed)
    good = (listed > 0) & (recomputed > 0)
    if not good.any():
        return None, "no particle has listmode and a profile of the same channel"
    listed, recomputed = listed[good], recomputed[good]
    apart = float(np.median(np.abs(listed - recomputed) / listed))
    kinds = np.unique(np.array(evidence.compared)[good], return_inverse=True)[1]
    correlation = _correlation(_within(np.log(listed), kinds), _within(np.log(recomputed), kinds))
    what = (
        f"correlation of logarithms {correlation:.3f}, median difference {_percent(apart)} "
        f"({evidence.compared_particles:,} particles, {len(listed):,} values of total, maximum, first and last)"
    )
    if apart <= _EXACT or (apart <= _NEAR and correlation >= _CORRELATED):
        return True, what
    if evidence.compared_particles < _FEW // 4:
        return None, f"too few to tell: {what}"
    return False, what


def _judge_sample_length(evidence: Evidence) -> _Verdict:
    if not evidence.sample_lengths:
        return None, "no particle has Sample Length and a profile"
    lengths, counts = np.array(evidence.sample_lengths), np.array(evidence.sample_counts, float)
    known = np.array(evidence.spacings)
    meanings = {"the number of samples": np.abs(lengths - counts) < 0.6}
    for spacing in (known, *_SPACINGS_UM):
        in_um = (counts - 1) * spacing
        fits = np.abs(lengths - in_um) <= np.maximum(0.6 * spacing, 0.005 * in_um)
        text = (
            f"µm from first to last sample (at {float(np.nanmedian(spacing)):.4g} µm)"
            if np.isfinite(spacing).any()
            else ""
        )
        if text:
            meanings.setdefault(text, fits)
    best = max(meanings, key=lambda text: float(meanings[text].mean()))
    share = float(meanings[best].mean())
    if share >= _MOST:
        return True, f"it is {best} in {share * 100:.0f} % of {len(lengths):,} particles"
    what = f"it fits neither the number of samples nor µm: at best {share * 100:.0f} % of {len(lengths):,} particles"
    return (False if len(lengths) >= _FEW // 4 else None), what


def _judge_pictures(evidence: Evidence) -> _Verdict:
    count = len(evidence.picture_lengths)
    if not count:
        return None, "no particle has both a picture and a profile"
    correlation = _correlation(average_ranks(evidence.picture_lengths), average_ranks(evidence.pulse_lengths))
    what = f"rank correlation {correlation:.2f} of {count:,} particles"
    if count < _FEW:
        return None, f"too few to tell ({count} with picture and profile)"
    # Fisher's interval, two standard errors wide to each side.
    low, high = np.tanh(np.arctanh(np.clip(correlation, -0.999, 0.999)) + np.array([-2, 2]) / np.sqrt(count - 3))
    if low > 0.1:
        return True, what
    return (False if high < 0.3 else None), f"{what} (between {low:.2f} and {high:.2f})"


def _judge_sides(evidence: Evidence) -> _Verdict:
    if not evidence.sides or not (evidence.with_profile or evidence.with_listmode):
        return None, "there are no pictures of a cytometer"
    fits = sum(width % _CROP_STEP_PX == 0 and height % _CROP_STEP_PX == 0 for width, height in evidence.sides)
    what = f"{fits:,} of {len(evidence.sides):,} pictures have sides that are multiples of {_CROP_STEP_PX} pixels"
    if fits >= _MOST * len(evidence.sides):
        return True, what
    return None, f"{what}: the others are whole frames, cut by the frame's edge, or were cropped by another program"


def _judge_curvature(evidence: Evidence) -> _Verdict:
    if not evidence.curvature_means:
        return None, "there is no curvature channel"
    typical = float(np.median(np.abs(evidence.curvature_means)))
    what = f"its mean over a particle is {typical:.1g} (median of {len(evidence.curvature_means):,}); it should be 0"
    return typical < 0.01, what


def _judge_floor(evidence: Evidence) -> _Verdict:
    if not evidence.least_values:
        return None, "there is no profile"
    least = float(np.min(evidence.least_values))
    if abs(least - 0.5) < 0.01:
        return True, "no value below 0.5 mV: older electronics"
    if abs(least) < 0.01:
        return True, "values go down to 0 mV: newer electronics"
    return None, f"the least value is {least:.3g} mV: neither 0 nor 0.5 (few particles, or not smoothed by CytoClus)"


_JUDGES: dict[str, Callable[[Evidence], _Verdict]] = {
    "listmode, profiles and pictures share ids": _judge_ids,
    "listmode agrees with profiles": _judge_listmode,
    "Sample Length agrees with the number of samples": _judge_sample_length,
    "picture length agrees with pulse length": _judge_pictures,
    "pictures have the sides of a CytoSense's crops": _judge_sides,
    "curvature has mean 0": _judge_curvature,
    "least value of the detectors": _judge_floor,
}


def _levels_of(gallery: Gallery | Path | str) -> Mapping[str, Mapping[str, float]]:
    if not isinstance(gallery, str | Path):
        return gallery.card.detector_levels
    card = Path(gallery) / "gallery.json"
    if not card.is_file():
        raise NotFoundError(f"{gallery} is no gallery (no gallery.json in it)")
    try:
        levels: Mapping[str, Mapping[str, float]] = json.loads(card.read_bytes())["detector_levels"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{card}: is damaged ({error}); make the gallery anew") from error
    return levels


def _torch_check() -> Check:
    from importlib.metadata import PackageNotFoundError, version

    name = "torch"
    try:
        found = version("torch")
    except PackageNotFoundError:
        return Check(name, None, "not installed: training and embedding need it (pip install 'seston[train]')")
    kind = "for CPUs alone" if "+cpu" in found else "may use a GPU"
    try:
        beside = f"; torchvision {version('torchvision')} beside it"
    except PackageNotFoundError:
        beside = "; no torchvision, none is needed"
    return Check(name, True, f"torch {found} ({kind}){beside}")


def _within(values: NDArray[np.float64], kinds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Take the mean of its kind from each value: channels differ in size, and that alone would correlate."""
    means = np.bincount(kinds, values) / np.maximum(np.bincount(kinds), 1)
    return np.asarray(values - means[kinds])


def _percent(share: float) -> str:
    return "under 0.01 %" if share < 1e-4 else f"{share * 100:.3g} %"


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    if len(first) < 2 or first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
