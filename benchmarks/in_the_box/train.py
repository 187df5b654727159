"""Train the network of the model in the box.

    seston collections build vliz_flowcam lake_eawag_dspc --from COLLECTIONS --to SET
    seston split SET --name box --by image
    PYTHONPATH=benchmarks python -m in_the_box.train SET --to RUN

Writes RUN/weights.safetensors (of the averaged network and the layer of classes), RUN/settings.toml and RUN/log.jsonl.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from in_the_box.network import FEATURES, Encoder
from in_the_box.squares import Squares, squares_of
from in_the_box.views import Views
from seston.training.stepping import has_bfloat16

SETTINGS = Path(__file__).with_name("in-the-box.toml")


class Network(nn.Module):
    """The encoder and a layer of classes."""

    def __init__(self, classes: int, dropout: float) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(FEATURES, classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        scores: Tensor = self.head(self.dropout(self.encoder(pictures)))
        return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--split", default="box")
    parser.add_argument("--settings", type=Path, default=SETTINGS)
    parser.add_argument("--steps", type=int, help="stop after so many (to try it)")
    chosen = parser.parse_args()
    settings = tomllib.loads(chosen.settings.read_text(encoding="utf-8"))
    squares_of(chosen.data, settings["stored_size"], chosen.split)
    chosen.to.mkdir(parents=True, exist_ok=True)
    (chosen.to / "settings.toml").write_bytes(chosen.settings.read_bytes())
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(29500 + os.getpid() % 1000)}
    mp.spawn(_work, (settings, chosen.data, chosen.split, chosen.to, chosen.steps), nprocs=settings["processes"])


def _work(rank: int, settings: dict[str, Any], data: Path, split: str, to: Path, most: int | None) -> None:
    torch.set_num_threads(1)
    world = settings["processes"]
    dist.init_process_group("gloo", rank=rank, world_size=world)
    squares = squares_of(data, settings["stored_size"], split)
    classes, targets = np.unique(squares.labels, return_inverse=True)
    torch.manual_seed(settings["seed"])
    network = Network(len(classes), settings["dropout"])
    network.encoder.freeze(settings["frozen_blocks"])
    training = _counted(squares, settings)
    views = Views()
    if rank == 0:
        _begin_with_discriminants(network, squares, targets, settings["stages"][0]["size"], views)
    model = nn.parallel.DistributedDataParallel(network)
    averaged = copy.deepcopy(network).eval().requires_grad_(False)
    optimiser = torch.optim.AdamW(_groups(network, settings), weight_decay=settings["weight_decay"])
    each = settings["batch"] // world
    plan = [stage["size"] for stage in settings["stages"] for _ in range(stage["epochs"])]
    steps_each = len(training) // settings["batch"]
    total, step, started = len(plan) * steps_each, 0, time.time()
    log = (to / "log.jsonl").open("a", encoding="utf-8") if rank == 0 else None
    random = torch.Generator().manual_seed(1000 * settings["seed"] + rank)
    for epoch, size in enumerate(plan):
        order = np.random.default_rng((settings["seed"], epoch)).permutation(training)
        model.train()
        losses, right = [], []
        for number in range(steps_each):
            start = (number * world + rank) * each
            rows = order[start : start + each]
            truth = torch.from_numpy(targets[rows])
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * _rate(step / total, settings["warm_up"])
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16("cpu")):
                scores = model(views(_pictures(squares, rows), size, random)).float()
            loss = functional.cross_entropy(scores, truth, label_smoothing=settings["smoothing"])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            _average(averaged, network, min(settings["average"], (1 + step) / (10 + step)))
            losses.append(float(loss.detach()))
            right.append(float((scores.argmax(1) == truth).float().mean()))
            step += 1
            if log is not None and step % 25 == 0:
                rate = step * settings["batch"] / (time.time() - started)
                last = f"loss {np.mean(losses[-25:]):.3f} right {np.mean(right[-25:]):.3f}"
                print(f"step {step}/{total} {size} px {last} {rate:.1f} pictures/s", flush=True)
            if most is not None and step >= most:
                break
        if log is not None:
            accuracy = _balanced(averaged, squares, targets, 128)
            row = {"epoch": epoch + 1, "step": step, "size": size, "loss": round(float(np.mean(losses)), 4),
                   "right": round(float(np.mean(right)), 4), "validation": round(accuracy, 4),
                   "seconds": round(time.time() - started)}  # fmt: skip
            print(json.dumps(row), flush=True)
            log.write(json.dumps(row) + "\n")
            log.flush()
            _save(averaged, classes, to)
        dist.barrier()
        if most is not None and step >= most:
            break
    dist.destroy_process_group()


@torch.inference_mode()
def _begin_with_discriminants(
    network: Network, squares: Squares, targets: NDArray[np.int64], size: int, views: Views
) -> None:
    """Let the layer of classes begin as linear discriminants of ImageNet features: of a view of every other picture."""
    rows = np.flatnonzero(squares.parts == "train")[::2]
    random = torch.Generator().manual_seed(1)
    parts = [
        network.encoder(views(_pictures(squares, rows[start : start + 64]), size, random))
        for start in range(0, len(rows), 64)
    ]
    features, truth = torch.cat(parts), torch.from_numpy(targets[rows])
    classes = len(network.head.bias)
    means = torch.zeros(classes, features.shape[1]).index_add_(0, truth, features)
    means /= torch.bincount(truth, minlength=classes).clamp(min=1)[:, None]
    apart = features - means[truth]
    scatter = apart.T @ apart / len(apart)
    scatter += scatter.diagonal().mean() * torch.eye(len(scatter))
    weights = torch.linalg.solve(scatter, (means - means.mean(0)).T).T
    scale = 2.0 / (features @ weights.T).std()
    network.head.weight.copy_(scale * weights)
    network.head.bias.copy_(-scale * ((means + means.mean(0)) / 2 * weights).sum(1))
    scores = network.head(features)
    print(f"discriminants of ImageNet features: {float((scores.argmax(1) == truth).float().mean()):.3f} of the training"
          f" views right, loss {float(functional.cross_entropy(scores, truth)):.2f}", flush=True)  # fmt: skip


def _groups(network: Network, settings: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"params": [one for one in network.encoder.parameters() if one.requires_grad], "peak": settings["rate"]},
        {"params": list(network.head.parameters()), "peak": settings["rate_of_classes"]},
    ]


def _counted(squares: Squares, settings: dict[str, Any]) -> NDArray[np.int64]:
    """Give the rows to train on, those of small collections twice."""
    rows = np.flatnonzero(squares.parts == "train")
    sources = np.array([label.split(": ")[0] for label in squares.labels[rows]])
    return np.concatenate([rows, rows[np.isin(sources, settings["twice"])]])


def _pictures(squares: Squares, rows: NDArray[np.int64]) -> Tensor:
    pixels = torch.from_numpy(squares.pixels[rows]).float()
    backgrounds = torch.from_numpy(squares.backgrounds[rows]).float()
    return ((pixels - backgrounds[:, None, None]) / 127.5)[:, None]


def _rate(done: float, warm_up: float) -> float:
    return done / warm_up if done < warm_up else 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, share: float) -> None:
    for mean, new in zip(averaged.parameters(), network.parameters(), strict=True):
        mean.lerp_(new, 1 - share)


@torch.inference_mode()
def _balanced(network: Network, squares: Squares, targets: NDArray[np.int64], size: int) -> float:
    """Balanced accuracy on the validation part of the first collection."""
    rows = np.flatnonzero((squares.parts == "validation") & np.char.startswith(squares.labels, "vliz"))
    found = []
    for start in range(0, len(rows), 64):
        pictures = functional.interpolate(_pictures(squares, rows[start : start + 64]), size=(size, size), mode="area")
        found.append(network(pictures).argmax(1).numpy())
    right = np.concatenate(found) == targets[rows]
    return float(np.mean([right[targets[rows] == one].mean() for one in np.unique(targets[rows])]))


def _save(network: Network, classes: NDArray[np.str_], to: Path) -> None:
    half = to / ".weights.safetensors"
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, half, {"classes": json.dumps(classes.tolist())})
    half.replace(to / "weights.safetensors")


if __name__ == "__main__":
    main()
