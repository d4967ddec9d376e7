"""What a query looks for in the index of words: its terms, and which passages may answer it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from sqlite3 import Connection

from indexer.types.places import Kind
from indexer.types.text.function_words import function_words
from indexer.types.text.tokens import query_terms, tokens
from indexer.vectors.names import checked_name

MAX_PHRASE_TOKENS = 64
_CHUNK = re.compile(r'-?"[^"]*"|\S+')


class PassageFilter:
    """The passages of some kinds and contents, or of all, as a join of `passage_words w` and
    conditions on it, whose values are `bound`."""

    def __init__(
        self, kinds: Collection[Kind] | None = None, contents: Collection[str] | None = None
    ) -> None:
        self.conditions = ""
        self.bound: list[str] = []
        if kinds is not None:
            self.conditions += " AND p.kind IN (SELECT value FROM json_each(?))"
            self.bound.append(json.dumps(sorted(str(kind) for kind in kinds)))
        if contents is not None:
            self.conditions += " AND p.content IN (SELECT value FROM json_each(?))"
            self.bound.append(json.dumps(sorted(map(checked_name, contents))))
        self.join = "CROSS JOIN passages p ON p.id = w.rowid" if self.conditions else ""
        self.allows_nothing = (kinds is not None and not kinds) or (
            contents is not None and not contents
        )


def in_a_row(term: Sequence[str]) -> str:
    """The tokens in a row, as an expression of FTS5."""
    return f'"{" ".join(term[:MAX_PHRASE_TOKENS])}"'


def passages_with_each(db: Connection, words: Collection[str]) -> dict[str, int]:
    """How many passages hold each of the tokens that any holds."""
    rows = db.execute(
        """SELECT v.term, v.doc FROM json_each(?) t CROSS JOIN passage_terms v
        ON v.term = t.value""",
        (json.dumps(sorted(words)),),
    )
    return {row["term"]: row["doc"] for row in rows}


def content_words(db: Connection, query: str) -> str:
    """A query without its function words: they would find half of the library. One between double
    quotes stays, and so does one that fewer passages hold than any other word of the query, which
    is none here (`die` in an English library); where there are no other words, all stay."""
    bare = {term[0] for term, quoted in query_terms(query) if len(term) == 1 and not quoted}
    dropped = set(function_words(bare))
    others = [t for t, quoted in query_terms(query) if quoted or len(t) > 1 or t[0] not in dropped]
    if not dropped or not others:
        return query
    held = passages_with_each(db, {*bare, *(token for term in others for token in term)})
    counts = (min(held.get(token, 0) for token in term) for term in others)
    rarest = min(filter(None, counts), default=0)
    dropped = {word for word in dropped if not 0 < held.get(word, 0) < rarest}
    return " ".join(_chunks_without(query, dropped))


def _chunks_without(query: str, words: Collection[str]) -> Iterator[str]:
    for chunk in _CHUNK.findall(query):
        if '"' in chunk or len(term := tokens(chunk)) != 1 or term[0] not in words:
            yield chunk
