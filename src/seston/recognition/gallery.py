"""A gallery: labelled particles with their vectors, by which others are named. It works without its data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.models.spaces import Space
from seston.particle import Particle
from seston.recognition.calibration import Calibration, score_for
from seston.recognition.caution import Caution
from seston.recognition.classifiers import DEFAULT_CLASSIFIER
from seston.recognition.context_prior import context_prior
from seston.recognition.embeddings import Embeddings
from seston.recognition.naming import Identification, Route, fit_routes, name_particles
from seston.recognition.views import Views, views_of

if TYPE_CHECKING:
    from seston.particle import Progress
    from seston.recognition.encoder import Encoder
    from seston.recognition.levelling import Levels
    from seston.recognition.suggestion import SuggestResult
    from seston.store import DataSet

__all__ = ["Gallery", "GalleryCard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryCard:
    """What one has to know about a gallery."""

    model_id: str
    classifier: str = DEFAULT_CLASSIFIER
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Label → why it is not in the gallery."""
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """By route: what naming the gallery's own particles taught about its scores, with the threshold for *unknown*."""
    detector_levels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Sample → sensitivity level of each detector."""
    flags: tuple[str, ...] = ()
    """``simulated`` or ``semi-simulated`` where particles of the gallery are."""
    created: str = ""
    seston_version: str = ""


@dataclass(frozen=True)
class Gallery:
    """Labelled particles with their vectors, and the spaces in which others are compared with them.

    Made by `Gallery.from_dataset`, kept by `save`, brought back by `load`.
    """

    embeddings: Embeddings
    labels: tuple[str, ...]
    samples: tuple[str, ...]
    spaces: Mapping[str, Space]
    card: GalleryCard
    listmode_names: tuple[str, ...] = ()
    listmode: NDArray[np.float32] | None = None
    """Listmode features of the gallery particles, for naming particles that have nothing else."""
    thumbnails: tuple[bytes | None, ...] = ()
    model: Encoder | None = None
    pool: Embeddings | None = None
    """Other particles of the same data set, whatever they are: against them strangers are told from known ones."""
    levels: Levels | None = None
    """What the runs of the data set look like: the vectors here, and those to be named, stand without their shifts."""
    taxa: Mapping[str, str] = field(default_factory=dict)
    """Label → accepted scientific name, for the labels that mean a taxon."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def model_id(self) -> str:
        """Of the model that it was made with."""
        return self.card.model_id

    @property
    def flags(self) -> tuple[str, ...]:
        """``simulated`` or ``semi-simulated`` where its particles are."""
        return self.card.flags

    @classmethod
    def from_dataset(
        cls,
        data: DataSet,
        model: Encoder,
        *,
        per_class: int | None = None,
        split: str | None = None,
        fold: int = 0,
        seed: int = 0,
        classifier: str = DEFAULT_CLASSIFIER,
        as_measured: bool = False,
        progress: Progress | None = None,
    ) -> Gallery:
        """Make a gallery of a data set's labelled particles.

        Parameters
        ----------
        data
            With labels; all its particles, labelled or not, show how features are spread.
        model
            From `seston.load`.
        per_class
            At most so many particles of each label, picked at random; all where None.
        split, fold
            Take the training part of this saved split alone.
        seed
            The same seed picks the same particles.
        as_measured
            Leave every run at its own level. Without it the level of each run, these and any that is named later, is
            told from its particles and taken away (see `seston.recognition.levelling`).

        Raises
        ------
        UsageError
            Where fewer than two labels have a particle with vectors.
        """
        from seston.recognition.gallery_making import make_gallery

        return make_gallery(
            data,
            model,
            per_class=per_class,
            split=split,
            fold=fold,
            seed=seed,
            classifier=classifier,
            as_measured=as_measured,
            progress=progress,
        )

    @classmethod
    def load(cls, path: Path | str) -> Gallery:
        """Read a gallery from its folder, with the model that it was made with.

        Raises
        ------
        NotFoundError
            Where there is no gallery.
        InputError
            Where it is damaged, or its model is not the one that it was made with.
        """
        from seston.recognition.gallery_files import load_gallery

        return load_gallery(Path(path))

    def save(self, path: Path | str, *, overwrite: bool = False) -> None:
        """Write the gallery as a folder that works without its data set and its run."""
        from seston.recognition.gallery_files import save_gallery

        save_gallery(self, Path(path), overwrite=overwrite)

    def level(self, embeddings: Embeddings, samples: Sequence[str]) -> Embeddings:
        """Bring particles to the level of the gallery's runs.

        Parameters
        ----------
        samples
            Of each particle: the name of its run. A run needs 50 particles here, or stays as it is.
        """
        return embeddings if self.levels is None else self.levels.vectors.correct(embeddings, samples)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """Labels in the gallery, sorted."""
        return tuple(sorted(set(self.labels)))

    @property
    def classes(self) -> dict[str, int]:
        """Label → particles in the gallery."""
        numbers = np.bincount(self.class_numbers, minlength=len(self.class_names))
        return dict(zip(self.class_names, numbers.tolist(), strict=True))

    @property
    def left_out(self) -> Mapping[str, str]:
        """Label → why it is not in the gallery."""
        return self.card.left_out

    @cached_property
    def class_numbers(self) -> NDArray[np.int64]:
        """Place of each particle's label in `class_names`."""
        place = {name: number for number, name in enumerate(self.class_names)}
        return np.array([place[label] for label in self.labels], np.int64)

    @cached_property
    def views(self) -> Views:
        """The gallery particles in the gallery's spaces."""
        return views_of(self.embeddings, self.spaces, self.listmode)

    @cached_property
    def routes(self) -> dict[str, Route]:
        """The ways by which particles can be named here, each with its rule and calibration."""
        pool = None if self.pool is None else views_of(self.pool, self.spaces)
        of_pool = () if self.pool is None else [name.rpartition("/")[0] for name in self.pool.ids]
        return fit_routes(
            self.views,
            self.class_numbers,
            self.samples,
            self.card.classifier,
            self.card.calibrations or None,
            pool,
            of_pool,
        )

    def identify(
        self,
        embeddings: Embeddings,
        particles: Sequence[Particle] = (),
        *,
        threshold: float | None = None,
        precision: float | None = None,
        unfamiliar: float | None = None,
    ) -> list[Identification]:
        """Name particles after the gallery.

        Parameters
        ----------
        embeddings
            Of the gallery's own model; at the level of its runs, see `Gallery.level`, where several of a run are named.
        particles
            The same particles, where some have listmode alone and should be named by it, or where the model's recipe
            lets place and season weigh (`context.prior`).
        threshold
            Scores below it become ``unknown``.
        precision
            So do names whose score comes with a smaller share of right names among the gallery's own particles.
        unfamiliar
            So do particles less like the gallery's labels than all but this share of its own particles.

        Raises
        ------
        UsageError
            Where the embeddings are of another model, or a share is none.
        """
        caution = Caution(threshold, precision, unfamiliar)
        if embeddings.model_id != self.card.model_id:
            raise UsageError(
                f"the gallery was made with model {self.card.model_id}, these vectors with {embeddings.model_id}: "
                "embed the particles with the gallery's model, or make the gallery anew"
            )
        listmode = self._listmode_of(particles) if particles and self.listmode is not None else None
        views = views_of(embeddings, self.spaces, listmode)
        prior = context_prior(self.model, particles, self.embeddings, self.class_numbers) if particles else None
        return name_particles(
            embeddings.ids, views, self.routes, self.class_names, self.embeddings.ids, caution, self.taxa, prior
        )

    def suggest(
        self, data: DataSet | Path | str, *, n: int = 50, to: Path | str | None = None, overwrite: bool = False
    ) -> SuggestResult:
        """Suggest the particles of a data set whose labels would help most; see `seston.suggest`."""
        from seston.recognition.suggestion import suggest

        return suggest(data, gallery=self, n=n, to=to, overwrite=overwrite)

    def promises(self, precision: float) -> dict[str, float | None]:
        """Give the score from which on names are right so often, by route; None where no score promises that."""
        return {name: score_for(route.calibration, precision) for name, route in self.routes.items()}

    def _listmode_of(self, particles: Iterable[Particle]) -> NDArray[np.float32]:
        from seston.features import listmode_features

        rows = [listmode_features(particle) for particle in particles]
        nothing = float("nan")
        return np.array([[row.get(name, nothing) for name in self.listmode_names] for row in rows], np.float32)
