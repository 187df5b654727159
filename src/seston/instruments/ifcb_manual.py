"""Classes that people gave to the ROIs of an IFCB bin, in the ``.mat`` of MATLAB: ``manual/<bin>.mat``.

Layout after hsosik/ifcb-analysis (``manual_classify``) and real files: ``classlist`` has a line a ROI with its number,
the person's class and the program's, as places in ``class2use_manual`` and ``class2use_auto``, counted from 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seston.errors import InputError
from seston.instruments.ifcb_labels import NO_CLASS, RoiLabel
from seston.instruments.matlab_file import MatlabValue, read_matlab_file

__all__ = ["read_manual_labels"]


def read_manual_labels(data: bytes) -> dict[int, RoiLabel]:
    """Read which class each ROI was given.

    Returns
    -------
    dict
        Label by the number of the ROI: ``validated`` where a person gave it, ``predicted`` where only the program did.

    Raises
    ------
    InputError
        Where the file cannot be read or is no list of classes.
    """
    variables = read_matlab_file(data)
    table = variables.get("classlist")
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.shape[1] < 2:
        raise InputError("the MATLAB file holds no classlist: it is no list of a bin's classes")
    names = {"validated": _names(variables, "class2use_manual"), "predicted": _names(variables, "class2use_auto")}
    labels: dict[int, RoiLabel] = {}
    for row in table[:, :3].tolist():
        number = _whole(row[0])
        if number is None:
            continue
        for status, place in zip(names, row[1:], strict=False):
            label = _at(names[status], place)
            if label:
                labels.setdefault(number, RoiLabel(label, status))
                break
    return labels


def _names(variables: dict[str, MatlabValue], name: str) -> Sequence[str]:
    cells = variables.get(name)
    return [cell.strip() if isinstance(cell, str) else "" for cell in cells] if isinstance(cells, list) else ()


def _at(names: Sequence[str], place: float) -> str:
    number = _whole(place)
    label = names[number - 1] if number is not None and number <= len(names) else ""
    return "" if label.lower() in NO_CLASS else label


def _whole(value: float) -> int | None:
    return int(value) if 0 < value < 2**31 and value == int(value) else None
