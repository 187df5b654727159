"""The tutorial, line by line, on small simulated files; and what each command prints with --json on what it made."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from seston.cli.call import call

_ROOT = Path(__file__).resolve().parents[2]
_TUTORIAL = (_ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
_SCHEMAS = Path(__file__).parent / "schemas"
_BLOCK = re.compile(r'^```(console|csv title="([^"]+)")\n(.*?)^```', flags=re.MULTILINE | re.DOTALL)
_SMALLER = {
    "--minutes 10": "--epochs 1 --recipe tiny",
    "--particles 300": "--particles 150",
    "--to report": "--to report --repeats 2",
}
"""A test has no ten minutes; the words of each line stay otherwise as they are printed."""


_BESIDE = {
    "checklist.csv": "scientificName,taxonRank,family\nInventia,genus,Inventidae\n",
    "bold.tsv": "processid\tspecies_name\tmarkercode\tnucleotides\nP1\tAcartia tonsa\tCOI-5P\tACGT\n",
}
"""Files of other origin that commands are called with afterwards."""


@dataclass(frozen=True)
class _Step:
    line: str
    code: int
    out: str
    said: str


def _blocks() -> Iterator[tuple[str, str]]:
    """Give the files and the command lines of the tutorial, in order: (file name or empty, text)."""
    for kind, title, text in _BLOCK.findall(_TUTORIAL):
        if kind == "console":
            for line in text.splitlines():
                assert line.startswith("$ ")
                yield "", line.removeprefix("$ ")
        else:
            yield title, text


def _run(line: str, folder: Path) -> _Step:
    for printed, smaller in _SMALLER.items():
        line = line.replace(printed, smaller)
    tokens = shlex.split(line)
    assert tokens[0] == "seston"
    out, said = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), redirect_stdout(out), redirect_stderr(said):
        code = call(tokens[1:])
    return _Step(line, code, out.getvalue(), said.getvalue())


@pytest.fixture(scope="module")
def _one_thread() -> Iterator[None]:
    """Small tensors are slower on two threads than on one, and much slower where others use the second."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory, _one_thread: None) -> tuple[Path, list[_Step]]:
    """Walk through the tutorial in an empty folder."""
    folder = tmp_path_factory.mktemp("tutorial")
    steps = []
    for name, text in _blocks():
        if name:
            (folder / name).write_text(text, encoding="utf-8")
        else:
            steps.append(_run(text, folder))
    _make_pond(folder)
    for name, text in _BESIDE.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder, steps


def _make_pond(folder: Path) -> None:
    """Import pictures that nobody simulated: what is simulated never becomes an occurrence, nor does it bear the name
    of a taxon to write texts about.
    """
    import numpy as np
    from PIL import Image

    from seston.store import open_data_set
    from seston.training import train

    for label in ("Copepoda", "Rotifera"):
        (folder / "Pond" / label).mkdir(parents=True)
        for n in range(2):
            pixels = np.random.default_rng(n).integers(0, 255, (16, 24), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "Pond" / label / f"{n}.png")
    pond = open_data_set(folder / "pond", create=True)
    pond.import_(folder / "Pond")
    small = ['model.image={tower="conv",width=8,blocks=[1]}', "pictures.size=16", "model.text.width=16"]
    train(pond, recipe="clip-text", to=folder / "texts", epochs=1, overrides=small)


def test_every_line_of_the_tutorial_does_what_it_says(walked: tuple[Path, list[_Step]]) -> None:
    _, steps = walked
    assert len(steps) >= 14
    assert [
        (step.line, step.out[-500:], step.said[-500:]) for step in steps if step.code not in _codes(step.line)
    ] == []
    assert not [step.line for step in steps if "Traceback" in step.said or "Warning" in step.said]


def _codes(line: str) -> set[int]:
    """Simulated runs differ in their detector levels, which `doctor` may say of the new measurement."""
    return {0, 1} if line == "seston doctor Field --gallery gallery" else {0}


