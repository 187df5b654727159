"""A server on this machine that answers as WoRMS does, counts what it is asked, and fails when told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ["WormsServer", "running_worms"]

_TREE: dict[int, tuple[str, str, int | None]] = {
    1: ("Superdomain", "Biota", None),
    2: ("Kingdom", "Animalia", 1),
    90001: ("Phylum (Division)", "Testozoa", 2),
    90002: ("Class", "Testatea", 90001),
    90003: ("Epifamily", "Testoidea", 90002),
    90004: ("Genus", "Testa", 90003),
    90005: ("Species", "Testa alba", 90004),
    90006: ("Species", "Testa nigra", 90004),
    90008: ("Species", "Testa dubia", 90004),
}
_SYNONYMS = {90007: ("Species", "Olda alba", 90005)}


@dataclass
class WormsServer:
    """What the server was asked, and how it is to behave."""

    url: str = ""
    names: list[list[str]] = field(default_factory=list)
    """Names of each bulk request that was answered in full or in part."""
    classifications: list[int] = field(default_factory=list)
    leave: Event = field(default_factory=Event)
    """Set when the server ends, so that no one waits for it."""
    requests: int = 0
    agents: set[str] = field(default_factory=set)
    failures: list[int | str] = field(default_factory=list)
    """How to fail the next requests, one each: a status, or ``cut`` for a connection cut in the middle."""
    retry_after: str = "0"
    slow_after: int | None = None
    """After so many bulk requests, take a minute for each."""
    raw: bytes | None = None
    """Answer everything with this."""
    partial: bool = False
    """Answer bulk requests of several names with status 206 and one name less."""

    def record(self, name: str) -> list[dict[str, Any]]:
        """Give the records under a name."""
        known = {taxon: (aphia_id, rank, aphia_id) for aphia_id, (rank, taxon, _) in _TREE.items()}
        known |= {taxon: (aphia_id, rank, accepted) for aphia_id, (rank, taxon, accepted) in _SYNONYMS.items()}
        if name == "Testa alva":
            return [{"AphiaID": 90005, "scientificname": "Testa alba", "rank": "Species", "match_type": "near_1"}]
        if name not in known:
            return []
        aphia_id, rank, accepted = known[name]
        status = "accepted" if accepted == aphia_id else "unaccepted"
        return [
            {
                "AphiaID": aphia_id,
                "scientificname": name,
                "rank": rank,
                "status": "nomen dubium" if name == "Testa dubia" else status,
                "valid_AphiaID": accepted,
                "valid_name": _TREE[accepted][1],
                "parentNameUsageID": _TREE[aphia_id][2] if aphia_id in _TREE else None,
                "match_type": "exact",
            }
        ]

    def classification(self, aphia_id: int) -> dict[str, Any]:
        """Give a taxon within all above it."""
        rank, name, above = _TREE[aphia_id]
        nested: dict[str, Any] = {"AphiaID": aphia_id, "rank": rank, "scientificname": name, "child": None}
        while above is not None:
            rank, name, further = _TREE[above]
            nested = {"AphiaID": above, "rank": rank, "scientificname": name, "child": nested}
            above = further
        return nested


@contextmanager
def running_worms() -> Iterator[WormsServer]:
    """Run the server until the end of the block."""
    state = WormsServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    state.url = f"http://127.0.0.1:{server.server_port}/rest"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.leave.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state: WormsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests += 1
            state.agents.add(self.headers.get("User-Agent", ""))
            if state.failures:
                self._fail(state.failures.pop(0))
                return
            if state.raw is not None:
                self._send(200, state.raw)
                return
            parts = urlsplit(self.path)
            if parts.path.endswith("AphiaRecordsByMatchNames"):
                self._names(parse_qs(parts.query)["scientificnames[]"])
            else:
                aphia_id = int(parts.path.rpartition("/")[2])
                state.classifications.append(aphia_id)
                self._answer(200, state.classification(aphia_id))

        def _names(self, names: list[str]) -> None:
            if state.slow_after is not None and len(state.names) >= state.slow_after:
                state.leave.wait(60)
                return
            state.names.append(names)
            found = [state.record(name) for name in names]
            if not any(found):
                self._answer(204, None)
            elif state.partial and len(names) > 1:
                self._answer(206, found[1:])
            else:
                self._answer(200, found)

        def _answer(self, status: int, document: Any) -> None:
            self._send(status, b"" if document is None else json.dumps(document).encode())

        def _send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if content:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _fail(self, how: int | str) -> None:
            if isinstance(how, int):
                self.send_response(how)
                self.send_header("Retry-After", state.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"[[{")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
