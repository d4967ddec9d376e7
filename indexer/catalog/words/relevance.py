"""How well contents answer a query by their words: BM25 of the best passage, and of the whole.

A term counts by itself as it was typed, and together with its other forms. What is said on one page
is the better answer to a question, what is said again and again in a file is what the file is
about; `python -m bench run quality` measures what the parts of the sum are good for. The numbers of
a content are the sums of those of its passages, of which FTS5 gives the BM25 of one term each.
"""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from sqlite3 import Connection

import numpy as np
from numpy.typing import NDArray

from indexer.catalog.words.candidates import Candidates, Ids, Numbers
from indexer.catalog.words.forms import TermForms
from indexer.catalog.words.query import PassageFilter, in_a_row, passages_with_each

K1, B = 1.2, 0.75  # as in the bm25() of FTS5, whose values are turned back into counts
TYPED_SHARE = 0.5  # of a term as it was typed; the rest is for all of its forms
LOOSE = 0.3  # what a word that only contains the term counts, beside one of the same stem
ALL_TERMS = 0.6  # for contents that hold every term somewhere
# Words in more passages than this say little beside rarer ones, and cost most of the time.
COMMON_PASSAGES = 1000
# So many passages, the best ones, say which contents are looked at.
CANDIDATES = 500
# Of a content so many passages are named, those that are no worse than this beside the best.
MOST_PASSAGES, WORST_SHARE = 12, 0.85
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
    """The passages (P,) that hold a term, by number, and for each how often, for its length: as it
    was typed, and in all forms. Those that are `near` hold it as typed or another word of its stem.
    The weights say how rare each is."""

    passages: Ids
    typed: Numbers
    forms: Numbers
    near: NDArray[np.bool_]
    typed_weight: float
    weight: float

    def score(self, typed: Numbers, forms: Numbers, length: Numbers | float = 1.0) -> Numbers:
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
    if any(len(term.passages) for term in read):
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
        forms, near = [typed], [typed[0]]
        for word in sorted(term.inflections):
            held = self._held.get(word, 0)
            if term.tokens == (word,):  # where it is written with separators
                counted = self._counts(f"joined : {in_a_row([word])}", 0)
            elif held <= COMMON_PASSAGES:
                in_forms += held
                counted = self._counts(in_a_row([word]), held)
            else:
                continue
            forms.append(counted)
            near.append(counted[0])
        loose = [word for word in sorted(term.others) if self._held.get(word, 0) <= COMMON_PASSAGES]
        if loose:  # all of them at once, and once in each passage: they may be a hundred
            in_forms += sum(self._held.get(word, 0) for word in loose)
            passages = self._rows(" OR ".join(in_a_row([word]) for word in loose))
            forms.append((passages, np.full(len(passages), LOOSE)))
        every = np.concatenate([passages for passages, _ in forms])
        held_by, places = np.unique(every, return_inverse=True)
        size = len(held_by)
        counts = np.concatenate([counts for _, counts in forms])
        return _Term(
            held_by,
            _summed(places[: len(typed[0])], typed[1], size),
            _summed(places, counts, size),
            np.isin(held_by, np.concatenate(near)),
            *self._weights(count, in_forms),
        )

    def common_term(self, term: TermForms, rows: str) -> _Term:
        """Only for the passages that hold other terms, and once in each."""
        passages = self._rows(f"({_any_form(term)}) AND ({rows})")
        return self._plain(passages, np.ones(len(passages)), self.count(term))

    def all_terms(self, terms: Sequence[TermForms]) -> _Term:
        """Common terms alone, as one: the best passages that hold all of them, or else any."""
        best: dict[int, float] = {}
        for between in (" AND ", " OR "):
            if len(best) < CANDIDATES:
                best = self._best(between.join(f"({_any_form(term)})" for term in terms)) | best
        passages = np.array(sorted(best), np.int64)
        scores = np.array([best[passage] for passage in passages.tolist()], np.float64)
        highest = scores.max(initial=0.0) or 1.0
        return self._plain(passages, 2 * scores / highest, min(map(self.count, terms)))

    def _plain(self, passages: Ids, counts: Numbers, held: int) -> _Term:
        """A term without forms, in these passages."""
        near = np.ones(len(passages), np.bool_)
        return _Term(passages, counts, counts, near, *self._weights(held, held))

    def _weights(self, typed: int, forms: int) -> tuple[float, float]:
        return (
            TYPED_SHARE * _rarity(self._total, typed),
            (1 - TYPED_SHARE) * _rarity(self._total, forms),
        )

    def _counts(self, expression: str, held: int) -> tuple[Ids, Numbers]:
        """The passages of one token, and how often they hold it, from its BM25; each once where
        `held` is 0."""
        sql = f"""SELECT w.rowid, -bm25(passage_words) FROM passage_words w {self._allowed.join}
            WHERE passage_words MATCH ? {self._allowed.conditions}"""
        rows = self._db.execute(sql, (expression, *self._allowed.bound)).fetchall()
        passages = np.array([row[0] for row in rows], np.int64)
        if not held:
            return passages, np.ones(len(rows))
        scores = np.array([row[1] for row in rows], np.float64)
        rarity = max(math.log((self._total - held + 0.5) / (held + 0.5)), 1e-6)
        most = (K1 + 1) * rarity
        counts = np.full(len(rows), MAX_COUNT)
        usual = scores < 0.99 * most
        counts[usual] = K1 * scores[usual] / (most - scores[usual])
        return passages, counts

    def _rows(self, expression: str) -> Ids:
        sql = f"""SELECT w.rowid FROM passage_words w {self._allowed.join}
            WHERE passage_words MATCH ? {self._allowed.conditions} ORDER BY w.rowid"""
        rows = self._db.execute(sql, (expression, *self._allowed.bound))
        return np.array([row[0] for row in rows], np.int64)

    def _best(self, expression: str) -> dict[int, float]:
        sql = f"""SELECT w.rowid, -bm25(passage_words) AS score
            FROM passage_words w {self._allowed.join}
            WHERE passage_words MATCH ? {self._allowed.conditions}
            ORDER BY bm25(passage_words), w.rowid LIMIT {CANDIDATES}"""
        return dict(self._db.execute(sql, (expression, *self._allowed.bound)).fetchall())


