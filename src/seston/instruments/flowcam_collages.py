"""The collages of a FlowCam run: many particles' pictures in one TIFF, cut out by their boxes."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError
from seston.instruments.pictures import decode_image

__all__ = ["Collages", "collage_parts"]

_LARGEST_FILE = 256 << 20
_KEPT = 2
_NAME = re.compile(r"(?P<run>.*)_(?P<number>\d{6})(?P<mask>_bin)?\.tiff?", re.IGNORECASE)


def collage_parts(name: str) -> tuple[str, str, bool] | None:
    """Give run, number, and whether it is a mask, from the name of a collage; None where it is none."""
    found = _NAME.fullmatch(name)
    if found is None or found["run"].lower() in ("cal_image", "rawfile"):
        return None
    return found["run"], found["number"], found["mask"] is not None


class Collages:
    """The collages of one run; two at most are kept in memory.

    Parameters
    ----------
    files
        Every file that may be one.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._by_name = {path.name.lower(): path for path in files}
        self._by_number = {
            parts[1]: path for path in files if (parts := collage_parts(path.name)) is not None and not parts[2]
        }
        self._kept: OrderedDict[str, NDArray[np.uint8] | InputError] = OrderedDict()
        self.lost: Counter[str] = Counter()
        """Collage that is not there or cannot be read → particles that lack their picture for it."""
        self.reasons: dict[str, str] = {}
        self.renamed: set[str] = set()
        """Collages that were found under another run's name."""

    def picture(self, name: str, box: tuple[int, int, int, int]) -> NDArray[np.uint8] | None:
        """Cut a picture out.

        Returns
        -------
        array of uint8 or None
            Shape (height, width) or (height, width, 3); None where the collage cannot be had, which is counted.

        Raises
        ------
        InputError
            Where the box leads out of the collage.
        """
        collage = self._collage(name)
        if isinstance(collage, InputError):
            self.lost[name] += 1
            self.reasons[name] = str(collage)
            return None
        left, top, width, height = box
        if top + height > collage.shape[0] or left + width > collage.shape[1]:
            size = f"{collage.shape[1]} × {collage.shape[0]}"
            raise InputError(f"its box of {width} × {height} pixels at {left}, {top} leads out of {name} ({size})")
        return collage[top : top + height, left : left + width]

    def _collage(self, name: str) -> NDArray[np.uint8] | InputError:
        if name not in self._kept:
            try:
                self._kept[name] = self._read(name)
            except InputError as error:
                self._kept[name] = error
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(name)
        return self._kept[name]

    def _read(self, name: str) -> NDArray[np.uint8]:
        path = self._by_name.get(name.lower())
        if path is None and (parts := collage_parts(name)) is not None and parts[1] in self._by_number:
            path = self._by_number[parts[1]]
            self.renamed.add(name)
        if path is None:
            raise InputError("the collage is not there")
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise InputError(f"the collage is larger than {_LARGEST_FILE >> 20} MB")
            return decode_image(path.read_bytes())
        except OSError as error:
            raise InputError(f"the collage cannot be read ({error.strerror or error})") from None
