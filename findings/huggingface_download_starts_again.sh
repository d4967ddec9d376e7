#!/usr/bin/env bash
# In short: a download that broke off is begun again from the first byte by the next process
# Versions: huggingface_hub 2.4.0
# Expected: the cache keeps what came as an ".incomplete" file under the file's hash, as the
#   releases before 2 did, and the next run asks for the rest with a Range.
# Instead: the partial file has a random name and is removed when the download fails, and the next
#   process asks without a Range. Within one call the library does continue after an error.
# Seen:
#   first process: succeeded False asked from byte [0, 20971520, 20971520, 20971520, 20971520, 20971520]
#   kept of it: nothing
#   second process: succeeded True asked from byte [0]
# Source: `_download_to_tmp_and_move` in huggingface_hub/file_download.py; seen by running this
#   against a server of its own on this computer, which breaks off at 24 MB.
# Matters: weights of 10 GB over a home line that drops once an hour never arrive. A program that
#   wants to resume has to stream into a file of its own.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'huggingface_hub==2.4.0'
venv/bin/python - <<'PYTHON'
import hashlib
import http.server
import os
import pathlib
import subprocess
import sys
import threading

SIZE, PART = 30_000_000, 24_000_000
DATA = bytes(SIZE)
TAG = hashlib.sha256(DATA).hexdigest()
starts, broken = [], True


class Hub(http.server.BaseHTTPRequestHandler):
    """Answers for one file of one repository, and breaks off while `broken`."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def begin(self):
        asked = self.headers.get("Range")
        start = int(asked[6:].split("-")[0]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(SIZE - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{SIZE - 1}/{SIZE}")
        self.send_header("ETag", f'"{TAG}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        return start

    def do_HEAD(self):
        self.begin()

    def do_GET(self):
        if not self.path.endswith("weights.bin"):
            self.send_error(404)
            return
        start = self.begin()
        starts.append(start)
        if broken:
            self.wfile.write(DATA[start:PART])
            self.close_connection = True
        else:
            self.wfile.write(DATA[start:])


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()
cache = pathlib.Path("cache").resolve()
environment = os.environ | {
    "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(cache),
    "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1",
}
CODE = "from huggingface_hub import hf_hub_download; hf_hub_download('owner/name', 'weights.bin')"


def download():
    """Whether it succeeded, and from which byte each request asked."""
    starts.clear()
    command = [sys.executable, "-c", CODE]
    process = subprocess.run(command, env=environment, capture_output=True, timeout=90)
    return process.returncode == 0, list(starts)


first = download()
left = sorted(path.name for path in cache.rglob("*") if path.is_file() and path.stat().st_size > 1000)
broken = False
second = download()
print("first process: succeeded", first[0], "asked from byte", first[1])
print("kept of it:", left or "nothing")
print("second process: succeeded", second[0], "asked from byte", second[1])
if first[0] or left or second != (True, [0]):
    raise SystemExit("changed: a download that broke off")
PYTHON
