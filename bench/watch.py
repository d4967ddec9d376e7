"""A file saved into a watched folder until a server finds it by its words, also in a flood."""

from __future__ import annotations

import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.report import Report, Row
from indexer.files.lock import LibraryLock
from web.library.client import Client

# A file has to lie still for a second before it is read; nothing can be found sooner.
SETTLE_S = 1.0
IDLE_GOAL_S, FLOOD_GOAL_S = 2.0, 5.0
FLOOD = 10_000
DROPS = 3  # one after the other: each is read before many files could be saved


def run(quick: bool) -> Report:
    saves = 5 if quick else 40
    flood = FLOOD // 10 if quick else FLOOD
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "folder"
        folder.mkdir()
        with served(folder, Path(base) / "data") as client:
            idle = [_save(client, folder, n) for n in range(saves)]
            under: list[float] = []
            for number in range(DROPS):
                _drop(folder / f"dropped{number}", flood)
                known = saves + number * flood + len(under)
                under += _saves_during(client, folder, known, flood, saves)
    rows = [
        Row("idle_p50", "seconds until a saved file is found by its words, median, beside the "
            "second it must lie still", statistics.median(idle), "s", reference=SETTLE_S),
        Row("idle_p95", "the same, at the 95th of a hundred", _p95(idle), "s", goal=IDLE_GOAL_S,
            at_most=True),
        Row("flood_p50", f"the same while {flood:,} dropped files are read, median",
            statistics.median(under), "s", reference=SETTLE_S),
        Row("flood_p95", "the same, at the 95th of a hundred", _p95(under), "s",
            goal=FLOOD_GOAL_S, at_most=True),
        Row("flood_saves", "files that were saved while dropped ones still waited", len(under),
            "files", goal=1 if quick else 10),
    ]  # fmt: skip
    return Report("watch", rows, seeds=[])


@contextmanager
def served(folder: Path, data: Path) -> Iterator[Client]:
    """A server of a process of its own that watches `folder`."""
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
            yield client
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def _saves_during(
    client: Client, folder: Path, known: int, flood: int, most: int
) -> Iterator[float]:
    """How long each of `most` saves takes, as long as the flood is not all read; `known` files were
    there before it."""
    for number in range(most):
        if client.status()["coverage"]["read"] >= known + flood + number:
            return
        yield _save(client, folder, 1000 + known + number)


def _p95(took: list[float]) -> float:
    return sorted(took)[round(0.95 * (len(took) - 1))]


def _drop(folder: Path, count: int) -> None:
    """Many files at once, each with words of its own."""
    folder.mkdir()
    for number in range(count):
        text = f"Crate {number} of the flood. " + f"Item {number * 7919 % count} lies in it. " * 20
        (folder / f"crate{number:05}.txt").write_text(text)


def _save(client: Client, folder: Path, number: int) -> float:
    word = f"zebra{number:04}"
    (folder / f"{word}.txt").write_text(f"The {word} stands at the gate.\n")
    began = time.perf_counter()
    while time.perf_counter() - began < 120:
        if client.search(word, by="words")["hits"]:
            return time.perf_counter() - began
        time.sleep(0.02)
    raise AssertionError(f"{word} was not found within two minutes")
