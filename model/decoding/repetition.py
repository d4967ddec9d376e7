"""Texts that end in a loop: small models and long sounds fall into one and never come out."""

from __future__ import annotations


def repetition_period(tokens: list[int], least: int = 32, times: int = 4) -> int:
    """The length of the run of tokens that `tokens` ends in at least `times` over, `least` tokens
    in all; 0 where it does not end so."""
    if len(tokens) < least:
        return 0
    for period in range(1, least + 1):
        span = max(least, period * times)
        if span > len(tokens):
            return 0
        tail = tokens[-span:]
        if tail[period:] == tail[:-period]:
            return period
    return 0


def trim_repetition(tokens: list[int]) -> list[int]:
    """`tokens` without the repeated rounds of a loop at their end; the first round stays."""
    period = repetition_period(tokens)
    end = len(tokens)
    while period and end > period and tokens[end - 1] == tokens[end - 1 - period]:
        end -= 1
    return tokens[:end]
