"""The split that a collection's makers gave: lists of file names, or one table with a column of parts.

``train_filenames.txt``, ``val.csv``, ``test.txt``, … name one file a line; a table names a file and its part on each.
Files are found again by the end of their path, as a list may have been written for folders that are there no more.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TextIO

import numpy as np

from seston.errors import InputError, UsageError
from seston.store.splits import PARTS, Part, Split, check_name

__all__ = ["official_split"]

_WORDS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_LISTS = frozenset({".txt", ".csv", ".tsv", ".lst"})
_PICTURE = re.compile(r"\.(jpe?g|jpe|png|bmp|tiff?|gif|webp)$", re.IGNORECASE)
_FILE_COLUMNS = ("file", "filename", "filepath", "path", "image", "img", "id", "particle", "name", "objectid")
_PART_COLUMNS = ("split", "set", "subset", "part", "partition", "publishedsplit")
_LARGEST_LIST = 1 << 30
_MOST_LISTS = 1000
_LONGEST_LINE = 1 << 16


def official_split(
    ids: Sequence[str], samples: Sequence[str], twins: Sequence[int], name: str, lists: Sequence[Path]
) -> Split:
    """Read a split from lists.

    Parameters
    ----------
    ids, samples
        Of each particle of the data set.
    twins
        For each particle the row of the first particle of the same content.
    lists
        Files, or folders with files, whose names say which part they list; or tables with a column of parts.

    Raises
    ------
    UsageError
        No list says which part it is of, or no file that they name is in the data set.
    InputError
        A list that cannot be read.
    """
    check_name(name)
    rows_of = _by_stem(ids)
    part_of: dict[int, Part] = {}
    unknown = torn = 0
    found_lists = False
    for path in _files(lists):
        for entry, part in _entries(path):
            found_lists = True
            row = _row(entry, rows_of, ids)
            if row is None:
                unknown += 1
            elif part_of.setdefault(row, part) != part:
                torn += 1
    if not found_lists:
        words = ", ".join(sorted(_WORDS))
        raise UsageError(f"no list says by its name, or in a column, which part it is of (known words: {words})")
    if not part_of:
        raise UsageError(f"none of the {unknown:,} files that the lists name is in the data set")
    rows = sorted(part_of)
    parts = [part_of[row] for row in rows]
    grouped, note = _worth(rows, parts, samples, twins)
    note += f"; {unknown:,} files of the lists are not here" if unknown else ""
    note += f"; {torn:,} files stand in two parts: the first counts" if torn else ""
    note += f"; {len(ids) - len(rows):,} particles are in no list" if len(rows) < len(ids) else ""
    return Split(
        name=name,
        grouped=grouped,
        note=note,
        folds=1,
        ids=[ids[row] for row in rows],
        fold=np.zeros(len(rows), np.int64),
        part=parts,
        settings={"by": "source", "mode": "official"},
    )


def _files(lists: Sequence[Path]) -> Iterator[Path]:
    for path in lists:
        if not path.is_dir():
            yield path
            continue
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _LISTS and file.is_file())
        if len(files) > _MOST_LISTS:
            raise UsageError(f"{path} holds {len(files):,} lists: more than {_MOST_LISTS:,}; name them one by one")
        yield from files


def _entries(path: Path) -> Iterator[tuple[str, Part]]:
    """Give each file that a list names, and its part; nothing where the list is of another kind."""
    of_name = next((_WORDS[word] for word in re.split(r"[^a-z]+", path.stem.lower()) if word in _WORDS), None)
    try:
        if path.stat().st_size > _LARGEST_LIST:
            raise InputError(f"{path}: larger than a list of files can be; look at it")
        with _opened(path) as file:
            first = file.readline(_LONGEST_LINE)
            separator = next((mark for mark in "\t;," if mark in first), ",")
            columns = [re.sub(r"[^a-z]+", "", word.lower()) for word in first.strip().split(separator)]
            file_place = next((columns.index(name) for name in _FILE_COLUMNS if name in columns), None)
            part_place = next((columns.index(name) for name in _PART_COLUMNS if name in columns), None)
            if file_place is None:
                file.seek(0)
            lines = iter(lambda: file.readline(_LONGEST_LINE), "")
            reader = csv.reader((line.replace("\x00", "") for line in lines), delimiter=separator)
            for row in reader:
                entry = row[file_place or 0].strip() if len(row) > (file_place or 0) else ""
                part = of_name
                if file_place is not None and part_place is not None:
                    part = _WORDS.get(row[part_place].strip().lower()) if len(row) > part_place else None
                if entry and part is not None:
                    yield entry, part
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise InputError(f"{path}: the list cannot be read ({error}); look at it") from None


def _opened(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _by_stem(ids: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, text in enumerate(ids):
        found.setdefault(_PICTURE.sub("", text.rpartition("/")[2]), []).append(row)
    return found


def _row(entry: str, rows_of: Mapping[str, list[int]], ids: Sequence[str]) -> int | None:
    """Find the particle whose id ends like the path; None where there is none, or several that end alike."""
    path = _PICTURE.sub("", entry.replace("\\", "/").strip('"'))
    candidates = rows_of.get(path.rpartition("/")[2], [])
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    wanted = PurePosixPath(path).parts
    alike = [_same_end(wanted, PurePosixPath(_PICTURE.sub("", ids[row])).parts) for row in candidates]
    best = max(alike)
    return candidates[alike.index(best)] if alike.count(best) == 1 else None


def _same_end(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    number = 0
    for first, second in zip(reversed(one), reversed(other), strict=False):
        if first != second:
            break
        number += 1
    return number


def _worth(
    rows: Sequence[int], parts: Sequence[Part], samples: Sequence[str], twins: Sequence[int]
) -> tuple[bool, str]:
    """Say whether samples are kept apart, and how much of the test repeats what is trained with."""
    of_sample: dict[str, set[Part]] = {}
    learnt = set()
    for row, part in zip(rows, parts, strict=True):
        of_sample.setdefault(samples[row], set()).add(part)
        if part != PARTS[-1]:
            learnt.add(twins[row])
    repeated = sum(part == PARTS[-1] and twins[row] in learnt for row, part in zip(rows, parts, strict=True))
    grouped = len(of_sample) > 1 and all(len(sides) == 1 for sides in of_sample.values())
    note = "as the source gave it: " + ("no sample stands on two sides" if grouped else "image-level, optimistic")
    return grouped, note + (f"; {repeated:,} of the test repeat particles of the other parts" if repeated else "")
