#!/usr/bin/env bash
# In short: a file response sends an ETag and then answers the request that carries it with the
#   whole file
# Versions: starlette 1.10.0
# Expected: who sends ETag and Last-Modified compares them with If-None-Match and
#   If-Modified-Since, and answers 304 without a body.
# Instead: `StaticFiles` does so. `FileResponse`, which a route returns for one file and which
#   makes the very same headers, never does: the comparison lives in StaticFiles. Ranges are
#   handled, conditions but If-Range are not.
# Seen:
#   /files/picture.bin: asked again with its own tag: 304, 0 bytes
#   /route: asked again with its own tag: 200, 5000 bytes
# Source: `StaticFiles.is_not_modified` in starlette/staticfiles.py and `FileResponse.__call__` in
#   starlette/responses.py; seen by running this.
# Matters: thumbnails and originals are served from routes that look the file up first. The
#   browser asks again with the tag, and every picture is sent again in full.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'starlette==1.10.0' 'httpx2==2.16.2'
venv/bin/python - <<'PYTHON'
import pathlib

from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

pathlib.Path("files").mkdir()
pathlib.Path("files/picture.bin").write_bytes(bytes(5000))
routes = [
    Route("/route", lambda request: FileResponse("files/picture.bin")),
    Mount("/files", StaticFiles(directory="files")),
]
client = TestClient(Starlette(routes=routes))
answers = {}
for path in ("/files/picture.bin", "/route"):
    tag = client.get(path).headers["ETag"]
    again = client.get(path, headers={"If-None-Match": tag})
    answers[path] = (again.status_code, len(again.content))
    print(f"{path}: asked again with its own tag: {again.status_code}, {len(again.content)} bytes")
if answers != {"/files/picture.bin": (304, 0), "/route": (200, 5000)}:
    raise SystemExit(f"changed: {answers}")
PYTHON
