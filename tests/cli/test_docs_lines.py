"""Every command line in the pages and the README is one that Seston accepts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from seston.cli.app import build_app

_ROOT = Path(__file__).resolve().parents[2]
_PAGES = [
    _ROOT / "README.md",
    *(page for page in sorted((_ROOT / "docs").rglob("*.md")) if page.name not in ("commands.md", "log.md")),
]


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def _command_lines() -> Iterator[tuple[str, str]]:
    for page in _PAGES:
        for block in _blocks(page, "console"):
            for line in block.replace("\\\n", " ").splitlines():
                for command in re.split(r"&&|\||>", line.removeprefix("$ ")):
                    if command.strip().startswith("seston "):
                        yield page.relative_to(_ROOT).as_posix(), command.strip()


_LINES = list(_command_lines())


def test_the_pages_hold_command_lines() -> None:
    assert len(_LINES) > 20


@pytest.mark.parametrize(("page", "line"), _LINES, ids=[f"{page}: {line}" for page, line in _LINES])
def test_a_command_line_in_the_pages_is_accepted(
    page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tokens = shlex.split(line)[1:]
    for token in tokens:
        if not token.startswith(("-", "/")) and "=" not in token:
            Path(token).mkdir(parents=True, exist_ok=True)  # so that paths which must exist do
    build_app(tokens).parse_args(tokens, exit_on_error=False, print_error=False)


def test_every_recipe_and_key_that_the_pages_name_is_there() -> None:
    from seston.training import load_recipe, recipe_names

    for _, line in _LINES:
        tokens = shlex.split(line)
        changes = [tokens[place + 1] for place, token in enumerate(tokens) if token == "--set"]
        names = [tokens[place + 1] for place, token in enumerate(tokens) if token == "--recipe"]
        assert {name for name in names if not name.endswith(".toml")} <= set(recipe_names())
        load_recipe("default", overrides=changes)


def test_the_readme_gives_the_commands_that_the_checks_run() -> None:
    readme = (_ROOT / "README.md").read_text(encoding="utf-8")
    checks = (_ROOT / ".ci" / "run").read_text(encoding="utf-8")
    found = re.search(r"^(pip install .*\[all,test\].*) && (pytest)$", readme, flags=re.MULTILINE)
    assert found is not None
    install, test = found.groups()
    assert install.removeprefix("pip install ") in checks
    assert checks.rstrip().endswith(f"\n{test}")


def test_every_page_is_in_the_navigation() -> None:
    navigation = (_ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    missing = [
        page for page in (_ROOT / "docs").rglob("*.md") if page.relative_to(_ROOT / "docs").as_posix() not in navigation
    ]
    assert not missing


def test_the_page_of_the_data_set_names_every_column() -> None:
    from seston.store import ANNOTATIONS, PARTICLES, SAMPLES

    page = (_ROOT / "docs" / "reference" / "data-set.md").read_text(encoding="utf-8")
    columns = {name for schema in (PARTICLES, SAMPLES, ANNOTATIONS) for name in schema.names}
    assert not {name for name in columns if f"`{name}`" not in page}
