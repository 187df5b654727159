"""How fast pairs are decoded and transformed for training, against the paper's own way of loading, on one core.

    python benchmarks/datapath.py DATA [--sizes 112 224] [--particles 1024] [--rounds 3]

DATA is a data set with pictures and profiles of the same particles. The rival (as the public code of arXiv 2603.16427
loads) opens one picture file and parses one text file a particle, and transforms each by itself with torchvision, all
steps included: strip cut off, longer side to 1.05 S, edges repeated, grey, random resized crop, brightness and
contrast, flip, scale; logarithm, amplitudes, dropped channels, resampling, window; picture mirrored and profile
reversed together. Seston does the same with the settings of its recipe of that paper, once from the data set, as in
the first epoch (files read, pictures decoded, strip painted over, squares made, views drawn), and once from the
prepared particles that it keeps during a training, as in all later epochs; and in a second row with the settings of
its default recipe at that size. Both sides work in one thread of one process; rates are pairs per second of wall clock
and of processor time.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from seston.models.torchvision_shim import mend_torchvision
from seston.particle import Particle
from seston.store import DataSet, open_data_set
from seston.training import Recipe, load_recipe
from seston.training.augmentation import NoiseTable, augmented_batch
from seston.training.particles import choose_particles, take_particles
from seston.training.preparation import Preparation, prepare
from seston.training.prepared import Prepared
from seston.training.sources import PreparedSource, cached_source
from seston.training.statistics import blank_preparation, measured_preparation

mend_torchvision()
from torchvision import transforms  # noqa: E402  # a torchvision that does not match has to be mended first
from torchvision.transforms import functional  # noqa: E402

_STRIP, _WIDEST = 25, 10_000
_LENGTH = 224
_LOG_MAXIMUM = 8.9211
_BATCH = 128
_EPOCHS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[112, 224])
    parser.add_argument("--particles", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = open_data_set(arguments.data)
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.sizes:
            compare(data, size, arguments.particles, arguments.rounds, Path(folder) / str(size))


def compare(data: DataSet, size: int, count: int, rounds: int, folder: Path) -> None:
    paper = ours(data, "paper-convnext-femto-cnn", size, count, folder / "paper")
    default = ours(data, "default", size, count, folder / "default")
    files = write_files(paper.particles(), folder / "files")
    runs: dict[str, Callable[[int], Iterator[object]]] = {
        "the paper's way": lambda round_: load_as_the_paper(files, size, round_),
        "Seston, first epoch": paper.first_epoch,
        "Seston, later epochs": paper.later_epoch,
        "Seston, first epoch, default settings": default.first_epoch,
        "Seston, later epochs, default settings": default.later_epoch,
    }
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for round_ in range(rounds):
        for name, run in runs.items():
            started, busy = time.perf_counter(), time.process_time()
            for _ in run(round_):
                pass
            seconds, of_processor = time.perf_counter() - started, time.process_time() - busy
            measured[name].append((len(files) / seconds, len(files) / of_processor))
    print(f"{size} px, {len(files):,} pairs, median of {rounds} rounds, load {os.getloadavg()[0]:.1f}")
    rival = measured["the paper's way"]
    for settings in ("", ", default settings"):
        first, later = (measured[f"Seston, {when}{settings}"] for when in ("first epoch", "later epochs"))
        measured[f"Seston, {_EPOCHS} epochs{settings}"] = [
            (of_epochs(one[0], other[0]), of_epochs(one[1], other[1])) for one, other in zip(first, later, strict=True)
        ]
    for name, rates in measured.items():
        by_wall, by_processor = (statistics.median(rate[which] for rate in rates) for which in (0, 1))
        ratios = [
            statistics.median(one[which] / other[which] for one, other in zip(rates, rival, strict=True))
            for which in (0, 1)
        ]
        print(f"  {name:40} {by_wall:7.0f} pairs/s ({by_processor:7.0f} a second of processor); "
              f"ratio {ratios[0]:5.1f} ({ratios[1]:5.1f})")  # fmt: skip


def of_epochs(first: float, later: float) -> float:
    """Give the rate over a training, of which the first epoch prepares the particles."""
    return _EPOCHS / (1 / first + (_EPOCHS - 1) / later)


@dataclass(frozen=True)
class Ours:
    """Seston's way with one recipe."""

    data: DataSet
    recipe: Recipe
    preparation: Preparation
    source: PreparedSource
    noise: NoiseTable

    def particles(self) -> list[Particle]:
        return [with_strip(one) for one in take_particles(self.data, self.source.chosen.rows)]

    def first_epoch(self, round_: int) -> Iterator[object]:
        for rows in self._batches(round_):
            particles = [with_strip(one) for one in take_particles(self.data, self.source.chosen.rows[rows])]
            yield self._view(prepare(particles, self.preparation), rows, round_)

    def later_epoch(self, round_: int) -> Iterator[object]:
        for rows in self._batches(round_):
            yield self._view(self.source.take(rows), rows, round_)

    def _batches(self, round_: int) -> list[NDArray[np.int64]]:
        order = np.random.default_rng(round_).permutation(len(self.source))
        return [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]

    def _view(self, prepared: Prepared, rows: NDArray[np.int64], round_: int) -> object:
        return augmented_batch(
            prepared,
            self.source.chosen.keys[rows],
            torch.from_numpy(self.source.chosen.sample[rows]),
            self.preparation,
            self.recipe.augmentation,
            self.noise,
            (0, round_, 0),
        )


