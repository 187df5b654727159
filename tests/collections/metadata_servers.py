"""An EcoTaxa and an IFCB dashboard on this machine, which count what they are asked and answer."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

__all__ = ["Bin", "Servers", "serving_metadata"]

FIRST = 100_000_000
"""Number of the first object of a project."""


@dataclass(slots=True)
class Bin:
    """What the dashboard knows of a bin."""

    latitude: float
    longitude: float
    depth: float
    time: str


@dataclass
class Servers:
    """Projects with so many objects each, bins, and the requests that came and were answered."""

    url: str = ""
    projects: dict[int, int] = field(default_factory=dict)
    bins: dict[str, Bin] = field(default_factory=dict)
    data_sets: dict[str, list[str]] = field(default_factory=dict)
    came: list[str] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)
    tokens: list[str | None] = field(default_factory=list)
    lose_fields: bool = False
    shuffle: bool = False
    before_answer: Callable[[str], bool] = lambda _: True
    """Called with each request; False: the connection is closed without an answer."""

    def row(self, number: int) -> list[object]:
        """What EcoTaxa says about an object."""
        n = number - FIRST
        latitude = None if n % 1000 == 999 else 43.0 + n % 7 / 10
        status = "VPD"[n % 3]
        return [f"cruise_{n:07d}", latitude, 7.5, n % 50, n % 50 + 1, "2019-07-01", "12:30:00", status, "Acartia"]


@contextmanager
def serving_metadata(servers: Servers) -> Iterator[Servers]:
    """Play both servers at one address: EcoTaxa below ``/api``, the dashboard at the root."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    servers.url = f"http://127.0.0.1:{server.server_address[1]}"
    server.servers = servers  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield servers
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        return

    def _answer(self) -> None:
        servers: Servers = self.server.servers  # type: ignore[attr-defined]
        servers.came.append(self.path)
        servers.tokens.append(self.headers.get("Authorization"))
        if not servers.before_answer(self.path):
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        steps = parts.path.strip("/").split("/")
        if self.command == "POST" and steps[:2] == ["api", "object_set"]:
            self._say(_objects(servers, int(steps[2]), parse_qs(parts.query)))
        elif steps[:2] == ["api", "bin"] and steps[2] in servers.bins:
            one = servers.bins[steps[2]]
            said = {"lat": one.latitude, "lng": one.longitude, "depth": one.depth, "timestamp_iso": one.time}
            self._say(json.dumps(said).encode())
        elif steps[:2] == ["api", "export_metadata"] and steps[2] in servers.data_sets:
            self._say(_table(servers, servers.data_sets[steps[2]]))
        else:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _say(self, body: bytes) -> None:
        servers: Servers = self.server.servers  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        servers.answered[self.path] += 1


def _objects(servers: Servers, project: int, query: dict[str, list[str]]) -> bytes:
    assert query["order_field"] == ["obj.objid"]
    assert len(query["fields"][0].split(",")) == 9
    start, size = int(query["window_start"][0]), int(query["window_size"][0])
    total = servers.projects[project]
    first = FIRST + project * 10_000_000
    ids = list(range(first + start, first + min(start + size, total)))
    rows = [servers.row(number - project * 10_000_000) for number in ids]
    if servers.lose_fields:
        rows = [row[:-1] for row in rows]
    if servers.shuffle:
        ids.reverse()
    return json.dumps({"object_ids": ids, "details": rows, "total_ids": total}).encode()


def _table(servers: Servers, names: list[str]) -> bytes:
    lines = ["pid,sample_time,ifcb,ml_analyzed,latitude,longitude,depth,cruise,skip,tag1"]
    for name in names:
        one = servers.bins[name]
        lines.append(f"{name},{one.time},5,4.9,{one.latitude},{one.longitude},{one.depth},,0,")
    return "\n".join(lines).encode()
