"""Labels beside an IFCB bin: ``<bin>.csv`` with the columns ``file_name`` and ``class_name``.

The form in which iRfcb and ClassiPyR keep classes. A column ``score`` says that a model named the particles.
"""

from __future__ import annotations

from typing import NamedTuple

from seston.instruments.ifcb_names import roi_number
from seston.instruments.table_layout import split_fields

__all__ = ["LARGEST_LABELS", "NO_CLASS", "RoiLabel", "has_label_columns", "read_labels_of_bin"]

LARGEST_LABELS = 16 << 20
"""Bytes; a bin of ten thousand particles needs one megabyte."""

NO_CLASS = frozenset({"", "unclassified"})
"""What stands where no class was given, in small letters."""

_LONGEST_LABEL = 500


class RoiLabel(NamedTuple):
    """What a ROI was called."""

    text: str
    status: str | None
    """``validated``, ``predicted``, or None where the file does not say."""


def has_label_columns(head: bytes) -> bool:
    """Tell from its first bytes whether a table names the classes of ROIs."""
    columns = _columns(head.decode("utf-8-sig", errors="replace").partition("\n")[0])
    return "file_name" in columns and "class_name" in columns


def read_labels_of_bin(data: bytes, bin_name: str) -> tuple[dict[int, RoiLabel], list[tuple[str, str]]]:
    """Read the labels of a bin's ROIs.

    Returns
    -------
    (labels, faults)
        Label by the number of the ROI, ``predicted`` where the table says that a model gave them; and the lines that
        could not be used, each with the reason.
    """
    text = data[:LARGEST_LABELS].decode("utf-8-sig", errors="replace").replace("\x00", "")
    lines = text.splitlines()
    columns = _columns(lines[0]) if lines else []
    if not ("file_name" in columns and "class_name" in columns):
        return {}, [("line 1", "lacks the column file_name or class_name")]
    file_place, class_place = columns.index("file_name"), columns.index("class_name")
    labels: dict[int, RoiLabel] = {}
    status = "predicted" if "score" in columns else None
    faults: list[tuple[str, str]] = []
    for line, fields in enumerate(lines[1:], start=2):
        if not fields.strip():
            continue
        row = split_fields(fields, ",")
        number = roi_number(row[file_place].strip(), bin_name) if len(row) > max(file_place, class_place) else None
        label = row[class_place].strip()[:_LONGEST_LABEL] if number is not None else ""
        if number is None:
            faults.append((f"line {line}", f"names no ROI of {bin_name}"))
        elif label.lower() not in NO_CLASS and labels.setdefault(number, RoiLabel(label, status)).text != label:
            faults.append((f"line {line}", f"a second label of ROI {number:05d}: {labels[number].text!r} is kept"))
    return labels, faults


def _columns(line: str) -> list[str]:
    return [name.strip().lower() for name in split_fields(line.strip()[:4096], ",")]
