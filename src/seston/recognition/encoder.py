"""Encoders: what turns particles into vectors. One is a trained model, one measures classical features."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from seston.errors import NotFoundError
from seston.models.released import open_clip_place
from seston.particle import Particle, Progress, Silence, Skipped
from seston.particle.placing import PLACE_COLUMNS
from seston.recognition.embeddings import ARRAYS, Embeddings, join
from seston.recognition.measuring import measuring

if TYPE_CHECKING:
    from seston.models.batch import Batch
    from seston.recognition.runtimes import Runtime
    from seston.store import DataSet
    from seston.training import Preparation, Recipe, Run

__all__ = ["PARTICLE_COLUMNS", "Encoder", "Model", "embed", "embed_particles", "load", "stream_particles"]

PARTICLE_COLUMNS = (
    "id", "sample_id", "source", "image", "image_format", "width", "height", "pixel_size_um", "scale_bar", "profile",
    "profile_channels", "profile_length", "profile_spacing_um", "listmode", "listmode_names",
    *PLACE_COLUMNS,
)  # fmt: skip
"""Columns of a data set that an encoder looks at; labels are not among them."""

_AT_ONCE = 256


class Encoder(Protocol):
    """Something that turns particles into vectors."""

    @property
    def model_id(self) -> str:
        """Name of what it does: equal names mean equal vectors."""
        ...

    def encode(self, particles: Sequence[Particle], skipped: list[Skipped] | None = None) -> Embeddings:
        """Turn some particles into vectors, in their order; collect what cannot be used in `skipped`."""
        ...

    def embed(
        self,
        particles: DataSet | Iterable[Particle],
        progress: Progress | None = None,
        skipped: list[Skipped] | None = None,
    ) -> Embeddings:
        """Turn a data set, or any number of particles, into vectors."""
        ...

    def save(self, folder: Path) -> None:
        """Write all that `load` needs into a folder."""
        ...


def load(path: Path | str, *, runtime: Runtime = "auto") -> Encoder:
    """Load an encoder: a run, what a gallery keeps in the place of one, or a released image–text model.

    Parameters
    ----------
    path
        The folder, or the name of a released model as `seston.models.released.open_clip_place` reads it.
    runtime
        ``auto``: ONNX Runtime where the run was compiled and its weights have not changed since, else torch; or
        ``onnx``, or ``torch``. Both give the same vectors.

    Raises
    ------
    NotFoundError
        Where there is no run.
    UsageError
        Where the runtime that was asked for (or, without torch, any) cannot run it.
    """
    from seston.recognition.box_files import is_box
    from seston.recognition.box_model import BoxModel
    from seston.recognition.classical import ClassicalModel, is_classical
    from seston.recognition.open_clip_model import OpenClipModel, is_open_clip
    from seston.recognition.runtimes import load_encoder

    place = open_clip_place(path)
    if place is not None:
        return OpenClipModel.load(place)
    folder = Path(path)
    if is_box(folder):
        return BoxModel.load(folder)
    if is_classical(folder):
        return ClassicalModel.load(folder)
    if is_open_clip(folder):
        return OpenClipModel.load(folder)
    if not folder.exists():
        raise NotFoundError(f"there is no run {folder}; train one with  seston train DATA --to {folder}")
    return load_encoder(folder, runtime)


@dataclass(frozen=True)
class Model:
    """A trained (or untrained) run as an encoder."""

    run: Run

    @property
    def recipe(self) -> Recipe:
        """What the run was asked to do."""
        return self.run.recipe

    @property
    def model_id(self) -> str:
        """Hash of the weights and of the preparation."""
        return self.run.model_id

    def encode(self, particles: Sequence[Particle], skipped: list[Skipped] | None = None) -> Embeddings:
        """Turn some particles into vectors, in their order.

        A picture or profile that cannot be used counts as absent; `skipped` collects why.
        """
        collected: list[Skipped] = [] if skipped is None else skipped
        with measuring(particles, self.run.preparation) as beside:
            parts = [self._forward(ids, batch) for ids, batch in self._batches(particles, collected)]
            return beside(join(parts) if parts else self._nothing())

    def embed(
        self,
        particles: DataSet | Iterable[Particle],
        progress: Progress | None = None,
        skipped: list[Skipped] | None = None,
    ) -> Embeddings:
        """Turn a data set, or any number of particles, into vectors; nothing is saved (see `embed`)."""
        return embed_particles(self, particles, progress, skipped)

    def answers(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn (N, F) features of pictures into the (N, K) answers of the head, of a run that learnt names."""
        import torch

        from seston.models.classifier import ClassifierModel

        assert isinstance(self.run.model, ClassifierModel)
        with torch.inference_mode():
            return np.asarray(self.run.model.logits(torch.from_numpy(features)).numpy(), np.float32)

    def save(self, folder: Path) -> None:
        """Copy what makes the run usable into a folder."""
        from seston.training.run import save_run

        folder.mkdir(parents=True, exist_ok=True)
        (folder / "recipe.toml").write_text(self.run.recipe.to_toml(), encoding="utf-8")
        save_run(self.run, folder)

    def weighed_contexts(self, features: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Give what the model makes of features of contexts; None where it reads none."""
        import torch

        from seston.models import CrossModalModel

        model = self.run.model
        if not isinstance(model, CrossModalModel) or model.context is None:
            return None
        with torch.inference_mode():
            return np.asarray(model.weighed_contexts(torch.from_numpy(features)).numpy(), np.float32)

    @property
    def preparation(self) -> Preparation:
        """What the model must know to be shown a particle."""
        return self.run.preparation

    def _batches(
        self, particles: Iterable[Particle], skipped: list[Skipped]
    ) -> Iterator[tuple[tuple[str, ...], Batch]]:
        """Make batches one ahead of the model, in a second thread."""
        from seston.training import make_batch

        def make(part: list[Particle]) -> tuple[tuple[str, ...], Batch]:
            batch = make_batch(part, self.run.preparation, skipped=skipped)
            return tuple(particle.id for particle in part), batch

        source = iter(particles)
        with ThreadPoolExecutor(1) as pool:
            waiting = None
            while part := list(islice(source, _AT_ONCE)):
                following = pool.submit(make, part)
                if waiting is not None:
                    yield waiting.result()
                waiting = following
            if waiting is not None:
                yield waiting.result()

    def _forward(self, ids: tuple[str, ...], batch: Batch) -> Embeddings:
        import torch

        with torch.inference_mode():
            encoded = self.run.model(batch)
        tensors = {
            "image": encoded.image_features,
            "profile": encoded.profile_features,
            "shared_image": encoded.image,
            "shared_profile": encoded.profile,
        }
        if self.run.recipe.uses_neighbours and encoded.image_within is not None and encoded.profile_within is not None:
            tensors["within_image"] = encoded.image_within * batch.image_present[:, None]
            tensors["within_profile"] = encoded.profile_within * batch.profile_present[:, None]
        return Embeddings(
            ids=ids,
            **{name: tensor.numpy().astype(np.float32) for name, tensor in tensors.items()},
            has_image=batch.image_present.numpy(),
            has_profile=batch.profile_present.numpy(),
            model_id=self.model_id,
        )

    def _nothing(self) -> Embeddings:
        from seston.training import make_batch

        one = self._forward(("",), make_batch([Particle(id="", sample_id="")], self.run.preparation))
        return one.take(np.zeros(0, np.int64))


def embed(data: DataSet, model: Encoder, *, progress: Progress | None = None) -> Embeddings:
    """Give the vectors of all particles of a data set, and save them with it.

    Vectors that were saved before are used again for particles whose picture, profile and parameters have not changed
    since; only the others are embedded.

    Returns
    -------
    Embeddings
        In the order of the data set.
    """
    ids, contents = _contents(data)
    old = _saved(data, model.model_id)
    known = {} if old is None else dict(zip(old[0].ids, old[1].tolist(), strict=True))
    missing = [name for name, content in zip(ids, contents.tolist(), strict=True) if known.get(name) != content]
    if old is not None and not missing and len(old[0]) == len(ids):
        return old[0].of(ids)
    whole = len(missing) == len(ids)
    fresh = embed_particles(model, stream_particles(data, None if whole else missing), progress, total=len(missing))
    if old is not None and len(missing) < len(ids):
        kept = [name for name in ids if name not in set(missing)]
        fresh = join([old[0].of(kept), fresh])
    found = fresh.of(ids) if len(ids) else fresh
    arrays = {name: getattr(found, name) for name in ARRAYS}
    data.save_embeddings(model.model_id, found.ids, arrays | {"content": contents})
    return found


def embed_particles(
    model: Encoder,
    particles: DataSet | Iterable[Particle],
    progress: Progress | None = None,
    skipped: list[Skipped] | None = None,
    *,
    total: float | None = None,
) -> Embeddings:
    """Turn particles into vectors, a few hundred in memory at a time."""
    from seston.store import DataSet

    if isinstance(particles, DataSet):
        total = particles.count_rows()
        particles = stream_particles(particles)
    say = progress or Silence()
    say.start("embedding", total)
    parts = []
    source = iter(particles)
    while part := list(islice(source, 4 * _AT_ONCE)):
        parts.append(model.encode(part, skipped))
        say.advance(len(part))
    say.finish()
    return join(parts) if parts else model.encode([])


def stream_particles(data: DataSet, ids: Sequence[str] | None = None) -> Iterator[Particle]:
    """Read the particles of a data set one after the other, all or those named, without their labels."""
    from seston.store import rows_to_particles

    for batch in data.particles(list(PARTICLE_COLUMNS), ids=ids, batch_size=_AT_ONCE):
        yield from rows_to_particles(batch)


def _saved(data: DataSet, model_id: str) -> tuple[Embeddings, NDArray[np.int64]] | None:
    if model_id not in data.embeddings():
        return None
    ids, arrays = data.load_embeddings(model_id)
    if "content" not in arrays or any(name not in arrays for name in ARRAYS):
        return None
    found = Embeddings(ids=tuple(ids), model_id=model_id, **{name: arrays[name] for name in ARRAYS})
    return found, arrays["content"]


def _contents(data: DataSet) -> tuple[list[str], NDArray[np.int64]]:
    """Give all ids, and a number for what each particle shows."""
    ids, contents = [], []
    for batch in data.particles(["id", "image_hash", "profile_hash", "listmode_names"], batch_size=8192):
        for name, *hashes in zip(*(batch.column(place).to_pylist() for place in range(4)), strict=True):
            ids.append(name)
            digest = hashlib.blake2b("|".join(one or "" for one in hashes).encode(), digest_size=8).digest()
            contents.append(int.from_bytes(digest, "little", signed=True))
    return ids, np.array(contents, np.int64)
