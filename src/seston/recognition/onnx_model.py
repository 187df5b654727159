"""A compiled run as an encoder: the same vectors as with torch, by ONNX Runtime, which is lighter and starts faster."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seston.cores import core_count
from seston.errors import InputError
from seston.models.graphs import GRAPHS
from seston.particle import Particle, Progress, Skipped
from seston.recognition.ahead import prepared_ahead
from seston.recognition.compiled import copy_run
from seston.recognition.embeddings import Embeddings, join
from seston.recognition.measuring import measuring

if TYPE_CHECKING:
    from seston.store import DataSet
    from seston.training import Preparation, Recipe
    from seston.training.plain import PlainArrays

__all__ = ["OnnxModel"]

_AT_ONCE = 256
_FEWEST_A_THREAD = 16


@dataclass(frozen=True)
class OnnxModel:
    """A compiled run as an encoder; made by `seston.recognition.load`.

    Its vectors are those of the same run under torch (cosine above 0.9999), and so its `model_id` is the same.
    """

    folder: Path
    """Of the run."""
    recipe: Recipe | None
    """None where no run stands behind the graphs."""
    preparation: Preparation
    model_id: str
    """Hash of the weights and of the preparation."""
    graphs: Path | None = None
    """Folder of the graphs where it is not ``onnx`` in that of the run."""
    threads: int = field(default_factory=lambda: _threads())
    """That run the graphs: as many as ``OMP_NUM_THREADS`` says, else all cores that this process may use."""

    def encode(self, particles: Sequence[Particle], skipped: list[Skipped] | None = None) -> Embeddings:
        """Turn some particles into vectors, in their order.

        A picture or profile that cannot be used counts as absent; `skipped` collects why.
        """
        from seston.training.plain import make_arrays

        collected: list[Skipped] = [] if skipped is None else skipped

        def make(part: list[Particle]) -> PlainArrays:
            return make_arrays(part, self.preparation, skipped=collected)

        with measuring(particles, self.preparation) as beside:
            parts = [self._forward(ids, arrays) for ids, arrays in prepared_ahead(particles, make, _AT_ONCE)]
            return beside(join(parts) if parts else self._forward((), make([])))

    def embed(
        self,
        particles: DataSet | Iterable[Particle],
        progress: Progress | None = None,
        skipped: list[Skipped] | None = None,
    ) -> Embeddings:
        """Turn a data set, or any number of particles, into vectors; nothing is saved."""
        from seston.recognition.encoder import embed_particles

        return embed_particles(self, particles, progress, skipped)

    def save(self, folder: Path) -> None:
        """Copy what makes the run usable, with its graphs, into a folder."""
        copy_run(self.folder, folder)

    def fuse(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """Give the unit vectors of picture and profile together that the model's fused head makes.

        Raises
        ------
        InputError
            Where the model has no such head.
        """
        if not self._path("fused").is_file():
            raise InputError(f"{self.folder}: the model has no head that joins picture and profile")
        there = [has[:, None].astype(np.float32) for has in (embeddings.has_image, embeddings.has_profile)]
        return self._run("fused", (embeddings.image, embeddings.profile, *there))[0]

    def answers(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn (N, F) features of pictures into the (N, K) answers of the head, of a run that learnt names."""
        return self._run("classes", (features,))[0]

    def weighed_contexts(self, features: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Give what the model makes of features of contexts; None where it was compiled without that."""
        return self._run("context", (features,))[0] if self._path("context").is_file() else None

    def _forward(self, ids: tuple[str, ...], arrays: PlainArrays) -> Embeddings:
        """Run each tower on the particles that have its modality; the rows of the others are zero."""
        has_image, has_profile = arrays.image_present, arrays.profile_present
        image, shared_image, *within_image = self._of_present("image", has_image, (arrays.image, arrays.image_size))
        profile, shared_profile, *within_profile = self._of_present(
            "profile", has_profile, (arrays.profile, arrays.channel_present.astype(np.float32), arrays.profile_size)
        )
        within: dict[str, NDArray[np.float32]] = {}
        if self.recipe is not None and self.recipe.uses_neighbours and within_image and within_profile:
            within = {"within_image": within_image[0], "within_profile": within_profile[0]}
        return Embeddings(
            ids=ids,
            image=image,
            profile=profile,
            shared_image=shared_image,
            shared_profile=shared_profile,
            has_image=has_image,
            has_profile=has_profile,
            model_id=self.model_id,
            **within,
        )

    def _of_present(
        self, graph: str, has: NDArray[np.bool_], inputs: Sequence[NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        if not self._path(graph).is_file():  # the model looks at the other modality alone
            return [np.zeros((len(has), 0), np.float32)] * 2
        if len(has) and has.all():
            return self._run(graph, inputs)
        found = self._run(graph, [part[has] for part in inputs]) if has.any() else self._empty(graph)
        spread = [np.zeros((len(has), part.shape[1]), np.float32) for part in found]
        for target, part in zip(spread, found, strict=True):
            target[has] = part
        return spread

    def _run(self, graph: str, inputs: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Run a graph, each thread on its share of the particles: no step of one thread waits for another."""
        session = self._sessions[graph]
        taken = {one.name for one in session.get_inputs()}  # what a model does not look at is no input of its graph
        given = {name: part for name, part in zip(GRAPHS[graph][0], inputs, strict=True) if name in taken}
        count = len(inputs[0])
        shares = min(self.threads, max(1, count // _FEWEST_A_THREAD))
        if shares == 1:
            found: list[NDArray[np.float32]] = session.run(None, given)
            return found
        bounds = [count * number // shares for number in range(shares + 1)]
        parts = self._pool.map(
            lambda part: session.run(None, {name: array[part] for name, array in given.items()}),
            [slice(start, end) for start, end in pairwise(bounds)],
        )
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def _empty(self, graph: str) -> list[NDArray[np.float32]]:
        return [np.zeros((0, one.shape[1]), np.float32) for one in self._sessions[graph].get_outputs()]

    @cached_property
    def _sessions(self) -> Mapping[str, Any]:
        return _Sessions(self)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="towers")

    def _path(self, graph: str) -> Path:
        return (self.graphs or self.folder / "onnx") / f"{graph}.onnx"


class _Sessions(dict[str, Any]):
    """Sessions of ONNX Runtime, each opened when it is first asked for."""

    def __init__(self, model: OnnxModel) -> None:
        super().__init__()
        self._model = model

    def __missing__(self, graph: str) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        path = self._model._path(graph)
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own errors have no common base
            reason = str(error).splitlines()[0]
            raise InputError(f"{path}: cannot be loaded: {reason}; compile the run again") from error
        self[graph] = session
        return session


def _threads() -> int:
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted):
        return int(wanted)
    return core_count()
