"""How long the remaining work will take, by how long the same work took lately."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Mapping

from indexer.types.coverage import Work

SAMPLES = 64


class Pace:
    """Seconds that a unit of each kind of work took, on the average of its last 64 samples;
    thread-safe."""

    def __init__(self) -> None:
        self._samples: dict[Work, deque[tuple[int, float]]] = defaultdict(
            lambda: deque(maxlen=SAMPLES)
        )
        self._lock = threading.Lock()

    def record(self, step: str, kind: str | None, count: int, took_s: float) -> None:
        """So many units of this work took so long together."""
        if count:
            with self._lock:
                self._samples[step, kind].append((count, took_s))

    def remaining_s(self, remaining: Mapping[Work, int]) -> int | None:
        """Seconds until all that remains is done; a kind without samples goes at the pace of its
        step's other kinds. None where a step has no samples at all."""
        with self._lock:
            samples = {work: list(taken) for work, taken in self._samples.items() if taken}
        total_s = 0.0
        for (step, kind), count in remaining.items():
            if not count:
                continue
            taken = samples.get((step, kind)) or [
                sample
                for (other, _), of_work in samples.items()
                if other == step
                for sample in of_work
            ]
            if not taken:
                return None
            total_s += count * sum(took_s for _, took_s in taken) / sum(n for n, _ in taken)
        return round(total_s)
