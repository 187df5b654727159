"""A small simulated data set with an untrained encoder and a gallery, for the tests of this room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from seston.recognition import Gallery, Model
from seston.simulate import simulate, species_table
from seston.store import DataSet, open_data_set
from seston.training import untrained_run


@dataclass(frozen=True)
class World:
    """Instrument files, the data set made from two of their three runs, an encoder and a gallery."""

    fresh: Path
    """A run that is not in the data set."""
    data: DataSet
    model: Model
    gallery: Gallery


def make_world(folder: Path) -> World:
    """Simulate three runs of six species and import two of them."""
    torch.set_num_threads(1)
    names = [species.name for species in species_table()][:6]
    report = simulate(folder / "files", particles=72, runs=3, seed=3, species=names)
    runs = [folder / "files" / sample for sample in report.samples]
    data = open_data_set(folder / "data", create=True)
    data.import_(runs[:2])
    model = Model(untrained_run(data, "tiny"))
    return World(runs[2], data, model, Gallery.from_dataset(data, model, per_class=8))
