"""The data set: one folder with particles, samples, annotations, splits and embeddings.

Lance, which keeps the tables, does not survive ``fork``: start worker processes by *spawn* or *forkserver*. A `DataSet`
can be pickled for them; it is opened again, at the same version, where it arrives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seston.errors import UsageError, nearest_word
from seston.particle import Annotation, Note, Progress, Sample, Silence, Skipped
from seston.store.annotation_file import read_annotations
from seston.store.annotations import Annotations, checked, doubted_particles
from seston.store.folder import Folder
from seston.store.identifiers import Identifiers
from seston.store.inventory import count_everything
from seston.store.labelling import labels_in_order
from seston.store.reports import AnnotateReport, ImportReport, Info, Version
from seston.store.sample_rows import table_to_samples
from seston.store.schema import PARTICLES
from seston.store.source_splits import came_with_splits, keep_splits_of_source
from seston.store.splits import Split, check_name, list_splits, load_split, save_split
from seston.store.summary import keep_info, state_of
from seston.store.tables import Table

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from seston.store.appending import Appender
    from seston.store.filling import FillReport, LookUp
    from seston.store.standing import Standing

__all__ = ["DataSet", "open_data_set"]


def open_data_set(path: str | Path, *, create: bool = False) -> DataSet:
    """Open a data set.

    Parameters
    ----------
    path
        Its folder.
    create
        Make an empty data set where there is none yet.

    Raises
    ------
    NotFoundError
        There is no data set, and `create` is False.
    DataSetError
        It was made by a newer Seston, or is damaged.
    """
    folder = Folder.open(Path(path), create=create)
    return DataSet(folder)


class DataSet:
    """Particles, samples, annotations, splits and embeddings in one folder; see `open_data_set`.

    Particles are seen as they were when the data set was opened, until an import through this object or `refresh`;
    row numbers hold as long. Annotations are always seen as they are now.
    """

    def __init__(self, folder: Folder, *, version: int | str | None = None, read_only: bool = False) -> None:
        self._folder = folder
        self._read_only = read_only
        of_all = version if isinstance(version, str) else None
        self._particles = Table(folder.particles, version)
        self._samples = Table(folder.samples, of_all)
        self._annotations = Annotations(folder, Table(folder.annotations, of_all), frozen=of_all is not None)
        self._identifiers: Identifiers | None = None
        self._tag = of_all

    def __repr__(self) -> str:
        return f"DataSet({str(self.path)!r}, version {self.version}, {self.count_rows():,} particles)"

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "version": self._tag or self.version, "read_only": self._read_only}

    def __setstate__(self, state: dict[str, Any]) -> None:
        folder = Folder.open(state["path"], create=False)
        self.__init__(folder, version=state["version"], read_only=state["read_only"])  # type: ignore[misc]

    @property
    def path(self) -> Path:
        """The folder."""
        return self._folder.path

    # Particles

    def import_(
        self,
        paths: Sequence[str | Path] | str | Path,
        *,
        reader: str | None = None,
        source: str | None = None,
        licence: str | None = None,
        attribution: str | None = None,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Read files and folders into the data set; what is there already is not added again.

        Every picture is decoded once, to prove that it can be. What cannot be used costs only itself and stands in
        the report with its reason. Commits are atomic, every few thousand particles: after a kill, run it again.
        A second import at the same time waits for the first.

        Parameters
        ----------
        paths
            Files and folders.
        reader
            Name of the reader, where the files should not be left to the one that claims them.
        source
            A name for this import, put before the name of each sample: it keeps apart measurements that share one.
        licence, attribution
            SPDX identifier and who to credit, where the files do not say.

        Raises
        ------
        NotFoundError
            One of the paths does not exist.
        DataSetError
            The disk is full. What was committed before is safe.
        """
        from seston.store.importing import import_into

        self._check_writable()
        listed = [paths] if isinstance(paths, str | Path) else list(paths)
        try:
            report = import_into(
                self._folder,
                self._particles,
                self._samples,
                self._annotations,
                listed,
                reader=reader,
                source=source,
                licence=licence,
                attribution=attribution,
                progress=progress,
            )
        finally:
            self._identifiers = None
        samples = [sample for sample in self.samples() if came_with_splits(sample)]
        kept = keep_splits_of_source(self._folder.splits, samples, set(self.ids())) if samples else []
        notes = [
            Note(str(self.path), f"the split {one.name!r} ({one.folds} folds) of the source is saved: {one.note}")
            for one in kept
        ]
        return replace(report, notes=[*report.notes, *notes])

    def fill_in(self, look_up: LookUp, look_up_samples: LookUp, *, progress: Progress | None = None) -> FillReport:
        """Give particles and samples a place, a depth and a time that neither their files nor anyone before said.

        Parameters
        ----------
        look_up
            Gets ids of particles and gives what is known of each, or None; see `seston.store.filling`.
        look_up_samples
            The same for samples.
        """
        from seston.store.filling import fill_tables

        self._check_writable()
        return fill_tables(
            self._folder, self._particles, self._samples, look_up, look_up_samples, progress=progress or Silence()
        )

    @contextmanager
    def appending(self, progress: Progress | None = None) -> Iterator[Appender]:
        """Hold the right to write particles, and give what adds whole tables of new ones; it commits at the end.

        A second writer waits for the first. After a kill, what was committed is there.

        Raises
        ------
        DataSetError
            The disk is full. What was committed before is safe.
        """
        from seston.store.appending import Appender

        self._check_writable()
        with self._folder.importing(progress):
            self._samples.refresh()
            self._particles.refresh()
            self._particles.adopt(PARTICLES)
            try:
                appender = Appender(self._particles, self._samples)
                yield appender
                appender.finish()
            finally:
                self._identifiers = None

    def refresh(self) -> None:
        """Look at the newest version of everything."""
        if not self._read_only:
            self._samples.refresh()
            if self._particles.refresh():
                self._identifiers = None

    def remove(self, ids: Sequence[str]) -> None:
        """Take particles out; older versions that are still there keep them. Splits made before still name them.

        Parameters
        ----------
        ids
            Ids that are not there are passed over.
        """
        self._check_writable()
        with self._folder.importing():
            self._particles.refresh()
            self._particles.delete(set(ids))
        self._identifiers = None

    def columns(self) -> list[str]:
        """Name the columns of the particles."""
        return list(self._particles.schema.names)

    def count_rows(self) -> int:
        """Count particles."""
        return self._particles.count_rows()

    def ids(self) -> list[str]:
        """Give all particle ids, in row order."""
        return self._ids().to_list()

    def rows_of(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Give the row number of each id, -1 for ids that are not there."""
        return self._ids().rows_of(ids)

    def particles(
        self,
        columns: Sequence[str] | None = None,
        *,
        ids: Sequence[str] | None = None,
        batch_size: int = 1024,
        start: int = 0,
    ) -> Iterator[pa.RecordBatch]:
        """Read particles batch by batch: all in row order from row `start` on, or some in the order of their ids.

        Batches are smaller than `batch_size` where pictures or profiles are large.

        Raises
        ------
        UsageError
            A column or an id that is not there.
        """
        wanted = self._columns(columns)
        if ids is None:
            yield from self._particles.scan(wanted, batch_size=batch_size, start=start)
            return
        rows = self.rows_of(ids)
        if (rows < 0).any():
            missing = [text for text, row in zip(ids, rows.tolist(), strict=True) if row < 0]
            raise UsageError(
                f"{self.path}: {len(missing):,} of these particles are not in the data set ({missing[0]}, …)"
            )
        size = self._particles.rows_at_once(wanted, batch_size)
        for start in range(0, len(rows), size):
            yield from self._particles.take(rows[start : start + size], wanted).combine_chunks().to_batches()

    def take(self, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """Read particles by row number, in the order given."""
        return self._particles.take(rows, self._columns(columns))

    def samples(self) -> list[Sample]:
        """Give the samples."""
        return table_to_samples(self._samples.read(self._samples.schema.names))

    # Labels

    def labels(self, *, trusted: bool = False) -> dict[str, str]:
        """Give the label of each labelled particle that holds now, in row order.

        The newest validated one; without one a person's doubt; else what the source said; else the newest prediction.

        Parameters
        ----------
        trusted
            Leave out predictions, and particles whose name a person doubts: what is left may be learnt from.
        """
        ids = self._particles.read(["id"]).column("id").to_pylist()
        labels = labels_in_order(self._particles, self._annotations.read(), trusted=trusted)
        return {particle_id: label for particle_id, label in zip(ids, labels, strict=True) if label is not None}

    def doubted(self) -> set[str]:
        """Give the ids of particles that a person looked at and could not name (``dubious``), and no one since."""
        return doubted_particles(self._annotations.read())

    def standing(self) -> Standing:
        """Give the annotation that counts for each annotated particle, as of now."""
        from seston.store.standing import Standing

        return Standing(self._annotations.read())

    def annotate(self, annotations: Iterable[Annotation] | Annotation) -> AnnotateReport:
        """Add annotations to the history. When this returns, the disk has them.

        Raises
        ------
        UsageError
            An empty label, or a status that is none of ``predicted``, ``validated``, ``dubious``.
        """
        self._check_writable()
        listed = [annotations] if isinstance(annotations, Annotation) else list(annotations)
        said = [checked(annotation) for annotation in listed]
        ids = [annotation.particle_id for annotation in said]
        rows = self.rows_of(ids)
        if (rows < 0).any():
            self.refresh()  # another process may have imported them meanwhile
            rows = self.rows_of(ids)
        self._annotations.add([annotation for annotation, row in zip(said, rows.tolist(), strict=True) if row >= 0])
        unknown = list(dict.fromkeys(text for text, row in zip(ids, rows.tolist(), strict=True) if row < 0))
        return AnnotateReport(added=int((rows >= 0).sum()), unknown_particles=unknown)

    def annotate_file(self, path: str | Path) -> AnnotateReport:
        """Add annotations from a table with the columns ``particle`` and ``label``; see `read_annotations`."""
        read = list(read_annotations(Path(path)))
        report = self.annotate([item for item in read if isinstance(item, Annotation)])
        skipped = [item for item in read if isinstance(item, Skipped)]
        return AnnotateReport(report.added, report.unknown_particles, skipped)

    def history(self, particle_id: str) -> list[Annotation]:
        """Give all annotations of a particle, oldest first."""
        return self._annotations.history(particle_id)

    # Splits and embeddings

    def split(
        self,
        name: str,
        *,
        by: str = "sample",
        folds: int = 5,
        mode: str = "kfold",
        seed: int = 42,
        hold_out: Sequence[str] = (),
        unseen: int = 0,
        unseen_labels: Sequence[str] = (),
        official: Sequence[str | Path] = (),
        overwrite: bool = False,
    ) -> Split:
        """Part the particles and save the partition.

        Parameters
        ----------
        name
            Name of the split.
        by
            ``sample``: no sample (run, measurement) stands on two sides. ``bin``: no IFCB bin does, as names of
            particles tell it. ``station``: nor does a station, by its
            name or else by its position. ``image``: particles are parted singly, as in the cross-modal paper, and every
            figure from it is optimistic.
        folds
            Number of folds; with 5, each has 80 % to train with, 5 % to validate, 15 % to test.
        mode
            ``kfold``; ``single``: one partition of 95 % and 5 % for validation; or ``planktonzilla``: its 60/20/20 by
            image, within each source, labels of fewer than five pictures in training.
        seed
            The same seed gives the same split of the same data set.
        hold_out
            Sources (column ``source``) that are the test; the others are for training and 5 % for validation.
        unseen
            So many classes, drawn at random, are in the test only (where samples are kept apart: in tested samples).
        unseen_labels
            Further classes that are in the test only.
        official
            Lists of the collection's makers, or folders of them; see `official_split`. Nothing else applies.
        overwrite
            Replace a split of that name.

        Notes
        -----
        Particles that repeat each other byte for byte stand on one side. Those without a trusted label (see `labels`)
        are in the training part, by sample only if their whole sample is without; where nothing is labelled, all are
        parted alike.

        Raises
        ------
        UsageError
            A split of that name is there; or samples cannot be kept apart (there is only one, or nearly all particles
            are of classes that stand in one sample only): then Cramér's V between class and sample is said.
        """
        from seston.store.splitting import split_particles

        self._check_writable()
        check_name(name)
        if name in self.splits() and not overwrite:
            raise UsageError(f"there is a split {name!r} already; choose another name, or say --overwrite")
        split = split_particles(
            self._particles,
            self.samples() if by == "station" else (),
            labels_in_order(self._particles, self._annotations.read(), trusted=True),
            name,
            by=by,
            folds=folds,
            mode=mode,
            seed=seed,
            hold_out=hold_out,
            unseen=unseen,
            unseen_labels=unseen_labels,
            official=official,
        )
        save_split(self._folder.splits, split, overwrite=overwrite)
        return split

    def load_split(self, name: str) -> Split:
        """Read a saved split."""
        return load_split(self._folder.splits, name)

    def splits(self) -> list[str]:
        """Name the saved splits."""
        return list_splits(self._folder.splits)

    def save_embeddings(self, model_id: str, ids: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep a model's arrays, one row of each for every particle; older ones of the model are replaced."""
        from seston.store.embeddings import save_embeddings

        self._check_writable()
        save_embeddings(self._folder.embeddings, model_id, ids, arrays)

    def load_embeddings(self, model_id: str) -> tuple[list[str], dict[str, NDArray[Any]]]:
        """Give the ids and the arrays of a model."""
        from seston.store.embeddings import load_embeddings

        return load_embeddings(self._folder.embeddings, model_id)

    def embeddings(self) -> list[str]:
        """Name the models whose arrays are there."""
        from seston.store.embeddings import list_embeddings

        return list_embeddings(self._folder.embeddings)

    # The whole

    def info(self) -> Info:
        """Count what is there; for the newest state that is kept beside it, see `seston.store.info_of`."""
        state = state_of(self._folder)
        info = count_everything(
            self._particles,
            self._samples,
            self._annotations.read(),
            splits=self.splits(),
            size=self._folder.bytes_on_disk(),
        )
        if not self._read_only and self._particles.is_newest() and self._samples.is_newest():
            keep_info(self._folder, state, info)
        return info

    @property
    def version(self) -> int:
        """Number of the version of the particles that is being looked at."""
        return self._particles.version

    def versions(self) -> list[Version]:
        """List the versions that are still there, oldest first."""
        return self._particles.versions()

    def tag(self, name: str) -> None:
        """Give the present state of particles, samples and annotations a name; `compact` then keeps it."""
        self._check_writable()
        check_name(name)
        self.refresh()
        if name in self._particles.tags():
            raise UsageError(f"there is a tag {name!r} already; choose another name")
        self._annotations.fold()
        for table in (self._annotations.table, self._samples, self._particles):
            table.tag(name)

    def checkout(self, version: int | str) -> DataSet:
        """Open an older state for reading.

        Parameters
        ----------
        version
            A tag: particles, samples and annotations as they were. A number: the particles as they were, with
            today's annotations.
        """
        return DataSet(self._folder, version=version, read_only=True)

    def compact(self) -> None:
        """Join small files and drop the bytes of old versions that no tag names. Nothing else must be reading."""
        self._check_writable()
        with self._folder.importing():
            self._annotations.fold()
            for table in (self._particles, self._samples, self._annotations.table):
                table.compact()
        self._identifiers = None

    def _ids(self) -> Identifiers:
        if self._identifiers is None:
            self._identifiers = Identifiers(self._particles)
        return self._identifiers

    def _columns(self, columns: Sequence[str] | None) -> list[str]:
        names = self._particles.schema.names
        for name in columns or ():
            if name not in names:
                raise UsageError(f"there is no column {name!r}{nearest_word(name, names)}")
        return list(names) if columns is None else list(columns)

    def _check_writable(self) -> None:
        if self._read_only:
            raise UsageError(f"{self.path}: an older version is open, which can only be read")
