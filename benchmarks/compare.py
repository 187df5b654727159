"""Compare the default recipe with the paper's, with DINO, with one modality alone, and with measured features.

    python benchmarks/compare.py --to RESULTS --sets-folder SETS [--sets NAME …] [--data FOLDER …]
                                 [--methods NAME …] [--seeds 3] [--first-seed 0] [--minutes 8]
                                 [--clock wall|processor] [--order seeds] [--start random|imagenet]

Same sets, splits, galleries, wall-clock budget and cores for all, one training after the other. With ``--data`` it
compares on pairs of your own, a data set or instrument files, in place of the sets it makes; they are split by sample
unless they have a split of the name ``comparison``. It can be killed at any
time and started again with the same call: what is done is not repeated, and a training under way goes on from its last
checkpoint. ``RESULTS/results.json``, ``results.md`` and ``results.svg`` are written after each seed and at the end;
with ``--only-report`` they are written from what there is, and nothing else is done.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from comparison.clock import CLOCKS
from comparison.contenders import CONTENDERS, choose
from comparison.figures import figures_of
from comparison.judging import load_judgement
from comparison.plot import write_plot
from comparison.runs import Settings, failures, judgement_path, tasks_of, work
from comparison.sets import MAIN_SETS, SETS, SetSource
from comparison.tables import write_json, write_markdown

from seston.errors import SestonError, UsageError
from seston.evaluation.provenance import provenance

_SIZES, _REPEATS = (1, 2, 4, 8, 16), 5


def main() -> int:
    arguments = _arguments()
    try:
        settings, notes = _settings(arguments)
        made = provenance(data="")
        _say(f"commit {made.commit}; {made.machine}; {made.packages}; load average {os.getloadavg()[0]:.1f}")
        for note in notes:
            _say(note)
        if not arguments.only_report:
            before = None
            for task in work(settings, _say):
                if before is not None and task.seed != before and settings.order == "seeds":
                    report(settings, notes)
                before = task.seed
        report(settings, notes)
    except SestonError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("compare: interrupted; the same call goes on where it stood", file=sys.stderr)
        return 130
    return 0


def report(settings: Settings, notes: list[str]) -> None:
    """Write tables and plot from the judgements that there are."""
    started = time.monotonic()
    paths = [path for path in (judgement_path(settings, task) for task in tasks_of(settings)) if path.is_file()]
    judgements = sorted((load_judgement(path) for path in paths), key=lambda one: settings.sets.index(one.card["set"]))
    if not judgements:
        _say("nothing is done yet: there is nothing to report")
        return
    figures, notes = figures_of(judgements), [*notes, *failures(settings)]
    facts: dict[str, Any] = {
        "sets": list(settings.sets), "set_seed": settings.source.seed, "particles_a_run": settings.source.particles,
        "runs": settings.source.runs, "seeds": settings.seeds - settings.first_seed, "minutes": settings.minutes,
        "epochs": settings.epochs, "clock": settings.clock, "n": list(settings.sizes), "repeats": settings.repeats,
        "start": settings.start, "own": sorted(settings.own),
    }  # fmt: skip
    end = "" if settings.start == "random" else f"-{settings.start}"
    place = settings.to / f"results{end}.json"
    write_json(figures, judgements, settings.contenders, facts, notes, place)
    write_markdown(figures, judgements, settings.contenders, facts, notes, place.with_suffix(".md"))
    write_plot(figures, f"Naming particles from a few labelled ones, {_budget(settings)}", place.with_suffix(".svg"))
    _say(f"{place.with_suffix('.md')}: {len(judgements)} runs, {time.monotonic() - started:.0f} s to put together")


def _budget(settings: Settings) -> str:
    clock = "" if settings.clock == "wall" else f" ({settings.clock} time shared by the cores)"
    return (
        f"{settings.minutes:g} minutes a training{clock}"
        if settings.minutes
        else f"{settings.epochs} epochs a training"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--to", type=Path, required=True, help="folder of runs, judgements and results")
    parser.add_argument("--sets-folder", type=Path, help="folder of the sets (made where missing); TO/sets by default")
    parser.add_argument(
        "--sets", nargs="+", choices=list(SETS), help=f"{', '.join(MAIN_SETS)} where there is no --data"
    )
    parser.add_argument("--data", nargs="+", type=Path, default=[], help="your own: data sets or instrument files")
    parser.add_argument("--methods", nargs="+", default=[], help=", ".join(one.name for one in CONTENDERS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0, help="do those from this seed on")
    parser.add_argument("--minutes", type=float, default=8.0, help="for each training")
    parser.add_argument(
        "--clock", choices=list(CLOCKS), default="wall", help="processor: shared by the cores, for a busy machine"
    )
    parser.add_argument("--n", nargs="+", type=int, help="sizes of galleries, particles a class; 1 2 4 8 16 by default")
    parser.add_argument("--epochs", type=int, help="a budget in epochs in place of minutes")
    parser.add_argument("--order", choices=["seeds", "sets", "methods"], default="seeds")
    parser.add_argument("--start", choices=["random", "imagenet"], default="random", help="weights of image towers")
    parser.add_argument("--collections", type=Path, default=Path("../shared/data/collections"))
    parser.add_argument("--set-seed", type=int, default=1)
    parser.add_argument("--judge-again", action="store_true", help="judge trained runs anew, after a change of code")
    parser.add_argument("--only-report", action="store_true", help="put together what there is, and do nothing else")
    parser.add_argument("--quick", action="store_true", help="seconds a run, on tiny sets: to see whether all works")
    return parser.parse_args()


def _settings(arguments: argparse.Namespace) -> tuple[Settings, list[str]]:
    contenders, notes = choose(arguments.methods, arguments.start)
    quick = arguments.quick
    epochs = arguments.epochs or (2 if quick else None)
    source = SetSource(arguments.set_seed, 9, 500, arguments.collections)
    if quick:
        source = SetSource(arguments.set_seed, 3, 72, arguments.collections, classes=6)
    own = {path.resolve().name: path for path in arguments.data}
    if len(own) < len(arguments.data) or set(own) & set(SETS):
        raise UsageError(f"--data: each set needs a name of its own, other than {', '.join(SETS)}; rename a folder")
    settings = Settings(
        to=arguments.to,
        sets_folder=arguments.sets_folder or arguments.to / "sets",
        sets=(*(arguments.sets or (() if own else MAIN_SETS)), *own),
        source=source,
        contenders=tuple(contenders),
        seeds=arguments.seeds,
        first_seed=arguments.first_seed,
        minutes=None if epochs else arguments.minutes,
        clock=arguments.clock,
        epochs=epochs,
        sizes=tuple(arguments.n or ((1, 2, 4) if quick else _SIZES)),
        repeats=2 if quick else _REPEATS,
        order=arguments.order,
        start=arguments.start,
        quick=quick,
        judge_again=arguments.judge_again,
        own=own,
    )
    return settings, notes


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
