"""The term between particles and contexts, against slow second implementations in plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from seston.models.config import ContextTowerConfig, ImageTowerConfig, Inputs, ModelConfig
from seston.models.contexts import PARTS, Contexts, context_features, context_rows, known_parts
from seston.models.crossmodal import CrossModalModel
from seston.training.context_noise import contradictions, differ, disturbed, says_enough
from seston.training.context_objective import ContextTargets, context_loss, context_relations
from seston.training.context_settings import ContextSettings
from seston.training.randomness import particle_keys

_PLACES = (
    (54.0, 8.0, 5.0, "2024-06-01T10:00"),
    (54.0, 8.0, 5.0, "2024-06-01T10:00"),
    (54.5, 8.5, np.nan, "2023-06-10T11:00"),
    (-60.0, 179.9, 300.0, "2024-12-30T12:00"),
    (-60.0, -179.9, 200.0, "2025-01-03T11:00"),
    (np.nan, np.nan, 5.0, "2024-12-31T12:00"),
    (np.nan, np.nan, 5.0, "NaT"),
    (54.0, 8.0, 5.0, "2024-06-01T20:00"),
)
_SAMPLES = (0, 0, 1, 2, 3, 4, 5, 6)
_SETTINGS = ContextSettings()


def _contexts() -> Contexts:
    latitude, longitude, depth = np.array([place[:3] for place in _PLACES]).T
    return context_rows(latitude, longitude, depth, np.array([place[3] for place in _PLACES], "datetime64[us]"))


def _contradict(one: int, other: int) -> bool:
    """Reckon on degrees and dates, part by part."""
    (lat, lon, deep, when), (lat2, lon2, deep2, when2) = _PLACES[one], _PLACES[other]
    found = False
    both = not math.isnan(lat) and not math.isnan(lat2)
    if both:
        a, b, c, d = (math.radians(value) for value in (lat, lon, lat2, lon2))
        half = math.sin((a - c) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((b - d) / 2) ** 2
        found |= 2 * 6371.0 * math.asin(math.sqrt(half)) > 200
    if when != "NaT" and when2 != "NaT":
        one_day, other_day = (
            float((np.datetime64(time) - np.datetime64(time[:4])) / np.timedelta64(1, "D")) for time in (when, when2)
        )
        way = abs(one_day - other_day)
        found |= min(way, 365.2425 - way) > 20
        if both:
            hours = [
                (float((np.datetime64(time) - np.datetime64(time[:10])) / np.timedelta64(1, "h")) + east / 15) % 24
                for time, east in ((when, lon), (when2, lon2))
            ]
            way = abs(hours[0] - hours[1])
            found |= min(way, 24 - way) > 3
    if not math.isnan(deep) and not math.isnan(deep2):
        found |= abs(math.log1p(deep) - math.log1p(deep2)) > 1
    return bool(found)


def test_contradictions_are_those_of_degrees_and_dates() -> None:
    rows = _contexts()
    slow = [[_contradict(one, other) for other in range(len(rows))] for one in range(len(rows))]
    assert contradictions(rows, rows, _SETTINGS).tolist() == slow
    assert contradictions(torch.from_numpy(rows), torch.from_numpy(rows), _SETTINGS).tolist() == slow
    assert slow[3][4] is False  # four days and 20 km apart, across the date line and the new year
    assert slow[0][7] is True  # the same place, ten hours later


def test_particles_of_a_sample_are_positives_and_never_negatives_of_each_other() -> None:
    rows, sample = torch.from_numpy(_contexts()), torch.tensor(_SAMPLES)
    positive, negative = context_relations(sample, rows, rows, _SETTINGS)
    assert positive[0, 1]
    assert positive.diagonal().all()
    assert not (positive & negative).any()
    assert not positive[0, 2]  # near, but of another sample: neither
    assert not negative[0, 2]
    assert negative[0, 3]
    together, apart = context_relations(torch.zeros_like(sample), rows, rows, _SETTINGS)
    assert not apart.any()
    assert not together[0, 3]  # of one sample, and far apart within it: neither


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_the_loss_equals_its_formula_pair_by_pair(kind: str) -> None:
    torch.manual_seed(0)
    inputs = Inputs(
        picture_size=16, picture_channels=1, picture_sizes=0, profile_channels=1, profile_length=64, profile_sizes=0,
        context=True,
    )  # fmt: skip
    tower = ContextTowerConfig(width=8, layers=1)
    config = ModelConfig(
        image=ImageTowerConfig(width=4, blocks=(1,)), embedding=6, hidden=6, within=0, fused=False, context=tower
    )
    model = CrossModalModel(config, inputs)
    assert model.context is not None
    with torch.no_grad():
        model.context.logit_bias.fill_(-2.0)
    rows, keys = _contexts(), particle_keys([str(number) for number in range(len(_PLACES))])
    vectors = functional.normalize(torch.randn(len(rows), 6), dim=1)
    present = torch.ones(len(rows), dtype=torch.bool)
    present[2] = False
    targets = ContextTargets(_SETTINGS, tower, tuple(PARTS), kind, rows, rows)
    given = context_loss(model, vectors, present, rows, torch.tensor(_SAMPLES), keys, targets, (3, 1))

    shown = disturbed(rows, keys, _SETTINGS, (3, 1))
    told = model.encode_contexts(torch.from_numpy(context_features(shown, 2, 1)))
    part = [0, 1, 3, 4, 5, 7]  # all but the one without a picture and the one of unknown place and season
    scale, bias = 1 / 0.07, -2.0
    logit = {
        (i, j): scale * (vectors[i] @ told[j]).item() + (bias if kind == "siglip" else 0) for i in part for j in part
    }
    apart = contradictions(rows, shown, _SETTINGS)
    relation = {
        (i, j): 1 if i == j or (_SAMPLES[i] == _SAMPLES[j] and not apart[i, j])
        else -1 if apart[i, j] and _SAMPLES[i] != _SAMPLES[j] else 0
        for i in part for j in part
    }  # fmt: skip
    if kind == "siglip":
        alike = {j: sum(relation[i, j] == 1 for i in part) for j in part}
        terms = (math.log1p(math.exp(-sign * logit[i, j])) / alike[j] for (i, j), sign in relation.items() if sign)
        slow = sum(terms) / len(part)
    else:
        slow = 0.0
        for of_context in (False, True):
            for i in part:
                row = [(j, i) if of_context else (i, j) for j in part]
                below = sum(math.exp(logit[pair]) for pair in row if relation[pair] != 0)
                own = [pair for pair in row if relation[pair] == 1]
                slow -= sum(math.log(math.exp(logit[pair]) / below) for pair in own) / len(own) / len(part) / 2
    assert given.item() == pytest.approx(slow, abs=1e-4)
    given.backward()  # type: ignore[no-untyped-call]  # untyped in torch
    absent = torch.zeros_like(present)
    nothing = context_loss(model, vectors, absent, rows, torch.tensor(_SAMPLES), keys, targets, (0,))
    assert nothing.item() == 0


def test_noise_blurs_within_its_bounds_and_depends_on_particle_and_purpose_alone() -> None:
    rows = np.repeat(_contexts()[:1], 4000, axis=0)
    keys = particle_keys([str(number) for number in range(4000)])
    first = disturbed(rows, keys, _SETTINGS, (0, 0))
    assert np.array_equal(first[:10], disturbed(rows[:10], keys[:10], _SETTINGS, (0, 0)), equal_nan=True)
    assert not np.array_equal(first, disturbed(rows, keys, _SETTINGS, (0, 1)), equal_nan=True)
    assert (1 - known_parts(first).mean(axis=0))[2:] == pytest.approx(0.2, abs=0.03)
    assert says_enough(first).all()
    known = first[known_parts(first)[:, :2].all(axis=1)]
    assert np.linalg.norm(known[:, :3], axis=1) == pytest.approx(1)
    away = 6371 * np.arccos(np.clip(known[:, :3] @ rows[0, :3], -1, 1))
    assert np.sqrt((away**2).mean() / 2) == pytest.approx(50, rel=0.05)
    assert np.std((known[:, 3] - rows[0, 3]) * 365.2425) == pytest.approx(5, rel=0.05)
    still = disturbed(rows, keys, ContextSettings(jitter=0.0, hide=0.0), (0, 0))
    assert still == pytest.approx(rows)


def test_one_place_and_season_do_not_differ() -> None:
    rows = _contexts()
    assert differ(rows, _SETTINGS)
    assert not differ(rows[:3], _SETTINGS)
    assert not differ(rows[6:7], _SETTINGS)
    assert not differ(rows[:0], _SETTINGS)