def ours(data: DataSet, name: str, size: int, count: int, folder: Path) -> Ours:
    recipe = load_recipe(name, [f"pictures.size={size}", f"profiles.length={_LENGTH}"])
    every = choose_particles(data, (True, True))
    chosen = choose_particles(data, (True, True), set(every.ids[:count]))
    channels = take_particles(data, chosen.rows[:1])[0].profile_channels[:6]
    blank = blank_preparation(recipe, channels)
    source = cached_source(data, chosen, blank, folder, [])
    preparation = measured_preparation(blank, source, 0)
    return Ours(data, recipe, preparation, source, NoiseTable(0))


def with_strip(particle: Particle) -> Particle:
    """Mark the topmost rows as a scale bar, which Seston paints over where the rival cuts them off."""
    return replace(particle, scale_bar=(0, 0, _WIDEST, _STRIP))


def write_files(particles: list[Particle], folder: Path) -> list[tuple[Path, Path]]:
    """Write one picture and one text file a particle, as the rival reads them."""
    folder.mkdir(parents=True)
    files = []
    for number, particle in enumerate(particles):
        assert particle.image is not None
        assert particle.profile is not None
        picture, profile = folder / f"{number}.picture", folder / f"{number}.csv"
        picture.write_bytes(particle.image)
        header = ",".join(particle.profile_channels[:6])
        np.savetxt(profile, particle.profile[:6].T, "%.6g", delimiter=",", header=header, comments="")
        files.append((picture, profile))
    return files


class AsThePaper(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """One particle at a time from its two files; steps and constants as the public code of the paper has them."""

    def __init__(self, files: list[tuple[Path, Path]], size: int) -> None:
        self.files = files
        self.larger = math.ceil(1.05 * size)
        self.longer = math.ceil(1.05 * _LENGTH)
        self.picture_steps = transforms.Compose(
            [
                transforms.Grayscale(1),
                transforms.RandomResizedCrop(size, scale=(0.8, 1.0)),
                transforms.ColorJitter(brightness=0.2, contrast=0.2),
                transforms.RandomVerticalFlip(0.5),
                transforms.ToTensor(),
            ]
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        picture_path, profile_path = self.files[number]
        picture, profile = self._picture(picture_path), self._profile(profile_path)
        if random.random() < 0.5:
            picture, profile = picture.flip(2), profile.flip(0)
        return picture, profile

    def _picture(self, path: Path) -> torch.Tensor:
        picture = Image.open(path).convert("RGB")
        picture = picture.crop((0, _STRIP, picture.width, picture.height))
        scale = self.larger / max(picture.size)
        width, height = (max(1, int(side * scale)) for side in picture.size)
        picture = functional.resize(picture, [height, width])
        left, top = (self.larger - width) // 2, (self.larger - height) // 2
        around = [left, top, self.larger - width - left, self.larger - height - top]
        tensor: torch.Tensor = self.picture_steps(functional.pad(picture, around, padding_mode="edge"))
        return 2 * tensor - 1

    def _profile(self, path: Path) -> torch.Tensor:
        values = np.loadtxt(path, delimiter=",", skiprows=1)
        values = 2 * np.log(np.maximum(values, 0) + 1) / _LOG_MAXIMUM - 1
        channels = values.shape[1]
        if random.random() < 0.5:
            values = values * np.random.uniform(0.95, 1.05, channels)
        if random.random() < 0.25:
            dropped = min(max(np.random.binomial(channels, 0.05), 1), 4)
            values[:, np.random.choice(channels, dropped, replace=False)] = 0.0
        row = torch.from_numpy(np.ascontiguousarray(values.T))[:, None, :]
        row = functional.resize(row, [1, self.longer], antialias=True)[:, 0, :]
        first = random.randrange(self.longer - _LENGTH + 1)
        window: torch.Tensor = row[:, first : first + _LENGTH].T.float()
        return window


def load_as_the_paper(files: list[tuple[Path, Path]], size: int, round_: int) -> Iterator[object]:
    random.seed(round_)
    np.random.seed(round_)
    torch.manual_seed(round_)
    yield from torch.utils.data.DataLoader(AsThePaper(files, size), batch_size=_BATCH, shuffle=True)


if __name__ == "__main__":
    main()
