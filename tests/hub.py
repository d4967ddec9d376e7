"""A hub on this machine: a real HTTP server that speaks the routes a pull uses, and can cut a
connection in the middle of a file, change what it sends, or refuse."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SMALL_BYTES = 100_000  # as on the real hub, small files are named by git's hash


@dataclass
class Hub:
    """`repositories` are folders by their hub id. `cuts` says after how many bytes the next
    answers for a file break off; `ranges` is what was asked for, `sent` how much went out."""

    url: str
    repositories: dict[str, Path]
    cuts: dict[str, list[int]] = field(default_factory=dict)
    forged: set[str] = field(default_factory=set)
    status: dict[str, int] = field(default_factory=dict)
    ranges: list[tuple[str, str | None]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)


@contextmanager
def serve(repositories: dict[str, Path]) -> Iterator[Hub]:
    """Serves folders under their hub ids."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.daemon_threads = True
    hub = Hub(f"http://127.0.0.1:{server.server_port}", {**repositories})
    server.hub = hub  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def digest(file: Path) -> dict[str, Any]:
    """A file as the hub's API lists it."""
    content = file.read_bytes()
    git = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
    listing: dict[str, Any] = {"rfilename": file.name, "size": len(content), "blobId": git}
    if len(content) > SMALL_BYTES:
        sha256 = hashlib.sha256(content).hexdigest()
        listing["lfs"] = {"size": len(content), "sha256": sha256, "pointerSize": 134}
    return listing


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        return hub

    def handle(self) -> None:
        with suppress(ConnectionError):  # the other side was killed, or limited
            super().handle()

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self._info("/".join(parts[2:4]))
        elif len(parts) >= 5 and parts[2] == "resolve":
            self._file("/".join(parts[:2]), parts[4])
        else:
            self._refuse(404)

    def _info(self, name: str) -> None:
        if name in self.hub.status:
            self._refuse(self.hub.status[name])
            return
        if name not in self.hub.repositories:
            self._refuse(404)
            return
        files = [digest(file) for file in sorted(self.hub.repositories[name].iterdir())
                 if file.is_file()]  # fmt: skip
        info = {"id": name, "modelId": name, "sha": COMMIT, "siblings": files, "tags": [],
                "private": False, "downloads": 0, "likes": 0}  # fmt: skip
        self._send(json.dumps(info).encode(), "application/json")

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _file(self, repository: str, name: str) -> None:
        asked = self.headers.get("Range")
        self.hub.ranges.append((name, asked))
        content = (self.hub.repositories[repository] / name).read_bytes()
        if name in self.hub.forged:
            content = bytes([content[0] ^ 1]) + content[1:]
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        cuts = self.hub.cuts.get(name)
        stop = min(len(content), start + cuts.pop(0)) if cuts else len(content)
        self.wfile.write(content[start:stop])
        self.wfile.flush()
        self.hub.sent[name] = self.hub.sent.get(name, 0) + stop - start
        if stop < len(content):
            self.close_connection = True
