"""Splits that came with the files: the fold tables of the cross-modal paper become saved splits."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import numpy as np

from seston.particle import Sample
from seston.store.splits import Part, Split, list_splits, save_split

__all__ = ["came_with_splits", "keep_splits_of_source", "splits_from_source"]

_KEY = re.compile(
    r"split (?P<name>.*?)(?P<fold>\d*)[/\\](?P<part>train|training|val|valid|validation|test)\.\w+", re.IGNORECASE
)
_PARTS: dict[str, Part] = {"tr": "train", "va": "validation", "te": "test"}


def came_with_splits(sample: Sample) -> bool:
    """Say whether tables of folds came with the files of a sample."""
    return any(key.startswith("split ") for key in sample.settings)


def keep_splits_of_source(folder: Path, samples: Iterable[Sample], known: Container[str]) -> list[Split]:
    """Save the splits that came with the files, unless there are some of that name, and give those that are new.

    Parameters
    ----------
    folder
        Of the saved splits.
    samples, known
        As for `splits_from_source`.
    """
    names, new = set(list_splits(folder)), []
    for split in splits_from_source(samples, known):
        if split.name not in names:
            save_split(folder, split)
            names.add(split.name)
            new.append(split)
    return new


def splits_from_source(samples: Iterable[Sample], known: Container[str]) -> Iterator[Split]:
    """Give the splits that samples carry in their settings, as ``split fold1/train.csv`` → numbers of particles.

    Parameters
    ----------
    samples
        As the readers gave them.
    known
        Ids of the particles that the data set has; others are left out.

    Yields
    ------
    Split
        Named after the sample and the folder without its number (``LAB-fold``). Tables that put a particle into two
        parts of one fold make no split.
    """
    for sample in samples:
        tables: dict[str, dict[int, list[tuple[Part, list[str]]]]] = {}
        for key, numbers in sample.settings.items():
            if found := _KEY.fullmatch(key):
                ids = [f"{sample.id}/{number}" for number in numbers.split("\n")]
                part = _PARTS[found["part"][:2].lower()]
                folds = tables.setdefault(found["name"], {})
                folds.setdefault(int(found["fold"] or 0), []).append((part, [text for text in ids if text in known]))
        for name, folds in tables.items():
            if split := _split(f"{sample.id}-{name}", folds):
                yield split


def _split(name: str, folds: dict[int, list[tuple[Part, list[str]]]]) -> Split | None:
    ids: list[str] = []
    fold_of: list[int] = []
    parts: list[Part] = []
    for fold, number in enumerate(sorted(folds)):
        here = [(text, part) for part, texts in folds[number] for text in texts]
        if not here or len({text for text, _ in here}) < len(here):
            return None
        ids += [text for text, _ in here]
        parts += [part for _, part in here]
        fold_of += [fold] * len(here)
    return Split(
        name=re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:100] or "source",
        grouped=False,
        note="as the source gave it: image-level, optimistic",
        folds=len(folds),
        ids=ids,
        fold=np.array(fold_of, np.int64),
        part=parts,
        settings={"by": "source"},
    )
