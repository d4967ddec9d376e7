"""The form of an answer, said once: citations, the marks a person sees, and the refusal.

The model writes `[n: "quote"]`, where `n` numbers a source and the quote stands in it verbatim. A
person sees the mark `[n]`. What the sources do not answer is refused in one fixed sentence.
"""

from __future__ import annotations

import re

# A citation is an opening with the number, the quote, the end of the quote and the end of it all.
OPENING = '[{n}: "'
QUOTE_END, CITATION_END = '"', "]"
BRACKET = OPENING[0]  # in an answer it begins a citation and nothing else
REFUSAL = "That is not in your library."

_MARK = re.compile(r"\[\d+\]")


def opening(n: int) -> str:
    """What comes before the quote of a citation of source `n`."""
    return OPENING.format(n=n)


def citation(n: int, quote: str) -> str:
    """A whole citation, as the model writes it."""
    return f"{opening(n)}{quote}{QUOTE_END}{CITATION_END}"


def mark(n: int) -> str:
    """What a person sees of a citation of source `n`."""
    return f"[{n}]"


def without_marks(answer: str) -> str:
    """An answer as a person sees it, without its marks."""
    return _MARK.sub("", answer)


def is_refusal(answer: str) -> bool:
    """Whether an answer begins with the refusal, whatever its case and its full stop."""
    return answer.strip().casefold().startswith(REFUSAL.rstrip(".").casefold())
