"""Names by the head of a supervised run: the narrowest that is right often enough, caution, and what a run keeps."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from seston.cli.call import call
from seston.errors import InputError, UsageError
from seston.interchange.hub_models import push_model
from seston.particle import Particle
from seston.recognition import Model, identify, load
from seston.recognition.caution import Caution
from seston.recognition.class_groups import KnownClass, group_classes
from seston.recognition.compiled import compile_model
from seston.recognition.encoder import stream_particles
from seston.recognition.head_names import HeadNamer
from seston.recognition.head_trust import HeadTrust, learn_trust
from seston.recognition.run_head import open_head
from seston.simulate import simulate, species_table
from seston.store import DataSet, open_data_set
from seston.training import load_run, train, untrained_run
from seston.training.held_out_answers import HELD_OUT_FILE, read_answers

TINY = (
    "pictures.size=32", "model.embedding=32", 'model.image={tower="conv", weights="random", width=8, blocks=[1, 1]}',
    "training.batch=24", "training.device=cpu", "training.precision=float32", "training.validation_steps=30",
    "training.validation_share=0.4", "training.ema=0.5", "augmentation.coarse=0.0", "augmentation.rotation=0",
    "augmentation.invert=0", "augmentation.blur=0", "optimiser.learning_rate=5e-3", "supervised.loss.smoothing=0",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """Two runs of an instrument in a data set, and a third beside it."""

    fresh: Path
    data: DataSet


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("head")
    names = [species.name for species in species_table()][:6]
    samples = simulate(folder / "files", particles=60, runs=3, seed=3, species=names).samples
    runs = [folder / "files" / sample for sample in samples]
    data = open_data_set(folder / "data", create=True)
    data.import_(runs[:2])
    return World(runs[2], data)


@pytest.fixture(scope="module")
def run(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a run that learnt the six species of the world."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("runs") / "run"
    train(world.data, recipe="supervised", to=folder, epochs=15, overrides=TINY)
    return folder


def test_a_run_keeps_what_it_answered_on_particles_that_it_had_not_seen(run: Path, world: World) -> None:
    loaded = load_run(run)
    assert loaded.classes is not None
    assert loaded.held_out is not None
    labels = world.data.labels(trusted=True)
    said = loaded.classify(list(stream_particles(world.data)))
    kept = np.exp(loaded.held_out.answers - loaded.held_out.answers.max(axis=1, keepdims=True))
    kept /= kept.sum(axis=1, keepdims=True)
    ids = world.data.ids()
    for shares, number in zip(kept, loaded.held_out.classes.tolist(), strict=True):
        row = int(np.abs(said - shares).max(axis=1).argmin())
        np.testing.assert_allclose(said[row], shares, atol=5e-3)
        assert labels[ids[row]] == loaded.classes.names[number]
    assert len(kept) + sum(loaded.classes.counts) == len(ids)
    assert "simulated" in loaded.held_out.flags
    assert f"learnt from {len(kept)} held-out particles" in (run / "README.md").read_text()


def test_particles_of_files_are_named_by_the_head_from_the_command_line(
    run: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert call(["identify", str(world.fresh), "--model", str(run), "--precision", "0.5", "--json"]) in (0, 1)
    document = json.loads(capsys.readouterr().out)
    named = [one for one in document["particles"] if one["label"] not in (None, "unknown")]
    assert document["simulated"] == "simulated"
    assert len(named) > 10
    classes = load_run(run).classes
    assert classes is not None
    for one in named:
        assert one["modality"] == "image"
        assert one["ranks"][0] == "label"
        assert 0 < one["score"] <= 1
        assert (one["label"] in classes.names) == (one["rank"] == "label")
    assert all(one["familiarity"] is not None for one in named)


def test_a_particle_without_a_picture_gets_a_reason(run: Path, world: World) -> None:
    head = open_head(run)
    pictured = next(one for one in stream_particles(world.data) if one.image is not None)
    none, one = head.identify(head.model.encode([Particle(id="s/0", sample_id="s"), pictured]), precision=0.1)
    (alone,) = head.identify(head.model.encode([Particle(id="s/0", sample_id="s")]))
    assert none.label is None
    assert "the run names pictures" in none.reason
    assert alone == none
    assert one.label is not None


def test_a_compiled_run_gives_the_same_names_without_torch(run: Path, world: World, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    compile_model(tmp_path / "run")
    by_torch = identify(world.fresh, model=load(run, runtime="torch"), precision=0.5).particles
    program = (
        "import sys; sys.modules['torch'] = None; import seston; "
        f"found = seston.identify({str(world.fresh)!r}, model={str(tmp_path / 'run')!r}, precision=0.5).particles; "
        "import json; print(json.dumps([[one.id, one.label, one.rank] for one in found]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[one.id, one.label, one.rank] for one in by_torch]


def test_what_the_trust_rests_on_goes_wherever_the_run_goes(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import seston.interchange.hub_models as hub_models

    load(run, runtime="torch").save(tmp_path / "saved")
    compile_model(run, to=tmp_path / "compiled")
    monkeypatch.setattr(hub_models, "check_hub", lambda _: None)
    monkeypatch.setattr(hub_models, "push_folder", lambda folder, *_, **__: folder.rename(tmp_path / "sent") or "there")
    assert HELD_OUT_FILE in push_model(run, "me/run").files
    for name in ("saved", "compiled", "sent"):
        assert (tmp_path / name / HELD_OUT_FILE).read_bytes() == (run / HELD_OUT_FILE).read_bytes()


def test_an_old_run_gets_its_answers_by_going_on_with_the_same_particles_alone(
    run: Path, world: World, tmp_path: Path
) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / HELD_OUT_FILE).unlink()
    with pytest.raises(UsageError, match="kept no answers on held-out particles"):
        identify(world.fresh, model=tmp_path / "run")
    assert identify(world.fresh, model=tmp_path / "run", threshold=0.2).notes == ()
    world.data.split("halves", by="image", folds=2)
    with pytest.raises(UsageError, match="the data set and the split that it was trained with"):
        train(world.data, to=tmp_path / "run", resume=True, split="halves")
    assert train(world.data, to=tmp_path / "run", resume=True).held_out is not None
    before, after = (read_answers(folder, 6) for folder in (run, tmp_path / "run"))
    assert before is not None
    assert after is not None
    np.testing.assert_allclose(after.answers, before.answers, atol=2e-2)
    assert after.classes.tolist() == before.classes.tolist()


def test_a_damaged_file_of_answers_is_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / HELD_OUT_FILE).write_bytes(b"damaged")
    with pytest.raises(InputError, match=HELD_OUT_FILE):
        open_head(tmp_path / "run")
    with pytest.raises(InputError, match="does not belong"):
        read_answers(run, 7)


def test_a_run_without_labels_keeps_its_clear_error(world: World, tmp_path: Path) -> None:
    model = Model(untrained_run(world.data, "tiny"))
    model.save(tmp_path / "run")
    with pytest.raises(UsageError, match="has no names by itself: add a gallery"):
        identify(world.fresh, model=tmp_path / "run")
    with pytest.raises(UsageError, match="has no names by itself: add a gallery"):
        identify(world.fresh, model=model)


CLASSES = tuple(
    KnownClass(label=label, taxon=label, lineage={"kingdom": "Animalia", "genus": genus, "species": label})
    for label, genus in (("Acartia a", "Acartia"), ("Acartia b", "Acartia"), ("Calanus c", "Calanus"))
)


def sure_of_genera(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Give answers that tell genera apart without fail, and species of one genus by chance."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 3, count)
    answers = random.normal(0, 0.5, (count, 3)).astype(np.float32)
    answers[truth < 2, :2] += 6
    answers[truth == 2, 2] += 6
    return answers, truth


def test_a_name_is_as_narrow_as_held_out_particles_allow() -> None:
    answers, truth = sure_of_genera(400)
    head = HeadNamer(CLASSES, learn_trust(answers, truth, group_classes(CLASSES)), "the run")
    one = np.array([[6.0, 5.9, 0.0], [0.0, 0.1, 6.5]], np.float32)
    first, second = head.name(["a", "b"], np.ones(2, bool), one, Caution(unfamiliar=0.0))
    assert (first.label, first.rank, first.taxon) == ("Acartia", "genus", "Acartia")
    assert second.label in ("Calanus c", "Calanus")
    loose, _ = head.name(["a", "b"], np.ones(2, bool), one, Caution(precision=0.4, unfamiliar=0.0))
    assert (loose.label, loose.rank) == ("Acartia a", "label")
    strict = head.name(["a", "b"], np.ones(2, bool), one, Caution(threshold=0.999999, unfamiliar=0.0))
    assert strict[0].rank == "kingdom"


def test_what_there_is_less_evidence_for_gets_a_warning_and_no_narrow_name() -> None:
    answers, truth = sure_of_genera(400)
    head = HeadNamer(CLASSES, learn_trust(answers, truth, group_classes(CLASSES)), "the run")
    (one,) = head.name(["a"], np.ones(1, bool), np.array([[0.0, 0.0, 2.0]], np.float32), Caution())
    assert "does not look like the pictures that the run learned from" in one.warning
    assert one.rank in ("", "kingdom")
    assert one.familiarity is not None
    assert one.familiarity < 0.1


def test_particles_of_coarse_names_count_at_the_ranks_that_their_names_have() -> None:
    coarse = (
        *CLASSES,
        KnownClass(label="Acartia", taxon="Acartia", lineage={"kingdom": "Animalia", "genus": "Acartia"}),
    )
    answers, truth = sure_of_genera(90)
    answers = np.concatenate([answers, np.full((90, 1), -np.inf, np.float32)], axis=1)
    answered = np.array([True, True, True, False])
    truth[:30][truth[:30] < 2] = 3
    trust = learn_trust(answers, truth, group_classes(coarse), answered=answered)
    fine = int((truth < 3).sum())
    assert [trust.calibrations[rank].particles for rank in ("label", "species", "genus")] == [fine, fine, 90]
    assert trust.calibrations["genus"].accuracy == 1.0


def test_without_held_out_particles_nothing_is_known_and_nothing_strange() -> None:
    trust = learn_trust(np.zeros((0, 3), np.float32), np.zeros(0, np.int64), group_classes(CLASSES))
    assert trust == HeadTrust()
    head = HeadNamer(CLASSES, trust, "the run")
    (one,) = head.name(["a"], np.ones(1, bool), np.array([[9.0, 0.0, 0.0]], np.float32), Caution(threshold=0.5))
    assert (one.label, one.familiarity, one.warning) == ("Acartia a", None, "")
