"""Naming pictures by texts alone: classes that training saw, and classes that it never did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.evaluation.lineages import NO_LINEAGE
from seston.evaluation.permuted_texts import macro_f1_of, permuted_macro_f1
from seston.evaluation.provenance import provenance
from seston.evaluation.rank_tally import RankRow, RankTally
from seston.evaluation.rank_truth import Truth, read_truth
from seston.evaluation.reported import reported
from seston.evaluation.results import Evaluation
from seston.evaluation.subjects import saved_split
from seston.evaluation.text_classes import TextClasses, asked_classes, check_templates, named_classes
from seston.evaluation.zero_shot_rows import ZeroShotRow, zero_shot_table
from seston.particle import Progress, Silence
from seston.recognition.text_models import TextModel, text_model
from seston.taxonomy import RANKS, Taxon, taxa_of

if TYPE_CHECKING:
    from seston.recognition.open_clip_model import OpenClipModel
    from seston.store import DataSet
    from seston.training import Run

__all__ = ["zero_shot"]

_AT_ONCE = 256
_PARTS = ("all", "seen", "unseen")
_FEWEST = 2

Numbers = NDArray[np.int64]


def zero_shot(
    data: DataSet | Path | str,
    *,
    model: Run | OpenClipModel | Path | str,
    split: str | None = None,
    fold: int = 0,
    classes: Sequence[str] = (),
    templates: Sequence[str] = (),
    permutations: int = 1000,
    untrained: int = 20,
    seed: int = 0,
    to: Path | str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Name labelled pictures by the text that is closest, and judge the names from kingdom to species.

    The particles of classes that a text of the training named (*seen*) and of those that none did (*unseen*) are judged
    together and apart; each time, the classes that occur among the particles are those to choose from. Beside the
    figures stand those of the most frequent taxon, of the same answers with the texts of the classes permuted, and of
    the same text tower with random weights. Pictures are read one after the other; only counts are kept.

    Parameters
    ----------
    data
        With labels (predictions do not count as such).
    model
        A run that was trained with texts or its folder, or a pretrained image–text model as it was released: its short
        name, ``open-clip:FOLDER`` or ``open-clip:hf-hub:ORGANISATION/NAME``. What such a one has seen is not known, so
        its classes are judged together.
    split, fold
        Ask about the test part of this saved split; without a name about that of the only split of the data set, and
        about all labelled particles where there is none.
    classes
        Names of taxa to choose from, in place of those that occur.
    templates
        Kinds of text; those of the training if none are given (``lineage`` for a pretrained model). Several are
        averaged.
    permutations
        How many times the texts are permuted.
    untrained
        How many sets of random weights.
    seed
        Of permutations, random weights and resamples.
    to
        Write a report here: a folder, or the path of the HTML file.

    Returns
    -------
    Evaluation
        Its rows are `.zero_shot`.

    Raises
    ------
    UsageError
        A run without texts, a template or a name that there is not, or fewer than two classes.
    """
    say = progress or Silence()
    reader = text_model(model)
    kinds = check_templates(reader.preparation, templates)
    wanted = named_classes(classes)
    from seston.store import open_data_set

    opened = open_data_set(data) if isinstance(data, str | Path) else data
    truth = read_truth(opened, saved_split(opened, split), fold)
    rows, taxa, skipped = _asked(truth, opened)
    known, of = asked_classes(taxa, reader.preparation, kinds)
    choices = asked_classes(wanted, reader.preparation, kinds)[0] if wanted else known
    parts = _parts(known, choices, of, own=not wanted)
    vectors = _text_vectors(reader, choices, untrained, seed, say)
    counted = _count(_Asked(opened, truth, rows, of), reader, known, choices, parts, vectors, say)
    found = tuple(row for part in counted for row in _rows(part, known, choices, permutations, seed))
    notes = (f"asked about: {truth.note}", _texts_note(kinds), *_notes(skipped, known, wanted, reader.elsewhere))
    return reported(_evaluation(opened, truth, reader, found, notes, seed), opened, to, overwrite=overwrite)


