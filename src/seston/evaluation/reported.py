"""The end of every protocol: an evaluation, and its report where one is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seston.evaluation.results import Evaluation

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["reported"]


def reported(evaluation: Evaluation, data: DataSet, to: Path | str | None, *, overwrite: bool) -> Evaluation:
    """Write the report of an evaluation, with a map of the samples where they have places.

    Parameters
    ----------
    data
        That was judged.
    to
        A folder, or the path of the HTML file; without one nothing is written.
    overwrite
        Replace a report that is there.

    Returns
    -------
    Evaluation
        With the map, and where its report is; as it was, where none is written.

    Raises
    ------
    UsageError
        A report is there already.
    """
    if to is None:
        return evaluation
    from seston.evaluation.report import write_report
    from seston.evaluation.sample_map import with_map

    return write_report(with_map(evaluation, data), to, overwrite=overwrite)
