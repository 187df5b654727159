"""Views of particles: what the same particle might have looked like to the same kind of instrument on another day.

Every number that chance decides comes from (seed, epoch, view, particle) by `seston.training.randomness`; the rest is
arithmetic on whole batches. Gains multiply the light before the logarithm is taken. A channel that is dropped has no
light, which is what a dead detector shows. A picture is mirrored along the flow exactly when its profile is reversed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from seston.models.batch import Batch
from seston.training.other_instruments import Otherwise, draw_otherwise, seen_otherwise
from seston.training.preparation import Preparation
from seston.training.prepared import Prepared
from seston.training.randomness import in_single_precision, normals, seed_of, uniforms
from seston.training.scaling import (
    centred_picture,
    image_size_numbers,
    in_range,
    profile_size_numbers,
    scaled_signal,
)
from seston.training.settings import AugmentationSettings
from seston.training.tensors import to_tensor

__all__ = ["NoiseTable", "augmented_batch"]

_BLUR = 1.4
_BAND, _REACH = 48, 10
"""Rows that are blurred at once, and how far off the bell is still seen in float32."""
_TABLE = 1 << 20
_PIXELS_AT_ONCE = 1 << 18
_UNIFORM = (
    "reverse", "angle", "zoom", "stretch", "turn_over", "right", "down", "contrast", "brightness", "blur",
    "pixel_noise", "pixel_noise_place", "drop", "drop_count", "time_stretch", "time_shift",
    "signal_noise", "signal_noise_place",
)  # fmt: skip


class NoiseTable:
    """A long row of normal numbers, of which each particle gets a stretch that chance picks."""

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        generator = torch.Generator().manual_seed(seed_of(seed, 0x4E015E))
        self._row = torch.randn(_TABLE, generator=generator).to(device)

    def take(self, where: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Give (B, *shape) noise; `where` is (B,) in [0, 1)."""
        count = math.prod(shape)
        row = self._row if 2 * count <= _TABLE else self._row.repeat(math.ceil(2 * count / _TABLE))
        places = len(row) - count
        starts = (where * places).long()
        return row.as_strided((places, count), (1, 1))[starts].reshape(len(where), *shape)


@dataclass(frozen=True)
class _Chance:
    """The numbers that chance gives to each particle of a batch, by what they decide."""

    uniform: dict[str, Tensor]
    """Name → (B,) in [0, 1)."""
    channel: Tensor
    """(B, C) in [0, 1)."""
    gain: Tensor
    """(B, 1 + C) normal numbers."""
    size: Tensor
    """(B, k) normal numbers."""

    def __getitem__(self, name: str) -> Tensor:
        return self.uniform[name]

    def rows(self, part: slice) -> _Chance:
        """Give the numbers of some particles."""
        uniform = {name: numbers[part] for name, numbers in self.uniform.items()}
        return _Chance(uniform, self.channel[part], self.gain[part], self.size[part])

    def signed(self, name: str) -> Tensor:
        """Give (B,) numbers in [-1, 1)."""
        return 2 * self.uniform[name] - 1


def augmented_batch(
    prepared: Prepared,
    keys: NDArray[np.uint64],
    sample: Tensor,
    preparation: Preparation,
    settings: AugmentationSettings,
    noise: NoiseTable,
    purpose: tuple[int, ...],
    device: torch.device | str = "cpu",
) -> Batch:
    """Make one view of each particle.

    Parameters
    ----------
    prepared
        The particles as measured.
    keys
        (B,) of `seston.training.randomness.particle_keys`.
    sample
        (B,) numbers of samples.
    preparation, settings
        Of the run.
    noise
        The table of the run.
    purpose
        Seed, epoch and view.
    device
        Where the arithmetic is done.
    """
    chance = _draw(keys, preparation, purpose, device)
    reverse = chance["reverse"] < settings.reverse
    otherwise = draw_otherwise(keys, settings, purpose, device)
    image = _augmented_pictures(prepared, chance, otherwise, preparation, settings, noise, reverse)
    has_channel = to_tensor(prepared.has_channel).to(device)
    gain = _gains(chance, settings, has_channel)
    signal = _move_signal(to_tensor(prepared.profile).to(device), chance, settings, reverse)
    signal = signal * gain[:, :, None]
    if settings.signal_noise:
        strength = settings.signal_noise * chance["signal_noise"]
        grain = noise.take(chance["signal_noise_place"], tuple(signal.shape[1:]))
        signal = signal * (strength[:, None, None] * grain).exp()
    return Batch(
        image=image,
        image_size=_blurred(
            image_size_numbers(to_tensor(prepared.picture_sizes).to(device), preparation), chance, settings, 0
        ),
        image_present=to_tensor(prepared.has_picture).to(device),
        profile=scaled_signal(signal, has_channel, preparation),
        channel_present=has_channel,
        profile_size=_blurred(
            profile_size_numbers(
                to_tensor(prepared.profile_length).to(device),
                to_tensor(prepared.signal_total).to(device) * gain,
                to_tensor(prepared.signal_maximum).to(device) * gain,
                has_channel,
                preparation,
            ),
            chance,
            settings,
            preparation.inputs.picture_sizes,
        ),
        profile_present=to_tensor(prepared.has_profile).to(device),
        sample=sample.to(device),
    )


