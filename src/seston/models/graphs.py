"""The ONNX graphs of a model: what goes in and comes out of each. Readable without torch and without ONNX Runtime."""

from __future__ import annotations

__all__ = ["GRAPHS"]

GRAPHS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "image": (("picture", "sizes"), ("features", "shared", "within")),
    "profile": (("profile", "channels", "sizes"), ("features", "shared", "within")),
    "fused": (("image", "profile", "has_image", "has_profile"), ("fused",)),
    "classes": (("features",), ("answers",)),
    "context": (("context",), ("weighed",)),
}
"""Name → inputs and outputs, in order; the first dimension of each is the particle, all are float32.

``image`` and ``profile`` take the fields of a batch of particles that have that modality (``channels``, (B, C): 1
where a channel was measured, 0 where not) and give features and unit vectors in the shared space, and last, where the
model has heads for it, unit vectors in which a modality is compared with itself. ``fused`` takes the
features of both, zero where absent, and twice (B, 1): 1 where present, 0 where not; it gives unit vectors of both
together. ``classes``, of a model that learnt names, takes the features of pictures and gives one answer a class, whose
softmax is its probability. ``context``, of a model that learnt from contexts, takes their features
(`seston.models.contexts.context_features`) and gives vectors in the shared space, as long as the scale of their loss.
"""
