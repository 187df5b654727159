"""Models sent to the Hub and fetched again, against a server of the test's own; the client is the real one."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from fake_hub import FakeHub, fake_hub
from interchange_making import make_data_set

from seston.errors import UsageError
from seston.interchange import fetch_model, push_model
from seston.models.torchvision_shim import import_timm
from seston.recognition import Model, load
from seston.recognition.encoder import stream_particles
from seston.store import open_data_set
from seston.training import load_recipe, load_run, untrained_run

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed (extra hub)")
if importlib.util.find_spec("timm") is None:
    pytest.skip("timm is not installed (extra towers)", allow_module_level=True)

_SCHEMAS = Path(__file__).parents[1] / "cli" / "schemas"
_TOWER = 'model.image={tower="timm:test_vit", weights="random"}'


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data_set(tmp_path_factory.mktemp("push") / "data").path


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run as a training leaves it, with a state and a file that must stay here."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    recipe = load_recipe("tiny", overrides=(_TOWER, "pictures.size=32"))
    Model(untrained_run(open_data_set(data), recipe)).save(folder)
    (folder / "README.md").write_text("# Run of a test\n")
    (folder / "state").mkdir()
    (folder / "state" / "optimiser.safetensors").write_bytes(b"big")
    (folder / "notes.pt").write_bytes(b"a pickle")
    return folder


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with fake_hub() as running:
        yield running


def _seston(hub: FakeHub, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {
        "HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": hub.token,
    }  # fmt: skip
    command = [sys.executable, "-m", "seston", "models", *words, "--json"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _document(done: subprocess.CompletedProcess[str], schema: str) -> dict[str, object]:
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, object] = json.loads(done.stdout)
    jsonschema.validate(document, json.loads((_SCHEMAS / f"{schema}.json").read_text(encoding="utf-8")))
    return document


def test_a_run_goes_to_the_hub_and_comes_back_the_same(hub: FakeHub, run: Path, data: Path, tmp_path: Path) -> None:
    sent = _document(_seston(hub, tmp_path / "home", "push", str(run), "me/tower", "--private"), "models-push")
    there = hub.files["me/tower"]
    assert set(there) - {".gitattributes"} == set(sent["files"]) == {  # type: ignore[call-overload]
        "README.md", "model.safetensors", "preparation.json", "recipe.toml", "run.json", "tower/config.json",
        "tower/model.safetensors",
    }  # fmt: skip
    assert hub.private["me/tower"]
    card = there["README.md"].decode()
    assert card.startswith("---\nlibrary_name: seston\nlicense: other\n")
    for row in ("[CC-BY-4.0](https", "[CC-BY-NC-4.0](https", "[CC-BY-SA-4.0](https"):
        assert re.search(rf"^\| {re.escape(row)}.* \| 2 \|$", card, flags=re.MULTILINE), card
    assert "share-alike and non-commercial parts exclude each other" in card
    assert "# Run of a test" in card
    assert "seston models fetch me/tower" in card

    found = _document(
        _seston(hub, tmp_path / "home", "fetch", "me/tower", "--to", str(tmp_path / "back")), "models-fetch"
    )
    assert (found["kind"], found["model_id"]) == ("run", sent["model_id"])
    assert hub.token not in "".join(path.read_text(errors="replace") for path in (tmp_path / "back").rglob("*.*"))
    particles = list(stream_particles(open_data_set(data)))[:6]
    first, second = (
        load(run, runtime="torch").encode(particles),
        load(tmp_path / "back", runtime="torch").encode(particles),
    )
    assert (first.image == second.image).all()

    again = _seston(hub, tmp_path / "home", "fetch", "me/tower", "--to", str(tmp_path / "back"))
    assert again.returncode == 2
    assert "is there already" in json.loads(again.stdout)["error"]["message"]

    weights = bytearray(there["model.safetensors"])
    weights[-1] ^= 1
    there["model.safetensors"] = bytes(weights)
    damaged = _seston(hub, tmp_path / "home", "fetch", "me/tower", "--to", str(tmp_path / "other"))
    assert damaged.returncode == 1
    assert "its weights are not those of model" in json.loads(damaged.stdout)["error"]["message"]
    assert not (tmp_path / "other").exists()


def test_weights_of_open_clip_are_fetched_and_nothing_else(hub: FakeHub, tmp_path: Path) -> None:
    hub.files["org/clip"] = {
        "open_clip_config.json": b"{}", "open_clip_model.safetensors": b"weights", "open_clip_pytorch_model.bin": b"!",
    }  # fmt: skip
    hub.private["org/clip"] = False
    found = _document(
        _seston(hub, tmp_path / "home", "fetch", "org/clip", "--to", str(tmp_path / "clip")), "models-fetch"
    )
    assert found["kind"] == "open-clip"
    assert {path.name for path in (tmp_path / "clip").iterdir()} == {
        "open_clip_config.json", "open_clip_model.safetensors",
    }  # fmt: skip
    missing = _seston(hub, tmp_path / "home", "fetch", "org/none", "--to", str(tmp_path / "none"))
    assert missing.returncode == 2
    assert "there is no model org/none on the Hub" in json.loads(missing.stdout)["error"]["message"]


@pytest.mark.parametrize("name", ["test_vit", "test_efficientnet"])
def test_the_tower_is_read_by_timm(
    name: str, run: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    import seston.interchange.hub_models as hub_models

    if name != "test_vit":
        folded = f'model.image={{tower="timm:{name}", weights="random", fixed=["norms", "within-channels"]}}'
        recipe = load_recipe("tiny", overrides=(folded, "pictures.size=32"))
        run = tmp_path / "run"
        Model(untrained_run(open_data_set(data), recipe)).save(run)
    kept = tmp_path / "kept"

    def keep(folder: Path, *_: object, **__: object) -> str:
        folder.rename(kept)
        return "nowhere"

    monkeypatch.setattr(hub_models, "push_folder", keep)  # what is sent is looked at before it is
    sent = push_model(run, "me/tower")
    assert sent.tower.startswith('timm.create_model("local-dir:')
    network = import_timm().create_model(f"local-dir:{kept / 'tower'}", pretrained=True, num_classes=0).eval()
    own = load_run(run).model.eval()
    pictures = torch.rand(2, load_run(run).preparation.inputs.picture_channels, 32, 32)
    with torch.no_grad():
        assert torch.allclose(network(pictures), own.get_submodule("image_tower.network")(pictures), atol=1e-5)


def test_wrong_calls_fail_before_anything_is_sent(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="OWNER/NAME"):
        push_model(run, "tower")
    with pytest.raises(UsageError, match="is there already"):
        fetch_model("me/tower", to=tmp_path)
