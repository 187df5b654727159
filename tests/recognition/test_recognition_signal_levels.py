"""Gains, sizes and blur of a run are told, whatever species it holds: doctor warns of them, and naming corrects."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from seston.instruments import find_sources, read
from seston.particle import Particle, Sample
from seston.recognition import Gallery, Model, doctor, identify
from seston.recognition.level_checks import Known, level_verdicts
from seston.recognition.levelling import Levels, levelled, read_levels, write_levels
from seston.recognition.run_levels import learn_levels
from seston.recognition.signal_levels import RunLook, SignalLevels, learn_signals, look_at_run, without_gains
from seston.simulate import RunSettings, simulate, simulate_settings, species_table
from seston.store import DataSet, open_data_set
from seston.training import untrained_run

_NAMES = [species.name for species in species_table()]
_SIGNALS, _PICTURES, _FLOW = (
    "signals are as strong as elsewhere",
    "pictures are as large, sharp and bright as elsewhere",
    "the flow is as fast as elsewhere",
)
_SETTINGS = (
    RunSettings("same", draw=1),
    RunSettings("strong", draw=1, gain=2.0),
    RunSettings("weak red", draw=1, channel_gains={"FL Red": 0.4}),
    RunSettings("few species", draw=1, abundances=dict.fromkeys(_NAMES[::3], 1.0)),
    RunSettings("few strong", draw=1, abundances=dict.fromkeys(_NAMES[::3], 1.0), gain=2.0),
    RunSettings("large", draw=1, scale=1.3),
    RunSettings("blurred dark", draw=1, blur=3.0, background=0.6),
    RunSettings("slow", draw=1, flow_speed=0.7),
)


@dataclass(frozen=True)
class Runs:
    """Three ordinary runs, and what was measured under stated settings like those of the first."""

    folder: Path
    particles: dict[str, list[Particle]]
    ordinary: tuple[str, ...]
    detector_levels: dict[str, dict[str, float]]
    looks: dict[str, RunLook]
    levels: SignalLevels

    def of(self, name: str) -> list[Particle]:
        return next(of for sample, of in self.particles.items() if f" {name} " in sample)

    def look(self, name: str) -> RunLook:
        return next(of for sample, of in self.looks.items() if f" {name} " in sample)

    def verdicts(self, name: str) -> dict[str, tuple[bool | None, str]]:
        return level_verdicts({name: self.look(name)}, {}, Known(self.levels, {}, "the gallery's runs"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("runs")
    ordinary = simulate(folder / "ordinary", particles=120, runs=3, seed=0).samples
    simulate_settings(folder / "stated", _SETTINGS, particles=120, seed=0)
    particles: dict[str, list[Particle]] = {}
    detectors: dict[str, dict[str, float]] = {}
    for source in find_sources([folder])[0]:
        for record in read(source):
            if isinstance(record, Particle):
                particles.setdefault(record.sample_id, []).append(record)
            elif isinstance(record, Sample):
                detectors[record.id] = dict(record.detector_levels)
    looks = {sample: look_at_run(of) for sample, of in particles.items()}
    levels = learn_signals({sample: looks[sample] for sample in ordinary})
    assert levels is not None
    return Runs(folder, particles, ordinary, detectors, looks, levels)


def _gains(runs: Runs, name: str) -> dict[str, float]:
    plain, here = (runs.levels.compare(runs.look(one)) for one in ("same", name))
    assert plain is not None
    assert here is not None
    return {channel: gain / plain.gains[channel] for channel, gain in here.gains.items()}


@pytest.mark.parametrize("name", ["strong", "few strong"])
def test_a_gain_is_told_whatever_species_there_are(runs: Runs, name: str) -> None:
    gains = _gains(runs, name)
    assert gains["FWS"] == pytest.approx(2.0, rel=0.25)
    assert gains["SWS"] == pytest.approx(2.0, rel=0.25)


def test_other_species_are_no_gain(runs: Runs) -> None:
    assert all(gain == pytest.approx(1.0, rel=0.25) for gain in _gains(runs, "few species").values())


def test_the_gain_of_one_channel_is_told_apart(runs: Runs) -> None:
    gains = _gains(runs, "weak red")
    assert gains["FL Red"] == pytest.approx(0.4, rel=0.3)
    assert gains["SWS"] == pytest.approx(1.0, rel=0.15)


def test_size_flow_and_blur_are_told(runs: Runs) -> None:
    plain, large, slow, blurred = (
        runs.levels.compare(runs.look(name)) for name in ("same", "large", "slow", "blurred dark")
    )
    assert plain is not None
    assert large is not None
    assert slow is not None
    assert blurred is not None
    assert large.size / plain.size == pytest.approx(1.3, rel=0.1)
    assert slow.samples / plain.samples == pytest.approx(1 / 0.7, rel=0.15)
    assert blurred.sharpness < plain.sharpness - 0.8


def test_ordinary_runs_are_not_warned_of(runs: Runs) -> None:
    looks = {sample: runs.looks[sample] for sample in runs.ordinary}
    assert [ok for ok, _ in level_verdicts(looks, runs.detector_levels, None).values() if ok is False] == []
    for name in ("same", "few species"):
        assert all(ok is not False for ok, _ in runs.verdicts(name).values())


@pytest.mark.parametrize(
    ("name", "check", "said"),
    [
        ("strong", _SIGNALS, "FWS 1."),
        ("few strong", _SIGNALS, "SWS"),
        ("weak red", _SIGNALS, "FL Red 0."),
        ("large", _PICTURES, "times as large"),
        ("blurred dark", _PICTURES, "background of pictures is"),
        ("slow", _FLOW, "0.385 µm apart"),
    ],
)
def test_a_changed_run_is_warned_of(runs: Runs, name: str, check: str, said: str) -> None:
    ok, detail = runs.verdicts(name)[check]
    assert ok is False
    assert said in detail


def test_a_gain_that_the_detector_levels_tell_is_left_to_their_own_check(runs: Runs) -> None:
    looks = {"weak": runs.look("weak red")}
    of_gallery = {sample: {"FL Red": 85.0} for sample in runs.ordinary}
    known = Known(runs.levels, of_gallery, "the gallery's runs")
    verdicts = level_verdicts(looks, {"weak": {"FL Red": 77.0}}, known)
    assert verdicts[_SIGNALS][0] is True
    assert verdicts["detector levels equal the gallery's"][0] is False
    assert level_verdicts(looks, {"weak": {"FL Red": 85.0}}, known)[_SIGNALS][0] is False


def test_few_particles_and_runs_without_pictures_cannot_tell(runs: Runs) -> None:
    assert runs.levels.compare(look_at_run(runs.of("strong")[:30])) is None
    assert learn_signals({"a": look_at_run(runs.of("strong")[:30])}) is None
    blind = [Particle(id=one.id, sample_id=one.sample_id, profile=one.profile, profile_channels=one.profile_channels)
             for one in runs.of("strong")]  # fmt: skip
    assert runs.levels.compare(look_at_run(blind)) is None
    verdicts = level_verdicts({"blind": look_at_run(blind)}, {}, Known(runs.levels, {}, "the gallery's runs"))
    assert verdicts[_SIGNALS][0] is None


def test_without_gains_divides_light_and_nothing_else() -> None:
    profile = np.array([[2.0, 4.0], [1.0, 3.0]], np.float32)
    listmode = {"FWS Total": 6.0, "FWS Fill factor": 0.5, "FL Red Maximum": 3.0, "Sample Length": 2.0}
    one = Particle(
        id="s/1", sample_id="s", profile=profile, profile_channels=("FWS", "FL Red"), listmode=listmode, image=b"x"
    )
    less = without_gains(one, {"FWS": 2.0})
    assert less.profile is not None
    np.testing.assert_array_equal(less.profile, [[1, 2], [1, 3]])
    assert dict(less.listmode) == {
        "FWS Total": 3.0,
        "FWS Fill factor": 0.5,
        "FL Red Maximum": 3.0,
        "Sample Length": 2.0,
    }
    assert less.image == b"x"
    assert without_gains(one, {}) is one


def _model(runs: Runs, folder: Path) -> tuple[DataSet, Model]:
    torch.set_num_threads(1)
    data = open_data_set(folder / "data", create=True)
    data.import_([runs.folder / "ordinary"])
    return data, Model(untrained_run(data, "tiny"))


@pytest.fixture(scope="module")
def world(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> tuple[DataSet, Model, Gallery]:
    data, model = _model(runs, tmp_path_factory.mktemp("world"))
    return data, model, Gallery.from_dataset(data, model, per_class=8)


def test_naming_a_stronger_run_names_it_as_the_same_run_at_its_own_level(
    runs: Runs, world: tuple[DataSet, Model, Gallery], tmp_path: Path
) -> None:
    data, model, gallery = world
    plain = Gallery.from_dataset(data, model, per_class=8, as_measured=True)
    assert plain.levels is None
    gallery.save(tmp_path / "gallery")
    right = {}
    for name, used in (("levelled", Gallery.load(tmp_path / "gallery")), ("as measured", plain)):
        folder = next(path for path in (runs.folder / "stated").iterdir() if " strong " in path.name)
        named = identify([folder], gallery=used).particles
        of = {one.id: one.raw_label for one in runs.of("strong")}
        assert [one.id for one in named] == list(of)
        right[name] = np.mean([one.label == of[one.id] for one in named])
    assert right["levelled"] > right["as measured"]


def test_levels_are_kept_with_the_gallery(runs: Runs, world: tuple[DataSet, Model, Gallery], tmp_path: Path) -> None:
    levels = world[2].levels
    assert levels is not None
    write_levels(levels, tmp_path)
    kept = read_levels(tmp_path)
    assert kept is not None
    assert kept.gains_of(runs.of("strong")) == levels.gains_of(runs.of("strong"))
    assert kept.gains_of(runs.of("strong"))["FWS"] > 1.4
    assert kept.gains_of(runs.of("same")[:20]) == {}
    assert read_levels(tmp_path / "nothing") is None


def test_particles_of_small_and_large_runs_come_in_their_order(
    runs: Runs, world: tuple[DataSet, Model, Gallery]
) -> None:
    _, model, gallery = world
    mixed = [*runs.of("same")[:7], *runs.of("strong"), *runs.of("slow")[:20], *runs.of("large")[:3]]
    parts = list(levelled(iter(mixed), model, gallery.levels, []))
    assert [one.id for part, _ in parts for one in part] == [one.id for one in mixed]
    assert [name for _, embeddings in parts for name in embeddings.ids] == [one.id for one in mixed]
    few = model.encode(mixed[:7])
    np.testing.assert_allclose(parts[0][1].profile[:7], few.profile, rtol=1e-4, atol=1e-5)  # too few to tell: as it is


def test_vectors_alone_are_levelled_where_no_run_has_pictures(
    runs: Runs, world: tuple[DataSet, Model, Gallery]
) -> None:
    embeddings = world[1].encode(runs.of("same"))
    vectors = learn_levels(embeddings, ["a"] * len(embeddings))
    assert vectors is not None
    assert Levels(vectors).gains_of(runs.of("strong")) == {}


def test_doctor_warns_of_a_run_of_twice_the_gain(
    runs: Runs, world: tuple[DataSet, Model, Gallery], tmp_path: Path
) -> None:
    gallery = world[2]
    for name, wanted in (("same", True), ("strong", False)):
        folder = next(path for path in (runs.folder / "stated").iterdir() if f" {name} " in path.name)
        checks = {check.name: check for check in doctor(folder, gallery)}
        assert checks[_SIGNALS].ok is wanted
        assert checks[_FLOW].ok
    assert "the gallery's runs" in checks[_SIGNALS].detail
    shutil.copytree(world[0].path, tmp_path / "data")
    data = open_data_set(tmp_path / "data")
    assert [check.name for check in doctor(data) if check.ok is False] == []
    data.import_([folder])
    assert [check.name for check in doctor(data) if check.ok is False] == [_SIGNALS]
