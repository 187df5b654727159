"""Asking a server: what is unpacked, followed, refused and given up."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from seston.errors import NetworkError
from seston.network import Patience, TemporaryError, ask, patiently

QUICK = Patience(tries=3, first_wait_s=0.01, longest_wait_s=0.02, timeout_s=5)
Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], Answer]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Serve whatever `answer` says; gives the address and the headers of the requests that came."""
    came: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            came.append(dict(self.headers))
            status, headers, body = answer(self)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{made.server_address[1]}", came
    finally:
        made.shutdown()
        made.server_close()


def test_a_packed_answer_is_unpacked() -> None:
    with server(lambda _: (200, {"Content-Encoding": "gzip"}, gzip.compress(b"words " * 1000))) as (url, came):
        assert ask(url, patience=QUICK) == b"words " * 1000
    assert came[0]["Accept-Encoding"] == "gzip"


def test_an_answer_that_unpacks_without_end_is_refused() -> None:
    bomb = gzip.compress(bytes(20_000_000))
    with (
        server(lambda _: (200, {"Content-Encoding": "gzip"}, bomb)) as (url, _),
        pytest.raises(NetworkError, match="more than 1,000,000 bytes"),
    ):
        ask(url, patience=QUICK, limit=1_000_000)


def test_a_packed_answer_that_was_cut_is_asked_for_again() -> None:
    whole = gzip.compress(b"words " * 1000)
    answers = [whole[:-20], whole]
    with server(lambda _: (200, {"Content-Encoding": "gzip"}, answers.pop(0))) as (url, came):
        assert ask(url, patience=QUICK) == b"words " * 1000
    assert len(came) == 2


def test_a_password_goes_to_the_host_that_it_is_for_and_to_no_other() -> None:
    with (
        server(lambda _: (200, {}, b"there")) as (other, came_to_other),
        server(lambda _: (302, {"Location": f"{other}/x"}, b"")) as (url, came),
    ):
        assert ask(url, headers={"Authorization": "Bearer secret"}, patience=QUICK) == b"there"
    assert came[0]["Authorization"] == "Bearer secret"
    assert "Authorization" not in came_to_other[0]
    assert "Seston" in came_to_other[0]["User-Agent"]


def test_a_password_stays_with_a_redirect_on_its_own_host() -> None:
    def answer(request: BaseHTTPRequestHandler) -> Answer:
        return (200, {}, b"there") if request.path == "/x" else (302, {"Location": "/x"}, b"")

    with server(answer) as (url, came):
        assert ask(url, headers={"Authorization": "Bearer secret"}, patience=QUICK) == b"there"
    assert [one.get("Authorization") for one in came] == ["Bearer secret"] * 2


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_away_from_the_web_is_not_followed(to: str) -> None:
    with (
        server(lambda _: (302, {"Location": to}, b"")) as (url, _),
        pytest.raises(NetworkError, match=r"not safe|not allowed"),
    ):
        ask(url, patience=QUICK)


def test_a_date_to_come_back_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    answers: list[Answer] = [(503, {"Retry-After": formatdate(time.time() + 30, usegmt=True)}, b""), (200, {}, b"yes")]
    with server(lambda _: answers.pop(0)) as (url, _):
        assert ask(url, patience=QUICK) == b"yes"
    assert waits == [pytest.approx(29.5, abs=1.5)]


def test_waits_double_and_are_bounded() -> None:
    patience = Patience(first_wait_s=1.0, longest_wait_s=10.0)
    for failures, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (9, 10.0)):
        assert 0.75 * longest <= patience.wait_s(failures) <= longest
    assert patience.wait_s(1, 33.0) == 33.0


def test_a_server_that_stays_busy_is_given_up_with_the_number_of_tries() -> None:
    with (
        server(lambda _: (503, {}, b"")) as (url, came),
        pytest.raises(NetworkError, match=r"503 Service Unavailable .*3 times in a row; try again later"),
    ):
        ask(url, patience=QUICK)
    assert len(came) == QUICK.tries


def test_a_host_that_is_not_there_is_said_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(NetworkError, match="no such host, or no network"):
        ask("http://seston.invalid/x", patience=Patience(first_wait_s=30))
    assert time.monotonic() - began < 20


def test_only_passing_failures_are_tried_again() -> None:
    tried: list[int] = []

    def attempt() -> int:
        tried.append(1)
        if len(tried) < 3:
            raise TemporaryError("busy")
        return 7

    assert patiently(attempt, patience=QUICK) == 7
    assert len(tried) == 3


@pytest.mark.parametrize(("status", "said"), [(401, "wants a login"), (403, "wants a login"), (404, "404")])
def test_a_refusal_is_said_and_not_repeated(status: int, said: str) -> None:
    with server(lambda _: (status, {}, b"")) as (url, came), pytest.raises(NetworkError, match=said):
        ask(url, patience=QUICK)
    assert len(came) == 1
