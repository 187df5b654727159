"""What losses of classes are called, readable without torch."""

from __future__ import annotations

__all__ = ["CLASS_LOSSES"]

CLASS_LOSSES = (
    "cross-entropy",
    "focal",
    "ldam",
    "maximum-margin",
    "asymmetric",
    "robust-asymmetric",
    "balanced-softmax",
    "logit-adjustment",
)
"""Names of the functions in `seston.models.class_losses`."""
