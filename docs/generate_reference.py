"""Write the pages that are made from the code: the commands and the JSON documents.

``python docs/generate_reference.py`` writes them; with ``--check`` it says whether they are up to date.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

from seston.cli.app import build_app

_DOCS = Path(__file__).resolve().parent
_SCHEMAS = _DOCS.parent / "tests" / "cli" / "schemas"
_COMMANDS_HEAD = """\
<!-- Made by docs/generate_reference.py from the code: change the docstrings there, not this page. -->

# Commands

Results go to stdout; progress and notes go to stderr. Every command takes `--json` and then prints one JSON document on
stdout and nothing else ([what it holds](json.md)).

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | done in part, or not done: what failed is listed, each with its reason |
| 2 | the call was wrong: one line says what, with the nearest right word |
| 130 | interrupted; run the same command again to go on |

Nothing that exists is overwritten without `--overwrite`. A failure is one plain line; with the environment variable
`SESTON_TRACEBACK=1` an unexpected one shows where in the code it happened.

"""
_JSON_HEAD = """\
<!-- Made by docs/generate_reference.py from tests/cli/schemas: change the schemas, not this page. -->

# JSON documents

What each command prints with `--json`. A document may hold more than is listed here, never less; the tests hold every
command to its schema. What is not known is `null`. A command that fails prints the document *error* instead.

"""

_EXPORTS_HEAD = """\
<!-- Made by docs/generate_reference.py from the tables in src/seston/interchange: change those, not this page. -->

# Columns of exports

"""
_INTERCHANGE = _DOCS.parent / "src" / "seston" / "interchange"


def pages() -> dict[Path, str]:
    """Give the path and the text of every page that is made from the code."""
    return {
        _DOCS / "reference" / "commands.md": _COMMANDS_HEAD + _commands(),
        _DOCS / "reference" / "exports.md": _EXPORTS_HEAD + _exports(),
        _DOCS / "reference" / "json.md": _JSON_HEAD + "\n".join(_document(path) for path in _schema_files()),
    }


def _commands() -> str:
    text = build_app().generate_docs("markdown", heading_level=2)
    start = text.index("**Start here**")
    return text[start:].rstrip() + "\n"


def _exports() -> str:
    """Give the columns of each export, and the licences that it knows."""
    types = {"f": "number", "t": "text"}
    ecotaxa = [f"| `{row['column']}` | {types[row['type']]} |" for row in _table("ecotaxa_columns.tsv")]
    hub = [f"| `{row['column']}` | {row['type']} | {row['meaning']} |" for row in _table("planktonzilla_columns.tsv")]
    tables = {"occurrence": "occurrences", "both": "occurrences and events"}
    terms = [f"| [`{row['term']}`]({row['uri']}) | {tables[row['table']]} |" for row in _table("darwin_core_terms.tsv")]
    asked = ("attribution", "share_alike", "non_commercial", "no_derivatives")
    licences = [
        f"| [{row['spdx']}]({row['url']}) | {' | '.join(row[name] for name in asked)} |"
        for row in _table("licences.tsv")
    ]
    return "\n".join(
        [
            "## EcoTaxa\n",
            "Listmode parameters follow as `object_` columns, and what an EcoTaxa file brought for sample,",
            "acquisition and process goes back to where it was.\n",
            "| column | type |\n| --- | --- |",
            *ecotaxa,
            "\n## Hugging Face\n",
            "Up to `license_url` the names are those of Planktonzilla-17M. Data sets with profiles have `profile`,",
            "`profile_channels`, `profile_length` and `profile_spacing_um` beside these, those with listmode",
            "parameters `listmode` and `listmode_names`.\n",
            "| column | type | holds |\n| --- | --- | --- |",
            *hub,
            "\n## Darwin Core\n",
            "| term | in |\n| --- | --- |",
            *terms,
            "\n## Licences\n",
            "A licence that is not here, and `unknown`, is let out by `--licence any` alone.\n",
            "| licence | credit | share-alike | not commercial | no changed copies |",
            "| --- | --- | --- | --- | --- |",
            *licences,
            "",
        ]
    )


def _table(name: str) -> list[dict[str, str]]:
    with (_INTERCHANGE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _schema_files() -> list[Path]:
    order = [name for name in build_app() if not name.startswith("-")]
    return sorted(_SCHEMAS.glob("*.json"), key=lambda path: (_position(path.stem, order), path.stem))


def _position(name: str, order: list[str]) -> int:
    return next((place for place, command in enumerate(order) if name.startswith(command)), len(order))


def _document(path: Path) -> str:
    schema = json.loads(path.read_text(encoding="utf-8"))
    title = f"`seston {_command(path.stem)} --json`" if path.stem != "error" else "A command that failed"
    lines = [f"## {title}", "", "| key | holds | |", "| --- | --- | --- |", *_rows(schema, "")]
    return "\n".join(lines) + "\n"


def _command(stem: str) -> str:
    head, _, rest = stem.partition("-")
    return f"{head} {rest}".strip()


def _rows(schema: dict[str, Any], before: str) -> list[str]:
    rows: list[str] = []
    for key, value in schema.get("properties", {}).items():
        rows.append(f"| `{before}{key}` | {_type(value)} | {value.get('description', '')} |")
        inner = value.get("items", {}) if value.get("type") == "array" else value
        rows += _rows(inner, f"{before}{key}{'[]' if value.get('type') == 'array' else ''}.")
    return rows


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "anything")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def main() -> int:
    """Write the pages, or check them."""
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            sys.stderr.write(f"{path.name} is out of date: run  python docs/generate_reference.py\n")
        return 1 if stale else 0
    for path in stale:
        path.write_text(pages()[path], encoding="utf-8")
        sys.stdout.write(f"wrote {path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
