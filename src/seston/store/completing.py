"""How a particle that comes again with a part that it lacked becomes one particle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seston.particle import Particle
from seston.store.examine import Examined

__all__ = ["as_particle", "complete", "restore"]

_PICTURE = (
    "image",
    "image_format",
    "width",
    "height",
    "image_hash",
    "image_fingerprint",
    "scale_bar",
    "pixel_size_um",
)
_PROFILE = ("profile", "profile_channels", "profile_hash", "profile_spacing_um")
_WHERE_EMPTY = (
    "source",
    "raw_label",
    "raw_status",
    "time",
    "latitude",
    "longitude",
    "depth_min_m",
    "depth_max_m",
    "attribution",
    "pixel_size_um",
    "profile_spacing_um",
)


def complete(old: Particle, new: Particle) -> Particle:
    """Give the older record what it lacks from the newer one; what stands there is never changed."""
    gained: dict[str, Any] = {}
    if old.image is None and new.image is not None:
        gained |= {name: getattr(new, name) for name in _PICTURE if getattr(new, name) is not None}
    if old.profile is None and new.profile is not None:
        gained |= {name: getattr(new, name) for name in _PROFILE if getattr(new, name) is not None}
    if not old.listmode and new.listmode:
        gained["listmode"] = new.listmode
    for name in _WHERE_EMPTY:
        if getattr(old, name) in (None, "") and getattr(new, name) not in (None, ""):
            gained[name] = getattr(new, name)
    if old.licence == "unknown" != new.licence:
        gained["licence"] = new.licence
    gained["flags"] = (*old.flags, *(flag for flag in new.flags if flag not in old.flags))
    return replace(old, **gained)


def as_particle(examined: Examined) -> Particle:
    """Give what was found about a particle as a record."""
    return replace(
        examined.particle,
        source=examined.source,
        image=examined.image,
        image_format=examined.image_format,
        width=examined.width,
        height=examined.height,
        image_hash=examined.image_hash,
        image_fingerprint=examined.image_fingerprint,
        scale_bar=examined.scale_bar,
        pixel_size_um=examined.pixel_size_um,
        profile=examined.profile,
        profile_channels=examined.profile_channels,
        profile_hash=examined.profile_hash,
        licence=examined.licence,
        attribution=examined.attribution,
        flags=examined.flags,
    )


def restore(particle: Particle) -> Examined:
    """Give a record that was examined before as what was found about it."""
    return Examined(
        particle,
        image=particle.image,
        image_format=particle.image_format,
        width=particle.width,
        height=particle.height,
        image_hash=particle.image_hash,
        image_fingerprint=particle.image_fingerprint,
        scale_bar=particle.scale_bar,
        pixel_size_um=particle.pixel_size_um,
        profile=particle.profile,
        profile_channels=particle.profile_channels,
        profile_hash=particle.profile_hash,
        source=particle.source,
        licence=particle.licence,
        attribution=particle.attribution,
        flags=particle.flags,
    )
