"""The records that every room shares, and the one table of channel names."""

from seston.particle.channels import (
    CHANNEL_ORDER,
    PARAMETERS,
    canonical_channel,
    canonical_parameter,
    is_signal,
    split_parameter,
)
from seston.particle.progress import Progress, Silence, TerminalProgress
from seston.particle.records import Annotation, Note, Particle, Sample, Skipped, Status

__all__ = [
    "CHANNEL_ORDER",
    "PARAMETERS",
    "Annotation",
    "Note",
    "Particle",
    "Progress",
    "Sample",
    "Silence",
    "Skipped",
    "Status",
    "TerminalProgress",
    "canonical_channel",
    "canonical_parameter",
    "is_signal",
    "split_parameter",
]
