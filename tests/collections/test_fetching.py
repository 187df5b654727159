"""Archives into a folder: room first, each once, a line for each failure."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest
from archive_host import File, serving

from seston.cli.call import call
from seston.collections.fetching import FetchReport, RemoteFile, fetch_files
from seston.errors import DataSetError, UsageError
from seston.network import Patience

DATA = os.urandom(50_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
QUICK = Patience(tries=3, first_wait_s=0.01, longest_wait_s=0.02, timeout_s=5)
Usage = namedtuple("Usage", "total used free")


def states(report: FetchReport) -> list[str]:
    return [file.state for file in report.files]


def remote(url: str | None, name: str = "a.tar", **more: object) -> RemoteFile:
    return RemoteFile(collection="lake", name=name, url=url, **more)  # type: ignore[arg-type]


def test_an_archive_goes_into_the_folder_of_its_collection_as_it_is(tmp_path: Path) -> None:
    with serving({"/a": File(DATA)}) as host:
        report = fetch_files([remote(f"{host.url}/a", checksum=f"sha256:{SHA256}")], tmp_path, patience=QUICK)
    assert states(report) == ["fetched"]
    assert report.needed == len(DATA)
    assert (tmp_path / "lake" / "a.tar").read_bytes() == DATA
    assert report.files[0].sha256 == SHA256


@pytest.mark.parametrize("checksum", [None, f"sha256:{SHA256}"], ids=["no checksum", "checksum"])
def test_what_is_there_is_not_fetched_again(tmp_path: Path, checksum: str | None) -> None:
    with serving({"/a": File(DATA)}) as host:
        files = [remote(f"{host.url}/a", checksum=checksum)]
        fetch_files(files, tmp_path, patience=QUICK)
        asked = len(host.asked)
        report = fetch_files(files, tmp_path, patience=QUICK)
    assert states(report) == ["there already"]
    assert len(host.asked) == asked


def test_a_dry_run_says_sizes_and_room_and_fetches_nothing(tmp_path: Path) -> None:
    with serving({"/a": File(DATA)}) as host:
        report = fetch_files([remote(f"{host.url}/a")], tmp_path / "new", dry_run=True, patience=QUICK)
    assert states(report) == ["to fetch"]
    assert (report.files[0].size, report.needed) == (len(DATA), len(DATA))
    assert report.free > 0
    assert not (tmp_path / "new").exists()
    assert [one.method for one in host.asked] == ["HEAD"]


def test_a_dry_run_counts_what_an_earlier_fetch_left(tmp_path: Path) -> None:
    with serving({"/a": File(DATA, cuts=[20_000])}) as host:
        files = [remote(f"{host.url}/a")]
        assert states(fetch_files(files, tmp_path, patience=Patience(tries=1, timeout_s=5))) == ["failed"]
        report = fetch_files(files, tmp_path, dry_run=True, patience=QUICK)
    assert (report.files[0].have, report.needed) == (20_000, 30_000)


def test_a_disk_without_room_stops_everything_before_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 0, 60_000))
    with (
        serving({"/a": File(DATA), "/b": File(DATA)}) as host,
        pytest.raises(DataSetError, match="100,000 bytes are to be fetched and only 60,000 are free"),
    ):
        fetch_files([remote(f"{host.url}/a"), remote(f"{host.url}/b", "b.tar")], tmp_path, patience=QUICK)
    assert not host.gets()


def test_one_failure_costs_only_itself(tmp_path: Path) -> None:
    with serving({"/b": File(DATA)}) as host:
        report = fetch_files([remote(f"{host.url}/a"), remote(f"{host.url}/b", "b.tar")], tmp_path, patience=QUICK)
    assert states(report) == ["failed", "fetched"]
    assert "answers 404" in report.files[0].reason
    assert "\n" not in report.files[0].reason
    assert [file.name for file in report.unfinished] == ["a.tar"]


def test_a_file_behind_a_login_comes_with_instructions_and_is_taken_once_it_is_there(tmp_path: Path) -> None:
    file = remote(None, instructions="Order the package at https://etsin.example", checksum=f"sha256:{SHA256}")
    report = fetch_files([file], tmp_path, patience=QUICK)
    assert states(report) == ["by hand"]
    assert "Order the package at https://etsin.example" in report.files[0].reason
    assert str(tmp_path / "lake" / "a.tar") in report.files[0].reason
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "a.tar").write_bytes(DATA)
    assert states(fetch_files([file], tmp_path, patience=QUICK)) == ["there already"]


def test_a_file_put_there_by_hand_is_checked(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "a.tar").write_bytes(b"something else")
    report = fetch_files([remote(None, checksum=f"sha256:{SHA256}")], tmp_path, patience=QUICK)
    assert states(report) == ["failed"]
    assert "move it away" in report.files[0].reason
    assert (tmp_path / "lake" / "a.tar").read_bytes() == b"something else"


def test_a_name_with_a_star_stands_for_whatever_a_person_puts_there(tmp_path: Path) -> None:
    file = remote(None, "*.zip", instructions="Fetch the nine archives of the years")
    assert states(fetch_files([file], tmp_path, patience=QUICK)) == ["by hand"]
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "2014.zip").write_bytes(DATA)
    report = fetch_files([file], tmp_path, patience=QUICK)
    assert states(report) == ["there already"]
    assert report.files[0].have == len(DATA)


def test_a_file_of_another_size_at_its_source_is_not_fetched(tmp_path: Path) -> None:
    with serving({"/a": File(DATA)}) as host:
        report = fetch_files([remote(f"{host.url}/a", size=7)], tmp_path, patience=QUICK)
    assert states(report) == ["failed"]
    assert "50,000 bytes where 7 are expected" in report.files[0].reason
    assert not host.gets()


def test_a_file_with_a_wrong_checksum_is_not_fetched_twice(tmp_path: Path) -> None:
    with serving({"/a": File(b"changed")}) as host:
        files = [remote(f"{host.url}/a", checksum=f"sha256:{SHA256}")]
        assert states(fetch_files(files, tmp_path, patience=QUICK)) == ["failed"]
        assert states(fetch_files(files, tmp_path, patience=QUICK)) == ["failed"]
    assert len(host.gets()) == 1


def test_two_fetches_at_once_bring_a_file_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with serving({"/a": File(DATA)}) as host, ThreadPoolExecutor(2) as pool:
        files = [remote(f"{host.url}/a")]
        reports = list(pool.map(lambda _: fetch_files(files, tmp_path, patience=QUICK), range(2)))
    assert sorted(state for report in reports for state in states(report)) == ["fetched", "there already"]
    assert len(host.gets()) == 1


@pytest.mark.parametrize("name", ["../a", "a/b", "..", ""])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        fetch_files([remote("http://127.0.0.1:1/a", name)], tmp_path, patience=QUICK)


CARD = """
name = "pond"
title = "A pond"
licence_source = "its owner"

