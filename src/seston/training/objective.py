"""The loss of a recipe: its terms, weighted and added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seston.models.batch import Batch
from seston.models.crossmodal import CrossModalModel, Encoded
from seston.models.gather import gather_rows, shared_parameter
from seston.models.losses import clip_loss, siglip_loss, within_loss
from seston.training.settings import LossSettings
from seston.training.text_settings import TextSettings

__all__ = ["Losses", "start_scales", "total_loss"]

_GREATEST_SCALE = 100.0


@dataclass(frozen=True)
class Losses:
    """The weighted sum, and each term on its own."""

    total: Tensor
    terms: dict[str, float]

    def with_terms(self, more: Mapping[str, Tensor], settings: LossSettings) -> Losses:
        """Add further terms, weighted as the recipe says."""
        total = self.total
        for name, term in more.items():
            total = total + getattr(settings, name) * term
        return Losses(total, self.terms | {name: float(term.detach()) for name, term in more.items()})


def start_scales(model: CrossModalModel, settings: LossSettings, texts: TextSettings | None = None) -> None:
    """Set the learned scales and biases of a new model to where the recipe starts them."""
    with torch.no_grad():
        model.logit_scale.fill_(settings.start_scale).log_()
        model.logit_bias.fill_(settings.start_bias)
        if model.text is not None and texts is not None:
            model.text.logit_scale.fill_(texts.start_scale).log_()
            model.text.logit_bias.fill_(texts.start_bias)
        if model.context is not None:
            model.context.logit_scale.fill_(settings.start_scale).log_()
            model.context.logit_bias.fill_(settings.start_bias)


Alike = Callable[[Tensor], Tensor]
"""Row numbers of B particles → (B, B) bool: which are no negatives of each other."""


def total_loss(
    model: nn.Module,
    encoded: Encoded,
    batch: Batch,
    views: int,
    settings: LossSettings,
    rows: Tensor | None = None,
    alike: Alike | None = None,
) -> Losses:
    """Compute the loss of a batch over all processes.

    Parameters
    ----------
    model
        Holds the learned scale and bias.
    encoded, batch
        The views of the particles one after the other: the first view of all, then the second.
    views
        1 or 2.
    settings
        Weights and kinds.
    rows, alike
        Where the second views are of other particles than the first: the row number of each view's particle, and what
        tells which particles are alike.

    Returns
    -------
    Losses
        The same number in every process; see `seston.models.gather` for what its gradient means there.
    """
    terms: dict[str, Tensor] = {}
    both = batch.image_present & batch.profile_present
    if settings.cross:
        terms["cross"] = torch.stack(
            [_cross(model, encoded, batch.sample, both, rows, settings) for rows in _views(len(both), views)]
        ).mean()
    image, profile = batch.image_present, batch.profile_present
    for name, vectors, present in (
        ("within_image", encoded.image_within, image),
        ("within_profile", encoded.profile_within, profile),
        ("fused", encoded.fused, image | profile),
    ):
        if getattr(settings, name) and vectors is not None:
            terms[name] = _between_views(vectors, batch.sample, present, settings, rows, alike)
    weighted = [getattr(settings, name) * term for name, term in terms.items()]
    total = torch.stack(weighted).sum() if weighted else encoded.image.new_zeros(())
    return Losses(total, {name: float(term.detach()) for name, term in terms.items()})


def _cross(
    model: nn.Module, encoded: Encoded, sample: Tensor, both: Tensor, rows: slice, settings: LossSettings
) -> Tensor:
    kept = both[rows]
    image = gather_rows(encoded.image[rows][kept])
    profile = gather_rows(encoded.profile[rows][kept])
    groups = gather_rows(sample[rows][kept]) if settings.same_sample_negatives else None
    if not len(image):
        return image.sum()
    scale = shared_parameter(model.logit_scale).exp().clamp(max=_GREATEST_SCALE)  # type: ignore[arg-type]  # nn.Module
    if settings.kind == "siglip":
        bias = shared_parameter(model.logit_bias)  # type: ignore[arg-type]  # attributes of nn.Module are untyped
        return siglip_loss(image, profile, scale, bias, sample=groups, buckets=settings.buckets)
    return clip_loss(
        image, profile, scale, sample=groups, buckets=settings.buckets, paper_row_max=settings.paper_row_max
    )


def _between_views(
    vectors: Tensor,
    sample: Tensor,
    present: Tensor,
    settings: LossSettings,
    rows: Tensor | None,
    alike: Alike | None,
) -> Tensor:
    first, second = _views(len(vectors), 2)
    kept = present[first] & present[second]
    one, other = gather_rows(vectors[first][kept]), gather_rows(vectors[second][kept])
    if not len(one):
        return one.sum()
    groups = gather_rows(sample[first][kept]) if settings.same_sample_negatives else None
    spared = None
    if rows is not None and alike is not None:
        spared = alike(torch.cat([gather_rows(rows[first][kept]), gather_rows(rows[second][kept])]))
    return within_loss(one, other, settings.within_scale, sample=groups, spared=spared)


def _views(rows: int, views: int) -> list[slice]:
    count = rows // views
    return [slice(view * count, (view + 1) * count) for view in range(views)]
