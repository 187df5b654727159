"""Every command: its help, its page, its JSON contract, and how fast it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

from seston.cli.app import COMMANDS, build_app

_ROOT = Path(__file__).resolve().parents[2]
_SCHEMAS = Path(__file__).parent / "schemas"
_HELP_BUDGET_SECONDS = 0.5  # 0.2 on a quiet machine; processor time nearly doubles where cores are shared
_CONTRACT: dict[str, set[str]] = {
    "demo": {"report", "accuracy", "seconds"},
    "readers": {"files"},
    "import": {"added", "already_there", "profiles", "images", "pairs", "skipped", "notes"},
    "info": {
        "particles", "images", "profiles", "pairs", "samples", "labels", "instruments", "licences", "version", "bytes",
    },
    "annotate": {"added", "unknown_particles"},
    "split": {"name", "grouped", "sizes"},
    "simulate": {"files", "species"},
    "train": {"run", "steps", "best"},
    "embed": {"vectors", "seconds"},
    "gallery": {"classes", "particles", "left_out"},
    "identify": {"particles"},
    "suggest": {"particles"},
    "count": {"rows"},
    "doctor": {"checks"},
    "evaluate gallery-knn": {"rows", "report"},
}  # fmt: skip
_CONTRACT_OF_ITEMS: dict[str, tuple[str, set[str]]] = {
    "readers": ("files", {"path", "reader", "reason"}),
    "identify": ("particles", {"id", "path", "label", "taxon", "score", "margin", "modality", "nearest"}),
    "suggest": ("particles", {"id", "sample", "path", "label", "suggested", "score", "why"}),
    "count": ("rows", {"sample", "label", "n", "volume_column", "per_ml"}),
    "doctor": ("checks", {"name", "ok", "detail"}),
    "evaluate gallery-knn": (
        "rows",
        {
            "method", "gallery", "query", "n", "k", "accuracy", "accuracy_sd", "macro_precision", "macro_recall",
            "macro_f1", "queries", "repeats",
        },
    ),
}  # fmt: skip


def _leaves(app: App, chain: tuple[str, ...] = ()) -> Iterator[tuple[str, App]]:
    for name in app:
        if name.startswith("-"):
            continue
        below = list(_leaves(app[name], (*chain, name)))
        yield from below or [(" ".join((*chain, name)), app[name])]


_LEAVES = dict(_leaves(build_app()))


def _schema(command: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((_SCHEMAS / f"{command.replace(' ', '-')}.json").read_text(encoding="utf-8"))
    return schema


def test_every_command_of_the_contract_is_there() -> None:
    assert set(_CONTRACT) <= set(_LEAVES)


@pytest.mark.parametrize("command", _LEAVES)
def test_a_command_says_what_it_does_and_what_each_option_means(command: str) -> None:
    app = _LEAVES[command]
    summary = app.help.splitlines()[0]
    assert summary.endswith(".")
    arguments = [one for one in app.assemble_argument_collection(parse_docstring=True) if one.parse]
    assert not [one.name for one in arguments if not one.parameter.help]
    assert "--json" in [name for one in arguments for name in one.names]


@pytest.mark.parametrize("command", _LEAVES)
def test_a_command_has_a_section_in_the_reference(command: str) -> None:
    page = (_ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert f"# seston {command}\n" in page


def test_the_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(_ROOT / "docs" / "generate_reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0


def test_every_command_has_a_schema_and_every_schema_a_command() -> None:
    schemas = {path.stem for path in _SCHEMAS.glob("*.json")}
    assert schemas == {command.replace(" ", "-") for command in _LEAVES} | {"error"}


@pytest.mark.parametrize("command", _CONTRACT)
def test_a_schema_demands_the_keys_of_the_contract(command: str) -> None:
    schema = _schema(command)
    assert _CONTRACT[command] <= set(schema["required"])
    if command in _CONTRACT_OF_ITEMS:
        key, items = _CONTRACT_OF_ITEMS[command]
        assert items <= set(schema["properties"][key]["items"]["required"])


def _busy_seconds() -> float:
    """Give the processor time of ended child processes: waiting for a busy machine is none of a command's doing."""
    now = os.times()
    return now.children_user + now.children_system if os.name == "posix" else time.perf_counter()


@pytest.mark.parametrize(
    "tokens", [[], *([name] for name in COMMANDS)], ids=lambda tokens: " ".join(tokens) or "seston"
)
def test_help_answers_within_half_a_second(tokens: list[str]) -> None:
    seconds = []
    for _ in range(5):
        started = _busy_seconds()
        done = subprocess.run(
            [sys.executable, "-m", "seston", *tokens, "--help"], capture_output=True, text=True, check=False
        )
        seconds.append(_busy_seconds() - started)
        assert done.returncode == 0
        assert done.stdout.startswith("Usage: seston")
        if min(seconds) < _HELP_BUDGET_SECONDS:
            break
    assert min(seconds) < _HELP_BUDGET_SECONDS


def test_help_loads_no_room() -> None:
    code = (
        "import sys\nfrom seston.cli.call import call\n"
        f"assert all(call([name, '--help']) == 0 for name in {list(COMMANDS)!r})\n"
        "print('loaded:', *{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("loaded:")[2].split())
    assert not {"torch", "numpy", "lance", "pyarrow", "sklearn", "scipy", "PIL"} & loaded
