"""Sending to the Hub, against a server of the test's own; the client is the real one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_hub import FakeHub, fake_hub
from interchange_making import make_data_set

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed (extra hub)")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data_set(tmp_path_factory.mktemp("push") / "data").path


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with fake_hub() as running:
        yield running


def _export(
    hub: FakeHub, data: Path, to: Path, *words: str, token: str | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(to.parent / "home"),
        "HF_HUB_DISABLE_XET": "1",  # the fake speaks the older protocol alone
        "HF_TOKEN": hub.token if token is None else token,
    }
    command = [sys.executable, "-m", "seston", "export", "huggingface", str(data), "--to", str(to), "--push", "me/pond"]
    return subprocess.run([*command, *words], env=environment, capture_output=True, text=True, check=False)


def _nothing_of_the_token(hub: FakeHub, done: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert hub.token not in done.stdout + done.stderr
    for path in folder.rglob("*"):
        assert not path.is_file() or hub.token.encode() not in path.read_bytes()


def test_the_hub_gets_every_file_of_the_export_and_nothing_else(hub: FakeHub, data: Path, tmp_path: Path) -> None:
    done = _export(hub, data, tmp_path / "out", "--private", "--json")
    assert done.returncode == 0, done.stderr
    sent = hub.files["me/pond"]
    assert set(sent) == {".gitattributes", "README.md", "data/train-00000.parquet", "samples/samples.parquet"}
    assert all(content == (tmp_path / "out" / name).read_bytes() for name, content in sent.items() if name[0] != ".")
    assert hub.private["me/pond"]
    assert f"sent to {hub.url}/datasets/me/pond" in done.stdout
    _nothing_of_the_token(hub, done, tmp_path)


def test_a_push_that_failed_goes_on_without_a_second_export(hub: FakeHub, data: Path, tmp_path: Path) -> None:
    hub.failures = 100
    done = _export(hub, data, tmp_path / "out")
    assert done.returncode == 1
    assert "is whole: run the same command again" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    _nothing_of_the_token(hub, done, tmp_path)
    hub.failures = 0
    written = (tmp_path / "out" / "data" / "train-00000.parquet").stat().st_mtime_ns
    assert _export(hub, data, tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "data" / "train-00000.parquet").stat().st_mtime_ns == written
    assert "data/train-00000.parquet" in hub.files["me/pond"]


def test_what_others_keep_there_is_left_alone_unless_asked(hub: FakeHub, data: Path, tmp_path: Path) -> None:
    hub.files["me/pond"], hub.private["me/pond"] = {"theirs.bin": b"1"}, False
    done = _export(hub, data, tmp_path / "out")
    assert done.returncode == 2
    assert "holds other files (theirs.bin" in done.stderr
    assert set(hub.files["me/pond"]) == {"theirs.bin"}
    assert _export(hub, data, tmp_path / "out", "--overwrite").returncode == 0
    assert {"theirs.bin", "README.md"} <= set(hub.files["me/pond"])


def test_a_login_that_may_not_write_is_said_in_one_line(hub: FakeHub, data: Path, tmp_path: Path) -> None:
    done = _export(hub, data, tmp_path / "out", token="hf_wrongwrongwrong")
    assert done.returncode == 2
    assert "hf auth login" in done.stderr
    assert "hf_wrong" not in done.stdout + done.stderr
