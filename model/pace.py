"""How far to draft ahead, and when a text has stopped getting anywhere."""

from __future__ import annotations


class Pace:
    """How many tokens to draft: as many as paid best so far, none where drafting does not pay.

    With acceptance `a` a round of k drafts yields 1 + a + ... + a^k tokens; the time of a round is
    measured. `fixed` holds the number still, for tests and measurements.
    """

    CHOICES = (0, 1, 2, 4)
    RETRY_ROUNDS = 24  # after so many rounds without drafting, try again

    def __init__(self, fixed: int | None = None) -> None:
        self.fixed = fixed
        self._acceptance = 0.6
        self._round_s: dict[int, float] = {}
        self._idle = 0

    def choose(self, most: int) -> int:
        if self.fixed is not None:
            return min(self.fixed, most)
        if 0 not in self._round_s:
            return 0
        if 2 not in self._round_s or self._idle >= self.RETRY_ROUNDS:
            return min(2, most)
        best = max(self.CHOICES, key=lambda count: self._yield(count) / self._time_s(count))
        return min(best, most)

    def learn(self, drafted: int, kept: int, took_s: float) -> None:
        """`kept` of `drafted` tokens were right in a round that took `took_s`."""
        self._idle = 0 if drafted else self._idle + 1
        before = self._round_s.get(drafted, took_s)
        self._round_s[drafted] = min(took_s, 0.8 * before + 0.2 * took_s)
        for place in range(min(kept + 1, drafted)):
            self._acceptance = 0.9 * self._acceptance + 0.1 * (place < kept)

    def _yield(self, count: int) -> float:
        return float(sum(self._acceptance**place for place in range(count + 1)))

    def _time_s(self, count: int) -> float:
        known = self._round_s.get(count)
        if known is not None:
            return known
        slope = (self._round_s[2] - self._round_s[0]) / 2
        return self._round_s[0] + max(slope, 0.0) * count


def loops(tokens: list[int], least: int = 32, times: int = 4) -> bool:
    """Whether a text ends in the same run of tokens at least `times` over, `least` tokens in all:
    small models and long sounds fall into it and never come out."""
    if len(tokens) < least:
        return False
    for period in range(1, least + 1):
        span = max(least, period * times)
        if span > len(tokens):
            return False
        tail = tokens[-span:]
        if tail[period:] == tail[:-period]:
            return True
    return False
