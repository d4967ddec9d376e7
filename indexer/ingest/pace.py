"""How long what is left will take, from how long the same kinds took lately."""

from __future__ import annotations

import statistics
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

REMEMBERED = 64


class Pace:
    """Seconds an item took, for each (stage, kind), over the last 64 of it; thread-safe."""

    def __init__(self) -> None:
        self._took: dict[tuple[str, str | None], deque[float]] = defaultdict(
            lambda: deque(maxlen=REMEMBERED)
        )
        self._lock = threading.Lock()

    def note(self, stage: str, kinds: Iterable[str | None], took_s: float) -> None:
        """A batch of items of these kinds took so long together."""
        batch = list(kinds)
        with self._lock:
            for kind in batch:
                self._took[stage, kind].append(took_s / len(batch))

    def eta_s(self, remaining: Mapping[tuple[str, str | None], int]) -> int | None:
        """Seconds until all that remains is done, at the median pace; a kind that was not met yet
        goes at the pace of its stage's other kinds. None when nothing is known."""
        with self._lock:
            median = {key: statistics.median(took) for key, took in self._took.items() if took}
        total = 0.0
        for (stage, kind), count in remaining.items():
            pace = median.get((stage, kind))
            if pace is None:
                alike = [took for (other, _), took in median.items() if other == stage]
                if not alike:
                    return None
                pace = statistics.median(alike)
            total += count * pace
        return round(total)
