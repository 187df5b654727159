"""Image–text models that others have trained and released, and the names by which they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["OPEN_CLIP", "RELEASED", "ReleasedModel", "open_clip_place", "released_model"]

OPEN_CLIP = "open-clip:"
"""Begins the name of a pretrained pair: ``open-clip:FOLDER``, or ``open-clip:hf-hub:ORGANISATION/NAME``."""

_HUB = "hf-hub:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedModel:
    """A pair of encoders on the Hugging Face Hub, in the layout of open_clip."""

    name: str
    """Its short name here."""
    repository: str
    encoder: str
    """Architecture of the picture encoder."""
    learnt_from: str
    """What it was trained on, as its authors say."""
    licence: str
    """Of the weights: SPDX id, or where to read it."""


_PLANKTONZILLA = "Planktonzilla-17M, plankton of 15 public collections, starting from {}"
_ITS_PAGE = "terms to accept on its page"

RELEASED = (
    ReleasedModel(
        name="bioclip", repository="imageomics/bioclip", encoder="ViT-B/16", licence="MIT",
        learnt_from="TreeOfLife-10M, photos of 450,000 taxa, starting from OpenAI's CLIP",
    ),
    ReleasedModel(
        name="bioclip-2", repository="imageomics/bioclip-2", encoder="ViT-L/14", licence="MIT",
        learnt_from="TreeOfLife-200M, 214 million pictures of organisms, starting from LAION-2B",
    ),
    *(
        ReleasedModel(
            name=f"planktonzilla-{size}-{start}", encoder=encoder, licence=_ITS_PAGE,
            repository=f"project-oceania/CLIP-{architecture}.{start}-pt.planktonzilla-pt",
            learnt_from=_PLANKTONZILLA.format(origin),
        )
        for size, encoder, architecture, start, origin in (
            ("b16", "ViT-B/16", "ViT-B-16", "openai", "OpenAI's CLIP"),
            ("b16", "ViT-B/16", "ViT-B-16", "bioclip", "BioCLIP"),
            ("l14", "ViT-L/14", "ViT-L-14", "laion2b", "LAION-2B"),
            ("l14", "ViT-L/14", "ViT-L-14", "bioclip2", "BioCLIP 2"),
        )
    ),
)  # fmt: skip
"""Released models that Seston knows by name (BioCLIP: arXiv 2311.18803, 2505.23883; Planktonzilla: arXiv 2606.00080).

Any other one in the same layout is asked for by its repository.
"""


def open_clip_place(model: object) -> str | None:
    """Say where the pretrained pair lies that a user means.

    Parameters
    ----------
    model
        ``open-clip:FOLDER``, ``open-clip:hf-hub:ORGANISATION/NAME``, or a short name of `RELEASED` (unless there is a
        folder of that name), with or without ``open-clip:``.

    Returns
    -------
    str or None
        A folder or ``hf-hub:ORGANISATION/NAME``; None where another kind of model is meant.
    """
    if not isinstance(model, str | Path):
        return None
    name = model.as_posix() if isinstance(model, Path) else model
    of_released = {one.name: f"{_HUB}{one.repository}" for one in RELEASED}
    asked = name.removeprefix(OPEN_CLIP)
    if asked in of_released and not Path(asked).exists():
        return of_released[asked]
    return asked if name.startswith(OPEN_CLIP) else None


def released_model(where: str) -> ReleasedModel | None:
    """Give what is known of the model at a place such as `open_clip_place` gives."""
    return next((one for one in RELEASED if where == f"{_HUB}{one.repository}"), None)
