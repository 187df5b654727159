"""Name particles of runs at other settings than the gallery's: what is lost, and what levelling of runs gives back.

python benchmarks/across_runs.py --work FOLDER [--run RUN --data DATA --split demo] [--seeds 100 101] [--own-galleries]

All runs are simulated. Galleries come from one run A of each seed; queries from the same run (held out), from a second
run at its very settings, from other ordinary runs, and from runs like A save for gain, detectors, focus, background,
scale, flow speed or the shares of the species. The pool (unlabelled runs that spaces and levels are learned from) is
the training part of DATA and A. Without --run, a data set is simulated and the default recipe trained on it for
--minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seston.instruments import find_sources, read
from seston.particle import Particle
from seston.recognition.classical import ClassicalModel
from seston.recognition.embeddings import ARRAYS, Embeddings, join
from seston.recognition.encoder import Encoder, Model, load, stream_particles
from seston.recognition.ensemble import fit_voters
from seston.recognition.levelling import Levels, levelled
from seston.recognition.run_levels import learn_levels
from seston.recognition.signal_levels import learn_signals, look_at_run
from seston.recognition.views import fit_spaces, gallery_vectors, vectors_at, views_of
from seston.simulate import RunSettings, simulate, simulate_settings, species_table
from seston.store import open_data_set
from seston.training import train, untrained_run

DETECTORS = {"FL Red": 2.0, "SWS": 0.5, "FL Orange": 1.5}
ALTOGETHER = {"gain": 2.0, "channel_gains": DETECTORS, "blur": 2.0, "background": 0.8, "scale": 1.2, "flow_speed": 1.3}
CHANGES: dict[str, dict[str, object]] = {
    "gain x0.5": {"gain": 0.5},
    "gain x2": {"gain": 2.0},
    "gain x4": {"gain": 4.0},
    "detectors": {"channel_gains": DETECTORS},
    "blurred": {"blur": 2.5},
    "dark": {"background": 0.7},
    "bright": {"background": 1.35},
    "scale x0.8": {"scale": 0.8},
    "scale x1.2": {"scale": 1.2},
    "slow": {"flow_speed": 0.7},
    "fast": {"flow_speed": 1.3},
    "altogether": ALTOGETHER,
}
VIEWS = {"I": "I-I", "P": "P-P", "IP": "IP-IP"}
Figures = dict[tuple[str, str, int], float]
"""(query run, view, n) → accuracy in %, mean over seeds and draws."""


@dataclass(frozen=True)
class World:
    """One seed: the unlabelled pool, the gallery's run, the runs asked about, and galleries at their own settings."""

    pool: Mapping[str, list[Particle]]
    gallery: list[Particle]
    queries: Mapping[str, list[Particle]]
    own: Mapping[str, list[Particle]]


