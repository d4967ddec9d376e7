"""How many tokens to draft ahead."""

from __future__ import annotations


class DraftLength:
    """Learns how many drafts give the most tokens a second, 0 where drafting does not pay.

    With acceptance `a` a round of k drafts yields 1 + a + ... + a^k tokens and takes about
    `base + k * slope` seconds; running averages follow all three. `fixed` sets the number, for
    tests and measurements.
    """

    CHOICES = (0, 1, 2, 4)
    RETRY_ROUNDS = 24  # after so many rounds without drafting, try again

    def __init__(self, fixed: int | None = None) -> None:
        self.fixed = fixed
        self._acceptance = 0.6
        self._base_s: float | None = None
        self._slope_s: float | None = None
        self._undrafted_rounds = 0

    def choose(self, most: int) -> int:
        if self.fixed is not None:
            return min(self.fixed, most)
        if self._base_s is None:
            return 0
        if self._slope_s is None or self._undrafted_rounds >= self.RETRY_ROUNDS:
            return min(2, most)
        base, slope = self._base_s, self._slope_s

        def tokens_per_s(count: int) -> float:
            return self._expected_tokens(count) / (base + slope * count)

        return min(max(self.CHOICES, key=tokens_per_s), most)

    def learn(self, drafted: int, kept: int, took_s: float) -> None:
        """`kept` of `drafted` tokens were right in a round that took `took_s`."""
        self._undrafted_rounds = 0 if drafted else self._undrafted_rounds + 1
        for index in range(min(kept + 1, drafted)):
            self._acceptance = 0.9 * self._acceptance + 0.1 * (index < kept)
        if self._base_s is None:
            self._base_s = took_s / (1 + drafted)
        if self._slope_s is None and drafted:
            self._slope_s = max(0.0, took_s - self._base_s) / drafted
        slope_s = self._slope_s or 0.0
        expected_s = self._base_s + slope_s * drafted
        # One slow round among many says little of the next, so its weight is bounded.
        error_s = min(took_s - expected_s, expected_s / 2)
        step_s = 0.3 * error_s / (1 + drafted**2)
        self._base_s = max(1e-6, self._base_s + step_s)
        if self._slope_s is not None:
            self._slope_s = max(0.0, slope_s + step_s * drafted)

    def _expected_tokens(self, count: int) -> float:
        return float(sum(self._acceptance**index for index in range(count + 1)))
