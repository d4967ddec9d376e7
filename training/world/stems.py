"""The content words of a text as stems, to tell whether two texts share one."""

from __future__ import annotations

import re

# Words that say nothing by themselves: sharing one of these is not sharing a content word.
FUNCTION_WORDS = frozenset(
    "a an the and or but if of to in on at by for from with without about as into onto over under"
    " after before until since between than then so not no nor is are was were be been being am do"
    " does did done doing have has had having can could may might must shall should will would i me"
    " my we us our you your he him his she her it its they them their this that these those there"
    " here what which who whom whose when where why how much many long often one ones any some all"
    " each every both other another again also only just very too up down out off let lets please"
    " most more less least own same such s t".split()
)


def content_words(text: str) -> set[str]:
    """The stems of the words of a text that say something: lower case, plural and verb endings
    cut, so that `repairs` and `repair` count as the same word."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {_stem(word) for word in words if word not in FUNCTION_WORDS}


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
