"""A file saved into a watched folder until a running server finds it by its words."""

from __future__ import annotations

import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report import Report, Row
from indexer.lock import LibraryLock
from web.client import Client

# A file has to lie still for a second before it is read; nothing can be found sooner.
SETTLE_S = 1.0
GOAL_S = 5.0


def run(quick: bool) -> Report:
    with tempfile.TemporaryDirectory() as base:
        folder, data = Path(base) / "folder", Path(base) / "data"
        folder.mkdir()
        server = subprocess.Popen(
            [sys.executable, "-m", "recollect", "--data", data, "serve", folder, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert server.stdout is not None
            assert re.search(r"http://", server.stdout.readline())
            held = LibraryLock(data).holder()
            assert held is not None
            assert held.url is not None
            with Client(held.url, held.token) as client:
                took = [_save(client, folder, n) for n in range(5 if quick else 25)]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    rows = [
        Row("saved_p50", "seconds until a saved file is found by its words, median, over the "
            "second it must lie still", statistics.median(took), "s", reference=SETTLE_S),
        Row("saved_max", "the same, the longest of them", max(took), "s", goal=GOAL_S,
            at_most=True),
    ]  # fmt: skip
    return Report("watch", rows, seeds=[])


def _save(client: Client, folder: Path, number: int) -> float:
    word = f"zebra{number:04}"
    (folder / f"{word}.txt").write_text(f"The {word} stands at the gate.\n")
    began = time.perf_counter()
    while time.perf_counter() - began < 60:
        if client.search(word, by="words")["hits"]:
            return time.perf_counter() - began
        time.sleep(0.05)
    raise AssertionError(f"{word} was not found within a minute")
