"""How far to draft ahead, and when a text has stopped getting anywhere."""

from __future__ import annotations


class DraftLength:
    """How many tokens to draft: as many as paid best so far, none where drafting does not pay.

    With acceptance `a` a round of k drafts yields 1 + a + ... + a^k tokens and takes about
    `base + k * slope` seconds; all three are followed as they change. `fixed` holds the number
    still, for tests and measurements.
    """

    CHOICES = (0, 1, 2, 4)
    RETRY_ROUNDS = 24  # after so many rounds without drafting, try again

    def __init__(self, fixed: int | None = None) -> None:
        self.fixed = fixed
        self._acceptance = 0.6
        self._base_s: float | None = None
        self._slope_s: float | None = None
        self._idle = 0

    def choose(self, most: int) -> int:
        if self.fixed is not None:
            return min(self.fixed, most)
        if self._base_s is None:
            return 0
        if self._slope_s is None or self._idle >= self.RETRY_ROUNDS:
            return min(2, most)
        base, slope = self._base_s, self._slope_s
        best = max(self.CHOICES, key=lambda count: self._yield(count) / (base + slope * count))
        return min(best, most)

    def learn(self, drafted: int, kept: int, took_s: float) -> None:
        """`kept` of `drafted` tokens were right in a round that took `took_s`."""
        self._idle = 0 if drafted else self._idle + 1
        for place in range(min(kept + 1, drafted)):
            self._acceptance = 0.9 * self._acceptance + 0.1 * (place < kept)
        if self._base_s is None:
            self._base_s = took_s / (1 + drafted)
        if self._slope_s is None and drafted:
            self._slope_s = max(0.0, took_s - self._base_s) / drafted
        slope_s = self._slope_s or 0.0
        expected_s = self._base_s + slope_s * drafted
        # A slow round among many is the machine's hiccup and moves little.
        wrong_s = min(took_s - expected_s, expected_s / 2)
        step_s = 0.3 * wrong_s / (1 + drafted**2)
        self._base_s = max(1e-6, self._base_s + step_s)
        if self._slope_s is not None:
            self._slope_s = max(0.0, slope_s + step_s * drafted)

    def _yield(self, count: int) -> float:
        return float(sum(self._acceptance**place for place in range(count + 1)))
