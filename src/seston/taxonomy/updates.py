"""The one way in for all updates of the user's facts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seston.errors import UsageError
from seston.particle import Progress
from seston.taxonomy.label_names import unknown_names
from seston.taxonomy.user_facts import UpdateReport, update_from_checklist
from seston.taxonomy.worms_facts import update_from_worms

__all__ = ["update"]


def update(
    *,
    from_: Path | None = None,
    worms: Sequence[str] = (),
    from_labels: Path | None = None,
    to: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> UpdateReport:
    """Take facts into the user's own table, which `resolve` reads beside the one that comes with Seston.

    Parameters
    ----------
    from_
        A checklist: see `read_checklist`.
    worms
        Names to ask WoRMS about.
    from_labels
        A data set, or a table of labels, whose names WoRMS is asked about where they are not known yet.
    to
        Another table to write.
    overwrite
        Replace what contradicts the new facts; without it, contradictions are only reported.

    Raises
    ------
    UsageError
        A checklist together with names, or nothing at all.
    NotFoundError, InputError
        A file is missing or cannot be used.
    """
    if (from_ is None) == (not worms and from_labels is None):
        raise UsageError("say where the facts come from: --from FILE, or --worms NAME, or --from-labels DATA")
    if from_ is not None:
        return update_from_checklist(from_, to=to, overwrite=overwrite, progress=progress)
    of_labels = unknown_names(from_labels, progress=progress) if from_labels is not None else []
    return update_from_worms([*worms, *of_labels], to=to, overwrite=overwrite, progress=progress)
