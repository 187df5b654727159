"""Compiled runs: the same vectors and names as with torch, and no torch needed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recognition_world import World, make_world

from seston.errors import NotFoundError, UsageError
from seston.particle import Particle, Skipped
from seston.recognition import ClassicalModel, Gallery, Model, OnnxModel, compile_model, identify, load
from seston.recognition.encoder import stream_particles

_WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())
"""


@dataclass(frozen=True)
class Compiled:
    """A world, its run compiled in a folder, and the particles of the run that its data set does not hold."""

    world: World
    run: Path
    particles: list[Particle]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    folder = tmp_path_factory.mktemp("onnx")
    world = make_world(folder)
    world.model.save(folder / "run")
    assert compile_model(folder / "run").graphs == ("fused", "image", "profile")
    return Compiled(world, folder / "run", list(stream_particles(world.data)))


def _without_torch(code: str, *arguments: str) -> Any:
    done = subprocess.run([sys.executable, "-c", _WITHOUT_TORCH + code, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_compiled_run_gives_the_vectors_of_torch(compiled: Compiled) -> None:
    quick, slow = load(compiled.run), load(compiled.run, runtime="torch")
    assert isinstance(quick, OnnxModel)
    assert isinstance(slow, Model)
    assert quick.model_id == slow.model_id == compiled.world.model.model_id
    found, expected = quick.encode(compiled.particles), slow.encode(compiled.particles)
    for one in fields(found):
        ours, theirs = getattr(found, one.name), getattr(expected, one.name)
        if isinstance(ours, np.ndarray) and ours.dtype == np.float32:
            lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
            absent = lengths == 0
            assert np.array_equal(ours[absent], theirs[absent])
            assert ((ours * theirs).sum(axis=1)[~absent] / lengths[~absent]).min(initial=1) >= 0.9999
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
        else:
            assert np.array_equal(ours, theirs)


def test_a_missing_modality_costs_nothing_and_is_zero(compiled: Compiled) -> None:
    quick, slow = load(compiled.run), load(compiled.run, runtime="torch")
    some = [one for one in compiled.particles if one.image is not None and one.profile is not None][:3]
    mixed = [Particle(id="a", sample_id="s"), _replace(some[0], image=None), _replace(some[1], profile=None), some[2]]
    found, expected = quick.encode(mixed), slow.encode(mixed)
    assert found.has_image.tolist() == [False, False, True, True]
    assert found.has_profile.tolist() == [False, True, False, True]
    assert not found.image[:2].any()
    assert not found.shared_profile[[0, 2]].any()
    np.testing.assert_allclose(found.image, expected.image, atol=1e-4)
    assert quick.encode([]).image.shape == (0, found.image.shape[1])


def test_the_fused_graph_says_what_the_fused_head_says(compiled: Compiled) -> None:
    import torch

    from seston.training import make_batch

    quick = load(compiled.run)
    assert isinstance(quick, OnnxModel)
    particles = compiled.particles[:8]
    with torch.inference_mode():
        expected = compiled.world.model.run.model(make_batch(particles, quick.preparation)).fused
    assert expected is not None
    np.testing.assert_allclose(quick.fuse(quick.encode(particles)), expected.numpy(), atol=1e-4)


def test_a_picture_that_does_not_decode_is_listed(compiled: Compiled) -> None:
    skipped: list[Skipped] = []
    broken = _replace(compiled.particles[0], image=b"no picture")
    found = load(compiled.run).encode([broken], skipped)
    assert [one.item for one in skipped] == [broken.id]
    assert not found.has_image[0]


def test_embed_and_identify_need_no_torch(compiled: Compiled, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery"
    model = load(compiled.run)
    Gallery.from_dataset(compiled.world.data, model, per_class=8).save(gallery)
    assert (gallery / "model" / "onnx" / "image.onnx").is_file()
    shutil.copytree(compiled.world.data.path, tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "embeddings", ignore_errors=True)
    named = _without_torch(
        """
import json
from seston.cli.call import call
call(["identify", sys.argv[1], "--gallery", sys.argv[2], "--json"])
assert "torch" not in sys.modules
""",
        str(compiled.world.fresh),
        str(gallery),
    )
    expected = identify(compiled.world.fresh, gallery=gallery, model=load(compiled.run, runtime="torch")).particles
    assert [one["label"] for one in named["particles"]] == [one.label for one in expected]
    assert len(expected) == 72
    embedded = _without_torch(
        """
from seston.cli.call import call
call(["embed", sys.argv[1], "--model", sys.argv[2], "--json"])
""",
        str(tmp_path / "data"),
        str(compiled.run),
    )
    assert (embedded["vectors"], embedded["model"]) == (len(compiled.particles), model.model_id)


def test_without_torch_a_run_that_was_not_compiled_says_what_to_do(compiled: Compiled, tmp_path: Path) -> None:
    shutil.copytree(compiled.run, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "onnx")
    message = _without_torch(
        """
import json
from seston.recognition import load
try:
    load(sys.argv[1])
except ValueError as error:
    print(json.dumps(str(error)))
""",
        str(tmp_path / "run"),
    )
    assert "seston models compile" in message
    assert isinstance(load(tmp_path / "run"), Model)


@pytest.mark.parametrize("damage", ["other weights", "a graph"])
def test_graphs_that_no_longer_fit_are_not_used(compiled: Compiled, tmp_path: Path, damage: str) -> None:
    from safetensors.numpy import load_file, save_file

    shutil.copytree(compiled.run, tmp_path / "run")
    if damage == "other weights":
        weights = load_file(tmp_path / "run" / "model.safetensors")
        save_file(
            weights | {"logit_scale": np.asarray(weights["logit_scale"] + 1)}, tmp_path / "run" / "model.safetensors"
        )
    else:
        with (tmp_path / "run" / "onnx" / "image.onnx").open("ab") as file:
            file.write(b"x")
    assert isinstance(load(tmp_path / "run"), Model)
    with pytest.raises(UsageError, match="damaged or belong to other weights"):
        load(tmp_path / "run", runtime="onnx")
    compile_model(tmp_path / "run")
    assert isinstance(load(tmp_path / "run", runtime="onnx"), OnnxModel)


def test_a_copy_of_a_run_is_compiled_elsewhere_and_works_alone(compiled: Compiled, tmp_path: Path) -> None:
    shutil.copytree(compiled.run, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "onnx")
    made = compile_model(tmp_path / "run", to=tmp_path / "copy")
    shutil.rmtree(tmp_path / "run")
    assert made.run == tmp_path / "copy"
    assert load(tmp_path / "copy", runtime="onnx").model_id == compiled.world.model.model_id
    with pytest.raises(UsageError, match="already there"):
        compile_model(compiled.run, to=tmp_path / "copy")


def test_the_model_of_a_gallery_is_compiled_in_the_gallery(compiled: Compiled, tmp_path: Path) -> None:
    compiled.world.gallery.save(tmp_path / "gallery")
    assert isinstance(Gallery.load(tmp_path / "gallery").model, Model)
    compile_model(tmp_path / "gallery")
    assert isinstance(Gallery.load(tmp_path / "gallery").model, OnnxModel)


def test_what_cannot_be_compiled_is_refused(compiled: Compiled, tmp_path: Path) -> None:
    ClassicalModel(("area",), ()).save(tmp_path / "classical")
    with pytest.raises(UsageError, match="need no torch"):
        compile_model(tmp_path / "classical")
    with pytest.raises(NotFoundError, match="not a run"):
        compile_model(tmp_path)
    with pytest.raises(UsageError, match="did you mean 'onnx'"):
        load(compiled.run, runtime="onx")  # type: ignore[arg-type]  # a wrong word is what is tested


def _replace(particle: Particle, **changes: Any) -> Particle:
    return replace(particle, **changes)