def test_the_tutorial_ends_with_a_table_of_counts(walked: tuple[Path, list[_Step]]) -> None:
    folder, _ = walked
    with (folder / "counts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["n"]) for row in rows) == 200
    assert all((row["per_ml"] == "") == (row["reason"] != "") for row in rows)
    assert all(row["simulated"] == "simulated" for row in rows)


_AFTERWARDS = {
    "simulate": "simulate --to Third --particles 72 --runs 2 --seed 3",
    "readers": "readers Lab",
    "import": "import Third --to lab",
    "info": "info lab",
    "map": "map lab --to map.html",
    "annotate": "annotate lab labels.csv",
    "split": "split lab --name again",
    "versions": "versions lab",
    "tag": "tag lab now",
    "compact": "compact lab",
    "recipes list": "recipes list",
    "recipes show": "recipes show default",
    "train": "train lab --recipe tiny --to run2 --epochs 1",
    "embed": "embed lab --model run",
    "gallery": "gallery lab --model run --to gallery2 --per-class 4",
    "identify": "identify Third --gallery gallery",
    "suggest": "suggest lab --gallery gallery",
    "count": "count lab --to again.csv",
    "doctor": "doctor lab",
    "evaluate gallery-knn": "evaluate gallery-knn lab --model run -n 1 -n 2 --repeats 1 --no-baselines --to report2",
    "evaluate retrieval": "evaluate retrieval lab --model run --no-baselines",
    "evaluate ood": "evaluate ood lab --model run -n 2 --repeats 1 --leave-out 2 --no-baselines",
    "evaluate ranks": "evaluate ranks lab --model run --per-class 4 --split by-sample",
    "compare": "compare supervised supervised-hierarchical --data lab --split by-sample --to both --seeds 1 --epochs 1 "
    '--set pictures.size=32 --set \'model.image={tower="conv", weights="random", width=8, blocks=[1, 1]}\'',
    "evaluate few-shot": "evaluate few-shot lab --model run -k 1 --repeats 1 --split by-sample --no-baselines",
    "evaluate linear-probe": "evaluate linear-probe lab --model run --split by-sample --no-baselines",
    "evaluate zero-shot": "evaluate zero-shot pond --model texts --permutations 9 --untrained 1",
    "models list": "models list",
    "models compile": "models compile run2 --to compiled",
    "taxonomy resolve": "taxonomy resolve Copepoda Acartiidae",
    "taxonomy check": "taxonomy check lab",
    "taxonomy lineage": "taxonomy lineage nauplii_Copepoda --template photo",
    "taxonomy update": "taxonomy update --from checklist.csv",
    "taxonomy barcodes": "taxonomy barcodes --from bold.tsv --to barcodes.tsv",
    "taxonomy sankey": "taxonomy sankey labels.csv --to flow.html",
    "collections list": "collections list",
    "collections show": "collections show vliz_flowcam",
    "collections build": "collections build lake_japan_microscope --from lake_japan_microscope=Pond --to built",
    "collections duplicates": "collections duplicates built",
    "export darwin-core": "export darwin-core pond --to pond.zip --keep-incomplete",
    "export ecotaxa": "export ecotaxa lab --to archives",
    "collections fetch": "collections fetch sykezooscan2024 --to archives --dry-run",
    "export huggingface": "export huggingface lab --to hub",
    "collections metadata": "collections metadata lab --ifcb http://127.0.0.1:9",
    "export webdataset": "export webdataset lab --to shards",
    "demo": "demo --data Third --to demo --minutes 0.1",
}
"""One call of each command in the folder that the tutorial leaves behind, in this order."""
_ELSEWHERE = {"models-push", "models-fetch"}
"""Commands that need a hub: `tests/interchange/test_hub_models.py` has one."""


def test_every_command_is_called_with_json() -> None:
    called = {name.replace(" ", "-") for name in _AFTERWARDS} | _ELSEWHERE
    assert {path.stem for path in _SCHEMAS.glob("*.json")} == called | {"error"}


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("command", _AFTERWARDS)
def test_json_keeps_its_contract(
    command: str,
    walked: tuple[Path, list[_Step]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(walked[0])
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    code = call([*shlex.split(_AFTERWARDS[command]), "--json"])
    printed = capsys.readouterr()
    assert code in _codes(_AFTERWARDS[command]), printed.err
    jsonschema.validate(json.loads(printed.out), _schema(command))


def test_a_failure_keeps_the_contract_of_errors(
    walked: tuple[Path, list[_Step]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(walked[0])
    assert call(["train", "lab", "--to", "run3", "--recipe", "defolt", "--json"]) == 2
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    jsonschema.validate(document, _schema("error"))
    assert "did you mean 'default'" in document["error"]["message"]


@pytest.mark.usefixtures("_one_thread")
def test_the_python_page_runs_as_it_is_printed(
    walked: tuple[Path, list[_Step]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (_ROOT / "docs" / "how-to" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    folder = walked[0] / "python"
    folder.mkdir()
    (folder / "MyCruise").symlink_to(walked[0] / "Lab")
    (folder / "NewFiles").symlink_to(walked[0] / "Field")
    (folder / "labels.csv").symlink_to(walked[0] / "labels.csv")
    shutil.copy(walked[0] / "Pond" / "Copepoda" / "0.png", folder / "photo.png")
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block.replace('recipe="default"', 'recipe="tiny"').replace("minutes=10", "epochs=1"), names)
    printed = capsys.readouterr().out
    assert "450 particles; 0 skipped" in printed
    assert "cruize" in printed


def _schema(command: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((_SCHEMAS / f"{command.replace(' ', '-')}.json").read_text(encoding="utf-8"))
    return schema
