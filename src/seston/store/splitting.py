"""The split of a data set: what a partition looks at, read from its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from seston.particle import Sample
from seston.store.grouping import bins_of, stations_of
from seston.store.labelling import shared_texts
from seston.store.official_split import official_split
from seston.store.partition import SplitRows, make_split
from seston.store.sample_groups import joined_by_content
from seston.store.splits import Split
from seston.store.tables import Table

__all__ = ["split_particles"]

_CONTENTS = ("image_hash", "profile_hash")


def split_particles(
    particles: Table,
    samples: Iterable[Sample],
    labels: Sequence[str | None],
    name: str,
    *,
    by: str,
    folds: int,
    mode: str,
    seed: int,
    hold_out: Sequence[str],
    unseen: int,
    unseen_labels: Sequence[str],
    official: Sequence[str | Path],
) -> Split:
    """Part the particles of a table; see `DataSet.split`.

    Parameters
    ----------
    samples
        Of the particles; only looked at for their stations.
    labels
        Trusted label of each particle, in the order of the table; None where there is none.
    """
    table = particles.read(["id", "sample_id", *_CONTENTS, "source"])
    ids = table.column("id").to_pylist()
    of_sample: Sequence[str] = [sample or "" for sample in shared_texts(table.column("sample_id"))]
    contents = [table.column(column) for column in _CONTENTS]
    if official:
        twins = joined_by_content(contents, len(ids)).tolist()
        return official_split(ids, of_sample, twins, name, [Path(path) for path in official])
    if by == "station":
        stations = stations_of(samples)
        of_sample = [stations.get(sample, sample) for sample in of_sample]
    elif by == "bin":
        of_sample = bins_of(ids, of_sample)
    rows = SplitRows(
        ids=ids,
        samples=of_sample,
        labels=labels,
        contents=contents,
        sources=[source or "" for source in shared_texts(table.column("source"))],
    )
    return make_split(
        rows,
        name,
        by=by,
        folds=folds,
        mode=mode,
        seed=seed,
        collections=hold_out,
        unseen=unseen,
        classes=unseen_labels,
    )
