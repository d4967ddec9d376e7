"""The index of words: which live passages hold certain words, best first by BM25.

It lies in the catalog, so rows become searchable and vanish in the transaction that makes their
generation valid or drops it: scores depend on the live passages alone, not on how the index came
about. SQLite's FTS5 keeps the numbers exactly, through every deletion.
"""

# Values are always bound; what is put into SQL by name are conditions of this file alone.
# ruff: noqa: S608

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from indexer.catalog.storage.database import Database
from indexer.catalog.storage.integrity import is_word_index_whole
from indexer.catalog.words.forms import TermForms, query_forms
from indexer.catalog.words.query import PassageFilter, content_words, in_a_row
from indexer.catalog.words.relevance import Relevance, relevance
from indexer.catalog.words.texts import PassageTexts
from indexer.catalog.words.vocabulary import LongTerms, drop_unused_terms
from indexer.catalog.words.writing import clear_passages, folded, is_current, write_passages
from indexer.types.passages import Passage
from indexer.types.places import Kind
from indexer.types.text.tokens import query_terms, tokens
from indexer.vectors.search import Match

# Other forms of the words are looked for where fewer contents hold them as they were typed.
FORMS_BELOW = 20
# Rows of equal score are read on to be ordered by name.
MORE_ROWS = 32


@dataclass(frozen=True, slots=True)
class RankedContents:
    """How well contents answer a query; those of which a passage holds every term as it was typed
    (`exact`), or in another form alone (`inexact`), and the tokens of these other forms."""

    relevance: Mapping[str, Relevance]
    exact: frozenset[str] = frozenset()
    inexact: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()


