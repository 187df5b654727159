"""A head that begins with discriminants names as scikit-learn's linear discriminant analysis does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import nn

from seston.models.classifier import ClassifierModel
from seston.models.config import ImageTowerConfig, Inputs, ModelConfig
from seston.training.discriminants import begin_with_discriminants
from seston.training.frozen_features import FrozenFeatures, standardise

_INPUTS = Inputs(
    picture_size=16, picture_channels=1, picture_sizes=0, profile_channels=0, profile_length=8, profile_sizes=0
)
_CLASSES, _EACH, _WIDTH = 5, 40, 12
_NONE = np.zeros(0, np.int64)


def _model() -> ClassifierModel:
    image = ImageTowerConfig(width=4, blocks=(1,), features=_WIDTH)
    model = ClassifierModel(ModelConfig(image=image), _INPUTS, _CLASSES, bottleneck=False).eval()
    model.image_tower = nn.Identity()  # features are given here, and norms are refused
    return model


def _features(seed: int) -> tuple[FrozenFeatures, NDArray[np.int64]]:
    """Give clouds that lie long and askew, so that the nearest mean is often wrong."""
    chance = np.random.default_rng(seed)
    targets = np.repeat(np.arange(_CLASSES), _EACH)
    mixed = chance.normal(size=(_WIDTH, _WIDTH)) * np.geomspace(0.1, 3, _WIDTH)[:, None]
    features = 2 * chance.normal(size=(_CLASSES, _WIDTH))[targets] + chance.normal(size=(len(targets), _WIDTH)) @ mixed
    return FrozenFeatures(features[None].astype(np.float16), np.zeros((0, _WIDTH), np.float16)), targets


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_names_as_discriminant_analysis_with_half_shrinkage_does(seed: int) -> None:
    found, targets = _features(seed)
    model = _model()
    standardise(model, found)
    begin_with_discriminants(model, found, targets, _NONE, None)
    seen = torch.from_numpy(found.train[0].astype(np.float32))
    with torch.no_grad():
        named = model.logits(seen).argmax(dim=1).numpy()
    standardised = ((seen - model.feature_mean) / model.feature_scale).numpy()
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5).fit(standardised, targets).predict(standardised)
    assert (named == theirs).mean() >= 0.99
    assert 0.5 < (named == targets).mean() < 1


def test_classes_that_are_shown_more_often_are_likelier() -> None:
    found, targets = _features(0)
    model = _model()
    weights = np.where(targets == 2, 8.0, 1.0)
    begin_with_discriminants(model, found, targets, _NONE, None)
    alike = model.state_dict()["head.bias"].clone()
    begin_with_discriminants(model, found, targets, _NONE, weights)
    assert (model.state_dict()["head.bias"] - alike).argmax() == 2


def test_answers_are_as_sharp_as_held_out_particles_bear_out() -> None:
    found, targets = _features(0)
    losses = {}
    for name, held in (("right", targets), ("wrong", np.roll(targets, _EACH))):
        both = FrozenFeatures(found.train, found.train[0])
        model = _model()
        begin_with_discriminants(model, both, targets, held, None)
        with torch.no_grad():
            scores = model.logits(torch.from_numpy(found.train[0].astype(np.float32)))
        losses[name] = float(nn.functional.cross_entropy(scores, torch.from_numpy(held)))
    assert losses["right"] < losses["wrong"] < np.log(_CLASSES) + 0.2
