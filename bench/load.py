"""Load: searches of one person and of eight at once, in 10,000 files and in 100,000; the disk."""

from __future__ import annotations

import functools
import http.client
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psutil

from bench.bloat import size_of
from bench.load_library import LoadLibrary
from bench.report import Report, Row
from indexer.files.lock import LibraryLock

SEED = 16
SIZES, QUICK_SIZES = (10_000, 100_000), (1_000, 10_000)
CLIENTS = 8
SEARCHES, QUICK_SEARCHES = 400, 80  # of each kind, by one person and by all together
HITS = 20
QUIET_S = 75.0  # after a minute without a change the index is tidied, once
IDLE_S = 30.0
SETTLED_S, SETTLED_SHARE, REST_S = 3.0, 0.03, 300.0
GOAL_MS, GOAL_GROWTH, GOAL_CPU_GROWTH = 250.0, 1.5, 1.3
GOAL_START_S, GOAL_IDLE_PERCENT, GOAL_DISK = 3.0, 0.5, 1.5
BY = ("words", "all")

Search = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Load:
    """What searches took: milliseconds until the answer, and of the processor for each."""

    p50_ms: float
    p95_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Server:
    """A server of a process of its own."""

    process: psutil.Process
    start_s: float
    address: str
    token: str

    def searches(self, by: str) -> Callable[[], Search]:
        """Makes a search of one client, which keeps its connection."""
        headers = {"Authorization": f"Bearer {self.token}"}

        def connect() -> Search:
            connection = http.client.HTTPConnection(self.address, timeout=60)

            def search(words: str) -> object:
                query = urlencode({"q": words, "by": by, "limit": HITS})
                connection.request("GET", f"/api/search?{query}", headers=headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
                assert response.status == 200, answer
                return answer

            return search

        return connect


def run(quick: bool) -> Report:
    sizes = QUICK_SIZES if quick else SIZES
    loads: dict[tuple[int, str, int], Load] = {}
    starts_s: dict[int, float] = {}
    idle_percent = 0.0
    bytes_most = bytes_end = bytes_least = 0
    with tempfile.TemporaryDirectory() as base:
        library = LoadLibrary(Path(base), SEED)
        for size in sizes:
            began = time.monotonic()
            library.grow(size)
            log(f"{size:,} files are indexed after {time.monotonic() - began:.0f} s")
            count = QUICK_SEARCHES if quick else SEARCHES
            queries = library.queries(count, random.Random(SEED))
            full_text = functools.partial(_full_text, library.full_text_table())
            for clients in (1, CLIENTS):
                peer = _measured(_always(full_text), queries, clients, psutil.Process())
                loads[size, "LanceDB", clients] = peer
                log(f"{size:,} files, LanceDB, {clients} at once: {peer}")
            with _served(library) as server:
                starts_s[size] = server.start_s
                server.searches("all")()(queries[0])  # waits for the model
                _rest(server.process)
                for by in BY:
                    connect = server.searches(by)
                    for clients in (1, CLIENTS):
                        load = _measured(connect, queries, clients, server.process)
                        loads[size, by, clients] = load
                        log(f"{size:,} files, by {by}, {clients} at once: {load}")
                if size == sizes[-1]:
                    time.sleep(QUIET_S)
                    idle_percent = 100 * _idle_share(server.process, IDLE_S)
        bytes_most, bytes_end = library.most_bytes, size_of(library.data)
        bytes_least = library.least_bytes(Path(base) / "copy")
    rows = [row for by in BY for row in _rows(by, sizes, loads)]
    small, large = sizes
    rows += [
        Row("start_s", f"a server on {large:,} files, until it answers", starts_s[large], "s",
            goal=GOAL_START_S, at_most=True),
        Row("start_growth", f"the same over one on {small:,} files", starts_s[large], "s",
            starts_s[small]),
        Row("idle_share", f"of one core, what an idle server on {large:,} files takes",
            idle_percent, "%", goal=GOAL_IDLE_PERCENT, at_most=True),
        Row("disk_most", f"the index of {large:,} files, at the most while it grew, over the same "
            "rows written anew", bytes_most / 1e6, "MB", bytes_least / 1e6),
        Row("disk_end", f"the index of {large:,} files, at the end, over the same rows written "
            "anew", bytes_end / 1e6, "MB", bytes_least / 1e6, GOAL_DISK, at_most=True),
    ]  # fmt: skip
    return Report("load", rows, seeds=[SEED])


def _rows(by: str, sizes: Sequence[int], loads: dict[tuple[int, str, int], Load]) -> Iterator[Row]:
    small, large = sizes
    prefix = "" if by == "words" else f"{by}_"
    goals = by == "words"
    for clients in (1, CLIENTS):
        ours, before = loads[large, by, clients], loads[small, by, clients]
        peer, peer_before = loads[large, "LanceDB", clients], loads[small, "LanceDB", clients]
        what = f"a search by {by} of {large:,} files, {clients} at once"
        yield Row(f"{prefix}p50_ms_100k_{clients}", f"{what}, median, over one of {small:,}",
                  ours.p50_ms, "ms", before.p50_ms)  # fmt: skip
        eight = goals and clients == CLIENTS
        yield Row(f"{prefix}p95_ms_100k_{clients}", f"{what}, 95th of a hundred, over one of "
                  f"{small:,}", ours.p95_ms, "ms", before.p95_ms,
                  GOAL_GROWTH if eight else None, at_most=True)  # fmt: skip
        if eight:
            yield Row(f"{prefix}p95_ms", f"{what}, 95th of a hundred", ours.p95_ms, "ms",
                      goal=GOAL_MS, at_most=True)  # fmt: skip
        if goals:
            for size, mine, theirs in ((small, before, peer_before), (large, ours, peer)):
                name = f"{size // 1000}k"
                yield Row(f"lance_p95_{name}_{clients}", f"a search by words of {size:,} files, "
                          f"{clients} at once, 95th of a hundred, over LanceDB's own full-text "
                          "search alone", mine.p95_ms, "ms", theirs.p95_ms)  # fmt: skip
        key = "cpu_ms_100k" if clients == 1 else f"cpu_ms_100k_{clients}"
        yield Row(f"{prefix}{key}", f"processor for {what}, over one of {small:,}", ours.cpu_ms,
                  "ms", before.cpu_ms, GOAL_CPU_GROWTH if goals and clients == 1 else None,
                  at_most=True)  # fmt: skip


def _measured(
    connect: Callable[[], Search], queries: Sequence[str], clients: int, process: psutil.Process
) -> Load:
    """All queries, shared out among so many clients; `process` is the one that does the work."""
    took_s: list[float] = []
    waiting = list(queries)

    def work() -> None:
        search = connect()
        while True:
            try:
                words = waiting.pop()
            except IndexError:
                return
            began = time.perf_counter()
            search(words)
            took_s.append(time.perf_counter() - began)

    threads = [threading.Thread(target=work) for _ in range(clients)]
    before_s = _cpu_s(process)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu_s = _cpu_s(process) - before_s
    assert len(took_s) == len(queries), "a client gave up"
    p95_s = statistics.quantiles(took_s, n=20)[-1]
    return Load(1e3 * statistics.median(took_s), 1e3 * p95_s, 1e3 * cpu_s / len(queries))


def _full_text(table: Any, words: str) -> object:
    return table.search(words, query_type="fts").limit(HITS).to_list()


def _always(search: Search) -> Callable[[], Search]:
    return lambda: search


def _rest(process: psutil.Process) -> None:
    """Returns when a server has looked through its folders and does no more."""
    until = time.monotonic() + REST_S
    while (share := _idle_share(process, SETTLED_S)) > SETTLED_SHARE:
        assert time.monotonic() < until, f"the server still takes {share:.0%} of a core"


def _idle_share(process: psutil.Process, for_s: float) -> float:
    before_s, began = _cpu_s(process), time.monotonic()
    time.sleep(for_s)
    return (_cpu_s(process) - before_s) / (time.monotonic() - began)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def _served(library: LoadLibrary) -> Iterator[Server]:
    """Serves the library. What waits for the model goes on waiting, so that searches find what is
    not understood, and nothing but searches takes the processor."""
    hour = (time.localtime().tm_hour + 12) % 24
    environment = {
        **os.environ,
        "RECOLLECT_UNDERSTAND_HOURS": f"{hour}-{(hour + 1) % 24}",
        "RECOLLECT_MODEL": "pocket",  # chosen, it is for files that are not its own as well
    }
    command = [sys.executable, "-m", "recollect", "--data", str(library.data), "serve"]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=environment,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert re.search(r"http://", process.stdout.readline()), "the server ended"
        start_s = time.monotonic() - began
        holder = LibraryLock(library.data).holder()
        assert holder is not None
        assert holder.url is not None
        assert holder.token is not None
        address = urlsplit(holder.url).netloc
        yield Server(psutil.Process(process.pid), start_s, address, holder.token)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
