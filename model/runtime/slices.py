"""How much background work is done between two moments at which a person can be served.

Importing this loads no torch.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from model.interface import Content, Sound, Text

# How long a person may wait for the background, where a single content does not take longer.
SLICE_S = 0.25
# What each content costs at least, and what a picture costs: tokens of the instruction around it,
# and of a picture at the usual budget. Only the proportions matter, the pace is measured.
INSTRUCTION_TOKENS = 24
PICTURE_TOKENS = 280
CHARACTERS_A_TOKEN = 4
SOUND_TOKENS_A_SECOND = 25


class Slices:
    """Learns the pace of this model on this machine and cuts what fits `target_s`.

    Begins with one content and at most doubles from slice to slice, since the same call takes a
    millisecond on one machine and ten seconds on another. `longest_s` and `count` are of the slices
    so far. `longest_wait_s` is how long a person's call waited for its turn at most."""

    def __init__(self, target_s: float = SLICE_S) -> None:
        self.longest_s = 0.0
        self.longest_wait_s = 0.0
        self.count = 0
        self._target_s = target_s
        self._pace_s: float | None = None  # per token
        self._tokens = 1.0  # what the next slice may hold
        self._most_tokens = float("inf")  # what memory has been enough for
        self._began: float | None = None

    def cut(self, contents: Sequence[Content]) -> int:
        """How many of the first contents make the next slice; at least one."""
        total = estimate_tokens(contents[0])
        for count in range(1, len(contents)):
            total += estimate_tokens(contents[count])
            if total > min(self._tokens, self._most_tokens):
                return count
        return len(contents)

    def learn(self, contents: Sequence[Content], took_s: float) -> None:
        """`contents` took so long in one call."""
        total = sum(map(estimate_tokens, contents))
        pace_s = took_s / total
        if self._pace_s is None or pace_s > self._pace_s:
            self._pace_s = pace_s  # the machine may have become busy: slow down at once
        else:
            self._pace_s += 0.3 * (pace_s - self._pace_s)
        self._tokens = min(self._target_s / max(self._pace_s, 1e-9), 2.0 * max(total, self._tokens))
        self._most_tokens *= 1.02  # others may have given memory back

    def shrink(self, contents: Sequence[Content]) -> None:
        """There was not the memory for `contents` at once."""
        self._most_tokens = sum(map(estimate_tokens, contents)) / 2

    def begin(self) -> None:
        self._began = time.perf_counter()

    def end(self) -> None:
        if self._began is not None:
            self.count += 1
            self.longest_s = max(self.longest_s, time.perf_counter() - self._began)
            self._began = None

    def record_wait(self, wait_s: float) -> None:
        self.longest_wait_s = max(self.longest_wait_s, wait_s)

    def reset(self) -> None:
        """Begin the statistics anew."""
        self.longest_s, self.longest_wait_s, self.count = 0.0, 0.0, 0


def estimate_tokens(content: Content) -> int:
    """About how many tokens a content costs the model."""
    if isinstance(content, Text):
        return INSTRUCTION_TOKENS + len(content.text) // CHARACTERS_A_TOKEN
    if isinstance(content, Sound):
        return INSTRUCTION_TOKENS + int(content.duration_s * SOUND_TOKENS_A_SECOND)
    return INSTRUCTION_TOKENS + PICTURE_TOKENS
