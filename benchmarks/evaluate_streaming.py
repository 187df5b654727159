"""How fast, and in how much memory, score tables are judged as they stream by, against scikit-learn on whole arrays.

    OMP_NUM_THREADS=1 python benchmarks/evaluate_streaming.py [--particles 1000000] [--classes 600] [--rival]

Made scores of a made tree of taxa, block by block from a seed, so that nothing of them has to be kept: the first and
the first five names, calibration, and seven ranks with bootstrap intervals. The rival takes whole arrays:
`sklearn.metrics.top_k_accuracy_score` on the table of scores, and `classification_report` and `balanced_accuracy_score`
at each rank on two columns of names; it gives no intervals and no calibration. It needs the whole table in memory
(2.4 GB for a million × 600), and runs in a process of its own, on fewer particles if asked so.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seston.evaluation.lineages import Lineage
from seston.evaluation.score_tally import ScoreFigures, ScoreTally

_BLOCK = 10_000
_SAMPLES = 400
_WIDTHS = (3, 12, 36, 108, 216, 432)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--particles", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=600)
    parser.add_argument("--sum-up", action="store_true", help="sum probabilities over descendants at each rank")
    parser.add_argument("--image-level", action="store_true", help="particles without samples")
    parser.add_argument("--rival", action="store_true", help="run scikit-learn too")
    parser.add_argument("--only", choices=("seston", "scikit-learn"))
    arguments = parser.parse_args()
    if arguments.only:
        measure(arguments.only, arguments)
        return
    for name in ("seston", "scikit-learn")[: 2 if arguments.rival else 1]:
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--only", name], check=True)


def measure(name: str, arguments: argparse.Namespace) -> None:
    """Judge the same scores in this process, and print time, memory and a few figures to compare."""
    lineages = make_lineages(arguments.classes)
    made = sum(busy for _, _, _, busy in blocks(arguments.particles, arguments.classes)) if name == "seston" else 0.0
    started, cores = time.perf_counter(), time.process_time()
    if name == "seston":
        figures = by_seston(lineages, arguments)
        shown = f"top-1 {figures.top[0].accuracy:.6f}, top-5 {figures.top[1].accuracy:.6f}, " + ", ".join(
            f"{row.rank} F1 {row.macro_f1:.6f} [{row.macro_f1_low:.4f}, {row.macro_f1_high:.4f}]"
            for row in figures.ranks
        )
    else:
        shown = by_scikit_learn(lineages, arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}: {arguments.particles:,} × {arguments.classes}: {time.perf_counter() - started:.1f} s "
          f"({time.process_time() - cores:.1f} s of processor, of which making the scores {made:.1f}), "
          f"peak {peak:,.0f} MB, load {os.getloadavg()[0]:.1f}\n  {shown}")  # fmt: skip


def make_lineages(classes: int) -> list[Lineage]:
    """Make a tree; every fifth class ends at the family, every fifth at the genus."""
    found = []
    for number in range(classes):
        names = [f"{rank}{number * width // classes}" for rank, width in zip("kpcofg", _WIDTHS, strict=True)]
        names.append(f"species{number}")
        depth = {0: 5, 1: 6}.get(number % 5, 7)
        found.append(tuple(names[:depth]) + ("",) * (7 - depth))
    return found


def blocks(
    particles: int, classes: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64], float]]:
    """Make probabilities, true classes and samples (a long tail of classes), and say how long that took."""
    frequency = 1 / np.arange(1, classes + 1)
    frequency /= frequency.sum()
    for start in range(0, particles, _BLOCK):
        begun = time.process_time()
        random = np.random.default_rng([start, 1])
        size = min(_BLOCK, particles - start)
        truth = random.choice(classes, size, p=frequency)
        scores = random.random((size, classes), np.float32) ** 16
        scores[np.arange(size), truth] += random.random(size, np.float32) ** 2 * 2
        scores /= scores.sum(axis=1, keepdims=True)
        yield scores, truth, random.integers(0, _SAMPLES, size), time.process_time() - begun


def by_seston(lineages: list[Lineage], arguments: argparse.Namespace) -> ScoreFigures:
    tally = ScoreTally(lineages, sum_up=arguments.sum_up)
    for scores, truth, samples, _ in blocks(arguments.particles, arguments.classes):
        tally.add(scores, truth, None if arguments.image_level else [f"sample {number}" for number in samples])
    return tally.figures()


def by_scikit_learn(lineages: list[Lineage], arguments: argparse.Namespace) -> str:
    from sklearn.metrics import classification_report, top_k_accuracy_score

    parts = list(blocks(arguments.particles, arguments.classes))
    scores, truth = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    del parts
    first = top_k_accuracy_score(truth, scores, k=1, labels=np.arange(arguments.classes))
    five = top_k_accuracy_score(truth, scores, k=5, labels=np.arange(arguments.classes))
    shown = [f"top-1 {first:.6f}, top-5 {five:.6f}"]
    named = scores.argmax(axis=1)
    names = np.array(lineages)
    for place, rank in enumerate(("kingdom", "phylum", "class", "order", "family", "genus", "species")):
        true_names, given = names[truth, place], names[named, place]
        there = true_names != ""
        labels = np.unique(np.concatenate([true_names[there], given[there]]))
        report = classification_report(
            true_names[there], given[there], labels=labels[labels != ""], output_dict=True, zero_division=0
        )
        shown.append(f"{rank} F1 {report['macro avg']['f1-score']:.6f}")
    return ", ".join(shown)


if __name__ == "__main__":
    main()
