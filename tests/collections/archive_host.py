"""A host on this machine that serves files well or badly, as a test tells it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Asked", "File", "Host", "serving"]


@dataclass(slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(slots=True)
class File:
    """A file and how the host serves it."""

    data: bytes
    etag: str | None = '"one"'
    last_modified: str | None = None
    ranges: bool = True
    head: bool = True
    type: str = "application/octet-stream"
    chunked: bool = False
    """Send without a length."""
    honours_if_range: bool = True
    cuts: list[int] = field(default_factory=list)
    """For each coming GET: bytes of its answer after which the connection breaks."""
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """For each coming request: a status to answer in place of the file."""
    pause: tuple[int, Callable[[], object]] | None = None
    """Bytes of the next answer after which something is called, once."""
    then: Callable[[File], None] | None = None
    """Called once after the first GET, to change the file."""


@dataclass
class Host:
    """The files of a host, and what it was asked."""

    url: str
    files: dict[str, File] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def gets(self) -> list[Asked]:
        return [one for one in self.asked if one.method == "GET"]


@contextmanager
def serving(files: dict[str, File]) -> Iterator[Host]:
    """Serve files under their paths."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    host = Host(f"http://127.0.0.1:{server.server_address[1]}", files)
    server.host = host  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, format: str, *args: object) -> None:
        return

    def _answer(self, *, with_body: bool) -> None:
        host: Host = self.server.host  # type: ignore[attr-defined]
        host.asked.append(Asked(self.command, self.path, dict(self.headers)))
        file = host.files.get(self.path)
        if file is None:
            self._say(404)
        elif not with_body and not file.head:
            self._say(405)
        elif file.refusals:
            status, headers = file.refusals.pop(0)
            self._say(status, headers)
        else:
            self._serve(file, with_body=with_body)

    def _say(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _serve(self, file: File, *, with_body: bool) -> None:
        start = self._start(file)
        if start is not None and start >= len(file.data):
            self._say(416, {"Content-Range": f"bytes */{len(file.data)}"})
            return
        body = file.data[start or 0 :]
        self.send_response(200 if start is None else 206)
        self.send_header("Content-Type", file.type)
        if file.etag:
            self.send_header("ETag", file.etag)
        if file.last_modified:
            self.send_header("Last-Modified", file.last_modified)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(file.data) - 1}/{len(file.data)}")
        if file.chunked:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not with_body:
            return
        cut = file.cuts.pop(0) if file.cuts else None
        if file.pause is not None:
            (size, wait), file.pause = file.pause, None
            self.wfile.write(body[:size])
            wait()
            self.close_connection = True
            return
        self.wfile.write(body if cut is None else body[:cut])
        self.wfile.flush()
        if cut is not None or file.chunked:
            self.close_connection = True
        if file.then is not None:
            change, file.then = file.then, None
            change(file)

    def _start(self, file: File) -> int | None:
        wanted = self.headers.get("Range", "")
        if not file.ranges or not wanted.startswith("bytes="):
            return None
        condition = self.headers.get("If-Range")
        if condition and file.honours_if_range and condition not in (file.etag, file.last_modified):
            return None
        return int(wanted.removeprefix("bytes=").partition("-")[0])
