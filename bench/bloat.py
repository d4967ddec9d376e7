"""A day of edits in fast-forward: what the index takes on the disk, and how fast it still answers.

A minute of the day is one step: some files are written, changed, renamed or deleted, and both
stages bring the index level. The time that old versions are kept and the time between two
tidyings are shortened as much as the day is. The reference is an index built from scratch over the
same files at the end.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from bench.report import Report, Row
from indexer.maintenance import housekeeping
from indexer.maintenance.verify import Verifier
from indexer.scan.reconcile import reconcile
from indexer.vectors import store as store_module
from model.interface import Content, Fingerprint, Float32, Text, Vectors
from tests.fake_model import FakeModel
from tests.library import Small, small

SEED = 20261121
DIM = 256
DAY_MIN = 24 * 60
KEPT_MIN = 10  # how long a version of the index is kept, `store.KEEP_VERSIONS`
WORDS = 4_000


class Hashing(FakeModel):
    """A vector of its own for every text, at no cost."""

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint("hashing", "bench", "1", "1", DIM)

    def vector(self, text: str) -> Float32:
        drawn = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(DIM)
        return (drawn / np.linalg.norm(drawn)).astype(np.float32)

    def _vectors(self, content: Content) -> Vectors:
        assert isinstance(content, Text)
        vector = self.vector(content.text)
        return Vectors(vector, vector)


@dataclass(frozen=True, slots=True)
class Aged:
    """What was measured; sizes in bytes, times in seconds, each list one figure a query."""

    minutes: int
    commits: int
    largest: int
    last: int
    fresh: int
    words_s: tuple[list[float], list[float]]  # aged, fresh
    vectors_s: tuple[list[float], list[float]]
    faults: int
    equal: bool


def run(quick: bool) -> Report:
    minutes, files = (120, 200) if quick else (DAY_MIN, 1_500)
    with tempfile.TemporaryDirectory() as base:
        aged = age(Path(base), minutes, files, edits=4)
    disk = f"bytes on the disk, {aged.minutes / 60:g} h of edits, over a fresh index"
    rows = [
        Row("disk_most", f"{disk}, at the most", aged.largest, "bytes", aged.fresh, 2.5, True),
        Row("disk_end", f"{disk}, at the end", aged.last, "bytes", aged.fresh, 2.5, True),
        *(
            Row(f"{name}_p95", f"search by {name}, p95, over a fresh index", p95(pair_s[0]) * 1e3,
                "ms", p95(pair_s[1]) * 1e3, 1.2, True)
            for name, pair_s in (("words", aged.words_s), ("vectors", aged.vectors_s))
        ),
        Row("faults", "faults that verify finds at the end", aged.faults, "faults", goal=0,
            at_most=True),
        Row("equal", "the index at the end equals the fresh one", float(aged.equal), "yes = 1",
            goal=1),
        Row("commits", "commits to the index in that time", aged.commits, "commits"),
    ]  # fmt: skip
    return Report("bloat", rows, seeds=[SEED])


def age(base: Path, minutes: int, files: int, edits: int) -> Aged:
    """Lives through so many minutes of a library of so many files, `edits` of them a minute."""
    chance = random.Random(SEED)
    kept, tidy = store_module.KEEP_VERSIONS, housekeeping.TIDY_S
    model = Hashing()
    sizes: list[int] = []
    step_s = 0.0
    try:
        with small(base / "files", base / "aged", model) as old:
            for n in range(files):
                old.write(f"{n % 20}/{n}.txt", text(chance))
            old.service.run_once()
            for minute in range(minutes):
                began = time.perf_counter()
                edit(old, chance, minute, edits)
                level(old)
                took_s = time.perf_counter() - began
                step_s = took_s if minute == 0 else 0.9 * step_s + 0.1 * took_s
                store_module.KEEP_VERSIONS = timedelta(seconds=KEPT_MIN * step_s)
                housekeeping.TIDY_S = tidy / 60 * step_s
                if minute >= min(60, minutes // 2):
                    sizes.append(size_of(base / "aged"))
            commits = sum(int(old.store.tables[name].version) for name in old.store.tables.names())
            last = size_of(base / "aged")
            with small(base / "files", base / "fresh", model) as fresh:
                fresh.service.run_once()
                level(old)
                words, vectors = measured(old, fresh, chance)
                return Aged(
                    minutes, commits, max(sizes), last, size_of(base / "fresh"), words, vectors,
                    len(Verifier(old.catalog, old.store).check().defects),
                    live(old) == live(fresh),
                )  # fmt: skip
    finally:
        store_module.KEEP_VERSIONS, housekeeping.TIDY_S = kept, tidy


def edit(library: Small, chance: random.Random, minute: int, edits: int) -> None:
    paths = sorted(library.folder.rglob("*.txt"))
    for path in chance.sample(paths, edits):
        match chance.randrange(10):
            case 0:
                path.rename(path.with_name(f"renamed-{minute}-{path.name[-12:]}"))
            case 1:
                path.unlink()
            case 2:
                library.write(f"{minute % 20}/new-{minute}-{path.name[-12:]}", text(chance))
            case _:
                path.write_text(text(chance))


def level(library: Small) -> None:
    """What the index service does for as long as there is something to do."""
    reconcile(library.catalog)
    while library.pipeline.reading.run():
        pass
    while library.pipeline.understanding.run():
        pass


def live(library: Small) -> list[tuple[str, int, str]]:
    """Every live passage as (content, ordinal, text)."""
    rows = list(library.store.generations.rows())
    known = library.catalog.items.live_generations({row[1] for row in rows})
    return sorted((row[0], row[2], row[5]) for row in rows if row[1] in known)


def measured(
    old: Small, fresh: Small, chance: random.Random
) -> tuple[tuple[list[float], list[float]], tuple[list[float], list[float]]]:
    """The same queries of both, one after the other, so that whatever else the machine does meets
    both alike."""
    key = old.model.fingerprint.key
    words: tuple[list[float], list[float]] = ([], [])
    vectors: tuple[list[float], list[float]] = ([], [])
    for n in range(420):
        asked = f"{word(chance)} {word(chance)}"
        vector = Hashing().vector(asked)
        for at in (0, 1) if n % 2 else (1, 0):
            library = (old, fresh)[at]
            by_words = timed(lambda: library.catalog.passages.ranked(asked))  # noqa: B023  at once
            by_vector = timed(
                lambda: library.store.search.vectors(key, "body", vector, 20)  # noqa: B023
            )
            if n >= 20:  # the first warm up
                words[at].append(by_words)
                vectors[at].append(by_vector)
    return words, vectors


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def word(chance: random.Random) -> str:
    return f"w{min(int(chance.paretovariate(0.7)), WORDS)}"


def text(chance: random.Random) -> str:
    return " ".join(word(chance) for _ in range(chance.randint(60, 300)))


def size_of(folder: Path) -> int:
    """Without the reserve, which is given back when room is short."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and p.name != "reserve")