def settings_of(seed: int) -> list[RunSettings]:
    """State the runs to ask about."""
    names = [species.name for species in species_table()]
    order = np.random.default_rng(seed).permutation(names)
    half = dict.fromkeys(order[: len(names) // 2].tolist(), 1.0)
    zipf = {name: 1 / (rank + 1) for rank, name in enumerate(order[::-1].tolist())}
    stated = [RunSettings("same", draw=1), RunSettings("other", like=2, draw=1), RunSettings("another", like=3, draw=1)]
    stated += [RunSettings(name, draw=1, **change) for name, change in CHANGES.items()]  # type: ignore[arg-type]  # fields by name
    for words, abundances in (("half the species", half), ("Zipf", zipf)):
        stated.append(RunSettings(words, draw=1, abundances=abundances))
        stated.append(RunSettings(f"{words}, other run", like=2, draw=2, abundances=abundances))
        stated.append(RunSettings(f"{words}, gain x2", draw=1, abundances=abundances, gain=2.0))
        stated.append(RunSettings(f"{words}, altogether", draw=1, abundances=abundances, **ALTOGETHER))  # type: ignore[arg-type]  # fields by name
    return stated


def read_runs(folder: Path) -> dict[str, list[Particle]]:
    """Read all runs of a folder, by the name of their settings."""
    runs: dict[str, list[Particle]] = {}
    for source in find_sources([folder])[0]:
        for record in read(source):
            if isinstance(record, Particle):
                name = record.sample_id.split(" ", 2)[2].rsplit(" ", 2)[0]
                runs.setdefault(name, []).append(record)
    return runs


def make_world(
    folder: Path, seed: int, particles: int, pool: Mapping[str, list[Particle]], *, own_galleries: bool
) -> World:
    """Simulate the runs of one seed, where they are not there yet."""
    gallery = 24 * 44
    own = [replace(one, draw=0) for one in settings_of(seed) if one.name in CHANGES]
    _simulate_missing(folder / "gallery", [RunSettings("A")], gallery, seed)
    _simulate_missing(folder / "queries", settings_of(seed), particles, seed)
    if own_galleries:
        _simulate_missing(folder / "own", own, 24 * 18, seed)
    (run,) = read_runs(folder / "gallery").values()
    return World(pool, run, read_runs(folder / "queries"), read_runs(folder / "own") if own_galleries else {})


def _simulate_missing(folder: Path, settings: Sequence[RunSettings], particles: int, seed: int) -> None:
    done = folder / "done"
    if not done.exists():
        simulate_settings(folder, settings, particles=particles, seed=seed, overwrite=True)
        done.touch()


def as_measured(runs: Mapping[str, Embeddings], _pool: Sequence[str]) -> Mapping[str, Embeddings]:
    """Leave every run at its own level."""
    return runs


def by_means(runs: Mapping[str, Embeddings], _pool: Sequence[str]) -> Mapping[str, Embeddings]:
    """Take from each run its mean: what is done where nobody thinks of which species there are."""
    return {name: _standardised(one, spread=False) for name, one in runs.items()}


def by_means_and_spreads(runs: Mapping[str, Embeddings], _pool: Sequence[str]) -> Mapping[str, Embeddings]:
    """Take from each run its mean and its standard deviation."""
    return {name: _standardised(one, spread=True) for name, one in runs.items()}


def by_levels(runs: Mapping[str, Embeddings], pool: Sequence[str]) -> Mapping[str, Embeddings]:
    """Take from each run its shift, found whatever species it holds."""
    levels = learn_levels(join([runs[name] for name in pool]), [name for name in pool for _ in runs[name].ids])
    assert levels is not None
    return {name: levels.take_shift(one, levels.shift_of(one)) for name, one in runs.items()}


VARIANTS: dict[str, Callable[[Mapping[str, Embeddings], Sequence[str]], Mapping[str, Embeddings]]] = {
    "as measured": as_measured,
    "run means": by_means,
    "run means and spreads": by_means_and_spreads,
    "levelled behind the model": by_levels,
}
DEFAULT = "levelled (default)"


def _standardised(embeddings: Embeddings, *, spread: bool) -> Embeddings:
    names = [name for name in ARRAYS if not name.startswith("has_")]
    moved = {}
    for name in names:
        values = getattr(embeddings, name)
        if values.shape[1]:
            moved[name] = values - np.nanmean(values, axis=0)
            moved[name] /= np.maximum(np.nanstd(values, axis=0), 1e-6) if spread else 1
    return replace(embeddings, **moved)


def measure(encoder: Encoder, world: World, sizes: Sequence[int], draws: int) -> dict[str, Figures]:
    """Give the accuracies of all variants."""
    samples = {**world.pool, "A": world.gallery, **world.queries}
    pool = [*world.pool, "A"]
    plain = {name: encoder.encode(particles) for name, particles in samples.items()}
    tables = {name: _name(variant(plain, pool), world, pool, sizes, draws) for name, variant in VARIANTS.items()}
    vectors = learn_levels(join([plain[name] for name in pool]), [name for name in pool for _ in samples[name]])
    assert vectors is not None
    levels = Levels(vectors, learn_signals({name: look_at_run(samples[name]) for name in pool}))
    known = {name: vectors.take_shift(plain[name], vectors.shift_of(plain[name])) for name in pool}
    asked = {
        name: join([part for _, part in levelled(particles, encoder, levels, [])])
        for name, particles in world.queries.items()
    }
    tables[DEFAULT] = _name({**known, **asked}, world, pool, sizes, draws)
    if world.own:
        tables["gallery of its own settings"] = _own(encoder, plain, world, pool, sizes)
    return tables


def _name(
    runs: Mapping[str, Embeddings], world: World, pool: Sequence[str], sizes: Sequence[int], draws: int
) -> Figures:
    labels = {
        name: np.array([one.raw_label for one in of]) for name, of in {**world.queries, "A": world.gallery}.items()
    }
    spaces = fit_spaces(join([runs[name] for name in pool]))
    classes = np.unique(labels["A"])
    found: dict[tuple[str, str, int], list[float]] = {}
    views = {name: views_of(runs[name], spaces) for name in labels}
    for draw in range(draws):
        generator = np.random.default_rng([7, draw])
        order = [generator.permutation(np.flatnonzero(labels["A"] == name)) for name in classes]
        held = np.concatenate([rows[max(sizes) :] for rows in order])
        for n in sizes:
            rows = np.concatenate([of[:n] for of in order])
            numbers = np.searchsorted(classes, labels["A"][rows])
            for view in VIEWS:
                shown = gallery_vectors(views["A"], view, view, rows)
                rule = fit_voters("soft-lda", shown, numbers, len(classes), ["A"] * len(rows))
                for name in (*world.queries, "held out"):
                    run, of = ("A", held) if name == "held out" else (name, np.arange(len(labels[name])))
                    asked = vectors_at(views[run], rule.views, of)
                    right = (classes[rule(asked).argmax(axis=1)] == labels[run][of]) & views[run][view][1][of]
                    found.setdefault((name, VIEWS[view], n), []).append(100 * float(right.mean()))
    return {key: float(np.mean(values)) for key, values in found.items()}


def _own(
    encoder: Encoder, plain: Mapping[str, Embeddings], world: World, pool: Sequence[str], sizes: Sequence[int]
) -> Figures:
    """Name each changed run by a gallery of its own settings: what is lost here no correction can give back."""
    found: Figures = {}
    for name, particles in world.own.items():
        runs = {**{one: plain[one] for one in (*pool, name)}, "A": encoder.encode(particles)}
        runs = {**runs, "pooled": plain["A"]}
        part = World(world.pool, particles, {name: world.queries[name]}, {})
        figures = _name(runs, part, [*pool, "pooled"], sizes, 2)
        found |= {key: value for key, value in figures.items() if key[0] == name}
    return found


def mean_of(tables: Iterable[Figures]) -> Figures:
    """Average the figures of several seeds."""
    listed = list(tables)
    return {key: float(np.mean([one[key] for one in listed])) for key in listed[0]}


def lost(figures: Figures, plain: Figures, view: str, n: int, runs: Sequence[str]) -> NDArray[np.float64]:
    """Give the accuracy lost against the run of the same settings, named as measured."""
    return np.array([plain["same", view, n] - figures[run, view, n] for run in runs])


def report(tables: Mapping[str, Figures], sizes: Sequence[int]) -> str:
    """Write the tables of one encoder as Markdown."""
    lines = []
    plain = tables["as measured"]
    for n in reversed(sizes):
        lines += ["", f"n = {n}; I-I / P-P / IP-IP", "", "| queries from | " + " | ".join(tables) + " |"]
        lines.append("| --- |" + " --- |" * len(tables))
        for run in dict.fromkeys(key[0] for key in plain):
            cells = [
                " / ".join(f"{of[run, view, n]:.1f}" for view in VIEWS.values()) if (run, "I-I", n) in of else ""
                for of in tables.values()
            ]
            lines.append(f"| {run} | " + " | ".join(cells) + " |")
        cells = [
            " / ".join(f"{lost(of, plain, view, n, list(CHANGES)).mean():.2f}" for view in VIEWS.values())
            for of in tables.values()
        ]
        lines.append("| **mean loss over changed runs** | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[100, 101])
    parser.add_argument("--particles", type=int, default=600, help="in each run that is asked about")
    parser.add_argument("--sizes", type=int, nargs="+", default=[4, 16])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--models", nargs="+", default=["run", "classical", "untrained"])
    parser.add_argument("--own-galleries", action="store_true", help="also name changed runs by galleries like them")
    arguments = parser.parse_args()
    data_path = arguments.data or arguments.work / "pool"
    if not data_path.exists():
        files = simulate(arguments.work / "pool files", particles=500, runs=6, seed=1, overwrite=True).files
        open_data_set(data_path, create=True).import_(sorted({path.parent for path in files}))
    data = open_data_set(data_path)
    run_path = arguments.run or arguments.work / "run"
    if not run_path.exists():
        train(data, to=run_path, minutes=arguments.minutes, split=arguments.split, fold=arguments.fold)
    run = load(run_path)
    assert isinstance(run, Model)
    ids = None if arguments.split is None else data.load_split(arguments.split).ids_of(arguments.fold, "train")
    pool: dict[str, list[Particle]] = {}
    for particle in stream_particles(data, ids):
        pool.setdefault(f"pool {particle.sample_id}", []).append(particle)
    encoders: dict[str, Callable[[], Encoder]] = {
        "run": lambda: run,
        "classical": lambda: ClassicalModel.of(data),
        "untrained": lambda: Model(untrained_run(data, run.run.recipe, split=arguments.split, fold=arguments.fold)),
    }
    worlds = [
        make_world(
            arguments.work / f"seed{seed}", seed, arguments.particles, pool, own_galleries=arguments.own_galleries
        )
        for seed in arguments.seeds
    ]
    for name in arguments.models:
        encoder = encoders[name]()
        tables = [measure(encoder, world, arguments.sizes, arguments.draws) for world in worlds]
        means = {variant: mean_of(one[variant] for one in tables) for variant in tables[0]}
        document = {
            variant: [[*key, round(value, 2)] for key, value in figures.items()] for variant, figures in means.items()
        }
        (arguments.work / f"{name}.json").write_text(json.dumps(document, indent=0))
        text = f"### {name}\n{report(means, arguments.sizes)}\n"
        (arguments.work / f"{name}.md").write_text(text)
        print(text, flush=True)


if __name__ == "__main__":
    main()
