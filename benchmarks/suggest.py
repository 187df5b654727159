"""Do suggested labels help more than labels of particles at random, or than those other methods ask for?

    python benchmarks/suggest.py --to RESULTS NAME=DATA[:RUN] … [--long-tailed NAME=DATA[:RUN]] [--seeds 6]
                                 [--rounds 5] [--labels 20] [--strategies NAME …]

Each set is tried with the run, where one is named, and with measured (classical) features. A simulated annotator
starts from nothing and is asked 5 rounds of 20 labels; after each, particles of other runs are named by what has been
labelled (soft LDA on picture and profile), and macro-F1 over all classes is taken. Seeds change which runs are asked
about and which named, which 1,500 particles are in the pool, and the order of classes in a long tail; all strategies
have the same. ``suggest.jsonl`` in RESULTS keeps each trial (the same call goes on after a kill), ``suggest.md`` the
table, ``suggest.svg`` the plot.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from suggesting.annotating import Subjects, annotate, draw_world
from suggesting.strategies import STRATEGIES
from suggesting.tables import Trial, write_plot, write_table

from seston import SestonError
from seston import open as open_data_set
from seston.recognition import choose_model, embed


@dataclass(frozen=True)
class Case:
    name: str
    data: Path
    model: str
    long_tailed: bool


def main() -> int:
    arguments = _arguments()
    arguments.to.mkdir(parents=True, exist_ok=True)
    journal = arguments.to / "suggest.jsonl"
    trials = {trial.key: trial for trial in _read(journal)}
    try:
        for case in _cases(arguments):
            for trial in _run(case, arguments, set(trials)):
                with journal.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(trial)) + "\n")
                trials[trial.key] = trial
    except SestonError as error:
        print(f"suggest: {error}", file=sys.stderr)
        return 2
    write_table(list(trials.values()), arguments.to / "suggest.md", labels=arguments.labels)
    write_plot(list(trials.values()), arguments.to / "suggest.svg", labels=arguments.labels)
    print((arguments.to / "suggest.md").read_text(encoding="utf-8"))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="*", metavar="NAME=DATA[:RUN]")
    parser.add_argument("--long-tailed", action="append", default=[], metavar="NAME=DATA[:RUN]")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES), choices=list(STRATEGIES))
    return parser.parse_args()


def _cases(arguments: argparse.Namespace) -> Iterator[Case]:
    for long_tailed, words in ((False, arguments.sets), (True, arguments.long_tailed)):
        for word in words:
            name, _, place = word.partition("=")
            data, _, run = place.partition(":")
            for model in (*([run] if run else []), "classical"):
                kind = "classical" if model == "classical" else "trained"
                yield Case(f"{name}, {kind}", Path(data), model, long_tailed)


def _run(case: Case, arguments: argparse.Namespace, done: set[tuple[str, int, str]]) -> Iterator[Trial]:
    subjects = None
    for seed in range(arguments.seeds):
        missing = [name for name in arguments.strategies if (case.name, seed, name) not in done]
        if not missing:
            continue
        subjects = subjects or _subjects(case)
        world = draw_world(subjects, seed, long_tailed=case.long_tailed)
        for name in missing:
            after = annotate(world, name, seed, rounds=arguments.rounds, labels=arguments.labels)
            yield Trial(case.name, seed, name, [f1 for f1, _ in after], [known for _, known in after])


def _subjects(case: Case) -> Subjects:
    data = open_data_set(case.data)
    vectors = embed(data, choose_model(data, case.model))
    labels = data.labels(trusted=True)
    vectors = vectors.take([row for row, name in enumerate(vectors.ids) if vectors.has_both[row] and name in labels])
    truth = np.unique([labels[name] for name in vectors.ids], return_inverse=True)[1]
    runs = np.unique([name.rpartition("/")[0] for name in vectors.ids], return_inverse=True)[1]
    return Subjects(vectors, truth.astype(np.int64), runs.astype(np.int64))


def _read(journal: Path) -> list[Trial]:
    if not journal.is_file():
        return []
    lines = journal.read_text(encoding="utf-8").splitlines()
    return [Trial(**json.loads(line)) for line in lines if line.endswith("}")]


if __name__ == "__main__":
    sys.exit(main())
