"""How long the remaining work will take, by how long the same kinds took lately."""

from __future__ import annotations

import statistics
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

SAMPLES = 64


class Pace:
    """Seconds an item took, for each (stage, kind), over the last 64 of it; thread-safe."""

    def __init__(self) -> None:
        self._took_s: dict[tuple[str, str | None], deque[float]] = defaultdict(
            lambda: deque(maxlen=SAMPLES)
        )
        self._lock = threading.Lock()

    def record(self, stage: str, kinds: Iterable[str | None], took_s: float) -> None:
        """A batch of items of these kinds took so long together."""
        batch = list(kinds)
        with self._lock:
            for kind in batch:
                self._took_s[stage, kind].append(took_s / len(batch))

    def remaining_s(self, remaining: Mapping[tuple[str, str | None], int]) -> int | None:
        """Seconds until all that remains is done, at the median pace; a kind without samples goes
        at the pace of its stage's other kinds. None when there are no samples at all."""
        with self._lock:
            median_s = {key: statistics.median(took) for key, took in self._took_s.items() if took}
        total_s = 0.0
        for (stage, kind), count in remaining.items():
            pace_s = median_s.get((stage, kind))
            if pace_s is None:
                of_stage = [took_s for (other, _), took_s in median_s.items() if other == stage]
                if not of_stage:
                    return None
                pace_s = statistics.median(of_stage)
            total_s += count * pace_s
        return round(total_s)