def _draw(
    keys: NDArray[np.uint64], preparation: Preparation, purpose: tuple[int, ...], device: torch.device | str
) -> _Chance:
    channels = len(preparation.channels)
    sizes = preparation.inputs.picture_sizes + preparation.inputs.profile_sizes
    plain = len(_UNIFORM) + channels
    pairs = (1 + channels + sizes + 1) // 2
    drawn = uniforms(keys, plain + 2 * pairs, *purpose)
    uniform, normal = in_single_precision(drawn[:, :plain]), normals(drawn[:, plain:]).astype(np.float32)
    numbers = np.concatenate([uniform, normal], axis=1)
    tensor = torch.from_numpy(numbers).to(device)
    return _Chance(
        uniform={name: tensor[:, column] for column, name in enumerate(_UNIFORM)},
        channel=tensor[:, len(_UNIFORM) : plain],
        gain=tensor[:, plain : plain + 1 + channels],
        size=tensor[:, plain + 1 + channels :][:, :sizes],
    )


def _augmented_pictures(
    prepared: Prepared,
    chance: _Chance,
    otherwise: Otherwise | None,
    preparation: Preparation,
    settings: AugmentationSettings,
    noise: NoiseTable,
    reverse: Tensor,
) -> Tensor:
    """Make the pictures of a view; on a CPU a few at a time, so that they stay in its cache from step to step."""
    device = reverse.device
    at_once = len(prepared)
    if device.type == "cpu":
        pixels = max(1, prepared.picture[0].size) if len(prepared) else 1
        at_once = max(1, _PIXELS_AT_ONCE * torch.get_num_threads() // pixels)
    parts = []
    for start in range(0, len(prepared), max(1, at_once)):
        part = slice(start, start + at_once)
        background = to_tensor(prepared.background[part]).to(device)
        picture = centred_picture(to_tensor(prepared.picture[part]).to(device), background)
        picture = _move_picture(picture, chance.rows(part), settings, reverse[part])
        if otherwise is not None:
            some = {name: numbers[part] for name, numbers in otherwise.items()}
            picture, background = seen_otherwise(picture, background, some, settings)
        picture = _relight_picture(picture, chance.rows(part), settings, noise)
        parts.append(in_range(picture, background, preparation))
    return torch.cat(parts) if parts else to_tensor(prepared.picture).float().to(device)


def _move_picture(picture: Tensor, chance: _Chance, settings: AugmentationSettings, reverse: Tensor) -> Tensor:
    """Turn, zoom, stretch, shift and mirror, in one resampling; outside lies background."""
    low, high = settings.zoom
    angle = chance.signed("angle") * math.radians(settings.rotation)
    zoom = low * (high / low) ** chance["zoom"]
    ratio = math.sqrt(settings.stretch) ** chance.signed("stretch")
    across, along = zoom * ratio, zoom / ratio
    mirror = torch.where(reverse, -1.0, 1.0)
    over = torch.where(chance["turn_over"] < settings.turn_over, -1.0, 1.0)
    free_x = settings.shift * 2 + (1 - across).clamp(min=0)
    free_y = settings.shift * 2 + (1 - along).clamp(min=0)
    cosine, sine = angle.cos(), angle.sin()
    matrix = torch.stack(
        [
            torch.stack([mirror * across * cosine, -across * sine, chance.signed("right") * free_x], dim=1),
            torch.stack([along * sine, over * along * cosine, chance.signed("down") * free_y], dim=1),
        ],
        dim=1,
    )
    grid = _places(matrix, picture.shape[-1])
    return functional.grid_sample(picture, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _places(matrix: Tensor, side: int) -> Tensor:
    """Give where each pixel of a square is taken from, (B, S, S, 2): `functional.affine_grid`, several times faster on
    a CPU.
    """
    steps = (2 * torch.arange(side, device=matrix.device) + 1) / side - 1
    of_columns = matrix[:, :, 0, None] * steps
    of_rows = matrix[:, :, 1, None] * steps + matrix[:, :, 2, None]
    return of_rows.movedim(1, -1)[:, :, None, :] + of_columns.movedim(1, -1)[:, None, :, :]


def _relight_picture(picture: Tensor, chance: _Chance, settings: AugmentationSettings, noise: NoiseTable) -> Tensor:
    """Change contrast, brightness and focus, and add noise."""
    contrast = 1 + settings.contrast * chance.signed("contrast")
    picture = picture * contrast[:, None, None, None]
    if settings.brightness:
        picture += (2 * settings.brightness * chance.signed("brightness"))[:, None, None, None]
    if settings.blur:
        strength = (1 - chance["blur"] / settings.blur).clamp(min=0)
        blurred = strength.nonzero()[:, 0]
        sharp = picture[blurred]
        picture[blurred] = torch.lerp(sharp, _blur(sharp), strength[blurred][:, None, None, None])
    if settings.pixel_noise:
        deviation = 2 * settings.pixel_noise * chance["pixel_noise"]
        picture += deviation[:, None, None, None] * noise.take(chance["pixel_noise_place"], tuple(picture.shape[1:]))
    return picture


def _blur(picture: Tensor) -> Tensor:
    """Blur by a bell about two pixels wide: along each axis products with the banded parts of a matrix, far quicker on
    a CPU than a convolution of one channel.
    """
    bell = _bell(picture.shape[-1], picture.device)
    bands = [
        (slice(start, start + _BAND), slice(max(0, start - _REACH), start + _BAND + _REACH))
        for start in range(0, len(bell), _BAND)
    ]
    down = torch.cat([bell[to, taken] @ picture[:, :, taken] for to, taken in bands], dim=2)
    return torch.cat([down[:, :, :, taken] @ bell[to, taken].T for to, taken in bands], dim=3)


@lru_cache(maxsize=16)
def _bell(side: int, device: torch.device) -> Tensor:
    places = torch.arange(side, device=device)
    bell = torch.exp(-((places[:, None] - places[None, :]) ** 2) / (2 * _BLUR**2))
    return bell / bell.sum(dim=1, keepdim=True)


def _gains(chance: _Chance, settings: AugmentationSettings, has_channel: Tensor) -> Tensor:
    """Give (B, C) factors: the gain of the run, of the channel, and 0 for a channel that is dropped."""
    common = settings.gain * chance.gain[:, :1]
    each = settings.channel_gain * chance.gain[:, 1:]
    gain = (common + each).exp()
    if not settings.drop_channels:
        return gain
    most = max(1, has_channel.shape[1] // 3)
    dropped = 1 + (chance["drop_count"] * most).long()
    rank = chance.channel.argsort(dim=1).argsort(dim=1)
    drops = chance["drop"] < settings.drop_channels
    return gain * ~(drops[:, None] & (rank < dropped[:, None]))


def _move_signal(signal: Tensor, chance: _Chance, settings: AugmentationSettings, reverse: Tensor) -> Tensor:
    """Stretch, shift and reverse in time; before the first and after the last sample lies the same light."""
    length = signal.shape[2]
    middle = (length - 1) / 2
    stretch = 1 + settings.time_stretch * chance.signed("time_stretch")
    shift = settings.time_shift * length * chance.signed("time_shift")
    direction = torch.where(reverse, -1.0, 1.0)
    steps = torch.arange(length, device=signal.device) - middle
    places = (middle + shift[:, None] + (direction * stretch)[:, None] * steps).clamp(0, length - 1)
    lower = places.floor().long().clamp(max=length - 2)
    share = (places - lower)[:, None, :]
    index = lower[:, None, :].expand(-1, signal.shape[1], -1)
    return torch.lerp(signal.gather(2, index), signal.gather(2, index + 1), share)


def _blurred(numbers: Tensor, chance: _Chance, settings: AugmentationSettings, first: int) -> Tensor:
    """Add noise to standardised size numbers, so that a view is not known by its exact size."""
    return numbers + settings.size_noise * chance.size[:, first : first + numbers.shape[1]]
