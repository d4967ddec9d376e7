"""How well contents answer a query by their words: BM25 of the best passage, and of the whole.

A term counts by itself as it was typed, and together with its other forms. What is said on one page
is the better answer to a question, what is said again and again in a file is what the file is
about; `python -m bench run quality` measures what the parts of the sum are good for. The numbers of
a content are the sums of those of its passages, of which FTS5 gives the BM25 of one term each.
"""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import bisect
import heapq
import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from sqlite3 import Connection

from indexer.catalog.words.forms import TermForms
from indexer.catalog.words.query import PassageFilter, in_a_row, passages_with_each

K1, B = 1.2, 0.75  # as in the bm25() of FTS5, whose values are turned back into counts
TYPED_SHARE = 0.5  # of a term as it was typed; the rest is for all of its forms
LOOSE = 0.3  # what a word that only contains the term counts, beside one of the same stem
ALL_TERMS = 0.6  # for contents that hold every term somewhere
USUAL_PASSAGES = 4.0  # the length of a content where a count is taken as it is
# Words in more passages than this say little beside rarer ones, and cost most of the time.
COMMON_PASSAGES = 5_000
# So many passages, the best ones, say which contents are looked at.
CANDIDATES = 500
# Of a content so many passages are named, those that are no worse than this beside the best.
MOST_PASSAGES, WORST_SHARE = 12, 0.6
MAX_COUNT = 20.0


