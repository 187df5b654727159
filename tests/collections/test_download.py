"""One file over a line that breaks: the bytes that arrive are those of the source, or the reason is said."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from archive_host import File, serving

from seston.collections.download import Offer, download, look_at
from seston.errors import NetworkError
from seston.network import USER_AGENT, Patience

DATA = os.urandom(1_000_000)
OTHER = os.urandom(1_000_000)
SHA256 = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
MD5 = f"md5:{hashlib.md5(DATA, usedforsecurity=False).hexdigest()}"
QUICK = Patience(tries=4, first_wait_s=0.01, longest_wait_s=0.02, timeout_s=5)


def test_a_file_arrives_whole(tmp_path: Path) -> None:
    with serving({"/a.zip": File(DATA)}) as host:
        got = download(f"{host.url}/a.zip", tmp_path / "a.zip", checksum=MD5, patience=QUICK)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert got.sha256 == SHA256.removeprefix("sha256:")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip"]


def test_requests_name_the_project(tmp_path: Path) -> None:
    with serving({"/a": File(DATA)}) as host:
        download(f"{host.url}/a", tmp_path / "a", patience=QUICK)
    assert host.asked[0].headers["User-Agent"] == USER_AGENT
    assert "Seston" in USER_AGENT


def test_a_cut_connection_is_taken_up_where_it_broke(tmp_path: Path) -> None:
    with serving({"/a": File(DATA, cuts=[300_000, 400_000])}) as host:
        download(f"{host.url}/a", tmp_path / "a", patience=QUICK)
    assert (tmp_path / "a").read_bytes() == DATA
    assert [one.headers.get("Range") for one in host.gets()] == [None, "bytes=300000-", "bytes=700000-"]
    assert [one.headers.get("If-Range") for one in host.gets()] == [None, '"one"', '"one"']


def test_a_killed_fetch_goes_on_in_a_new_process(tmp_path: Path) -> None:
    once = Patience(tries=1, timeout_s=5)
    with serving({"/a": File(DATA, cuts=[600_000])}) as host:
        with pytest.raises(NetworkError, match="byte 600,000 of 1,000,000"):
            download(f"{host.url}/a", tmp_path / "a", patience=once)
        assert not (tmp_path / "a").exists()
        download(f"{host.url}/a", tmp_path / "a", patience=once)
    assert (tmp_path / "a").read_bytes() == DATA
    assert host.gets()[-1].headers["Range"] == "bytes=600000-"


def test_a_host_without_ranges_gives_the_file_anew(tmp_path: Path) -> None:
    with serving({"/a": File(DATA, ranges=False, cuts=[300_000])}) as host:
        download(f"{host.url}/a", tmp_path / "a", checksum=SHA256, patience=QUICK)
    assert (tmp_path / "a").read_bytes() == DATA
    assert len(host.gets()) == 2


def test_a_host_without_ranges_that_always_cuts_is_given_up(tmp_path: Path) -> None:
    with serving({"/a": File(DATA, ranges=False, cuts=[300_000] * 50)}) as host, pytest.raises(NetworkError):
        download(f"{host.url}/a", tmp_path / "a", patience=QUICK)
    assert len(host.gets()) == QUICK.tries  # the first brought bytes and began the row of failures


@pytest.mark.parametrize("honours", [True, False])
def test_a_file_that_changed_between_two_attempts_is_not_joined(tmp_path: Path, honours: bool) -> None:
    def change(file: File) -> None:
        file.data, file.etag = OTHER, '"two"'

    with serving({"/a": File(DATA, cuts=[300_000], then=change, honours_if_range=honours)}) as host:
        download(f"{host.url}/a", tmp_path / "a", patience=QUICK)
    assert (tmp_path / "a").read_bytes() == OTHER


def test_a_file_that_changed_is_seen_by_its_date_where_there_is_no_tag(tmp_path: Path) -> None:
    def change(file: File) -> None:
        file.data, file.last_modified = OTHER, "Tue, 02 Jan 2024 00:00:00 GMT"

    file = File(DATA, etag=None, last_modified="Mon, 01 Jan 2024 00:00:00 GMT", cuts=[300_000], then=change)
    with serving({"/a": file}) as host:
        download(f"{host.url}/a", tmp_path / "a", patience=QUICK)
    assert (tmp_path / "a").read_bytes() == OTHER
    assert host.gets()[1].headers["If-Range"] == "Mon, 01 Jan 2024 00:00:00 GMT"


def test_bytes_that_nothing_vouches_for_are_not_joined(tmp_path: Path) -> None:
    with serving({"/a": File(DATA, etag=None, cuts=[300_000])}) as host:
        download(f"{host.url}/a", tmp_path / "a", patience=QUICK)
    assert (tmp_path / "a").read_bytes() == DATA
    assert [one.headers.get("Range") for one in host.gets()] == [None, None]


def test_a_wrongly_joined_file_is_fetched_once_more_in_one_piece(tmp_path: Path) -> None:
    def change(file: File) -> None:
        file.data = DATA  # under the same tag: a host that lies

    with serving({"/a": File(OTHER, cuts=[300_000], then=change)}) as host:
        download(f"{host.url}/a", tmp_path / "a", checksum=SHA256, patience=QUICK)
    assert (tmp_path / "a").read_bytes() == DATA


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(tmp_path: Path, status: int) -> None:
    with serving({"/a": File(DATA, refusals=[(status, {}), (status, {})])}) as host:
        download(f"{host.url}/a", tmp_path / "a", patience=QUICK)
    assert (tmp_path / "a").read_bytes() == DATA
    assert len(host.gets()) == 3


def test_a_server_is_left_alone_as_long_as_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    with serving({"/a": File(DATA, refusals=[(429, {"Retry-After": "7"})])}) as host:
        download(f"{host.url}/a", tmp_path / "a", patience=QUICK)
    assert waits == [7.0]


def test_a_server_that_is_away_for_hours_is_not_waited_for(tmp_path: Path) -> None:
    with (
        serving({"/a": File(DATA, refusals=[(503, {"Retry-After": "7200"})])}) as host,
        pytest.raises(NetworkError, match="come back in 7,200 s"),
    ):
        download(f"{host.url}/a", tmp_path / "a", patience=QUICK)


def test_a_refusal_is_not_asked_again(tmp_path: Path) -> None:
    with serving({}) as host, pytest.raises(NetworkError, match="answers 404"):
        download(f"{host.url}/a", tmp_path / "a", patience=QUICK)
    assert len(host.asked) == 1


def test_a_wrong_checksum_is_said_and_the_file_kept_aside(tmp_path: Path) -> None:
    with serving({"/a": File(OTHER)}) as host, pytest.raises(NetworkError, match="has changed, or is damaged"):
        download(f"{host.url}/a", tmp_path / "a", checksum=SHA256, patience=QUICK)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.unverified"]
    assert len(host.gets()) == 1


def test_a_wrong_length_is_seen_before_the_bytes_are_taken(tmp_path: Path) -> None:
    with serving({"/a": File(DATA)}) as host, pytest.raises(NetworkError, match="1,000,000 bytes where 999,999"):
        download(f"{host.url}/a", tmp_path / "a", size=999_999, patience=QUICK)
    assert not list(tmp_path.glob("a*part")) or (tmp_path / "a.part").stat().st_size == 0


def test_a_short_answer_without_a_length_is_seen_by_the_published_one(tmp_path: Path) -> None:
    with serving({"/a": File(DATA[:5_000], chunked=True)}) as host, pytest.raises(NetworkError, match="5,000 bytes"):
        download(f"{host.url}/a", tmp_path / "a", size=len(DATA), patience=QUICK)


def test_a_page_for_logging_in_is_not_taken_for_the_archive(tmp_path: Path) -> None:
    with serving({"/a.zip": File(b"<html>", type="text/html")}) as host, pytest.raises(NetworkError, match="web page"):
        download(f"{host.url}/a.zip", tmp_path / "a.zip", patience=QUICK)


def test_the_size_is_asked_for_without_fetching() -> None:
    with serving({"/a": File(DATA)}) as host:
        assert look_at(f"{host.url}/a", patience=QUICK) == Offer(len(DATA), "application/octet-stream")
    assert [one.method for one in host.asked] == ["HEAD"]


def test_a_host_that_refuses_head_is_asked_for_one_byte() -> None:
    with serving({"/a": File(DATA, head=False)}) as host:
        assert look_at(f"{host.url}/a", patience=QUICK).size == len(DATA)
    assert host.asked[-1].headers["Range"] == "bytes=0-0"


def test_an_address_that_is_no_web_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="only http and https"):
        download("file:///etc/passwd", tmp_path / "a", patience=QUICK)
