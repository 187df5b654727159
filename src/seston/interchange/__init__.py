"""Data sets in the forms that others read: EcoTaxa, Darwin Core, the Hugging Face Hub, WebDataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names

if TYPE_CHECKING:
    from seston.interchange.darwin_core import export_darwin_core
    from seston.interchange.ecotaxa import export_ecotaxa
    from seston.interchange.hub_models import FetchedModel, PushedModel, fetch_model, push_model
    from seston.interchange.huggingface import export_huggingface
    from seston.interchange.sharding import ExportReport
    from seston.interchange.webdataset import export_webdataset

__all__ = [
    "ExportReport",
    "FetchedModel",
    "PushedModel",
    "export_darwin_core",
    "export_ecotaxa",
    "export_huggingface",
    "export_webdataset",
    "fetch_model",
    "push_model",
]

__getattr__ = late_names(
    "seston.interchange",
    {
        "ExportReport": "sharding",
        "FetchedModel": "hub_models",
        "PushedModel": "hub_models",
        "export_darwin_core": "darwin_core",
        "export_ecotaxa": "ecotaxa",
        "export_huggingface": "huggingface",
        "export_webdataset": "webdataset",
        "fetch_model": "hub_models",
        "push_model": "hub_models",
    },
)


def __dir__() -> list[str]:
    return sorted(__all__)