@dataclass(slots=True)
class Relevance:
    """Of one content: `score` from 0 to 1, whether it `has_all` terms in some form, and its best
    passages as (generation, ordinal), best first."""

    score: float
    has_all: bool
    passages: list[tuple[str, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Term:
    """For each passage that holds a term how often, for its length: as it was typed, and in all
    forms. Those that are `near` hold it as typed or another word of its stem. The weights say how
    rare each is."""

    typed: dict[int, float]
    forms: dict[int, float]
    typed_weight: float
    weight: float
    near: Collection[int]

    def score(self, typed: float, forms: float, length: float = 1.0) -> float:
        return self.typed_weight * _saturated(typed, length) + self.weight * _saturated(
            forms, length
        )

    @property
    def highest(self) -> float:
        return (self.typed_weight + self.weight) * (K1 + 1)


def relevance(
    db: Connection, terms: Sequence[TermForms], allowed: PassageFilter
) -> dict[str, Relevance]:
    """The contents that hold any of the terms, at least of those that say something."""
    words = {word for term in terms for word in (*term.tokens, *term.inflections, *term.others)}
    scan = _Scan(db, passages_with_each(db, words), allowed)
    rare = [term for term in terms if scan.count(term) <= COMMON_PASSAGES]
    read = [scan.term(term) for term in rare]
    if any(term.forms for term in read):
        rows = " OR ".join(map(_any_form, rare))
        read += [scan.common_term(term, rows) for term in terms if term not in rare]
    else:
        read = [scan.all_terms(terms)]
    return _contents(db, read)


class _Scan:
    """Reads which passages hold a term, and how often."""

    def __init__(self, db: Connection, held: Mapping[str, int], allowed: PassageFilter) -> None:
        self._db = db
        self._total = _passage_count(db)
        self._held = held
        self._allowed = allowed

    def count(self, term: TermForms) -> int:
        """How many passages hold the rarest token of a term."""
        return min(self._held.get(token, 0) for token in term.tokens)

    def term(self, term: TermForms) -> _Term:
        count = in_forms = self.count(term)
        typed = self._counts(f"folded : {in_a_row(term.tokens)}", count if term.is_single else 0)
        forms, near = dict(typed), set(typed)
        for words, share in ((term.inflections, 1.0), (term.others, LOOSE)):
            for word in sorted(words):
                held = self._held.get(word, 0)
                if term.tokens == (word,):  # where it is written with separators
                    counts = self._counts(f"joined : {in_a_row([word])}", 0)
                elif held <= COMMON_PASSAGES:
                    in_forms += held
                    counts = self._counts(in_a_row([word]), held)
                else:
                    continue
                for passage, number in counts.items():
                    forms[passage] = forms.get(passage, 0.0) + share * number
                if words is term.inflections:
                    near.update(counts)
        return _Term(typed, forms, *self._weights(count, in_forms), near)

    def common_term(self, term: TermForms, rows: str) -> _Term:
        """Only for the passages that hold other terms, and once in each."""
        once = dict.fromkeys(self._rows(f"({_any_form(term)}) AND ({rows})"), 1.0)
        return _Term(once, once, *self._weights(self.count(term), self.count(term)), once)

    def all_terms(self, terms: Sequence[TermForms]) -> _Term:
        """Common terms alone, as one: the best passages that hold all of them, or else any."""
        rarest = min(map(self.count, terms))
        best: dict[int, float] = {}
        for between in (" AND ", " OR "):
            if len(best) < CANDIDATES:
                best = self._best(between.join(f"({_any_form(term)})" for term in terms)) | best
        highest = max(best.values(), default=0.0) or 1.0
        shares = {passage: 2 * score / highest for passage, score in best.items()}
        return _Term(shares, shares, *self._weights(rarest, rarest), shares)

    def _weights(self, typed: int, forms: int) -> tuple[float, float]:
        return (
            TYPED_SHARE * _rarity(self._total, typed),
            (1 - TYPED_SHARE) * _rarity(self._total, forms),
        )

    def _counts(self, expression: str, held: int) -> dict[int, float]:
        """How often passages hold one token, from its BM25; each once where `held` is 0."""
        sql = f"""SELECT w.rowid, -bm25(passage_words) FROM passage_words w {self._allowed.join}
            WHERE passage_words MATCH ? {self._allowed.conditions}"""
        rows = self._db.execute(sql, (expression, *self._allowed.bound))
        if not held:
            return {passage: 1.0 for passage, _ in rows}
        rarity = max(math.log((self._total - held + 0.5) / (held + 0.5)), 1e-6)
        most = (K1 + 1) * rarity
        return {
            passage: K1 * score / (most - score) if score < 0.99 * most else MAX_COUNT
            for passage, score in rows
        }

    def _rows(self, expression: str) -> list[int]:
        sql = f"""SELECT w.rowid FROM passage_words w {self._allowed.join}
            WHERE passage_words MATCH ? {self._allowed.conditions}"""
        return [row[0] for row in self._db.execute(sql, (expression, *self._allowed.bound))]

    def _best(self, expression: str) -> dict[int, float]:
        sql = f"""SELECT w.rowid, -bm25(passage_words) AS score
            FROM passage_words w {self._allowed.join}
            WHERE passage_words MATCH ? {self._allowed.conditions}
            ORDER BY bm25(passage_words), w.rowid LIMIT {CANDIDATES}"""
        return dict(self._db.execute(sql, (expression, *self._allowed.bound)).fetchall())


def _contents(db: Connection, terms: Sequence[_Term]) -> dict[str, Relevance]:
    scores: dict[int, float] = {}
    for term in terms:
        for passage, count in term.forms.items():
            score = term.score(term.typed.get(passage, 0.0), count)
            scores[passage] = scores.get(passage, 0.0) + score
    passages = _Passages(db, scores)
    all_terms = ALL_TERMS * sum(term.weight for term in terms)
    highest = sum(term.highest for term in terms) * 2 + all_terms
    if not highest:
        return {}
    sums = [(term, passages.sums(term.typed), passages.sums(term.forms)) for term in terms]
    contents: dict[str, Relevance] = {}
    for content, best in passages.best.items():
        length = passages.length(content)
        score = scores[best[0][0]]
        for term, typed, forms in sums:
            score += term.score(typed.get(content, 0.0), forms.get(content, 0.0), length)
        has_all = all(content in forms for _, _, forms in sums)
        if not has_all and all(row[0] not in term.near for row in best for term in terms):
            continue  # it holds but words that begin like some of the query
        score += all_terms if has_all else 0.0
        worst = WORST_SHARE * scores[best[0][0]]
        places = [
            (generation, ordinal)
            for passage, _, generation, ordinal in best[:MOST_PASSAGES]
            if scores[passage] >= worst
        ]
        contents[content] = Relevance(score / highest, has_all, places)
    return contents


class _Passages:
    """The passages with scores, by their contents: `best` has those of each candidate, as (id,
    content, generation, ordinal)."""

    def __init__(self, db: Connection, scores: Mapping[int, float]) -> None:
        ids = heapq.nlargest(CANDIDATES, scores, key=lambda id: (scores[id], -id))
        rows: list[tuple[int, str, str, int]] = [
            tuple(row)
            for row in db.execute(
                """SELECT id, content, generation, ordinal FROM passages
                WHERE id IN (SELECT value FROM json_each(?))""",
                (json.dumps(ids),),
            )
        ]
        self.best: dict[str, list[tuple[int, str, str, int]]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (-scores[row[0]], row[3])):
            self.best[row[1]].append(row)
        self._content_of = {row[0]: row[1] for row in rows}
        ranges = _ranges(db, {row[2]: row[1] for row in rows})
        self._lengths: dict[str, int] = defaultdict(int)
        for first, last, content in ranges:
            self._lengths[content] += last - first + 1
        if len(scores) > len(rows):
            starts = [first for first, _, _ in ranges]
            for passage in scores.keys() - self._content_of.keys():
                place = bisect.bisect_right(starts, passage) - 1
                if place >= 0 and passage <= ranges[place][1]:
                    self._content_of[passage] = ranges[place][2]

    def length(self, content: str) -> float:
        """Of the content, over the usual one, as BM25 has it."""
        return 1 - B + B * self._lengths[content] / USUAL_PASSAGES

    def sums(self, counts: Mapping[int, float]) -> dict[str, float]:
        """For each candidate what its passages count together."""
        sums: dict[str, float] = {}
        content_of = self._content_of
        for passage, count in counts.items():
            if (content := content_of.get(passage)) is not None:
                sums[content] = sums.get(content, 0.0) + count
        return sums


def _ranges(db: Connection, generations: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """The first and the last passage of each generation, in order, with its content: they are
    written at once, and so have numbers in a row."""
    rows = db.execute(
        """SELECT value AS generation,
            (SELECT min(id) FROM passages WHERE generation = value) AS first,
            (SELECT max(id) FROM passages WHERE generation = value) AS last FROM json_each(?)""",
        (json.dumps(sorted(generations)),),
    )
    return sorted((row["first"], row["last"], generations[row["generation"]]) for row in rows)


def _any_form(term: TermForms) -> str:
    words: Iterable[str] = (in_a_row([word]) for word in sorted(term.inflections | term.others))
    return " OR ".join([f"folded : {in_a_row(term.tokens)}", *words])


def _saturated(count: float, length: float) -> float:
    return count * (K1 + 1) / (count + K1 * length)


def _rarity(total: int, held: int) -> float:
    held = min(held, total)
    return math.log(1 + (total - held + 0.5) / (held + 0.5))


def _passage_count(db: Connection) -> int:
    """How many passages there are: the first number of the record of averages that FTS5 keeps."""
    record = db.execute("SELECT block FROM passage_words_data WHERE id = 1").fetchone()
    count = 0
    for byte in record["block"] if record is not None else b"":
        count = count << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return count