def _evaluation(
    data: DataSet, truth: Truth, reader: TextModel, rows: tuple[ZeroShotRow, ...], notes: tuple[str, ...], seed: int
) -> Evaluation:
    return Evaluation(
        title=f"Pictures of {data.path.name} named by texts alone",
        protocol="zero-shot",
        main="texts",
        zero_shot=rows,
        grouped=truth.grouped,
        notes=notes,
        tables={"Names by texts, rank by rank": zero_shot_table(rows)},
        simulated=truth.made_up,
        provenance=provenance(data=str(data.path), data_version=data.version, model=reader.model_id, seed=seed),
    )


def _text_vectors(
    reader: TextModel, choices: TextClasses, untrained: int, seed: int, say: Progress
) -> list[NDArray[np.float32]]:
    """Give the vectors of the texts, by the encoder itself and then by encoders with random weights."""
    from seston.training.text_vectors import text_vectors

    say.start("reading texts", 1 + untrained)
    vectors = [text_vectors(reader.texts, reader.preparation, choices.texts)]
    say.advance(1)
    for number in range(untrained):
        vectors.append(text_vectors(reader.untrained(seed + number), reader.preparation, choices.texts))
        say.advance(1)
    say.finish()
    return vectors


def _asked(truth: Truth, data: DataSet) -> tuple[Numbers, list[Taxon], int]:
    """Give the rows that are asked about and the taxon of each, and how many are not, for their label is no taxon."""
    rows = np.flatnonzero(truth.asked)
    pairs = list(zip(truth.sources.at(rows), truth.labels.at(rows), strict=True))
    meaning = taxa_of(pairs, data.path)
    named = np.array([bool(meaning[pair].lineage) for pair in pairs], np.bool_)
    if not named.any():
        raise UsageError(f"{data.path}: no label of the particles that are asked about names a taxon ({truth.note})")
    return rows[named], [meaning[pair] for pair, kept in zip(pairs, named, strict=True) if kept], int((~named).sum())


@dataclass(frozen=True)
class _Asked:
    """Particles that are asked about."""

    data: DataSet
    truth: Truth
    rows: Numbers
    of: Numbers
    """Number of the true class of each."""


@dataclass
class _Part:
    """Particles that are judged together, and the texts that they may choose from."""

    name: str
    asked: NDArray[np.bool_]
    """(K,): which true classes."""
    choices: Numbers
    """Numbers of the texts."""
    tally: RankTally
    counts: NDArray[np.int64]
    """(variants, K, M): true class by text, for each set of text vectors."""


def _parts(known: TextClasses, choices: TextClasses, of: Numbers, *, own: bool) -> dict[str, tuple[Numbers, Numbers]]:
    """Give the true classes and the texts of each part that can be judged."""
    present = np.unique(of)
    found = {}
    for name in _PARTS:
        of_part = present if name == "all" else present[known.seen[present] == (name == "seen")]
        texts = of_part if own else np.arange(len(choices))
        if len(of_part) and len(texts) >= _FEWEST and (name == "all" or len(of_part) < len(present)):
            found[name] = (of_part, texts)
    if not found:
        raise UsageError("there is one class alone, or none: nothing to choose from")
    return found


def _count(
    asked: _Asked,
    reader: TextModel,
    known: TextClasses,
    choices: TextClasses,
    parts: dict[str, tuple[Numbers, Numbers]],
    vectors: list[NDArray[np.float32]],
    say: Progress,
) -> list[_Part]:
    counted = []
    for name, (classes, texts) in parts.items():
        of_part = np.zeros(len(known), np.bool_)
        of_part[classes] = True
        counted.append(
            _Part(name, of_part, texts, RankTally(), np.zeros((len(vectors), len(known), len(choices)), np.int64))
        )
    say.start("naming pictures by texts", len(asked.rows))
    every = np.stack(vectors)
    for start, pictures in _pictures(asked, reader):
        there = np.flatnonzero(np.linalg.norm(pictures, axis=1) > 0)
        scores = np.einsum("nd,vmd->vnm", pictures[there], every)
        for part in counted:
            _count_part(part, asked, start + there, scores, known, choices)
        say.advance(len(pictures))
    say.finish()
    return counted


