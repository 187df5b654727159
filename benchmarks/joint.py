"""Do texts or contexts help pictures and profiles to find each other and names, and the reverse?

    python benchmarks/joint.py --to RESULTS --pictures FOLDER [--sets NAME …] [--arms NAME …] [--seeds 3] [--epochs 20]

Five arms of one recipe (`joining.arms`) learn from the same particles in the same number of steps, and are judged on
runs of other stations: names by galleries, partners across modalities, names by texts alone, and names in which place
and season weigh. Texts are made of labels, so arms with texts have seen the labels of the training runs; the others
have seen none. ``--pictures`` holds labelled pictures for the semi-simulated set: a collection, or the instrument files
of another set. Intervals cover the choice of queries, galleries and training seeds, not that of stations. It can be
killed at any time and started again with the same call. ``RESULTS/joint.md`` and ``joint.json`` are written at the end;
with ``--only-report`` from what there is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from comparison.bench import Bench, bench_of
from comparison.judging import Judgement, load_judgement
from comparison.runs import Settings, Task, judgement_path, tasks_of, work
from comparison.sets import SetSource
from joining.arms import ARMS, BASE
from joining.asides import judge_aside
from joining.sets import STATION_SETS, make_station_set, stations_of
from joining.table import lines_of, to_markdown
from numpy.typing import NDArray

from seston import SestonError
from seston.evaluation.provenance import provenance
from seston.recognition.encoder import Model, embed_particles
from seston.training import load_run

_SIZES, _REPEATS = (1, 4, 16), 5
_COMBINATIONS = (("I", "I"), ("P", "P"), ("IP", "IP"), ("I", "P"), ("P", "I"))
_DEPTHS = (1, 10)
_RULE = "soft-lda"


def main() -> int:
    settings, only_report = _settings()
    try:
        made = provenance(data="")
        _say(f"commit {made.commit}; {made.machine}; {made.packages}; load average {os.getloadavg()[0]:.1f}")
        if not only_report:
            _do(settings)
        _report(settings)
    except SestonError as error:
        print(f"joint: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("joint: interrupted; the same call goes on where it stood", file=sys.stderr)
        return 130
    return 0


def _do(settings: Settings) -> None:
    """Make the sets, train and judge what is not done yet."""
    benches = {}
    for name in settings.sets:
        data = make_station_set(name, settings.sets_folder, settings.source, _say)
        benches[name] = bench_of(name, data, max(settings.sizes))
    for task in work(settings, _say):
        _judge_aside(task, benches[task.set_name], settings)


def _aside_path(settings: Settings, task: Task) -> Path:
    return settings.to / "asides" / task.set_name / f"{task.contender.name}-seed{task.seed}.npz"


def _judge_aside(task: Task, bench: Bench, settings: Settings) -> None:
    """Ask a run what only some arms can answer, unless it was asked before."""
    path, judged = _aside_path(settings, task), judgement_path(settings, task)
    if not judged.is_file() or (path.is_file() and path.stat().st_mtime >= judged.stat().st_mtime):
        return
    run = load_run(settings.to / "runs" / task.set_name / f"{task.contender.name}-seed{task.seed}")
    vectors = bench.vectors(embed_particles(Model(run), bench.data), task.contender.sees)
    draws = bench.draws(settings.sizes, settings.repeats, task.seed)
    found = judge_aside(
        run, vectors, bench, draws, stations_of(bench.data, settings.source), settings.source.seed
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    with half.open("wb") as stream:
        np.savez_compressed(stream, **found)  # type: ignore[arg-type]  # the stub takes no mapping of names
    half.replace(path)


_Found = dict[str, dict[str, dict[int, NDArray[np.bool_]]]]


def _answers(settings: Settings, set_name: str) -> _Found:
    """Gather what all arms of all seeds answered on a set."""
    answers: _Found = {}
    for task in tasks_of(settings):
        path, aside = judgement_path(settings, task), _aside_path(settings, task)
        if task.set_name != set_name or not path.is_file():
            continue
        arm = task.contender.name
        for asked, right in _of_judgement(load_judgement(path)):
            answers.setdefault(asked, {}).setdefault(arm, {})[task.seed] = right
        if aside.is_file():
            with np.load(aside, allow_pickle=False) as file:
                for name in file.files:
                    what, _, size = name.partition("|")
                    if what == "texts":
                        asked, one = f"texts alone, {size}", arm
                    else:
                        asked, one = f"place and season weigh, {size} a class: {arm}", what
                    answers.setdefault(asked, {}).setdefault(one, {})[task.seed] = file[name]
    return answers


def _of_judgement(judged: Judgement) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for answer, right in judged.right.items():
        if answer.rule == _RULE and (answer.gallery, answer.query) in _COMBINATIONS:
            yield f"gallery {answer.gallery}, query {answer.query}, {answer.n} a class", right
    for name, places in judged.ranks.items():
        how, _, direction = name.partition("|")
        if how == "cosine":
            for depth in _DEPTHS:
                yield f"partner, {direction}, first {depth}", (places <= depth)[None]


def _report(settings: Settings) -> None:
    text, document = [], {}
    for name in settings.sets:
        answers = _answers(settings, name)
        if not answers:
            continue
        base = {asked: "plain" if asked.startswith("place") else BASE for asked in answers}
        lines = [line for asked, of in answers.items() for line in lines_of({asked: of}, base[asked])]
        text.append(f"## {name} ({'semi-' if name.startswith('semi') else ''}simulated)\n\n{to_markdown(lines)}")
        document[name] = [asdict(line) for line in lines]
    if not document:
        _say("nothing is done yet: there is nothing to report")
        return
    made = provenance(data="")
    about = "\n".join(f"- `{arm.name}`: {arm.about}" for arm in settings.contenders)
    head = (
        f"# Texts and contexts\n\n{about}\n\n{settings.epochs} epochs; commit {made.commit}; {made.machine}. "
        "Intervals (95 %) are "
        "over queries, galleries and training seeds; the stations are the same throughout.\n"
    )
    (settings.to / "joint.md").write_text("\n".join([head, *text]), encoding="utf-8")
    (settings.to / "joint.json").write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    _say(f"{settings.to / 'joint.md'} is written")


def _settings() -> tuple[Settings, bool]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--to", type=Path, required=True, help="folder of sets, runs, judgements and results")
    parser.add_argument("--pictures", type=Path, default=Path("../shared/data/collections/vliz_flowcam.tar"))
    parser.add_argument("--sets", nargs="+", choices=list(STATION_SETS), default=list(STATION_SETS))
    parser.add_argument("--arms", nargs="+", choices=[arm.name for arm in ARMS], default=[arm.name for arm in ARMS])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--runs", type=int, default=36)
    parser.add_argument("--particles", type=int, default=120, help="in each simulated run")
    parser.add_argument("--only-report", action="store_true")
    parser.add_argument("--quick", action="store_true", help="tiny sets and two epochs: to see whether all works")
    asked = parser.parse_args()
    source = SetSource(1, asked.runs, asked.particles, asked.pictures)
    if asked.quick:
        source = SetSource(1, 6, 60, asked.pictures, classes=4)
    settings = Settings(
        to=asked.to,
        sets_folder=asked.to / "sets",
        sets=tuple(asked.sets),
        source=source,
        contenders=tuple(arm for arm in ARMS if arm.name in asked.arms),
        seeds=asked.seeds,
        minutes=None,
        clock="wall",
        epochs=2 if asked.quick else asked.epochs,
        sizes=(1, 2) if asked.quick else _SIZES,
        repeats=2 if asked.quick else _REPEATS,
        order="seeds",
        start="random",
        quick=asked.quick,
        judge_again=False,
    )
    return settings, asked.only_report


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
