"""Judging by an engine: one letter of two, and how likely it was."""

from __future__ import annotations

import math
from typing import Any

from model.interface import Evidence
from model.prompt import prompts
from model.served.capabilities import PLAIN_ANSWERS, Capabilities, answer_text, letter_logprobs
from model.served.connection import Connection
from model.served.messages import chat_messages


def match_chance(
    chat: Connection, question: str, candidate: Evidence, swapped: bool, known: Capabilities
) -> float:
    """The chance, from 0 to 1, that a candidate answers a question: that of its letter, where the
    engine tells chances, else 0 or 1 by the letter that it writes. `swapped` is the other order of
    the two letters."""
    candidate = known.shown(candidate)
    prompt = prompts.relevance_prompt(question, candidate, swapped)
    body: dict[str, Any] = {
        "model": known.name,
        "messages": chat_messages(prompt),
        "max_tokens": 1,
        "temperature": 0,
    }
    body |= PLAIN_ANSWERS if known.plain_answers else {}
    if known.logprobs:
        body |= {"logprobs": True, "top_logprobs": 20}
    answer = chat.post("/chat/completions", body)
    chances = {"A": 0.0, "B": 0.0}
    for token in letter_logprobs(answer):
        letter = str(token.get("token", "")).strip()
        if letter in chances:
            chances[letter] += math.exp(float(token["logprob"]))
    total = sum(chances.values())
    match = "B" if swapped else "A"
    if total > 0:
        return chances[match] / total
    return float(answer_text(answer).strip()[:1] == match)
