"""The columns of the three tables of a data set."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["ANNOTATIONS", "PARTICLES", "SAMPLES"]

_KEY = {"lance-schema:unenforced-primary-key": "true"}
_AS_IT_IS = {"lance-encoding:compression": "none"}  # pictures are compressed already: trying again costs 10 µs each
_TIME = pa.timestamp("us", tz="UTC")

PARTICLES: pa.Schema = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False, metadata=_KEY),
        pa.field("sample_id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("image", pa.large_binary(), metadata=_AS_IT_IS),
        pa.field("image_format", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("image_hash", pa.string()),
        pa.field("profile_hash", pa.string()),
        pa.field("pixel_size_um", pa.float64()),
        pa.field("scale_bar", pa.list_(pa.int32())),
        pa.field("profile", pa.list_(pa.float32())),
        pa.field("profile_channels", pa.list_(pa.string())),
        pa.field("profile_length", pa.int32()),
        pa.field("profile_spacing_um", pa.float64()),
        pa.field("listmode", pa.list_(pa.float32())),
        pa.field("listmode_names", pa.dictionary(pa.int32(), pa.string())),
        pa.field("raw_label", pa.string()),
        pa.field("raw_status", pa.string()),
        pa.field("time", _TIME),
        pa.field("latitude", pa.float64()),
        pa.field("longitude", pa.float64()),
        pa.field("depth_min_m", pa.float64()),
        pa.field("depth_max_m", pa.float64()),
        pa.field("licence", pa.string()),
        pa.field("attribution", pa.string()),
        pa.field("flags", pa.list_(pa.string())),
        pa.field("image_fingerprint", pa.int64()),
    ]
)
"""The fields of `seston.particle.Particle`; a column that older data sets lack is added when something is imported.

``profile`` is flat and channel-major: ``profile_length`` samples of the first of ``profile_channels``, then of the
second, and so on. ``listmode`` holds the values alone; ``listmode_names`` holds their names as one JSON list, a
dictionary column, so that a file stores each list of names once and every batch still explains itself.
"""

SAMPLES: pa.Schema = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False, metadata=_KEY),
        pa.field("source", pa.string()),
        pa.field("path", pa.string()),
        pa.field("reader", pa.string()),
        pa.field("instrument", pa.string()),
        pa.field("instrument_code", pa.string()),
        pa.field("serial_number", pa.string()),
        pa.field("start", _TIME),
        pa.field("end", _TIME),
        pa.field("latitude", pa.float64()),
        pa.field("longitude", pa.float64()),
        pa.field("depth_min_m", pa.float64()),
        pa.field("depth_max_m", pa.float64()),
        pa.field("volume_sampled_ml", pa.float64()),
        pa.field("volume_analysed_ml", pa.float64()),
        pa.field("volume_imaged_ml", pa.float64()),
        pa.field("dilution", pa.float64()),
        pa.field("subsample_fraction", pa.float64()),
        pa.field("n_counted", pa.int64()),
        pa.field("n_recorded", pa.int64()),
        pa.field("n_imaged", pa.int64()),
        pa.field("trigger", pa.string()),
        pa.field("set_name", pa.string()),
        pa.field("detector_levels", pa.string()),
        pa.field("core_speed_m_s", pa.float64()),
        pa.field("beam_width_um", pa.float64()),
        pa.field("pixel_size_um", pa.float64()),
        pa.field("licence", pa.string()),
        pa.field("attribution", pa.string()),
        pa.field("flags", pa.list_(pa.string())),
        pa.field("settings", pa.string()),
        pa.field("provenance", pa.string()),
    ]
)
"""The fields of `seston.particle.Sample`; ``detector_levels``, ``settings`` and ``provenance`` are JSON objects."""

ANNOTATIONS: pa.Schema = pa.schema(
    [
        pa.field("event", pa.int64(), nullable=False, metadata=_KEY),
        pa.field("particle_id", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("author", pa.string(), nullable=False),
        pa.field("score", pa.float64()),
        pa.field("time", _TIME, nullable=False),
    ]
)
"""Annotation events, numbered from 1 in the order in which they were made."""
