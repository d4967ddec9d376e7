"""Kills at every stage, and damaged tables between them: what is left, against a fresh index."""

from __future__ import annotations

import multiprocessing
import random
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bench.report import Report, Row
from tests.kills import STAGES, Kill, Verdict, kill_repeatedly

SEEDS = [20261121, 20261122, 20261123, 20261124]  # one library for each, side by side
KILLS = 300


def run(quick: bool) -> Report:
    kinds = [None, *STAGES]
    wanted = len(kinds) if quick else KILLS
    stages = [kinds[n % len(kinds)] for n in range(wanted)]
    parts = [stages[n :: len(SEEDS)] for n in range(len(SEEDS))]
    began = time.perf_counter()
    # never a fork: LanceDB has threads
    with ProcessPoolExecutor(len(SEEDS), multiprocessing.get_context("spawn")) as hands:
        results = [outcome for part in hands.map(lived, SEEDS, parts) for outcome in part]
    took_s = time.perf_counter() - began
    hit = Counter(kill.stage or "random" for kill, _ in results if kill is not None)
    verdicts = [verdict for _, verdict in results if verdict is not None]
    kills = sum(hit.values())
    rows = [
        Row("kills", f"indexers killed: {', '.join(f'{s} {n}' for s, n in sorted(hit.items()))}",
            kills, "kills", goal=wanted),
        Row("compared", "indexes at rest after a restart, compared with one from scratch; the "
            "other restarts were killed in their turn", len(verdicts), "indexes"),
        Row("unrecovered", "indexes with something unfinished or left over",
            sum(outcome.unrecovered > 0 for outcome in verdicts), "indexes", goal=0, at_most=True),
        Row("damaged", "times the tables were damaged between a kill and the next start",
            sum(kill is not None and kill.damage is not None for kill, _ in results), "times"),
        Row("refused", "starts that ended in an error",
            sum(outcome.refused for outcome in verdicts), "starts", goal=0, at_most=True),
        Row("duplicates", "passages or vectors that are there twice",
            sum(outcome.duplicates for outcome in verdicts), "rows", goal=0, at_most=True),
        Row("difference", "files, passages and vectors that one index has and the other has not",
            sum(outcome.difference for outcome in verdicts), "rows", goal=0, at_most=True),
        Row("again", "items the model was asked about again though their vectors were kept",
            sum(outcome.again for outcome in verdicts), "items", goal=0, at_most=True),
        Row("seconds", f"seconds a kill, with edits, restart and comparison, {len(SEEDS)} "
            "libraries side by side", took_s * len(SEEDS) / kills, "s"),
    ]  # fmt: skip
    return Report("crash", rows, seeds=SEEDS)


def lived(seed: int, stages: list[str | None]) -> list[tuple[Kill | None, Verdict | None]]:
    """One library that goes through kills at these stages, in an order of its own."""
    chance = random.Random(seed)
    chance.shuffle(stages)
    results: list[tuple[Kill | None, Verdict | None]] = []
    with tempfile.TemporaryDirectory() as base:
        for number, (kill, verdict) in enumerate(kill_repeatedly(Path(base), stages, chance)):
            results.append((kill if number < len(stages) else None, verdict))
            print(f"{seed}: {number} of {len(stages)}: {kill} {verdict or ''}", flush=True)
    return results