def _count_part(
    part: _Part,
    asked: _Asked,
    places: Numbers,
    scores: NDArray[np.float32],
    known: TextClasses,
    choices: TextClasses,
) -> None:
    """Count the answers to some particles, by their places among those that are asked about."""
    kept = part.asked[asked.of[places]]
    closest = part.choices[scores[:, kept][:, :, part.choices].argmax(axis=2)]
    true = asked.of[places[kept]]
    for variant, answers in enumerate(closest):
        np.add.at(part.counts[variant], (true, answers), 1)
    samples = asked.truth.samples.at(asked.rows[places[kept]]) if asked.truth.grouped else None
    given = [choices.lineages[number] for number in closest[0].tolist()]
    part.tally.add([known.lineages[number] for number in true.tolist()], given, samples)


def _pictures(asked: _Asked, reader: TextModel) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Give the place of the first of some particles, and their vectors; zeros where a picture cannot be used."""
    from seston.training.particles import take_particles

    for start in range(0, len(asked.rows), _AT_ONCE):
        yield start, reader.see(list(take_particles(asked.data, asked.rows[start : start + _AT_ONCE])))


def _rows(part: _Part, known: TextClasses, choices: TextClasses, permutations: int, seed: int) -> Iterator[ZeroShotRow]:
    ranks = {row.rank: row for row in part.tally.rows(part=part.name, seed=seed)}
    commonest = {row.rank: row.macro_f1 for row in part.tally.most_frequent().rows(resamples=1)}
    truth = np.array([part.tally.taxa_of(lineage) for lineage in known.lineages])
    truth[~part.asked] = -1
    named = np.array([part.tally.taxa_of(choices.lineages[number]) for number in part.choices.tolist()])
    counts = part.counts[:, :, part.choices]
    for place, rank in enumerate(RANKS):
        if rank not in ranks:
            continue
        own = ranks[rank]
        permuted = permuted_macro_f1(counts[0], truth[:, place], named[:, place], permutations, seed)
        without = [macro_f1_of(one, truth[:, place], named[:, place]) for one in counts[1:]]
        yield _row(own, len(part.choices), commonest[rank], permuted, without)


def _row(
    own: RankRow, classes: int, commonest: float, permuted: NDArray[np.float64], without: list[float]
) -> ZeroShotRow:
    return ZeroShotRow(
        part=own.part,
        rank=own.rank,
        particles=own.particles,
        classes=classes,
        taxa=own.taxa,
        macro_f1=own.macro_f1,
        macro_f1_low=own.macro_f1_low,
        macro_f1_high=own.macro_f1_high,
        balanced_accuracy=own.balanced_accuracy,
        accuracy=own.accuracy,
        most_frequent=commonest,
        permuted=float(permuted.mean()) if len(permuted) else None,
        p_value=(1 + int((permuted >= own.macro_f1 - 1e-12).sum())) / (1 + len(permuted)) if len(permuted) else None,
        untrained=float(np.mean(without)) if without else None,
        untrained_best=max(without) if without else None,
        samples=own.samples,
    )


def _texts_note(templates: Sequence[str]) -> str:
    return f"texts: {', '.join(templates)}" + (" (mean of their vectors)" if len(templates) > 1 else "")


def _notes(skipped: int, known: TextClasses, wanted: Sequence[Taxon], elsewhere: str) -> Iterator[str]:
    if skipped:
        yield f"{skipped:,} particles whose label names no taxon are not asked about"
    if elsewhere:
        yield (
            f"the model was taken as it is; nothing was learnt from this data set (it learnt from {elsewhere}): which "
            "classes it has seen, and whether it has seen these very pictures, is not known: all are judged together"
        )
    else:
        yield (
            f"{int(known.seen.sum())} classes were named by texts of the training, {int((~known.seen).sum())} were not"
            + ("; a class may be a coarser or finer name of a seen one" if (~known.seen).any() else "")
        )
    if wanted:
        yield f"to choose from: {len(wanted)} names that were asked for"
    if any(lineage == NO_LINEAGE for lineage in known.lineages):
        yield "some classes have none of the seven ranks"
