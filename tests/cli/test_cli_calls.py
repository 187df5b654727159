"""What a wrong call, a failure, an interruption or a closed pipe does: one plain line and the right exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import seston
from seston.cli.app import build_app

_HEAVY = {"torch", "numpy", "lance", "pyarrow", "sklearn", "scipy", "PIL"}
_COMMAND = textwrap.dedent(
    """
    from __future__ import annotations
    import errno, time, warnings
    from pathlib import Path
    from seston.cli.output import Outcome
    from seston.cli.words import AsJson
    from seston.errors import InputError

    def break_(how: str, /, *, as_json: AsJson = False) -> Outcome:
        '''Break.'''
        if how == "input":
            raise InputError("a.csv: row 3: 7 fields\\nwhere 5 were expected")
        if how == "disk":
            raise OSError(errno.ENOSPC, "No space left on device", "data/particles.lance")
        if how == "forbidden":
            raise PermissionError(errno.EACCES, "Permission denied", "/data")
        if how == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        if how == "fault":
            raise KeyError("surprise")
        if how == "sleep":
            print("sleeping", flush=True)
            time.sleep(60)
        if how == "warn":
            warnings.warn("deep inside a library")
        if how == "partial":
            return Outcome(document={"done": 1}, blocks=("half",), notes=("skipped: b.csv: empty",), partial=True)
        return Outcome(document={"rows": list(range(100_000))}, blocks=tuple(str(one) for one in range(100_000)))
    """
)


Process = subprocess.CompletedProcess[str]
Break = Callable[..., Process]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give the environment of a process whose ``python run.py`` is Seston with one more command, ``break``."""
    (tmp_path / "breaking.py").write_text(_COMMAND, encoding="utf-8")
    (tmp_path / "run.py").write_text(
        "from cyclopts import Group\n"
        "from seston.cli import app, main\n"
        "app.COMMANDS['break'] = ('breaking:break_', Group('Tests'))\n"
        "main()\n",
        encoding="utf-8",
    )
    return {**os.environ, "PYTHONPATH": str(tmp_path), "SESTON_TRACEBACK": ""}


@pytest.fixture
def run(environment: dict[str, str]) -> Break:
    """Run Seston, with the command ``break``, in a process of its own."""

    def process(*tokens: str, **more: str) -> Process:
        return subprocess.run(
            [sys.executable, _script(environment), *tokens],
            capture_output=True,
            text=True,
            env={**environment, **more},
            check=False,
        )

    return process


def _script(environment: dict[str, str]) -> str:
    return str(Path(environment["PYTHONPATH"]) / "run.py")


def _says_one_line(process: Process, *words: str) -> bool:
    lines = process.stderr.splitlines()
    if len(lines) != 1 or not lines[0].startswith("seston: "):
        return False
    return all(word.lower() in lines[0].lower() for word in words)


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["impotr", "x"], ["'impotr'", "did you mean 'import'"]),
        (["readers", ".", "--whi"], ["--whi", "--why"]),
        (["readers"], ["seston readers needs PATH"]),
        (["import", "."], ["seston import needs --to"]),
        (["import", ".", "--to"], ["--to needs a value"]),
        (["import", ".", "--too", "x"], ["did you mean --to"]),
        (["readers", ".", "more"], ["one word too many", "'more'"]),
        (["split", ".", "--name", "a", "--folds", "many"], ["--folds", "many"]),
        (["split", ".", "--name", "a", "--by", "smple"], ["sample", "image"]),
        (["evaluate", "gallery-nn", "."], ["did you mean 'gallery-knn'"]),
    ],
)
def test_a_wrong_call_ends_with_2_and_one_line_that_names_the_right_word(
    run: Break, tokens: list[str], words: list[str]
) -> None:
    done = run(*tokens)
    assert done.returncode == 2
    assert done.stdout == ""
    assert _says_one_line(done, *words)


