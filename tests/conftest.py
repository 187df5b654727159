"""Where the tests find real instrument files, and a folder of their own in place of the user's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import torch

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # each of two processes has a core; read when NumPy or torch loads

_DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Give the folder of real instrument files, or skip the test where there is none."""
    folder = Path(os.environ.get("SESTON_TEST_DATA", _DEFAULT))
    if not (folder / "cytosense").is_dir():
        pytest.skip("no folder of real files (set SESTON_TEST_DATA to run this test)")
    return folder


@pytest.fixture(autouse=True, scope="session")
def _home_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what whoever runs the tests has in the user's folder out of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SESTON_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def tiny_pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.nn.Module]:
    """Give a tiny pair of open_clip with random weights, known to it as ``tiny-of-tests``, and its folder."""
    import torch

    from seston.models.torchvision_shim import mend_torchvision

    mend_torchvision()
    open_clip = pytest.importorskip("open_clip", reason="open_clip is not installed (extra clip)")
    from safetensors.torch import save_file

    config = {
        "embed_dim": 12,
        "vision_cfg": {"image_size": 16, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
        "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    shown = {"mean": [0.5, 0.4, 0.6], "std": [0.2, 0.3, 0.25], "interpolation": "bilinear", "resize_mode": "shortest"}
    folder = tmp_path_factory.mktemp("tiny-pair")
    (folder / "tiny-of-tests.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder / "tiny-of-tests.json")
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = open_clip.create_model("tiny-of-tests").eval()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": shown}))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder, model
