"""Names by texts alone: each picture gets the name, of those that a user gives, whose text is closest to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError, UsageError
from seston.particle import Particle
from seston.recognition.caution import UNKNOWN
from seston.recognition.embeddings import Embeddings
from seston.recognition.naming import Identification
from seston.recognition.text_models import TextModel, picture_vectors, text_model
from seston.taxonomy import Taxon, resolve, taxa_of
from seston.training.taxon_texts import is_known, said_of
from seston.training.text_vectors import text_vectors

if TYPE_CHECKING:
    from seston.recognition.encoder import Encoder
    from seston.recognition.open_clip_model import OpenClipModel
    from seston.training import Run

__all__ = ["TextNames", "names_by_texts"]

_FEWEST = 2
_NO_PICTURE = "texts name pictures, and this particle has none that can be used"


@dataclass(frozen=True)
class TextNames:
    """A list of names with their vectors, ready to name pictures."""

    model: TextModel
    names: tuple[str, ...]
    """As they were given."""
    taxa: tuple[str | None, ...]
    """Accepted name of each; None where it names no taxon (a bubble)."""
    vectors: NDArray[np.float32]
    """(names, D) unit vectors."""
    left_out: tuple[str, ...] = ()
    """Labels of a data set that say nothing of a particle."""

    levels = None
    """Runs stay at their own level."""
    flags: tuple[str, ...] = ()

    @property
    def model_id(self) -> str:
        """That of the encoder of pictures."""
        return self.model.model_id

    @property
    def encoder(self) -> Encoder:
        """What turns pictures into vectors."""
        return self.model.encoder

    @property
    def notes(self) -> tuple[str, ...]:
        """What one has to know of the names."""
        note = (
            f"pictures got the closest of the {len(self.names)} names that were given; scores are the model's softmax "
            "over them and not calibrated: 0.9 does not mean that 9 of 10 are right, and a picture of none of them is "
            "named all the same"
        )
        if not self.left_out:
            return (note,)
        return (note, f"labels that say nothing of a particle were left out: {', '.join(self.left_out)}")

    def identify(
        self,
        embeddings: Embeddings,
        particles: Sequence[Particle] = (),
        *,
        threshold: float | None = None,
        precision: float | None = None,
        unfamiliar: float | None = None,
    ) -> list[Identification]:
        """Name particles by their pictures.

        Parameters
        ----------
        embeddings
            Of `encoder`.
        threshold
            Names with a lower score become ``unknown``.
        precision, unfamiliar
            Have no meaning here: `identify` refuses them.
        """
        lowest = threshold or 0.0
        named = [Identification(id=name, label=None, modality="none", reason=_NO_PICTURE) for name in embeddings.ids]
        rows = np.flatnonzero(embeddings.has_image)
        scores = self._scores(picture_vectors(embeddings)[rows])
        order = np.argsort(-scores, axis=1, kind="stable")
        for row, score, (best, second) in zip(rows.tolist(), scores, order[:, :_FEWEST].tolist(), strict=True):
            unsure = float(score[best]) < lowest
            named[row] = Identification(
                id=embeddings.ids[row],
                label=UNKNOWN if unsure else self.names[best],
                taxon=None if unsure else self.taxa[best],
                score=float(score[best]),
                margin=float(score[best] - score[second]),
                modality="image",
            )
        return named

    def _scores(self, pictures: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give (pictures, names) probabilities, as CLIP does: softmax of scaled cosines (arXiv 2103.00020, 3.1.2)."""
        logits = self.model.scale * (pictures @ self.vectors.T).astype(np.float64)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def names_by_texts(texts: Sequence[str] | Path | str, model: Run | OpenClipModel | Path | str) -> TextNames:
    """Get ready to name pictures by texts.

    Parameters
    ----------
    texts
        Names of taxa, a file with one a line, or the folder of a data set, whose labels are taken.
    model
        As for `seston.recognition.text_models.text_model`.

    Raises
    ------
    UsageError
        A name that says nothing of a particle, or fewer than two names.
    InputError
        A file that cannot be read.
    """
    taxa, left_out = _asked(texts)
    if len(taxa) < _FEWEST:
        raise UsageError(f"{len(taxa)} names to choose from: give at least {_FEWEST}")
    reader = text_model(model)
    said = [[one.text for one in said_of(taxon, reader.preparation.templates)[0]] for taxon in taxa.values()]
    vectors = text_vectors(reader.texts, reader.preparation, said)
    return TextNames(reader, tuple(taxa), tuple(taxon.name for taxon in taxa.values()), vectors, left_out)


def _asked(texts: Sequence[str] | Path | str) -> tuple[dict[str, Taxon], tuple[str, ...]]:
    """Give the names with what each means, and labels that say nothing."""
    if isinstance(texts, str | Path) and Path(texts).is_dir():
        return _labels_of(Path(texts))
    where = ""
    if isinstance(texts, str | Path):
        where = f"{texts}: "
        try:
            texts = Path(texts).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{where}cannot be read as a list of names, one a line: {error}") from error
    names = list(dict.fromkeys(line.strip() for line in texts if line.strip()))
    taxa = dict(zip(names, resolve(names), strict=True))
    nothing = next((name for name, taxon in taxa.items() if not is_known(taxon)), None)
    if nothing is not None:
        raise UsageError(f"{where}{nothing!r} names no taxon; see  seston taxonomy resolve {nothing!r}")
    return taxa, ()


def _labels_of(folder: Path) -> tuple[dict[str, Taxon], tuple[str, ...]]:
    """Take the labels of a data set; where sources use one label for different taxa the first one counts."""
    from seston.store import open_data_set
    from seston.training.particle_taxa import sources_of

    data = open_data_set(folder)
    labels, sources = data.labels(trusted=True), sources_of(data)
    pairs = {(source, labels[name]) for name, source in zip(data.ids(), sources, strict=True) if name in labels}
    meant: dict[str, Taxon] = {}
    for (_, label), taxon in sorted(taxa_of(pairs, data.path).items()):
        meant.setdefault(label, taxon)
    known = {label: taxon for label, taxon in meant.items() if is_known(taxon)}
    return known, tuple(label for label in meant if label not in known)
