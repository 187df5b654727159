"""The table of species, and the pairs that only one modality tells apart."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from seston.errors import UsageError
from seston.features.picture import picture_features
from seston.features.pulse import pulse_features
from seston.simulate import look_alikes, species_table
from seston.simulate.across import ARRANGEMENTS
from seston.simulate.along import FORMS
from seston.simulate.conditions import draw_conditions
from seston.simulate.optics import LAYOUTS, PIGMENTS
from seston.simulate.particle import EXPORTED_CHANNELS, draw_particle
from seston.simulate.picture import make_camera
from seston.simulate.species import choose_species

Features = NDArray[np.float64]
PICTURE_PAIRS, PROFILE_PAIRS = look_alikes("picture"), look_alikes("profile")
EACH, RUNS = 112, 4


def test_there_are_at_least_20_species_and_each_name_says_that_it_is_simulated() -> None:
    table = species_table()
    assert len(table) >= 20
    assert len({species.name for species in table}) == len(table)
    assert all(species.name.endswith(" (simulated)") for species in table)


def test_each_species_is_made_of_known_parts_and_says_where_its_sizes_come_from() -> None:
    for species in species_table():
        assert species.along.form in FORMS
        assert species.across.form in ARRANGEMENTS
        assert species.optics.pigment in PIGMENTS
        assert species.optics.layout in LAYOUTS
        assert species.along.source
        assert species.imitates


def test_no_form_arrangement_pigment_or_layout_is_idle() -> None:
    table = species_table()
    assert {species.along.form for species in table} == set(FORMS)
    assert {species.across.form for species in table} == set(ARRANGEMENTS)
    assert {species.optics.pigment for species in table} == set(PIGMENTS)
    assert {species.optics.layout for species in table} == set(LAYOUTS)


def test_at_least_four_pairs_each_way_share_all_but_one_group_of_facts() -> None:
    table = {species.name: species for species in species_table()}
    assert len(PICTURE_PAIRS) >= 4
    assert len(PROFILE_PAIRS) >= 4
    for one, other in PICTURE_PAIRS:
        assert table[one].along == table[other].along
        assert table[one].optics == table[other].optics
        assert table[one].across != table[other].across
    for one, other in PROFILE_PAIRS:
        assert table[one].along == table[other].along
        assert table[one].across == table[other].across
        assert table[one].optics != table[other].optics
    members = [name for pair in (*PICTURE_PAIRS, *PROFILE_PAIRS) for name in pair]
    assert len(members) == len(set(members))


def test_one_modality_alone_cannot_name_more_than_85_percent() -> None:
    for pairs in (PICTURE_PAIRS, PROFILE_PAIRS):
        assert 1 - len(pairs) / len(species_table()) < 0.85


def test_an_empty_choice_of_species_is_refused() -> None:
    with pytest.raises(UsageError, match="no species"):
        choose_species([])


@pytest.fixture(scope="module")
def measured() -> dict[str, tuple[Features, Features]]:
    """Give picture features and pulse features of some particles of each species in a pair, from several runs."""
    tables: dict[str, tuple[list[list[float]], list[list[float]]]] = {}
    chosen = choose_species(name for pair in (*PICTURE_PAIRS, *PROFILE_PAIRS) for name in pair)
    for run in range(RUNS):
        rng = np.random.default_rng((77, run))
        conditions = draw_conditions(species_table(), rng)
        camera = make_camera(conditions, rng)
        for species in chosen:
            pictures, pulses = tables.setdefault(species.name, ([], []))
            for _ in range(EACH // RUNS):
                drawn = draw_particle(species, conditions, camera, rng)
                pictures.append(list(picture_features(drawn.picture).values()))
                pulses.append(list(pulse_features(drawn.profile, EXPORTED_CHANNELS, 0.55, 5.0).values()))
    return {name: (np.array(pictures), np.array(pulses)) for name, (pictures, pulses) in tables.items()}


def _told_apart(one: Features, other: Features) -> float:
    """Give how often shrinkage LDA on measured features names held-out particles of two species rightly."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table = np.nan_to_num(np.concatenate((one, other)))
    names = np.repeat((0, 1), (len(one), len(other)))
    rule = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
    folds = StratifiedKFold(8, shuffle=True, random_state=0)
    return float(cross_val_score(rule, table, names, cv=folds).mean())


@pytest.mark.parametrize("pair", PICTURE_PAIRS, ids=lambda pair: pair[1].split(" (")[0])
def test_only_the_picture_tells_these_apart(
    measured: dict[str, tuple[Features, Features]], pair: tuple[str, str]
) -> None:
    one, other = (measured[name] for name in pair)
    assert _told_apart(one[0], other[0]) > 0.9
    assert 0.38 < _told_apart(one[1], other[1]) < 0.62


@pytest.mark.parametrize("pair", PROFILE_PAIRS, ids=lambda pair: pair[1].split(" (")[0])
def test_only_the_profile_tells_these_apart(
    measured: dict[str, tuple[Features, Features]], pair: tuple[str, str]
) -> None:
    one, other = (measured[name] for name in pair)
    assert _told_apart(one[1], other[1]) > 0.9
    assert 0.38 < _told_apart(one[0], other[0]) < 0.62


def test_look_alikes_have_the_same_profile_for_the_same_draw() -> None:
    from dataclasses import replace

    from seston.simulate.along import draw_slices
    from seston.simulate.detector import record
    from seston.simulate.optics import emit

    table = {species.name: species for species in species_table()}
    conditions = replace(draw_conditions(species_table(), np.random.default_rng(0)), companions=0.0)
    for pair in PICTURE_PAIRS:
        records = []
        for name in pair:
            rng = np.random.default_rng(5)
            slices = draw_slices(table[name].along, rng, 0.3)
            records.append(record(emit(table[name].optics, slices, rng), 0.3, slices.tilt[1], conditions, rng))
        assert records[0] is not None
        np.testing.assert_array_equal(records[0], records[1])


def test_sizes_overlap_so_widely_that_size_alone_names_little(measured: dict[str, tuple[Features, Features]]) -> None:
    """Name by area of the picture and length of the profile alone, by the nearest of all particles."""
    from sklearn.model_selection import cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    sizes = np.concatenate([np.column_stack((pictures[:, 0], pulses[:, 0])) for pictures, pulses in measured.values()])
    names = np.repeat(np.arange(len(measured)), EACH)
    assert cross_val_score(KNeighborsClassifier(15), sizes, names, cv=4).mean() < 0.3
