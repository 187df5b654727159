"""The whole path, from instrument files to a report, on simulated files or on a user's own."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seston.errors import UsageError
from seston.evaluation.results import Evaluation
from seston.evaluation.strangers import limits
from seston.particle import Particle, Progress, Silence

if TYPE_CHECKING:
    from seston.recognition import Encoder, IdentifyResult
    from seston.store import DataSet

__all__ = ["DemoResult", "demo"]

_MINUTES = 3.0
_RUNS, _PARTICLES = 9, 500
_FOLDS = 3
_PER_CLASS = 16
_SIZES, _REPEATS = (1, 2, 4, 8, 16), 5
_SPLIT = "demo"
_NOTES = "demo.json"
_OURS = ("simulated", "data", "run", "gallery", "names.csv", "names.samples.json", "report.html", "report.json",
         "report.csv", _NOTES)  # fmt: skip
_FEWEST_LABELLED = 10

T = TypeVar("T")


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration made and found."""

    report: Path
    accuracy: dict[str, float]
    """By combination of gallery and query (``IP-IP``), at the largest gallery; empty without labels."""
    seconds: float
    steps: dict[str, float]
    """Step → seconds that it took when it was done."""
    fresh_accuracy: float | None
    """Share of right names in a measurement that was in nothing before; None for a user's own files."""
    simulated: str
    notes: Sequence[str] = ()


def demo(
    data: Path | str | Sequence[Path | str] | None = None,
    to: Path | str | None = None,
    minutes: float | None = None,
    seed: int = 0,
    *,
    recipe: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DemoResult:
    """Show the whole path: import, split, train, embed, make a gallery, evaluate, identify, count, report.

    Broken off, it goes on where it stood when it is called again with the same folder; one that has ended is not
    repeated.

    Parameters
    ----------
    data
        Instrument files of your own; simulated ones where None. With labels they go the whole path; without, the path
        ends with a map of the particles by likeness.
    to
        Folder for everything, ``seston-demo`` by default.
    minutes
        How long to train: 3 by default.
    seed
        Of simulation, training and galleries.
    recipe
        ``default``, or where there are no pairs the one for pictures or profiles alone.
    overwrite
        Begin anew in a folder that holds another demonstration.

    Raises
    ------
    UsageError
        Where the folder holds a demonstration with other settings, and `overwrite` is False.
    InputError
        Where nothing can be read.
    """
    started = time.perf_counter()
    paths = [] if data is None else [Path(one) for one in ([data] if isinstance(data, str | Path) else data)]
    settings = {"data": [str(path) for path in paths], "seed": seed, "minutes": minutes or _MINUTES, "recipe": recipe}
    folder = Path(to or "seston-demo")
    notes = _begin(folder, settings, overwrite)
    if notes.get("result") and (folder / "report.html").is_file():
        return DemoResult(**notes["result"] | {"report": folder / "report.html"})
    work = _Work(folder, notes, progress or Silence())
    fresh: Path | None = None
    if not paths:
        runs = work.step("simulate", lambda: _simulate(work, seed))
        paths, fresh = runs[:-1], runs[-1]
    opened = work.step("import", lambda: _import(work, paths))
    work.step("split", lambda: _split(opened))
    model = work.step("train", lambda: _train(work, opened, minutes or _MINUTES, seed, recipe))
    work.step("embed", lambda: _embed(work, opened, model))
    evaluation, fresh_accuracy = _judge(work, opened, model, fresh, seed)
    return _finish(work, evaluation, fresh_accuracy, started)


class _Work:
    """A demonstration under way: its folder, its progress, and how long each step took."""

    def __init__(self, folder: Path, notes: dict[str, Any], say: Progress) -> None:
        self.folder, self.say, self._notes = folder, say, notes
        self.steps: dict[str, float] = notes.setdefault("steps", {})

    def step(self, name: str, do: Callable[[], T]) -> T:
        """Do a step and note how long it took the first time."""
        self.say.note(f"{name} …")
        started = time.perf_counter()
        result = do()
        if name not in self.steps:
            self.steps[name] = round(time.perf_counter() - started, 2)
            self.write()
        return result

    def end(self, result: DemoResult) -> DemoResult:
        """Note that all is done."""
        self._notes["result"] = asdict(result) | {"report": str(result.report)}
        self.write()
        return result

    def write(self) -> None:
        """Keep the notes."""
        half = self.folder / f".{_NOTES}"
        half.write_text(json.dumps(self._notes, indent=1) + "\n", encoding="utf-8")
        half.replace(self.folder / _NOTES)


def _begin(folder: Path, settings: dict[str, Any], overwrite: bool) -> dict[str, Any]:
    """Read the notes of a demonstration that was begun here, or begin one."""
    notes = folder / _NOTES
    if notes.is_file():
        try:
            old: dict[str, Any] = json.loads(notes.read_bytes())
        except ValueError:
            old = {}
        if old.get("settings") == settings:
            return old
        if not overwrite:
            raise UsageError(
                f"{folder} holds a demonstration with other settings; name another folder, or add --overwrite"
            )
        for name in _OURS:
            place = folder / name
            shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    elif folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} holds other files; name a new or an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    return {"settings": settings}


