"""From nothing labelled to a gallery by the command line alone: suggest, fill in, annotate, suggest again."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from seston.cli.call import call
from seston.simulate import simulate, species_table
from seston.store import open_data_set

_SCHEMA = Path(__file__).parent / "schemas" / "suggest.json"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Make a data set without labels, and the labels that an annotator would give."""
    folder = tmp_path_factory.mktemp("suggest")
    simulate(folder / "files", particles=50, runs=2, seed=6, species=[one.name for one in species_table()][:4])
    named = open_data_set(folder / "named", create=True)
    named.import_(folder / "files")
    truth = named.labels()
    for table in (folder / "files").rglob("*_labels.csv"):
        table.unlink()
    assert call(["import", str(folder / "files"), "--to", str(folder / "data")]) == 0
    return folder / "data", truth


def _json(capsys: pytest.CaptureFixture[str], *tokens: str) -> dict[str, Any]:
    capsys.readouterr()
    assert call([*tokens, "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def _fill_in(table: Path, truth: dict[str, str]) -> None:
    """Save the table as a spreadsheet of a country with decimal commas would."""
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    with table.open("w", newline="", encoding="cp1252") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(row | {"label": truth[row["id"]], "score": row["score"].replace(".", ",")} for row in rows)


def test_two_rounds_of_suggestions_make_a_gallery(
    world: tuple[Path, dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, truth = tmp_path / "data", world[1]
    shutil.copytree(world[0], data)
    tables = [tmp_path / "first.csv", tmp_path / "second.csv"]
    found = []
    for number, table in enumerate(tables):
        more = ["--gallery", str(tmp_path / "gallery")] if number else ["--model", "classical"]
        document = _json(capsys, "suggest", str(data), *more, "--n", "12", "--to", str(table))
        jsonschema.validate(document, json.loads(_SCHEMA.read_text(encoding="utf-8")))
        assert (document["to"], document["sheet"]) == (str(table), str(table.with_suffix(".html")))
        _fill_in(table, truth)
        assert _json(capsys, "annotate", str(data), str(table))["added"] == 12
        found += [one["id"] for one in document["particles"]]
        if not number:
            tokens = ("gallery", str(data), "--model", "classical", "--to", str(tmp_path / "gallery"))
            assert len(_json(capsys, *tokens)["classes"]) == 4
    assert len(set(found)) == 24


def test_people_read_a_table_and_where_the_files_are(
    world: tuple[Path, dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["suggest", str(world[0]), "--n", "3", "--to", str(tmp_path / "to-label.csv")]) == 0
    printed = capsys.readouterr().out
    assert printed.count("typical of a cluster of about") == 3
    assert "3 particles to label, of 100 without a label." in printed
    assert str(tmp_path / "to-label.html") in printed


def test_a_table_that_is_there_already_is_kept(
    world: tuple[Path, dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "to-label.csv").write_text("id,label\n", encoding="utf-8")
    assert call(["suggest", str(world[0]), "--to", str(tmp_path / "to-label.csv")]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "to-label.csv").read_text(encoding="utf-8") == "id,label\n"
