"""Naming particles: vectors of an encoder, a gallery of labelled particles, names, counts, and checks of the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names

if TYPE_CHECKING:
    from seston.recognition.abundance import CountRow, count
    from seston.recognition.checks import Check, doctor
    from seston.recognition.choosing import choose_model
    from seston.recognition.classical import ClassicalModel
    from seston.recognition.classifiers import CLASSIFIERS
    from seston.recognition.embeddings import Embeddings
    from seston.recognition.encoder import Encoder, Model, embed, load
    from seston.recognition.gallery import Gallery
    from seston.recognition.identification import IdentifyResult, identify
    from seston.recognition.naming import Identification

_WHERE = {
    "CLASSIFIERS": "classifiers",
    "Check": "checks",
    "ClassicalModel": "classical",
    "CountRow": "abundance",
    "Embeddings": "embeddings",
    "Encoder": "encoder",
    "Gallery": "gallery",
    "Identification": "naming",
    "IdentifyResult": "identification",
    "Model": "encoder",
    "choose_model": "choosing",
    "count": "abundance",
    "doctor": "checks",
    "embed": "encoder",
    "identify": "identification",
    "load": "encoder",
}

__all__ = [
    "CLASSIFIERS",
    "Check",
    "ClassicalModel",
    "CountRow",
    "Embeddings",
    "Encoder",
    "Gallery",
    "Identification",
    "IdentifyResult",
    "Model",
    "choose_model",
    "count",
    "doctor",
    "embed",
    "identify",
    "load",
]


__getattr__ = late_names(__name__, _WHERE)


def __dir__() -> list[str]:
    return sorted(__all__)
