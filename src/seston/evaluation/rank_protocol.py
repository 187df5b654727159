"""How well names are right at each rank, kingdom to species: names of a file, of a gallery, or of a run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seston.errors import UsageError
from seston.evaluation.comparison import ModelLike
from seston.evaluation.embedding_map import check_rank, map_figure
from seston.evaluation.head_naming import HeadNames, names_by_head
from seston.evaluation.provenance import provenance
from seston.evaluation.rank_naming import (
    Meanings,
    Named,
    names_by_gallery,
    names_of_file,
    training_gallery,
)
from seston.evaluation.rank_page import rank_figures, rank_tables
from seston.evaluation.rank_tally import RankRow, RankTally
from seston.evaluation.rank_truth import Truth, read_truth
from seston.evaluation.reported import reported
from seston.evaluation.results import Evaluation, Figure
from seston.evaluation.subjects import saved_split
from seston.particle import Progress, Silence
from seston.recognition.gallery import Gallery
from seston.training.classes import CLASSES_FILE

if TYPE_CHECKING:
    from seston.recognition.naming import Identification
    from seston.store import DataSet

__all__ = ["ranks"]

_AT_ONCE = 4096


def ranks(
    data: DataSet | Path | str,
    *,
    predictions: Path | str | None = None,
    gallery: Gallery | Path | str | None = None,
    model: ModelLike | None = None,
    per_class: int | None = None,
    split: str | None = None,
    fold: int = 0,
    rule: str = "known-ranks",
    classifier: str = "soft-lda",
    seed: int = 0,
    map_by: str | None = None,
    to: Path | str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare names with what is known, rank by rank from kingdom to species, in all and by source and instrument.

    Names are read one after the other and only counted. Beside them stand the most frequent taxon for every particle,
    and the same names dealt out at random.

    Parameters
    ----------
    data
        With labels (predictions do not count as such).
    predictions
        A file of names as `seston identify` writes it; a table with the columns ``id`` and ``label`` will do.
    gallery
        Name the particles by this gallery; those that are in it are not asked about.
    model
        Name the particles by this run: by its head where it is a supervised one, else by a gallery of the split's
        training part, made with it (or with ``classical`` features).
    per_class
        At most so many particles of each label in that gallery.
    split, fold
        Ask about the test part of this saved split; without a name about that of the only split of the data set, and
        about all labelled particles where there is none.
    rule
        ``known-ranks`` or ``first-words``; see `seston.evaluation.lineages.RULES`.
    classifier
        Rule of the gallery that is made.
    map_by
        A rank: draw the particles by the gallery's vectors, coloured by their taxa of it.
    to
        Write a report here: a folder, or the path of the HTML file.

    Returns
    -------
    Evaluation
        Its rows are `.ranks`.

    Raises
    ------
    UsageError
        Where none or several of predictions, gallery and model are given, or nothing can be compared.
    """
    if sum(one is not None for one in (predictions, gallery, model)) != 1:
        raise UsageError("give one of predictions, gallery and model: the names that are to be judged")
    counting = RankTally(rule)  # refuses a wrong rule before any work
    if map_by is not None:
        check_rank(map_by)
    from seston.store import open_data_set

    say = progress or Silence()
    opened = open_data_set(data) if isinstance(data, str | Path) else data
    partition = saved_split(opened, split)
    truth = read_truth(opened, partition, fold)
    head = None
    if predictions is not None:
        named = names_of_file(Path(predictions))
    elif isinstance(model, str | Path) and (Path(model) / CLASSES_FILE).is_file():
        head = names_by_head(opened, Path(model), truth, rule)
        named = head.named()
    else:
        if gallery is None:
            assert model is not None
            gallery = training_gallery(
                opened, model, partition, fold, per_class=per_class, classifier=classifier, seed=seed, progress=say
            )
        known = gallery if isinstance(gallery, Gallery) else Gallery.load(gallery)
        named = names_by_gallery(opened, known, truth, say, with_vectors=map_by is not None)
    counted = _count(opened, truth, named, counting, say)
    evaluation = _evaluation(opened, truth, named, counted, head, map_by, seed)
    return reported(evaluation, opened, to, overwrite=overwrite)


def _evaluation(
    data: DataSet,
    truth: Truth,
    named: Named,
    counted: _Counted,
    head: HeadNames | None,
    map_by: str | None,
    seed: int,
) -> Evaluation:
    rows = counted.rows(seed, () if head is None else head.rows(seed))
    return Evaluation(
        title=f"Names of {data.path.name}, rank by rank",
        protocol="ranks",
        main=named.by,
        ranks=tuple(rows),
        grouped=truth.grouped,
        notes=(f"asked about: {truth.note}", *counted.notes(named), *([] if head is None else head.notes())),
        tables={**rank_tables(rows), **({} if head is None else head.tables(seed))},
        figures=(*rank_figures(rows), *_map(named, truth, map_by, seed)),
        simulated=truth.made_up,
        provenance=provenance(data=str(data.path), data_version=data.version, model=named.model, seed=seed),
    )