def test_a_path_that_is_not_there_is_answered_with_the_nearest_one(run: Break, tmp_path: Path) -> None:
    (tmp_path / "cruise_2024").mkdir()
    done = run("info", str(tmp_path / "cruise_2042"))
    assert done.returncode == 2
    assert _says_one_line(done, "cruise_2042: no such file or folder", "did you mean 'cruise_2024'")


def test_a_path_in_a_folder_that_is_not_there_names_the_folder(run: Break, tmp_path: Path) -> None:
    done = run("info", str(tmp_path / "nowhere" / "data"))
    assert _says_one_line(done, f"there is no folder {tmp_path / 'nowhere'}")


def test_a_wrong_call_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom seston.cli.call import call\n"
        f"code = call(['info', {str(tmp_path / 'none')!r}])\n"
        "print(code, *{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    code_word, *loaded = done.stdout.split()
    assert code_word == "2"
    assert not _HEAVY & set(loaded)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("input", ["a.csv: row 3: 7 fields where 5 were expected"]),
        ("disk", ["the disk is full", "data/particles.lance"]),
        ("forbidden", ["/data: permission denied"]),
        ("torch", ["pip install 'seston[train]'"]),
        ("fault", ["unexpected KeyError", "surprise", "SESTON_TRACEBACK=1"]),
    ],
)
def test_a_failure_ends_with_1_and_one_line(run: Break, how: str, words: list[str]) -> None:
    done = run("break", how)
    assert done.returncode == 1
    assert done.stdout == ""
    assert _says_one_line(done, *words)


def test_a_failure_with_json_prints_one_document_that_holds_the_reason(run: Break) -> None:
    done = run("break", "input", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "error": {"kind": "InputError", "message": "a.csv: row 3: 7 fields where 5 were expected"}
    }


def test_a_traceback_is_there_for_those_who_ask_for_it(run: Break) -> None:
    done = run("break", "fault", SESTON_TRACEBACK="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "breaking.py" in done.stderr


def test_warnings_of_libraries_stay_off_the_screen(run: Break) -> None:
    done = run("break", "warn")
    assert done.returncode == 0
    assert done.stderr == ""


def test_what_is_done_in_part_ends_with_1_and_says_what_was_skipped(run: Break) -> None:
    done = run("break", "partial")
    assert (done.returncode, done.stdout, done.stderr) == (1, "half\n", "skipped: b.csv: empty\n")


def test_json_is_the_only_thing_on_stdout(run: Break) -> None:
    done = run("break", "partial", "--json")
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (1, {"done": 1}, "")


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_reader_that_goes_away_ends_a_command_quietly(environment: dict[str, str], more: list[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, _script(environment), "break", "long", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_full_disk_under_the_output_is_one_line(environment: dict[str, str], more: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, _script(environment), "break", "long", *more],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("seston: the disk is full")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="signals are different there")
def test_an_interruption_ends_with_130_and_says_that_the_command_can_be_run_again(environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, _script(environment), "break", "sleep"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "sleeping\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.startswith("seston: interrupted")
    assert said.count("\n") == 1


def test_options_may_stand_before_and_after_the_paths(tmp_path: Path) -> None:
    app = build_app(["import"])
    before = app.parse_args(["import", "--to", "x", str(tmp_path), str(tmp_path)], exit_on_error=False)[1]
    between = app.parse_args(["import", str(tmp_path), "--to", "x", str(tmp_path)], exit_on_error=False)[1]
    after = app.parse_args(["import", str(tmp_path), str(tmp_path), "--to", "x"], exit_on_error=False)[1]
    assert before.arguments == between.arguments == after.arguments
    assert before.args == (tmp_path, tmp_path)


def test_no_word_at_all_shows_the_help(run: Break) -> None:
    assert run().stdout == run("--help").stdout
    assert run().returncode == 0


def test_the_version_is_printed(run: Break) -> None:
    assert run("--version").stdout == f"{seston.__version__}\n"


def test_completion_can_be_made_for_the_shells() -> None:
    assert "seston" in build_app().generate_completion(shell="bash")