def _simulate(work: _Work, seed: int) -> list[Path]:
    """Simulate measurements: all but the last are for the data set."""
    from seston.simulate import simulate

    place = work.folder / "simulated"
    runs = sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
    if "simulate" in work.steps and len(runs) == _RUNS + 1:
        return runs
    report = simulate(place, particles=_PARTICLES, runs=_RUNS + 1, seed=seed, progress=work.say, overwrite=True)
    return [place / sample for sample in report.samples]


def _import(work: _Work, paths: Sequence[Path]) -> DataSet:
    from seston.store import open_data_set

    opened = open_data_set(work.folder / "data", create=True)
    if "import" not in work.steps:
        report = opened.import_(paths, progress=work.say)
        for one in report.skipped[:5]:
            work.say.note(f"skipped: {one.path}: {one.item}: {one.reason}")
    return opened


def _split(data: DataSet) -> None:
    """Part by sample; where that cannot be, by particle."""
    if _SPLIT in data.splits():
        return
    try:
        data.split(_SPLIT, by="sample", folds=_FOLDS)
    except UsageError:
        data.split(_SPLIT, by="image", folds=_FOLDS)


def _train(work: _Work, data: DataSet, minutes: float, seed: int, recipe: str | None) -> Encoder:
    """Train; where there are listmode parameters alone, there is nothing to train, and features are measured."""
    from seston.recognition import ClassicalModel, Model
    from seston.training import train

    info = data.info()
    if info.images + info.profiles < 2:
        work.say.note("there are neither pictures nor profiles to learn from: listmode features are measured instead")
        return ClassicalModel.of(data)
    run = train(
        data,
        recipe=recipe or _recipe_for(data),
        to=work.folder / "run",
        split=_SPLIT,
        minutes=minutes,
        resume=True,
        overrides=(f"seed={seed}",),
        progress=work.say,
    )
    return Model(run)


def _recipe_for(data: DataSet) -> str:
    from seston.training import recipe_names

    info = data.info()
    if info.pairs >= max(info.images, info.profiles) // 2:
        return "default"
    wanted = "default-pictures" if info.images >= info.profiles else "default-profiles"
    return wanted if wanted in recipe_names() else "default"


def _embed(work: _Work, data: DataSet, model: Encoder) -> None:
    from seston.recognition import embed

    embed(data, model, progress=work.say)


