"""The particles of an evaluation: which of a data set take part, with their labels, vectors and sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.draws import Sides, sides_of
from seston.recognition.embeddings import Embeddings

if TYPE_CHECKING:
    from seston.store import DataSet, Split

__all__ = ["Subjects", "block_features", "choose_subjects", "part_sides", "saved_split", "split_masks"]


@dataclass(frozen=True)
class Subjects:
    """Particles that have what is compared, labelled or not, in the order of the data set."""

    ids: tuple[str, ...]
    labels: NDArray[np.str_]
    """Empty where there is none."""
    classes: NDArray[np.int64]
    """Place of the label in `class_names`, -1 where there is none."""
    class_names: tuple[str, ...]
    samples: tuple[str, ...]
    modality: str
    """``both``, ``image`` or ``profile``: what all of them have."""
    labelled_without: int
    """Labelled particles that lack it and take no part."""
    made_up: str
    """``simulated`` or ``semi-simulated``; empty for measured particles."""

    @property
    def labelled(self) -> NDArray[np.int64]:
        """Rows of the labelled ones."""
        return np.flatnonzero(self.classes >= 0)


def choose_subjects(data: DataSet, vectors: Embeddings, *, names: bool = True) -> Subjects:
    """Choose the particles that can be compared fairly: all with the same modalities.

    Those with picture and profile, where at least half of the labelled ones are such; otherwise those with the
    modality that more of the labelled ones have. Without `names`, labels are not needed, and all pairs are taken.

    Raises
    ------
    UsageError
        Where no labelled particle has a vector.
    """
    labels = data.labels(trusted=True)
    if names and not labels:
        raise UsageError(
            f"{data.path}: no particle has a label; give some with  seston annotate {data.path} LABELS.csv"
        )
    has = {"both": vectors.has_both, "image": vectors.has_image, "profile": vectors.has_profile}
    labelled = np.array([name in labels for name in vectors.ids], np.bool_)
    counts = {modality: int((mask & labelled).sum()) for modality, mask in has.items()}
    single = "image" if counts["image"] > counts["profile"] else "profile"
    modality = "both" if not names or 2 * counts["both"] >= counts[single] else single
    if names and not counts[modality]:
        raise UsageError(f"{data.path}: no labelled particle has a picture or profile that this model can use")
    mask = has[modality]
    ids = tuple(name for name, there in zip(vectors.ids, mask.tolist(), strict=True) if there)
    of_each = np.array([labels.get(name, "") for name in ids], np.str_)
    class_names = tuple(sorted({str(label) for label in of_each} - {""}))
    place = {name: number for number, name in enumerate(class_names)}
    samples, made_up = _samples(data)
    return Subjects(
        ids=ids,
        labels=of_each,
        classes=np.array([place.get(str(label), -1) for label in of_each], np.int64),
        class_names=class_names,
        samples=tuple(samples[name] for name in ids),
        modality=modality,
        labelled_without=int(labelled.sum()) - counts[modality],
        made_up=made_up,
    )


def _samples(data: DataSet) -> tuple[dict[str, str], str]:
    samples: dict[str, str] = {}
    marks: set[str] = set()
    for batch in data.particles(["id", "sample_id", "flags"], batch_size=8192):
        names, of, flags = (batch.column(place).to_pylist() for place in range(3))
        samples.update(zip(names, of, strict=True))
        marks.update(flag for row in flags for flag in row or ())
    return samples, next((word for word in ("simulated", "semi-simulated") if word in marks), "")


def saved_split(data: DataSet, name: str | None) -> Split | None:
    """Give the split of that name; without a name the only one that the data set has, if it has just one."""
    if name is not None:
        return data.load_split(name)
    there = data.splits()
    return data.load_split(there[0]) if len(there) == 1 else None


def part_sides(subjects: Subjects, split: Split | None, fold: int, largest: int, seed: int) -> Sides:
    """Decide which labelled particles give galleries and which are queries; rows are those of `subjects`."""
    rows = subjects.labelled
    labels, samples = subjects.labels[rows], [subjects.samples[row] for row in rows.tolist()]
    if split is None:
        sides = sides_of(labels, samples, largest, seed=seed)
    else:
        gallery, queries, held_out = split_masks([subjects.ids[row] for row in rows.tolist()], split, fold)
        note = f"split {split.name!r}, fold {fold}: galleries from its training part, queries from its {held_out} part"
        note = f"{note}; {split.note}" if split.note else note
        sides = sides_of(labels, samples, largest, gallery=gallery, queries=queries, grouped=split.grouped, note=note)
    return Sides(rows[sides.gallery], rows[sides.queries], sides.grouped, sides.note, sides.left_out)


def split_masks(ids: Sequence[str], split: Split, fold: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_], str]:
    """Mark the training part and the test part (or, where there is none, the validation part)."""
    train, test = set(split.ids_of(fold, "train")), set(split.ids_of(fold, "test"))
    held_out = "test" if test else "validation"
    asked = test or set(split.ids_of(fold, "validation"))
    return (
        np.array([name in train for name in ids], np.bool_),
        np.array([name in asked for name in ids], np.bool_),
        held_out,
    )


def block_features(vectors: Embeddings, modality: str) -> Mapping[str, NDArray[np.float32]]:
    """Give measured features by what they show, NaN where a particle lacks them."""
    image, profile = vectors.image.copy(), vectors.profile.copy()
    image[~vectors.has_image], profile[~vectors.has_profile] = np.nan, np.nan
    blocks: dict[str, NDArray[np.float32]] = {}
    if modality != "profile":
        blocks["I"] = image
    if modality != "image":
        blocks["P"] = profile
    if modality == "both":
        blocks["IP"] = np.concatenate([image, profile], axis=1)
    return blocks
