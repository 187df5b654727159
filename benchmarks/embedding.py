"""How fast a compiled model embeds with ONNX Runtime, against torch on the same threads.

    python benchmarks/embedding.py DATA RUN [--threads 1 2] [--particles 1024] [--rounds 7]

RUN has to be compiled (seston models compile RUN). Each row says what is timed: the towers and heads whose vectors are
used (both sides compute the same numbers from the same arrays, in the batches of the product); the model as the
product calls it under torch, which also runs the fused head; and all of `encode`, from particles in memory with
encoded pictures to vectors, hand-made features included where the recipe has them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does: waiting threads of torch do not spin

import numpy as np
import torch

from seston.models import Batch, CrossModalModel
from seston.particle import Particle
from seston.recognition import Model, OnnxModel, load
from seston.recognition.encoder import stream_particles
from seston.store import open_data_set
from seston.training import make_batch
from seston.training.plain import PlainArrays, make_arrays

_AT_ONCE = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--particles", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    slow, quick = load(arguments.run, runtime="torch"), load(arguments.run, runtime="onnx")
    assert isinstance(slow, Model)
    assert isinstance(quick, OnnxModel)
    particles = list(islice(stream_particles(open_data_set(arguments.data)), arguments.particles))
    print(f"recipe {quick.recipe.name}, {len(particles):,} particles, load {os.getloadavg()[0]:.1f}")
    print_likeness(slow, quick, particles)
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        compare(slow, replace(quick, threads=threads), particles, arguments.rounds, threads)


def print_likeness(slow: Model, quick: OnnxModel, particles: list[Particle]) -> None:
    ours, theirs = quick.encode(particles), slow.encode(particles)
    assert ours.model_id == theirs.model_id
    for name in ("image", "profile", "shared_image", "shared_profile", "within_image", "within_profile"):
        one, other = getattr(ours, name), getattr(theirs, name)
        lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        if lengths.any():
            cosine = (one * other).sum(axis=1)[lengths > 0] / lengths[lengths > 0]
            print(f"  {name}: least cosine to torch {cosine.min():.7f}")


def compare(slow: Model, quick: OnnxModel, particles: list[Particle], rounds: int, threads: int) -> None:
    parts = [particles[start : start + _AT_ONCE] for start in range(0, len(particles), _AT_ONCE)]
    batches = [make_batch(part, slow.run.preparation, skipped=[]) for part in parts]
    arrays = [make_arrays(part, quick.preparation, skipped=[]) for part in parts]
    rows: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "towers and heads in use": (lambda: run_towers(slow, batches), lambda: run_graphs(quick, arrays)),
        "model as called": (lambda: run_model(slow, batches), lambda: run_graphs(quick, arrays)),
        "encode, all of it": (lambda: slow.encode(particles, []), lambda: quick.encode(particles, [])),
    }
    for name, (theirs, ours) in rows.items():
        measured = [(clock(theirs), clock(ours)) for _ in range(rounds)]
        wall, busy = (statistics.median(their[which] / our[which] for their, our in measured) for which in (0, 1))
        rates = [len(particles) / statistics.median(one[side][0] for one in measured) for side in (0, 1)]
        print(f"{threads} threads, {name:24} torch {rates[0]:7,.0f}/s, ONNX Runtime {rates[1]:7,.0f}/s; "
              f"ratio {wall:.2f} (by processor time {busy:.2f})")  # fmt: skip


def clock(function: Callable[[], object]) -> tuple[float, float]:
    started, busy = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - started, time.process_time() - busy


def run_towers(model: Model, batches: list[Batch]) -> None:
    network = model.run.model
    assert isinstance(network, CrossModalModel)
    with torch.inference_mode():
        for batch in batches:
            for features, heads in (
                (network.image_features(batch), (network.image_head, network.image_within_head)),
                (network.profile_features(batch), (network.profile_head, network.profile_within_head)),
            ):
                for head in heads:
                    if head is not None:
                        torch.nn.functional.normalize(head(features), dim=1)


def run_model(model: Model, batches: list[Batch]) -> None:
    with torch.inference_mode():
        for batch in batches:
            model.run.model(batch)


def run_graphs(model: OnnxModel, arrays: list[PlainArrays]) -> None:
    for number, part in enumerate(arrays):
        model._forward(tuple(f"{number}/{row}" for row in range(len(part.image_present))), part)


if __name__ == "__main__":
    main()
