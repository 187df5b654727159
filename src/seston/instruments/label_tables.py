"""Tables of labels beside an export: particle id and what someone called it."""

from __future__ import annotations

from pathlib import Path

from seston.errors import InputError
from seston.instruments.table_layout import read_layout
from seston.instruments.tables import read_blocks
from seston.instruments.words import column_role
from seston.particle import Note, Skipped

__all__ = ["read_labels"]


def read_labels(path: Path) -> tuple[dict[int, str], list[Skipped | Note]]:
    """Read which label each particle has.

    The label's column is called ``label``, ``class`` or ``species``, or the French word; where there is none, ``Set``.

    Returns
    -------
    (labels, records)
        Label by particle id; and the rows that could not be used.

    Raises
    ------
    InputError
        Where the file is empty or lacks one of the two columns.
    """
    layout = read_layout(path)
    roles = [column_role(name) for name in layout.columns]
    wanted = "label" if "label" in roles else "set"
    if "id" not in roles or wanted not in roles:
        raise InputError(
            f"{path}: a table of labels needs a column of particle ids and one named label, class or species"
        )
    id_place, label_place = roles.index("id"), roles.index(wanted)
    words = [place for place in range(layout.width) if place != id_place]
    labels: dict[int, str] = {}
    records: list[Skipped | Note] = []
    for block in read_blocks(path, layout, text_columns=words):
        bad = {fault.row: f"the row {fault.reason}" for fault in block.faults}
        ids = block.numbers[id_place].tolist()
        for row, (number, text) in enumerate(zip(ids, block.texts[label_place], strict=True)):
            label = text.strip()
            reason = bad.get(row, "") or ("" if number == number and number >= 0 else "the row has no particle id")
            if not reason and int(number) in labels and labels[int(number)] != label:
                reason = f"a second label of particle {int(number)}: {labels[int(number)]!r} is kept"
            if reason:
                records.append(Skipped(str(path), f"line {block.line_of(row)}", reason))
            elif label:
                labels.setdefault(int(number), label)
    return labels, records