def _judge(
    work: _Work, data: DataSet, model: Encoder, fresh: Path | None, seed: int
) -> tuple[Evaluation, float | None]:
    """Evaluate and identify, or without labels show the particles by likeness."""
    counts = Counter(data.labels(trusted=True).values())
    if len([label for label, number in counts.items() if number > 1]) < 2 or counts.total() < _FEWEST_LABELLED:
        from seston.evaluation.overview import overview

        return work.step("map", lambda: overview(data, model, split=_SPLIT, seed=seed)), None
    from seston.recognition import Gallery

    gallery = work.step(
        "gallery", lambda: Gallery.from_dataset(data, model, per_class=_PER_CLASS, split=_SPLIT, seed=seed)
    )
    gallery.save(work.folder / "gallery", overwrite=True)
    evaluation = work.step("evaluate", lambda: _evaluate(work, data, model, seed))
    tables = {**evaluation.tables, "What the gallery knows of its limits": limits(gallery.routes)}
    evaluation = replace(evaluation, tables=tables)
    if fresh is None:
        return evaluation, None
    return work.step("identify and count", lambda: _identify(work, evaluation, fresh))


def _evaluate(work: _Work, data: DataSet, model: Encoder, seed: int) -> Evaluation:
    from seston.evaluation.protocol import gallery_knn

    found = gallery_knn(data, model=model, n=_SIZES, repeats=_REPEATS, split=_SPLIT, seed=seed, progress=work.say)
    what = "simulated measurements" if found.simulated else "your measurements"
    return replace(found, title=f"Seston demonstration: naming the particles of {what}")


def _identify(work: _Work, evaluation: Evaluation, fresh: Path) -> tuple[Evaluation, float | None]:
    """Name a measurement that nothing has seen yet, check the names against the truth, count, and look for faults."""
    from seston.recognition import count, doctor, identify

    target = work.folder / "names.csv"
    result = identify(fresh, gallery=work.folder / "gallery", to=target, overwrite=True, progress=work.say)
    checks = doctor(fresh, work.folder / "gallery")
    rows = [(one.label, one.n, one.per_ml, one.volume_column, one.reason) for one in count(target)]
    accuracy = _accuracy(result, fresh)
    verdict = {True: "yes", False: "no", None: "cannot be told"}
    tables: dict[str, tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]] = {
        f"A measurement that nothing had seen: {fresh.name}": (
            ("label", "particles", "per ml", "divided by", "why not"),
            tuple(rows),
        ),
        "Do its files belong together?": (
            ("check", "ok", "what was found"),
            tuple((one.name, verdict[one.ok], one.detail) for one in checks),
        ),
    }
    note = f"{result.count:,} particles of a measurement that nothing had seen were named"
    note += "" if accuracy is None else f": {accuracy * 100:.1f} % rightly, by a gallery of {_PER_CLASS} per class"
    return replace(evaluation, tables={**evaluation.tables, **tables}, notes=(*evaluation.notes, note)), accuracy


def _accuracy(result: IdentifyResult, files: Path) -> float | None:
    """Compare names with the labels that the simulated files hold."""
    from seston.instruments import find_sources, read

    sources, _ = find_sources([files])
    truth = {
        record.id: record.raw_label for source in sources for record in read(source) if isinstance(record, Particle)
    }
    right = [truth[one.id] == one.label for one in result.particles if truth.get(one.id)]
    return sum(right) / len(right) if right else None


def _finish(work: _Work, evaluation: Evaluation, fresh_accuracy: float | None, started: float) -> DemoResult:
    from seston.evaluation.report import write_report

    seconds = time.perf_counter() - started
    steps = tuple((name, taken) for name, taken in work.steps.items())
    tables = {**evaluation.tables, "Steps": (("step", "seconds"), (*steps, ("all", sum(work.steps.values()))))}
    written = write_report(replace(evaluation, tables=tables), work.folder)
    assert written.report is not None
    return work.end(
        DemoResult(
            report=written.report,
            accuracy=evaluation.accuracy(),
            seconds=round(seconds, 2),
            steps=dict(work.steps),
            fresh_accuracy=fresh_accuracy,
            simulated=evaluation.simulated,
            notes=evaluation.notes,
        )
    )
