"""A server that answers like the Hugging Face Hub where something is sent or fetched: repositories, files, commits."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["FakeHub", "fake_hub"]


@dataclass
class FakeHub:
    """What the server holds, and what was asked of it."""

    url: str = ""
    token: str = "hf_secretsecretsecret"
    private: dict[str, bool] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Repository → path → content."""
    large: dict[str, bytes] = field(default_factory=dict)
    """SHA-256 → content."""
    requests: list[str] = field(default_factory=list)
    failures: int = 0
    """How many uploads of large files to refuse from now on."""


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """Run the server while the block lasts."""
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET", b"")

        def do_HEAD(self) -> None:
            self._answer("HEAD", b"")

        def do_POST(self) -> None:
            self._answer("POST", self._body())

        def do_PUT(self) -> None:
            self._answer("PUT", self._body())

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _answer(self, method: str, body: bytes) -> None:
            path = self.path.partition("?")[0]
            hub.requests.append(f"{method} {path}")
            if not path.startswith("/upload/") and self.headers.get("Authorization") != f"Bearer {hub.token}":
                self._send(401, {"error": "Invalid credentials"})
                return
            if "/resolve/" in path:
                self._resolve(method, path)
                return
            status, document = _route(hub, method, path, body)
            self._send(status, document)

        def _resolve(self, method: str, path: str) -> None:
            name, _, rest = path.lstrip("/").partition("/resolve/")
            content = hub.files.get(name, {}).get(rest.partition("/")[2])
            if content is None:
                self._send(404, {"error": "Entry not found"})
                return
            self.send_response(200)
            self.send_header("X-Repo-Commit", "1" * 40)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if method == "GET":
                self.wfile.write(content)

        def _send(self, status: int, document: Any) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _route(hub: FakeHub, method: str, path: str, body: bytes) -> tuple[int, Any]:
    if path.startswith("/upload/"):
        if hub.failures > 0:
            hub.failures -= 1
            return 400, {"error": "out of order"}
        assert hashlib.sha256(body).hexdigest() == path.removeprefix("/upload/")
        hub.large[path.removeprefix("/upload/")] = body
        return 200, {}
    if path == "/api/repos/create":
        asked = json.loads(body)
        name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
        if name in hub.files:
            return 409, {"error": "You already created this dataset repo", "url": f"{hub.url}/datasets/{name}"}
        hub.files[name], hub.private[name] = {".gitattributes": b""}, asked.get("visibility") == "private"
        return 200, {"url": f"{hub.url}/datasets/{name}"}
    if path.endswith(".git/info/lfs/objects/batch"):
        return 200, {"transfer": "basic", "objects": [_upload_action(hub, one) for one in json.loads(body)["objects"]]}
    if path == "/api/validate-yaml":
        return 200, {"errors": [], "warnings": []}
    name = "/".join(path.split("/")[3:5])
    if name not in hub.files:
        return 404, {"error": "Repository not found"}
    if "/preupload/" in path:
        return 200, {"files": [_mode(one["path"]) for one in json.loads(body)["files"]]}
    if "/commit/" in path:
        _commit(hub, name, body)
        return 200, {"commitUrl": f"{hub.url}/datasets/{name}/commit/1", "commitOid": "1" * 40}
    siblings = [{"rfilename": one} for one in sorted(hub.files[name])]
    if "/tree/" in path:
        return 200, [{"type": "file", "path": one, "size": 1, "oid": "0" * 40} for one in sorted(hub.files[name])]
    return 200, {"id": name, "sha": "1" * 40, "siblings": siblings, "private": hub.private[name], "tags": []}


def _upload_action(hub: FakeHub, one: dict[str, Any]) -> dict[str, Any]:
    if one["oid"] in hub.large:
        return {"oid": one["oid"], "size": one["size"]}
    return {**one, "actions": {"upload": {"href": f"{hub.url}/upload/{one['oid']}", "header": {}}}}


def _mode(path: str) -> dict[str, Any]:
    return {"path": path, "uploadMode": "lfs" if path.endswith(".parquet") else "regular", "shouldIgnore": False}


def _commit(hub: FakeHub, name: str, body: bytes) -> None:
    for line in body.decode().splitlines():
        said = json.loads(line)
        if said["key"] == "file":
            hub.files[name][said["value"]["path"]] = base64.b64decode(said["value"]["content"])
        elif said["key"] == "lfsFile":
            hub.files[name][said["value"]["path"]] = hub.large[said["value"]["oid"]]