def _map(named: Named, truth: Truth, map_by: str | None, seed: int) -> list[Figure]:
    if map_by is None:
        return []
    if named.rows is None or named.vectors is None:
        raise UsageError(f"{named.by} has no vectors to draw a map of: give a gallery, or a run that names by one")
    figure = map_figure(named.vectors, truth.lineages(named.rows), map_by, seed=seed)
    return [] if figure is None else [figure]


def _count(data: DataSet, truth: Truth, named: Named, whole: RankTally, say: Progress) -> _Counted:
    counted = _Counted(data, truth, named.by, whole)
    say.start("judging names", int(truth.asked.sum()))
    names = iter(named.names)
    while part := list(islice(names, _AT_ONCE)):
        counted.add(part)
        say.advance(len(part))
    say.finish()
    if not counted.particles:
        raise UsageError(f"{data.path}: {named.by} names no particle that is asked about ({truth.note})")
    return counted


class _Counted:
    """Names counted in all, by source and by instrument."""

    def __init__(self, data: DataSet, truth: Truth, by: str, whole: RankTally) -> None:
        self._data, self._truth, self._by, self._whole = data, truth, by, whole
        self._meanings = Meanings(data.path)
        self._parts: dict[tuple[str, str], RankTally] = {}
        self._facets = [
            (what, coded)
            for what, coded in (("source", truth.sources), ("instrument", truth.instruments))
            if len(coded.words) > 1
        ]
        self._seen = np.zeros(len(truth.asked), np.bool_)
        self.particles = self._elsewhere = self._twice = 0

    def add(self, names: Sequence[Identification]) -> None:
        """Count some names; those of particles that are not asked about are passed over."""
        rows = self._data.rows_of([one.id for one in names])
        asked = (rows >= 0) & self._truth.asked[rows]
        again = asked & self._seen[rows]
        self._elsewhere += int((~asked).sum())
        self._twice += int(again.sum())
        taken = np.flatnonzero(asked & ~again)
        taken = taken[np.unique(rows[taken], return_index=True)[1]]
        rows = rows[taken]
        self._seen[rows] = True
        self.particles += len(rows)
        given = self._meanings.lineages([names[place] for place in taken.tolist()], self._truth.sources.at(rows))
        known = self._truth.lineages(rows)
        samples = self._truth.samples.at(rows) if self._truth.grouped else None
        self._whole.add(known, given, samples)
        for what, coded in self._facets:
            numbers = coded.numbers[rows]
            for number in np.unique(numbers[numbers >= 0]).tolist():
                places = np.flatnonzero(numbers == number).tolist()
                tally = self._parts.setdefault((what, coded.words[number]), RankTally(self._whole.rule))
                of_part = None if samples is None else [samples[place] for place in places]
                tally.add([known[place] for place in places], [given[place] for place in places], of_part)

    def rows(self, seed: int, beside: Sequence[RankRow] = ()) -> list[RankRow]:
        """Give the rows of the names, of the two that have to be beaten, and of each source and instrument."""
        found = [*self._whole.rows(method=self._by, seed=seed), *beside]
        found += self._whole.most_frequent().rows(method="most frequent taxon", seed=seed)
        found += self._whole.shuffled(seed).rows(method="names at random", seed=seed)
        for (what, word), tally in self._parts.items():
            found += tally.rows(method=self._by, part=f"{what} {word}", seed=seed)
        return found

    def notes(self, named: Named) -> list[str]:
        """Say what a reader of the figures has to know."""
        notes = [f"names by {named.by}{named.about}"]
        where = "samples were" if self._truth.grouped else "particles were (image-level)"
        notes.append(f"for the intervals {where} resampled; names not down to a rank are wrong there")
        without = int(self._truth.asked.sum()) - self.particles
        if without and named.left_out:
            notes.append(f"{without:,} particles that the gallery holds are not asked about")
        elif without:
            notes.append(f"{without:,} particles that are asked about have no line in {named.by} and take no part")
        if self._elsewhere:
            notes.append(f"{self._elsewhere:,} names are of particles that are not asked about")
        if self._twice:
            notes.append(f"{self._twice:,} names are of particles that had one already; the first counts")
        if self._whole.rule == "first-words":
            notes.append("lineages are compared as strings cut to their first words, whatever ranks they have")
        return notes
