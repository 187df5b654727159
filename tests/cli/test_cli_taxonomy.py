"""The commands about names: wrong calls, and what is said without a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seston.cli.call import call


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ([], "say where the facts come from"),
        (["--from", "list.csv", "--worms", "Acartia"], "say where the facts come from"),
        (["--from", "lst.csv"], "did you mean 'list.csv'"),
        (["--worms"], "say where the facts come from"),
    ],
)
def test_a_wrong_call_of_update_is_told_in_one_line(
    tokens: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("list.csv").touch()
    assert call(["taxonomy", "update", *tokens]) == 2
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == 1


def test_without_a_network_update_is_calm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESTON_HOME", str(tmp_path))
    monkeypatch.setenv("SESTON_WORMS_URL", "http://no-such-host.invalid/rest")
    assert call(["taxonomy", "update", "--worms", "Acartia tonsa", "Temora", "--json"]) == 1
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["unanswered"] == ["Acartia tonsa", "Temora"]
    assert len(document["notes"]) == 1
    assert "Traceback" not in printed.err


def test_a_page_that_is_there_is_not_overwritten_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("labels.csv").write_text("label\nCopepoda\n", encoding="utf-8")
    assert call(["taxonomy", "sankey", "labels.csv", "--to", "flow.html"]) == 0
    assert call(["taxonomy", "sankey", "labels.csv", "--to", "flow.html"]) == 2
    assert "--overwrite" in capsys.readouterr().err
