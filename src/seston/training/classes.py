"""The classes of a training: what the labels of its particles distinguish, and where each stands in the tree of taxa.

Validated annotations win over what a source said; predictions and doubts name nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError, NotFoundError
from seston.taxonomy import RANKS, Taxon, taxa_of
from seston.training.label_settings import LabelSettings
from seston.training.particle_taxa import sources_of

if TYPE_CHECKING:
    from seston.store import DataSet
    from seston.training.particles import Chosen

__all__ = [
    "CLASSES_FILE",
    "Classes",
    "class_numbers",
    "find_classes",
    "numbers_of_labels",
    "read_classes",
    "write_classes",
]

CLASSES_FILE = "classes.json"
"""Name of the file in a run's folder."""

_FORMAT = 1


class Classes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The classes of a training; all fields run side by side, one entry a class, names in alphabetical order."""

    format: int = _FORMAT
    by: str
    """As in `seston.training.label_settings.LabelSettings`."""
    names: tuple[str, ...]
    """The label, or what tells the taxon: name, stage, part, and the kind where it is no living organism."""
    counts: tuple[int, ...]
    """Training particles."""
    paths: tuple[tuple[str | None, ...], ...]
    """Accepted name at each of the seven ranks of `seston.taxonomy.RANKS`; None where the label gives none."""
    kinds: tuple[str, ...]
    stages: tuple[str | None, ...]
    parts: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.names)


def find_classes(
    data: DataSet, chosen: Chosen, settings: LabelSettings | None = None
) -> tuple[Classes, NDArray[np.int64]]:
    """Find the classes among chosen particles, and the class of each.

    Parameters
    ----------
    data
        The data set; its own table of what labels mean wins over Seston's.
    chosen
        The training particles.
    settings
        What counts as one class.

    Returns
    -------
    Classes
        Where several labels or sources make one class, its path goes as deep as they agree.
    array of int64
        (N,) number of the class of each chosen particle, -1 for those without a label that holds.
    """
    settings = settings or LabelSettings()
    labels = _Labels(data, chosen)
    taxa = labels.taxa()
    names = {pair: _class_name(pair[1], taxon, settings.by) for pair, taxon in taxa.items()}
    counts = Counter[str]()
    for pair, count in labels.counts.items():
        counts[names[pair]] += count
    kept = sorted(name for name, count in counts.items() if count >= settings.fewest)
    meanings: dict[str, list[tuple[Taxon, int]]] = {}
    for pair, taxon in taxa.items():
        meanings.setdefault(names[pair], []).append((taxon, labels.counts[pair]))
    classes = Classes(
        by=settings.by,
        names=tuple(kept),
        counts=tuple(counts[name] for name in kept),
        paths=tuple(_common_path([taxon for taxon, _ in meanings[name]]) for name in kept),
        kinds=tuple(_most_common([(taxon.kind, n) for taxon, n in meanings[name]]) or "unknown" for name in kept),
        stages=tuple(_most_common([(taxon.stage, n) for taxon, n in meanings[name]]) for name in kept),
        parts=tuple(_most_common([(taxon.part, n) for taxon, n in meanings[name]]) for name in kept),
    )
    return classes, _numbers(classes, labels, names)


def class_numbers(data: DataSet, chosen: Chosen, classes: Classes) -> NDArray[np.int64]:
    """Give the class of each chosen particle, of the same or of another data set; -1 where it has none of these.

    Parameters
    ----------
    data
        The data set that `chosen` is of.
    chosen
        Any particles.
    classes
        As `find_classes` gave them.
    """
    labels = _Labels(data, chosen)
    of_pair = numbers_of_labels(labels.counts, classes, data.path)
    return np.array([-1 if pair is None else of_pair[pair] for pair in labels.pairs], np.int64)


def numbers_of_labels(pairs: Iterable[tuple[str, str]], classes: Classes, folder: Path) -> dict[tuple[str, str], int]:
    """Give the class of each pair of source and label; -1 where it is none of these.

    Parameters
    ----------
    pairs
        Source and label.
    classes
        As `find_classes` gave them.
    folder
        Of the data set, whose own table of what labels mean wins over Seston's.
    """
    asked = list(pairs)
    taxa: Mapping[tuple[str, str], Taxon] = taxa_of(asked, folder) if classes.by == "taxon" else {}
    number_of = {name: number for number, name in enumerate(classes.names)}
    return {pair: number_of.get(_class_name(pair[1], taxa.get(pair), classes.by), -1) for pair in asked}


def write_classes(classes: Classes, folder: Path) -> None:
    """Write classes as JSON into the folder of a run."""
    (folder / CLASSES_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(classes), indent=1))


def read_classes(folder: Path) -> Classes:
    """Read the classes of a run; nothing heavy loads.

    Raises
    ------
    NotFoundError
        The run has no classes: it learnt without labels.
    InputError
        The file is damaged, or of a newer version.
    """
    path = folder / CLASSES_FILE
    if not path.is_file():
        raise NotFoundError(f"{folder}: has no {CLASSES_FILE}: this run learnt without labels")
    try:
        classes = msgspec.json.decode(path.read_bytes(), type=Classes)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if classes.format > _FORMAT:
        raise InputError(f"{path}: format {classes.format} is newer than this Seston; update Seston")
    sizes = {len(getattr(classes, name)) for name in ("names", "counts", "paths", "kinds", "stages", "parts")}
    if len(sizes) > 1 or any(len(path) != len(RANKS) for path in classes.paths):
        raise InputError(f"{path}: its lists do not belong together; train again, or take it from a copy")
    return classes


class _Labels:
    """The labels that hold for chosen particles, each with the source that it comes from."""

    def __init__(self, data: DataSet, chosen: Chosen) -> None:
        self.data = data
        labels = data.labels(trusted=True)
        sources = sources_of(data)
        self.pairs: list[tuple[str, str] | None] = [
            (sources[row], labels[name]) if name in labels else None
            for name, row in zip(chosen.ids, chosen.rows.tolist(), strict=True)
        ]
        self.counts = Counter(pair for pair in self.pairs if pair is not None)

    def taxa(self) -> dict[tuple[str, str], Taxon]:
        """Say what each label of each source means."""
        return taxa_of(self.counts, self.data.path)


def _numbers(classes: Classes, labels: _Labels, names: dict[tuple[str, str], str]) -> NDArray[np.int64]:
    number_of = {name: number for number, name in enumerate(classes.names)}
    of_pair = {pair: number_of.get(name, -1) for pair, name in names.items()}
    return np.array([-1 if pair is None else of_pair[pair] for pair in labels.pairs], np.int64)


def _class_name(label: str, taxon: Taxon | None, by: str) -> str:
    """Name the class of a label; what names no taxon stays apart by its own words, however they are written."""
    if by == "label" or taxon is None:
        return label
    if taxon.name is None:
        return " ".join(label.replace("_", " ").casefold().split())
    kind = None if taxon.kind == "living" else f"({taxon.kind})"
    return " ".join(word for word in (taxon.name, taxon.stage, taxon.part, kind) if word)


def _common_path(taxa: Sequence[Taxon]) -> tuple[str | None, ...]:
    """Give the names on which all agree, from the kingdom down to where they part."""
    path: list[str | None] = []
    for rank in RANKS:
        names = {taxon.lineage.get(rank) for taxon in taxa}
        if len(names) > 1:
            break
        path.append(names.pop())
    return tuple(path + [None] * (len(RANKS) - len(path)))


def _most_common(words: Sequence[tuple[str | None, int]]) -> str | None:
    counts = Counter[str | None]()
    for word, count in words:
        counts[word] += count
    return max(counts, key=lambda word: (counts[word], word or ""))