def _contents(db: Connection, terms: Sequence[_Term]) -> dict[str, Relevance]:
    every = np.unique(np.concatenate([term.passages for term in terms]))
    scores = np.zeros(len(every))
    is_near = np.zeros(len(every), np.bool_)
    for term in terms:
        places = np.searchsorted(every, term.passages)
        scores[places] += term.score(term.typed, term.forms)
        is_near[places] |= term.near
    all_terms = ALL_TERMS * sum(term.weight for term in terms)
    highest = sum(term.highest for term in terms) * 2 + all_terms
    if not highest:
        return {}
    best = _best_places(scores)
    score_of = dict(zip(every[best].tolist(), scores[best].tolist(), strict=True))
    near = set(every[best][is_near[best]].tolist())
    passages = Candidates(db, score_of)
    lengths = passages.lengths(B)
    sums, have_all = np.zeros(len(lengths)), np.ones(len(lengths), np.bool_)
    for term in terms:
        contents = passages.contents_of(term.passages)
        known, size = contents >= 0, len(lengths)
        typed = _summed(contents[known], term.typed[known], size)
        forms = _summed(contents[known], term.forms[known], size)
        have_all &= np.bincount(contents[known], minlength=size) > 0
        sums += term.score(typed, forms, lengths)
    answers: dict[str, Relevance] = {}
    for number, (content, rows) in enumerate(passages.best.items()):
        has_all = bool(have_all[number])
        if not has_all and not any(row[0] in near for row in rows):
            continue  # it holds but words that begin like some of the query
        best_score = score_of[rows[0][0]]
        score = best_score + float(sums[number]) + (all_terms if has_all else 0.0)
        places_of = [
            (generation, ordinal)
            for passage, _, generation, ordinal in rows[:MOST_PASSAGES]
            if score_of[passage] >= WORST_SHARE * best_score
        ]
        answers[content] = Relevance(score / highest, has_all, places_of)
    return answers


def _best_places(scores: Numbers) -> NDArray[np.intp]:
    """Where the CANDIDATES highest of the scores are, the first of equal ones."""
    if len(scores) <= CANDIDATES:
        return np.arange(len(scores))
    least = -np.partition(-scores, CANDIDATES - 1)[CANDIDATES - 1]
    places = np.flatnonzero(scores >= least)
    return places[np.argsort(-scores[places], kind="stable")[:CANDIDATES]]


def _any_form(term: TermForms) -> str:
    words: Iterable[str] = (in_a_row([word]) for word in sorted(term.inflections | term.others))
    return " OR ".join([f"folded : {in_a_row(term.tokens)}", *words])


def _summed(places: NDArray[np.intp] | Ids, counts: Numbers, size: int) -> Numbers:
    """(size,) the sum of the counts at each place."""
    return np.bincount(places, counts, size).astype(np.float64, copy=False)


def _saturated(count: Numbers, length: Numbers | float) -> Numbers:
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
