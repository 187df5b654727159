"""The one way from particles to the tensors of a model: the same for training, embedding and identifying."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.features import Measures
from seston.instruments import decode_image
from seston.models.config import Inputs
from seston.particle import Particle, Skipped
from seston.training.context_settings import ContextPreparation
from seston.training.prepared import Prepared, empty_prepared
from seston.training.settings import PictureSettings, ProfileSettings
from seston.training.signals import resample
from seston.training.squares import PICTURE_SIZES, picture_sizes, to_square
from seston.training.text_preparation import TextPreparation, text_inputs

if TYPE_CHECKING:
    from seston.models.batch import Batch

__all__ = ["Preparation", "make_batch", "prepare", "read_preparation", "write_preparation"]

_FORMAT = 1


class Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """What a model must know to be shown a particle: shapes, channels, and statistics of its training particles."""

    format: int = _FORMAT
    pictures: PictureSettings
    profiles: ProfileSettings
    sizes: str
    channels: tuple[str, ...]
    """Canonical names, in the order of the model's inputs."""
    channel_scale: tuple[float, ...]
    """Root mean square of ln(1 + signal) of each channel over the training particles."""
    image_size_mean: tuple[float, ...]
    image_size_deviation: tuple[float, ...]
    profile_size_mean: tuple[float, ...]
    profile_size_deviation: tuple[float, ...]
    measures: Measures | msgspec.UnsetType = msgspec.UNSET
    """Hand-made features that stand beside what the towers find; not there where the recipe wants none."""
    text: TextPreparation | msgspec.UnsetType = msgspec.UNSET
    """What the model must know to read texts; not there where it reads none."""
    context: ContextPreparation | msgspec.UnsetType = msgspec.UNSET
    """What the model knows of contexts; not there where it learnt from none."""

    @property
    def inputs(self) -> Inputs:
        """The shapes of the tensors that `make_batch` gives."""
        numbers = {"log": (len(PICTURE_SIZES), 3 + 2 * len(self.channels)), "paper": (2, 1), "none": (0, 0)}
        return Inputs(
            picture_size=self.pictures.size,
            picture_channels=3 if self.pictures.colour else 1,
            picture_sizes=numbers[self.sizes][0],
            profile_channels=len(self.channels),
            profile_length=self.profiles.length,
            profile_sizes=numbers[self.sizes][1],
            text=text_inputs(self.text) if isinstance(self.text, TextPreparation) else None,
            context=isinstance(self.context, ContextPreparation),
        )


def make_batch(
    particles: Sequence[Particle], preparation: Preparation, *, skipped: list[Skipped] | None = None
) -> Batch:
    """Turn particles into a batch for a model; nothing random happens.

    Parameters
    ----------
    particles
        With a picture, a profile or both. Channels that the preparation does not know are left out; those that the
        particle lacks are marked as missing.
    preparation
        Of the run.
    skipped
        Collects pictures and profiles that cannot be used; these count as absent then.

    Raises
    ------
    InputError
        A picture that cannot be decoded or a profile that cannot be used, where `skipped` is not given.
    """
    import torch

    from seston.training.tensors import plain_batch

    numbers: dict[str, int] = {}
    sample = [numbers.setdefault(particle.sample_id, len(numbers)) for particle in particles]
    prepared = prepare(particles, preparation, skipped=skipped)
    return plain_batch(prepared, torch.tensor(sample, dtype=torch.int64), preparation)


def prepare(
    particles: Sequence[Particle], preparation: Preparation, *, skipped: list[Skipped] | None = None
) -> Prepared:
    """Turn particles into arrays of one shape, before any logarithm, statistics or chance.

    Parameters and errors as for `make_batch`.
    """
    prepared = empty_prepared(len(particles), preparation.inputs)
    shown = np.ones((4, len(particles)), np.float32)
    shown[3] = np.nan
    row_of = {channel: row for row, channel in enumerate(preparation.channels)}
    for row, particle in enumerate(particles):
        try:
            if particle.image is not None:
                shown[:, row] = _put_picture(prepared, row, particle, preparation.pictures)
        except InputError as error:
            _skip(particle, str(error), skipped)
        try:
            if particle.profile is not None:
                _put_profile(prepared, row, particle, row_of, preparation.profiles.length)
        except InputError as error:
            _skip(particle, str(error), skipped)
    prepared.picture_sizes[:] = picture_sizes(prepared.picture, prepared.background, *shown)
    return prepared


def write_preparation(preparation: Preparation, path: Path) -> None:
    """Write a preparation as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(preparation), indent=1))


def read_preparation(path: Path) -> Preparation:
    """Read a preparation from JSON.

    Raises
    ------
    InputError
        The file is damaged, or of a newer version.
    """
    try:
        preparation = msgspec.json.decode(path.read_bytes(), type=Preparation)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if preparation.format > _FORMAT:
        raise InputError(f"{path}: format {preparation.format} is newer than this Seston; update Seston")
    return preparation


def _put_picture(
    prepared: Prepared, row: int, particle: Particle, settings: PictureSettings
) -> tuple[float, float, float, float]:
    """Put a picture in its row; give the side of its square, its width and height in pixels, and µm a pixel."""
    assert particle.image is not None
    pixels = decode_image(particle.image, grey=not settings.colour)
    if settings.colour and pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    square = to_square(pixels, settings.size, particle.scale_bar, whole_picture=settings.frame == "picture")
    prepared.picture[row], prepared.background[row] = square.pixels, square.background
    prepared.has_picture[row] = True
    pixel = np.nan if particle.pixel_size_um is None else particle.pixel_size_um
    return square.side, pixels.shape[1], pixels.shape[0], pixel


def _put_profile(prepared: Prepared, row: int, particle: Particle, row_of: dict[str, int], length: int) -> None:
    profile = particle.profile
    assert profile is not None
    kept = [(row_of[name], place) for place, name in enumerate(particle.profile_channels) if name in row_of]
    if not kept:
        return
    to, where = np.array(kept).T
    signal: NDArray[np.float32] = profile[where]
    if signal.shape[1] < 1 or not np.isfinite(signal).all():
        raise InputError("profile has no samples or values that are no number; left out")
    prepared.profile[row, to] = resample(signal, length)
    prepared.signal_total[row, to] = signal.sum(axis=1)
    prepared.signal_maximum[row, to] = signal.max(axis=1)
    prepared.has_channel[row, to] = True
    prepared.has_profile[row] = True
    spacing = particle.profile_spacing_um
    prepared.profile_length[row] = (signal.shape[1], np.nan if spacing is None else spacing)


def _skip(particle: Particle, reason: str, skipped: list[Skipped] | None) -> None:
    if skipped is None:
        raise InputError(f"particle {particle.id}: {reason}")
    skipped.append(Skipped(particle.source, particle.id, reason))