class PassageIndex:
    """The words of the live passages of one library. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._texts = PassageTexts(database)
        self._long_terms = LongTerms()
        self._clear_other_version()

    def phrase(
        self,
        text: str,
        limit: int,
        kinds: Collection[Kind] | None = None,
        contents: Collection[str] | None = None,
    ) -> list[Match]:
        """At most `limit` passages that hold the words of a text in a row, best first by BM25,
        equal ones by content and ordinal. A text without a letter or digit matches nothing."""
        allowed = PassageFilter(kinds, contents)
        words = tokens(text)
        if not words or limit <= 0 or allowed.allows_nothing:
            return []
        sql = f"""WITH best AS MATERIALIZED (
                SELECT w.rowid AS id, bm25(passage_words) AS rank
                FROM passage_words w {allowed.join}
                WHERE passage_words MATCH ? {allowed.conditions}
                ORDER BY bm25(passage_words) LIMIT ?)
            SELECT p.content, p.generation, p.ordinal, -best.rank AS score
            FROM best CROSS JOIN passages p ON p.id = best.id
            ORDER BY best.rank, p.content, p.ordinal, p.generation"""
        count = limit + MORE_ROWS
        with self._database.reading() as db:
            while True:
                bound = (f"folded : {in_a_row(words)}", *allowed.bound, count)
                rows = db.execute(sql, bound).fetchall()
                if len(rows) < count or rows[-1]["score"] < rows[limit - 1]["score"]:
                    return [Match(*row) for row in rows[:limit]]
                count *= 4

    def ranked(
        self,
        query: str,
        kinds: Collection[Kind] | None = None,
        contents: Collection[str] | None = None,
    ) -> RankedContents:
        """The contents that answer a query by its words, however many are shown: other forms are
        looked for where fewer than FORMS_BELOW have every term."""
        allowed = PassageFilter(kinds, contents)
        asked = query_terms(query)
        if not asked or allowed.allows_nothing:
            return RankedContents({})
        with self._database.reading() as db:
            every = " AND ".join(in_a_row(term) for term, _ in asked)
            exact = _contents_with(db, f"folded : ({every})", allowed, FORMS_BELOW)
            terms: Sequence[TermForms] = [TermForms(term) for term, _ in asked]
            inexact: set[str] = set()
            forms = None
            if len(exact) < FORMS_BELOW:
                forms = query_forms(db, self._long_terms, query, asked)
                terms = forms.each_with_whole()
                if forms.expression is not None:
                    inexact = _contents_with(db, forms.expression, allowed) - exact
            return RankedContents(
                relevance(db, terms, allowed),
                frozenset(exact),
                frozenset(inexact),
                forms.variants if forms else frozenset(),
            )

    def content_words(self, query: str) -> str:
        """A query without its function words, where it has others."""
        with self._database.reading() as db:
            return content_words(db, query)

    def holding(self, terms: Sequence[str]) -> set[str]:
        """The contents of which a passage holds these tokens in a row."""
        with self._database.reading() as db:
            return _contents_with(db, f"folded : {in_a_row(terms)}", PassageFilter())

    def unwritten(self) -> dict[str, tuple[str, Kind, int]]:
        """The generations that the catalog names and that have no words here, with content, kind
        and how many passages they have in the store."""
        with self._database.reading() as db:
            rows = db.execute(
                """WITH named AS (
                    SELECT read_generation AS generation, content, kind, words AS passages
                    FROM contents WHERE words > 0 AND read_generation IS NOT NULL UNION ALL
                    SELECT understood_generation, content, kind, captions FROM contents
                    WHERE captions > 0 AND understood_generation IS NOT NULL)
                SELECT * FROM named n WHERE NOT EXISTS
                    (SELECT 1 FROM passages p WHERE p.generation = n.generation)"""
            )
            return {
                row["generation"]: (row["content"], Kind(row["kind"]), row["passages"])
                for row in rows
            }

    def write(
        self, rows: Mapping[str, tuple[str, Kind, int]], passages: Mapping[str, Sequence[Passage]]
    ) -> None:
        """Writes what `unwritten` told, from the passages of each generation in the store; one of
        which the store has lost some is left out."""
        whole = folded(
            (generation, content, kind, passages[generation])
            for generation, (content, kind, count) in rows.items()
            if len(passages[generation]) == count
        )
        with self._database.writing() as db:
            named = {
                row["generation"]
                for column in ("read_generation", "understood_generation")
                for row in db.execute(
                    f"SELECT {column} AS generation FROM contents WHERE {column} IN "
                    "(SELECT value FROM json_each(?))",
                    (json.dumps(list(rows)),),
                )
            }
            write_passages(db, [row for row in whole if row.generation in named])

    def clear(self) -> None:
        """Removes all words, for `write` to write them anew."""
        with self._database.writing() as db:
            clear_passages(db)

    def _clear_other_version(self) -> None:
        """Removes words that were folded another way, before anything else is written: the index
        can only take out of itself what it was given, letter by letter."""
        if self._database.read_only or is_current(self._database.note("words_version")):
            return
        with self._database.writing() as db:
            version = db.execute("SELECT value FROM notes WHERE name = 'words_version'").fetchone()
            if not is_current(version["value"] if version else None):
                clear_passages(db)

    def drop_unused_terms(self) -> None:
        """Drops the words that no passage holds any more."""
        with self._database.writing() as db:
            drop_unused_terms(db)

    def is_complete(self) -> bool:
        """Whether all words were written since they were cleared."""
        return self._database.note("words_complete") is not None

    def mark_complete(self) -> None:
        """All words were written."""
        self._database.keep_note("words_complete", "1")

    def gap(self) -> str | None:
        """What is missing or wrong; None where every live passage is found by its words."""
        unwritten = len(self.unwritten())
        if unwritten:
            return f"the words of {unwritten:,} readings are not in it"
        with self._database.reading() as db:
            short = db.execute(
                """SELECT count(*) FROM contents c WHERE read_generation IS NOT NULL AND words !=
                    (SELECT count(*) FROM passages p WHERE p.generation = c.read_generation)"""
            ).fetchone()[0]
            if short:
                return f"{short:,} readings have too few or too many passages"
            hidden = db.execute(
                """SELECT count(*) FROM contents
                WHERE (content IN (SELECT content FROM hidden))
                    != (content IN (SELECT content FROM unreached))"""
            ).fetchone()[0]
            if hidden:
                return f"{hidden:,} readings are hidden that can be found, or the other way round"
        if altered := self._texts.altered():
            return f"the passages of {altered:,} readings are not what was written"
        if not is_word_index_whole(self._database):
            return "it does not hold what the passages hold"
        return None


def _contents_with(
    db: Connection, expression: str, allowed: PassageFilter, limit: int = -1
) -> set[str]:
    """The contents of the passages that match, in no order: at most `limit` where it is given."""
    rows = db.execute(
        f"""SELECT DISTINCT p.content FROM passage_words w
        CROSS JOIN passages p ON p.id = w.rowid
        WHERE passage_words MATCH ? {allowed.conditions} LIMIT ?""",
        (expression, *allowed.bound, limit),
    )
    return {row["content"] for row in rows}
