"""Labels that a gallery or an evaluation may rest on: what people and sources said, never what a model guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seston.store import DataSet

__all__ = ["trusted_labels"]

_GUESSED = frozenset({"p", "predicted"})


def trusted_labels(data: DataSet) -> dict[str, str]:
    """Give the label of each particle that a person validated or the source states, in row order.

    Predictions are left out, and so is a particle whose name a person doubts and none has validated since.
    """
    import pyarrow.compute as pc

    from seston.store.annotations import Annotations, current_labels
    from seston.store.folder import Folder
    from seston.store.tables import Table

    folder = Folder.open(data.path, create=False)
    events = Annotations(folder, Table(folder.annotations, None)).read()
    status = events.column("status")
    validated = events.filter(pc.equal(status, "validated"))
    doubted = set(events.filter(pc.equal(status, "dubious")).column("particle_id").to_pylist())
    doubted -= set(validated.column("particle_id").to_pylist())
    stated = [
        (name, None if (source or "").strip().lower() in _GUESSED else label, source)
        for batch in data.particles(["id", "raw_label", "raw_status"])
        for name, label, source in zip(*(batch.column(place).to_pylist() for place in range(3)), strict=True)
    ]
    labels = current_labels(stated, validated)
    return {name: labels[name] for name, _, _ in stated if name in labels and name not in doubted}
