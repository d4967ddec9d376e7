"""One search: words, an example picture or sound, and filters, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from indexer.types.places import Kind
from indexer.types.scope import Scope
from model.errors import RecollectError
from model.interface import Image, Sound

MAX_QUERY_CHARS = 2_000
MAX_LIMIT = 200
MAX_OFFSET = 1_000


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
    offset: int = 0
    by: Literal["words", "all"] = "all"
    about: tuple[str, ...] = ()  # the ids of the only items to look in; empty for all

    def __post_init__(self) -> None:
        filters = (self.scope != Scope(), self.required, self.excluded)
        if not self.words.strip() and self.like is None and not any(filters):
            raise QueryError("Say what to look for, or give an example picture or sound.")
        if len(self.words) > MAX_QUERY_CHARS:
            raise QueryError(f"A search is at most {MAX_QUERY_CHARS:,} characters long.")
        if not 1 <= self.limit <= MAX_LIMIT:
            raise QueryError(f"The limit lies between 1 and {MAX_LIMIT}.")
        if not 0 <= self.offset <= MAX_OFFSET:
            raise QueryError(
                f"A list goes on to its {MAX_OFFSET:,}th hit; narrow the search with more words."
            )


def parse_kind(kind: str | None) -> frozenset[Kind] | None:
    if not kind:
        return None
    try:
        return frozenset({Kind(kind)})
    except ValueError:
        kinds = ", ".join(Kind)
        raise QueryError(f"“{kind}” is not a kind; the kinds are {kinds}.") from None
