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
    from seston.recognition.compiled import Compiled, compile_model
    from seston.recognition.embeddings import Embeddings
    from seston.recognition.encoder import Encoder, Model, embed, load
    from seston.recognition.gallery import Gallery
    from seston.recognition.identification import IdentifyResult, identify
    from seston.recognition.model_list import ListedModel, list_models
    from seston.recognition.naming import Identification
    from seston.recognition.onnx_model import OnnxModel
    from seston.recognition.suggestion import Suggestion, SuggestResult, suggest

_WHERE = {
    "CLASSIFIERS": "classifiers",
    "Check": "checks",
    "ClassicalModel": "classical",
    "Compiled": "compiled",
    "CountRow": "abundance",
    "Embeddings": "embeddings",
    "Encoder": "encoder",
    "Gallery": "gallery",
    "Identification": "naming",
    "IdentifyResult": "identification",
    "ListedModel": "model_list",
    "Model": "encoder",
    "OnnxModel": "onnx_model",
    "SuggestResult": "suggestion",
    "Suggestion": "suggestion",
    "choose_model": "choosing",
    "compile_model": "compiled",
    "count": "abundance",
    "doctor": "checks",
    "embed": "encoder",
    "identify": "identification",
    "list_models": "model_list",
    "load": "encoder",
    "suggest": "suggestion",
}

__all__ = [
    "CLASSIFIERS",
    "Check",
    "ClassicalModel",
    "Compiled",
    "CountRow",
    "Embeddings",
    "Encoder",
    "Gallery",
    "Identification",
    "IdentifyResult",
    "ListedModel",
    "Model",
    "OnnxModel",
    "SuggestResult",
    "Suggestion",
    "choose_model",
    "compile_model",
    "count",
    "doctor",
    "embed",
    "identify",
    "list_models",
    "load",
    "suggest",
]


__getattr__ = late_names(__name__, _WHERE)


def __dir__() -> list[str]:
    return sorted(__all__)
