"""Simulated runs on disk, read back by Seston's own readers."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from seston.errors import UsageError
from seston.features.listmode_formulas import cytoclus_parameters
from seston.instruments import Record, decode_image, find_sources, read
from seston.particle import Note, Particle, Sample, Skipped
from seston.simulate import SimulationReport, simulate, species_table
from seston.simulate.runs import plan_runs

PARTICLES, RUNS = 48, 2


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SimulationReport]:
    folder = tmp_path_factory.mktemp("simulated")
    return folder, simulate(folder, particles=PARTICLES, runs=RUNS, seed=5)


@pytest.fixture(scope="module")
def records(simulated: tuple[Path, SimulationReport]) -> list[list[Record]]:
    sources, claims = find_sources([simulated[0]])
    assert [claim for claim in claims if claim.reader is None] == []
    return [list(read(source)) for source in sources]


def _all_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_reader_finds_every_particle_with_picture_profile_and_label(
    records: list[list[Record]], simulated: tuple[Path, SimulationReport]
) -> None:
    report = simulated[1]
    assert report.particles == PARTICLES * RUNS
    assert len(records) == RUNS
    for run in records:
        particles = [one for one in run if isinstance(one, Particle)]
        assert not [one for one in run if isinstance(one, Skipped)]
        assert len(particles) == PARTICLES
        assert all(one.image is not None and one.profile is not None and one.listmode for one in particles)
        assert {one.raw_label for one in particles} == {species.name for species in species_table()}
        assert {one.profile_spacing_um for one in particles} == {0.55}


def test_samples_carry_the_word_simulated_and_a_volume_that_counts(
    records: list[list[Record]], simulated: tuple[Path, SimulationReport]
) -> None:
    samples = [one for run in records for one in run if isinstance(one, Sample)]
    assert {one.id for one in samples} == set(simulated[1].samples)
    for sample in samples:
        assert sample.flags == ("simulated",)
        assert sample.volume_analysed_ml is not None
        assert sample.n_recorded == PARTICLES
        assert 5 < PARTICLES / sample.volume_analysed_ml / 1000 < 50
        assert sample.detector_levels.keys() == {"SWS", "FL Yellow", "FL Orange", "FL Red"}


def test_no_part_of_an_export_contradicts_another(records: list[list[Record]]) -> None:
    texts = [one.text for run in records for one in run if isinstance(one, Note)]
    assert not [text for text in texts if "differ" in text or "disagree" in text or "missing" in text]


def test_listmode_agrees_with_parameters_recomputed_from_the_pulses(
    records: list[list[Record]],
) -> None:
    for run in records:
        for one in [one for one in run if isinstance(one, Particle)][:12]:
            assert one.profile is not None
            again = cytoclus_parameters(one.profile, one.profile_channels, 0.55, 5.0)
            for name in ("FWS Length", "FWS Total", "SWS Inertia", "FL Red Number of cells", "FL Red Asymmetry"):
                assert one.listmode[name] == pytest.approx(again[name], rel=4e-3, abs=2e-3), name


def test_picture_sides_are_multiples_of_80_pixels(records: list[list[Record]]) -> None:
    for run in records:
        for one in run:
            if isinstance(one, Particle):
                assert one.image is not None
                height, width = decode_image(one.image, grey=True).shape
                assert height % 80 == width % 80 == 0


def test_records_are_made_of_stored_bytes_in_fours_above_the_floor(
    records: list[list[Record]],
) -> None:
    for run in records:
        for one in run:
            if isinstance(one, Particle):
                assert one.profile is not None
                assert one.profile.shape[1] % 4 == 0
                assert one.profile[:5].min() >= 0.5 - 1e-6
                assert abs(one.profile[5].mean()) < 1e-3  # curvature is less its own mean


def test_the_word_simulated_stands_in_every_file_name_and_in_info_and_labels(
    simulated: tuple[Path, SimulationReport],
) -> None:
    for path in simulated[1].files:
        assert path.name.startswith("Simulated seed5 run0")
        if path.name.endswith("_Info.txt"):
            assert "User Comments: simulated by Seston" in path.read_text(encoding="utf-8-sig")
        if path.name.endswith("_labels.csv"):
            text = path.read_text(encoding="utf-8-sig")
            rows = list(csv.DictReader(io.StringIO(text), delimiter=";" if ";" in text else ","))
            assert {row["origin"] for row in rows} == {"simulated"}
            assert all(row["label"].endswith("(simulated)") for row in rows)


def test_english_and_french_runs_have_the_layout_of_real_exports(simulated: tuple[Path, SimulationReport]) -> None:
    english, french = (
        {path.name.rsplit("_", 1)[1]: path for path in simulated[1].files if f"run0{run}" in path.name}
        for run in (1, 2)
    )
    first, second = english["Listmode.csv"].read_bytes(), french["Listmode.csv"].read_bytes()
    assert first.startswith(b"\xef\xbb\xbfParticle ID,Sample Length,Arrival Time,FWS Length,")
    assert second.startswith(b"Particle ID;Sample Length;Arrival Time;FWS Length;")
    assert first.split(b"\r\n")[0].count(b",") == 72
    assert second.split(b"\r\n")[0].count(b";") == 80
    assert english["Images"].is_dir()
    assert french["Images.zip"].is_file()
    assert b",2\r\n" in french["Info.txt"].read_bytes()  # Core speed: 2,2


def test_two_zero_rows_end_each_profile(simulated: tuple[Path, SimulationReport]) -> None:
    pulses = next(path for path in simulated[1].files if path.name.endswith("_Pulses.csv"))
    rows = pulses.read_bytes().decode("utf-8-sig").split("\r\n")
    assert rows.count("0,0,0,0,0,0,0") == 2 * PARTICLES
    assert rows[-3:] == ["0,0,0,0,0,0,0", "0,0,0,0,0,0,0", ""]
    digits = [len(field.split("E")[0].lstrip("-0.").replace(".", "")) for field in rows[5].split(",")[1:]]
    assert max(digits) <= 4


def test_the_same_seed_gives_the_same_bytes_and_more_runs_change_nothing(tmp_path: Path) -> None:
    simulate(tmp_path / "one", particles=6, runs=1, seed=3)
    simulate(tmp_path / "two", particles=6, runs=2, seed=3, workers=2)
    one, two = _all_bytes(tmp_path / "one"), _all_bytes(tmp_path / "two")
    assert one
    assert {name: two[name] for name in one} == one
    assert len(two) > len(one)


def test_another_seed_gives_other_particles(tmp_path: Path) -> None:
    first = simulate(tmp_path, particles=4, runs=1, seed=1)
    second = simulate(tmp_path, particles=4, runs=1, seed=2)
    assert not set(first.samples) & set(second.samples)
    pulses = [next(path for path in report.files if "Pulses" in path.name) for report in (first, second)]
    assert pulses[0].read_bytes() != pulses[1].read_bytes()


def test_chosen_species_come_alone(tmp_path: Path) -> None:
    name = "Fictomonas rubra (simulated)"
    report = simulate(tmp_path, particles=3, runs=1, species=[name])
    assert report.species == (name,)


def test_a_misspelt_species_is_answered_with_the_right_word(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'Fictomonas rubra"):
        simulate(tmp_path, species=["Fictomonas rubr (simulated)"])


@pytest.mark.parametrize(("word", "value"), [("particles", 0), ("runs", 0), ("seed", -1)])
def test_numbers_that_make_nothing_are_refused(tmp_path: Path, word: str, value: int) -> None:
    with pytest.raises(UsageError, match=f"{word} is {value}"):
        simulate(tmp_path, **{word: value})  # type: ignore[arg-type]  # one keyword at a time


def test_a_run_that_is_there_is_overwritten_only_where_asked(tmp_path: Path) -> None:
    simulate(tmp_path, particles=2, runs=1)
    before = _all_bytes(tmp_path)
    with pytest.raises(UsageError, match="is there already"):
        simulate(tmp_path, particles=5, runs=1)
    assert _all_bytes(tmp_path) == before
    simulate(tmp_path, particles=5, runs=1, overwrite=True)
    assert len(_all_bytes(tmp_path)) == len(before) + 3


class _StopsHalfway:
    """A progress whose owner gives up after some particles."""

    def __init__(self, after: int) -> None:
        self.left = after

    def start(self, what: str, total: float | None = None) -> None:
        pass

    def advance(self, amount: float = 1, detail: str = "") -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt

    def note(self, text: str) -> None:
        pass

    def finish(self) -> None:
        pass


def test_an_interrupted_simulation_leaves_whole_runs_only(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path, particles=4, runs=2, progress=_StopsHalfway(6))
    plans = plan_runs(tmp_path, origin="simulated", runs=2, seed=0)
    assert plans[0].folder.is_dir()
    assert not plans[1].folder.exists()
    sources, _ = find_sources([tmp_path])
    assert len([one for source in sources for one in read(source) if isinstance(one, Particle)]) == 4


def test_progress_counts_every_particle(tmp_path: Path) -> None:
    progress = _StopsHalfway(10**6)
    simulate(tmp_path, particles=3, runs=2, progress=progress)
    assert 10**6 - progress.left == 6


def test_sizes_of_runs_need_not_divide_by_the_species(tmp_path: Path) -> None:
    report = simulate(tmp_path, particles=29, runs=1, seed=8)
    labels = next(path for path in report.files if path.name.endswith("_labels.csv"))
    rows = list(csv.DictReader(io.StringIO(labels.read_text(encoding="utf-8-sig"))))
    counts = np.unique([row["label"] for row in rows], return_counts=True)[1]
    assert len(counts) == 24
    assert set(counts.tolist()) == {1, 2}
