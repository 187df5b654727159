"""Commands about a data set: info, map, annotate, split, versions, tag, compact."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from seston.cli.output import Outcome, Table, skipped_document, skipped_lines
from seston.cli.words import AsJson, Existing, Flag, Overwrite, check_free
from seston.errors import UsageError

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["annotate", "compact", "info", "map_", "split", "tag", "versions"]


def info(data: Existing, /, *, as_json: AsJson = False) -> Outcome:
    """Say what a data set holds.

    Parameters
    ----------
    data
        The folder of the data set.
    """
    from seston.store import info_of

    found = dataclasses.asdict(info_of(data))
    single = [(name.replace("_", "-"), value) for name, value in found.items() if isinstance(value, int)]
    tables = [_counts(name, found[name]) for name in ("labels", "instruments", "licences", "flags")]
    named = [f"{name}: {', '.join(found[name])}" for name in ("splits", "tags") if found[name]]
    return Outcome(document=found, blocks=(Table(("what", "number"), single), *tables, *named))


def map_(data: Existing, /, *, to: Path, overwrite: Overwrite = False, as_json: AsJson = False) -> Outcome:
    """Draw where the particles of a data set were taken, as one HTML page that works without a network.

    Parameters
    ----------
    data
        The folder of the data set.
    to
        The page to write, or a folder in which it becomes map.html.
    """
    check_free(to if to.suffix else to / "map.html", overwrite=overwrite)
    from seston.evaluation import map_samples

    drawn = map_samples(data, to=to, overwrite=overwrite)
    places = drawn.places
    return Outcome(
        document={
            "page": str(drawn.page),
            "particles": places.particles,
            "samples": places.samples,
            "without": places.without,
            "impossible": places.impossible,
            "places": places.places,
        },
        blocks=(
            f"{places.particles:,} particles of {places.samples:,} samples at {len(places.places):,} places are drawn; "
            f"{places.without:,} have no position, {places.impossible:,} an impossible one. Open {drawn.page}",
        ),
    )


def annotate(
    data: Existing, table: Annotated[Existing, Parameter(name="FILE")], /, *, as_json: AsJson = False
) -> Outcome:
    """Add names from a table.

    Names are only ever added; the newest name that a person validated counts.

    Parameters
    ----------
    data
        The folder of the data set.
    table
        A CSV file with the columns particle and label; also author, status, score and time, where it has them.
    """
    from seston.particle import Skipped
    from seston.store import open_data_set

    report = open_data_set(data).annotate_file(table)
    unknown, skipped = list(report.unknown_particles), list(report.skipped)
    strangers = [Skipped(str(table), one, "no particle of the data set has this id") for one in unknown]
    return Outcome(
        document={"added": report.added, "unknown_particles": unknown, "skipped": skipped_document(skipped)},
        blocks=(f"{report.added:,} names added; {len(unknown):,} unknown ids and {len(skipped):,} rows skipped.",),
        notes=skipped_lines([*strangers, *skipped]),
        partial=bool(unknown or skipped),
    )


def split(
    data: Existing,
    /,
    *,
    name: str,
    by: Literal["sample", "bin", "station", "image"] = "sample",
    folds: int = 5,
    mode: Literal["kfold", "single", "planktonzilla"] = "kfold",
    seed: int = 42,
    hold_out: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    unseen: int = 0,
    unseen_label: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    non_plankton: Flag = False,
    official: Annotated[tuple[Existing, ...], Parameter(negative=(), show_default=False)] = (),
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> Outcome:
    """Divide a data set into training, validation and test parts, and save that under a name.

    Parameters
    ----------
    data
        The folder of the data set.
    name
        The name to save it under.
    by
        Keep all particles of a sample, of an IFCB bin (told by their names), or of a station in one part, or divide
        picture by picture (image: optimistic).
    folds
        How many times to divide, with another test part each time.
    mode
        kfold gives 80/5/15 percent in each fold; single gives one division of 95/5 percent; planktonzilla gives its
        60/20/20 within each source, by image.
    seed
        The same seed gives the same parts.
    hold_out
        Test with all particles of this source, and train with the others; may be given several times.
    unseen
        So many classes, drawn at random, are in the test only.
    unseen_label
        This class is in the test only; may be given several times.
    non_plankton
        Detritus, faults of pictures and lifeless things, as the taxonomy knows them, are in the test only.
    official
        Lists of the collection's makers (train.txt, test.csv, ...) or a folder with them; may be given several times.
    """
    from seston.store import open_data_set

    opened = open_data_set(data)
    lifeless = _lifeless(opened) if non_plankton else []
    made = opened.split(
        name,
        by=by,
        folds=folds,
        mode=mode,
        seed=seed,
        hold_out=hold_out,
        unseen=unseen,
        unseen_labels=[*unseen_label, *(label for label in lifeless if label not in unseen_label)],
        official=official,
        overwrite=overwrite,
    )
    sizes = made.sizes()
    parts = tuple(sizes[0])
    rows = [(fold, *size.values()) for fold, size in enumerate(sizes)]
    return Outcome(
        document={
            "name": made.name,
            "grouped": made.grouped,
            "note": made.note,
            "sizes": sizes,
            "cramers_v": made.settings.get("cramers_v"),
            "unseen": str(made.settings.get("unseen", "")).splitlines(),
        },
        blocks=(f"Split {made.name!r} saved: {made.note}.", Table(("fold", *parts), rows)),
    )


def _lifeless(data: DataSet) -> list[str]:
    from seston.taxonomy import non_plankton

    found = non_plankton(data.labels(trusted=True).values())
    if not found:
        raise UsageError(f"{data.path}: no label is known to be detritus, a fault of the picture or a lifeless thing")
    return found


def versions(data: Existing, /, *, as_json: AsJson = False) -> Outcome:
    """List the versions and tags of a data set.

    Parameters
    ----------
    data
        The folder of the data set.
    """
    from seston.store import open_data_set

    opened = open_data_set(data)
    found = opened.versions()
    rows = [(str(one.number), f"{one.time:%Y-%m-%d %H:%M:%S}", ", ".join(one.tags)) for one in found]
    return Outcome(
        document={"version": opened.version, "versions": found}, blocks=(Table(("version", "made", "tags"), rows),)
    )


def tag(data: Existing, name: str, /, *, as_json: AsJson = False) -> Outcome:
    """Give the present version of a data set a name.

    Parameters
    ----------
    data
        The folder of the data set.
    name
        The name of the tag.
    """
    from seston.store import open_data_set

    opened = open_data_set(data)
    opened.tag(name)
    document = {"tag": name, "version": opened.version}
    return Outcome(document=document, blocks=(f"Version {opened.version} of {data} is now called {name!r}.",))


def compact(data: Existing, /, *, as_json: AsJson = False) -> Outcome:
    """Rewrite a data set so that it takes less room and reads faster; old versions without a tag are removed.

    Parameters
    ----------
    data
        The folder of the data set.
    """
    from seston.store import open_data_set

    opened = open_data_set(data)
    before = opened.info().bytes
    opened.compact()
    after = opened.info().bytes
    document = {"bytes_before": before, "bytes": after}
    return Outcome(document=document, blocks=(f"{data}: {before:,} bytes before, {after:,} bytes now.",))


def _counts(name: str, counts: Mapping[str, int]) -> Table:
    return Table((name, "particles"), list(counts.items()))
