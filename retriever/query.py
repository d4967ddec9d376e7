"""One search: words, an example picture or sound, and filters, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from indexer.types.places import Kind
from indexer.types.scope import Scope
from model.errors import RecollectError
from model.interface import Image, Sound

MAX_QUERY_CHARS = 2_000
MAX_LIMIT = 200

# Function words: each would match half the library. They are dropped from questions only, and only
# where other words are left; a search looks for every word it is given.
_STOP_WORDS = frozenset(
    "a about an and any are as at be been but by can could did do does for from had has have he "
    "her him his how i in is it its me my of on or our she should so that the their them there "
    "they this to us was we were what when where which who whom whose why will with would you "
    "your".split()
)


class QueryError(RecollectError):
    """What was asked cannot be searched; the sentence says how to ask instead."""

    code, status = "query", 422


@dataclass(frozen=True, slots=True)
class Query:
    """One search. A file has to hold each text of `required` and none of `excluded`; one that holds
    a text of `dated` may be of any date. Without words and an example, the newest files that may
    be found are."""

    words: str = ""
    like: Image | Sound | None = field(default=None, compare=False)
    scope: Scope = field(default_factory=Scope)
    required: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    dated: tuple[str, ...] = ()
    limit: int = 20
    by: Literal["words", "all"] = "all"
    about: str | None = None  # the id of the one item to look in

    def __post_init__(self) -> None:
        filters = (self.scope != Scope(), self.required, self.excluded)
        if not self.words.strip() and self.like is None and not any(filters):
            raise QueryError("Say what to look for, or give an example picture or sound.")
        if len(self.words) > MAX_QUERY_CHARS:
            raise QueryError(f"A search is at most {MAX_QUERY_CHARS:,} characters long.")
        if not 1 <= self.limit <= MAX_LIMIT:
            raise QueryError(f"The limit lies between 1 and {MAX_LIMIT}.")


def parse_kind(kind: str | None) -> frozenset[Kind] | None:
    if not kind:
        return None
    try:
        return frozenset({Kind(kind)})
    except ValueError:
        kinds = ", ".join(Kind)
        raise QueryError(f"“{kind}” is not a kind; the kinds are {kinds}.") from None


def question_words(question: str) -> str:
    """The words of a question that could stand in an answer."""
    words = re.findall(r"[\w’'.,-]*\w", question, flags=re.UNICODE)
    kept = [word for word in words if word.casefold() not in _STOP_WORDS]
    return " ".join(kept or words)
