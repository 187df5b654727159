"""Make the data sets that ``compare.py`` compares methods on; those that are there already are left as they are.

python benchmarks/make_sets.py --to SETS [--sets simulated …] [--collections FOLDER]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from comparison.sets import MAIN_SETS, SETS, SetSource, make_set


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--to", type=Path, required=True, help="folder of the sets")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(MAIN_SETS))
    parser.add_argument("--collections", type=Path, default=Path("../shared/data/collections"))
    parser.add_argument("--seed", type=int, default=1, help="of the sets, not of trainings")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--particles", type=int, default=500, help="in each run")
    arguments = parser.parse_args()
    source = SetSource(arguments.seed, arguments.runs, arguments.particles, arguments.collections)
    for name in arguments.sets:
        started = time.monotonic()
        data = make_set(name, arguments.to, source, print)
        info = data.info()
        taken = time.monotonic() - started
        print(f"{name}: {info.pairs:,} pairs of {len(info.labels)} classes in {info.samples} runs, {taken:.0f} s")


if __name__ == "__main__":
    main()
