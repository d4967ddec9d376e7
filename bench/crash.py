"""Kills at random moments and at every stage: what is left, against an index made from scratch."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.report import Report, Row
from tests.kills import STAGES, trial

SEED = 20261121
KILLS = 300


def run(quick: bool) -> Report:
    chance = random.Random(SEED)
    kinds = [None, *STAGES]
    stages = [kinds[n % len(kinds)] for n in range(len(kinds) if quick else KILLS)]
    chance.shuffle(stages)
    hit: Counter[str] = Counter()
    judged = unrecovered = duplicates = difference = again = 0
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as base:
        for number, (kill, verdict) in enumerate(trial(Path(base), stages, chance)):
            if number < len(stages):
                hit[kill.stage or "random"] += 1
            if verdict is not None:
                judged += 1
                unrecovered += verdict.unrecovered > 0
                duplicates += verdict.duplicates
                difference += verdict.difference
                again += verdict.again
    took_s = time.perf_counter() - began
    kills = sum(hit.values())
    rows = [
        Row("kills", f"indexers killed: {', '.join(f'{s} {n}' for s, n in sorted(hit.items()))}",
            kills, "kills", goal=len(stages)),
        Row("compared", "indexes at rest after a restart, compared with one from scratch; the "
            "other restarts were killed in their turn", judged, "indexes"),
        Row("unrecovered", "indexes with something unfinished or left over", unrecovered,
            "indexes", goal=0, at_most=True),
        Row("duplicates", "passages or vectors that are there twice", duplicates, "rows", goal=0,
            at_most=True),
        Row("difference", "files, passages and vectors that one index has and the other has not",
            difference, "rows", goal=0, at_most=True),
        Row("again", "items the model was asked about again though their vectors were kept",
            again, "items", goal=0, at_most=True),
        Row("seconds", "seconds a kill, with edits, restart and comparison", took_s / kills, "s"),
    ]  # fmt: skip
    return Report("crash", rows, seeds=[SEED])