[[files]]
name = "pond.tar"
url = "{url}/pond.tar"
sha256 = "{sha256}"

[[files]]
name = "sheet.csv"
optional = true

[layout]
pictures = ["{{label}}/{{file}}"]
"""


def test_the_command_fetches_the_files_of_a_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving({"/pond.tar": File(DATA)}) as host:
        (tmp_path / "pond.toml").write_text(CARD.format(url=host.url, sha256=SHA256))
        code = call(["collections", "fetch", str(tmp_path / "pond.toml"), "--to", str(tmp_path / "to"), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert code == 0  # the table that is missing is optional
    assert [(file["name"], file["state"]) for file in document["files"]] == [
        ("pond.tar", "fetched"),
        ("sheet.csv", "by hand"),
    ]
    assert (tmp_path / "to" / "pond" / "pond.tar").read_bytes() == DATA


def test_the_command_says_each_failure_in_a_line_and_leaves_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({}) as host:
        (tmp_path / "pond.toml").write_text(CARD.format(url=host.url, sha256=SHA256))
        code = call(["collections", "fetch", str(tmp_path / "pond.toml"), "--to", str(tmp_path / "to")])
    lines = capsys.readouterr().err.splitlines()
    assert code == 1
    assert len(lines) == 2
    assert lines[0].startswith("failed: pond: pond.tar: 127.0.0.1:")
    assert "answers 404" in lines[0]


def test_every_card_that_comes_with_seston_can_be_asked_for(tmp_path: Path) -> None:
    from seston.collections import load_cards
    from seston.collections.fetching import _files_of, _place

    for card in load_cards():
        files = _files_of(card)
        assert files, card.name
        for file in files:
            assert _place(tmp_path, file).parent == tmp_path / card.name
            assert file.url or file.instructions, f"{card.name}: how does a person get {file.name}?"


FETCHER = """
import sys
from seston.cli.call import call
sys.exit(call(["collections", "fetch", sys.argv[1], "--to", sys.argv[2], "--json"]))
"""


def test_a_fetch_that_is_killed_goes_on_where_it_stood(tmp_path: Path) -> None:
    stops, killed = threading.Event(), threading.Event()

    def wait_for_the_kill() -> None:
        stops.set()
        killed.wait(60)

    data = os.urandom(8_000_000)
    file = File(data, pause=(3_000_000, wait_for_the_kill))
    with serving({"/pond.tar": file}) as host:
        card = CARD.format(url=host.url, sha256=hashlib.sha256(data).hexdigest())
        (tmp_path / "pond.toml").write_text(card)
        words = [sys.executable, "-c", FETCHER, str(tmp_path / "pond.toml"), str(tmp_path / "to")]
        first = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        assert stops.wait(60)
        while not (part := tmp_path / "to" / "pond" / "pond.tar.part").exists() or part.stat().st_size < 2_000_000:
            time.sleep(0.01)
        first.send_signal(signal.SIGKILL)
        first.wait()
        killed.set()
        have = part.stat().st_size
        assert subprocess.run(words, stdout=subprocess.DEVNULL, check=True).returncode == 0
    assert (tmp_path / "to" / "pond" / "pond.tar").read_bytes() == data
    assert [one.headers.get("Range") for one in host.gets()] == [None, f"bytes={have}-"]
