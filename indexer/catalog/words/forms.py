"""Other forms of the words of a query, among those that the library has.

A plural or another inflection, the rest of a word that is being typed, a compound that holds it, a
spelling with or without separators, and, where there is nothing of these, one typing error.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from sqlite3 import Connection
from typing import Any

from indexer.catalog.words.vocabulary import LongTerms, is_held, known_terms, terms_from
from indexer.types.text.tokens import MAX_JOINED_CHARS, MIN_JOINED_CHARS, join_separated

MIN_STEM_CHARS = 3
MIN_PREFIX_CHARS = 2
MIN_COMPOUND_CHARS = 5
MIN_NUMBER_CHARS = 7  # of a number that may be the end of a longer one, as of a telephone number
MIN_TYPO_CHARS = 3
MAX_RANGE = 5_000  # terms of one beginning that are looked at
MAX_FORMS = 64  # of one token

_LATIN = (
    *("english", "german", "french", "spanish", "italian", "portuguese", "dutch", "swedish"),
    *("danish", "norwegian", "finnish", "romanian", "hungarian"),
)
# By the first letter of a word: the stemmers to ask, and the letters a typing error may put in.
_SCRIPTS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("a", "\u024f", _LATIN, "abcdefghijklmnopqrstuvwxyzæøœðþđłı"),
    ("\u0370", "\u03ff", ("greek",), "αβγδεζηθικλμνξοπρστυφχψω"),
    ("\u0400", "\u052f", ("russian",), "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґ"),
    ("\u0590", "\u05ff", (), "אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
    ("\u0600", "\u06ff", ("arabic",), "ءابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگکی"),
)
# Particles and endings that follow a Korean noun without a blank.
_PARTICLES = re.compile(
    "(?:에게서|으로서|으로써|에서는|에서도|까지|부터|에게|에서|으로|처럼|보다|마다|조차|라도|이나|이며|"
    "이다|한테|께서|들이|들을|들은|은|는|이|가|을|를|의|에|도|로|와|과|만|랑|나)$"
)
_HANGUL = re.compile("[\uac00-\ud7a3]+")
_UMLAUTS = re.compile("(?<=[aou])e")


@dataclass(frozen=True, slots=True)
class TermForms:
    """A term of a query with other forms of it that the library has: words of the same stem or in
    another spelling, and others, that begin with it, hold it or are one letter away."""

    tokens: tuple[str, ...]
    inflections: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    @property
    def is_single(self) -> bool:
        return len(self.tokens) == 1


@dataclass(frozen=True, slots=True)
class QueryForms:
    """The terms of a query with their forms, and `whole` words that are the query without its
    separators. `variants` are the tokens of all forms."""

    terms: tuple[TermForms, ...]
    whole: frozenset[str]

    @property
    def variants(self) -> frozenset[str]:
        return self.whole.union(*(term.inflections | term.others for term in self.terms))

    def each_with_whole(self) -> list[TermForms]:
        """The terms, of which the whole words are forms too: who has one of these has all."""
        return [replace(term, inflections=term.inflections | self.whole) for term in self.terms]

    @property
    def expression(self) -> str | None:
        """For the passages that hold every term in some form. None where no term has another."""
        if not self.variants:
            return None
        clauses = []
        for term in self.terms:
            forms = sorted(term.inflections | term.others)
            exact = f'folded : "{" ".join(term.tokens)}"'
            clauses.append(f"({' OR '.join([exact, *map(_quoted, forms)])})" if forms else exact)
        every = " AND ".join(clauses)
        return " OR ".join([f"({every})", *map(_quoted, sorted(self.whole))])


def query_forms(
    db: Connection, long_terms: LongTerms, query: str, terms: Sequence[tuple[tuple[str, ...], bool]]
) -> QueryForms:
    """The forms of every term (tokens, whether it was quoted): one that was quoted has none."""
    forms: list[TermForms] = []
    for number, (term, is_quoted) in enumerate(terms):
        if is_quoted:
            forms.append(TermForms(term))
            continue
        is_last = number == len(terms) - 1 and not query[-1:].isspace()
        forms.append(_forms(db, long_terms, term, is_last))
    whole = set(known_terms(db, joined := join_separated(query)))
    for digits in joined:
        if digits.isdecimal() and len(digits) >= MIN_NUMBER_CHARS:
            whole |= _nearest(db, digits, long_terms.containing(db, digits, MAX_RANGE))
    return QueryForms(tuple(forms), frozenset(whole))


def _quoted(word: str) -> str:
    return f'"{word}"'


def _forms(
    db: Connection, long_terms: LongTerms, term: tuple[str, ...], is_last: bool
) -> TermForms:
    if len(term) > 1:
        return _forms_of_joined(db, term, is_last)
    [token] = term
    same = {token} if _are_joined(db, token) else set()
    if token.isdecimal():
        longer = (
            _nearest(db, token, long_terms.containing(db, token, MAX_RANGE))
            if len(token) >= MIN_NUMBER_CHARS
            else set()
        )
        return TermForms(term, frozenset(same), frozenset(longer))
    if _HANGUL.fullmatch(token):
        stem = _PARTICLES.sub("", token) if len(token) > 2 else token
        same |= _nearest(db, token, terms_from(db, stem, MAX_RANGE))
        return TermForms(term, frozenset(same))
    same |= set(known_terms(db, _spellings(token)))
    same |= _inflections(db, token)
    others: set[str] = set()
    if is_last and len(token) >= MIN_PREFIX_CHARS:
        others |= _nearest(db, token, terms_from(db, token, MAX_RANGE))
    if len(token) >= MIN_COMPOUND_CHARS:
        others |= _nearest(db, token, long_terms.containing(db, token, MAX_RANGE))
    if not (same | others) - {token} and not known_terms(db, [token]):
        others |= set(known_terms(db, _one_error(token)))
    return TermForms(term, frozenset(same), frozenset(others - same))


def _forms_of_joined(db: Connection, term: tuple[str, ...], is_last: bool) -> TermForms:
    """The forms of several tokens in a row, written as one word: `e-mails` is `emails`, `email` and
    `e-mail`. Compounds and typing errors are for single words."""
    joined = "".join(term)
    same = set(known_terms(db, [joined]))
    if joined.isdecimal() or not MIN_JOINED_CHARS <= len(joined) <= MAX_JOINED_CHARS:
        return TermForms(term, frozenset(same))
    same |= _inflections(db, joined)
    others = _nearest(db, joined, terms_from(db, joined, MAX_RANGE)) if is_last else set()
    return TermForms(term, frozenset(same), frozenset(others - same))


def _are_joined(db: Connection, token: str) -> bool:
    """Whether a token is written with separators somewhere."""
    return (
        db.execute(
            "SELECT 1 FROM passage_words WHERE passage_words MATCH ? LIMIT 1",
            (f'joined : "{token}"',),
        ).fetchone()
        is not None
    )


def _nearest(db: Connection, token: str, words: Iterable[str]) -> set[str]:
    """The words that have the fewest letters more than the token."""
    others = sorted((word for word in words if word != token), key=lambda word: (len(word), word))
    return set(islice((word for word in others if is_held(db, word)), MAX_FORMS))


def _spellings(token: str) -> Iterator[str]:
    """Umlauts written as two letters, and the other way round."""
    yield _UMLAUTS.sub("", token)
    for place, letter in enumerate(token):
        if letter in "aou" and token[place + 1 : place + 2] != "e":
            yield f"{token[: place + 1]}e{token[place + 1 :]}"


def _script(token: str) -> tuple[tuple[str, ...], str]:
    for first, last, languages, letters in _SCRIPTS:
        if first <= token[0] <= last:
            return languages, letters
    return (), "".join(set(token))


def _inflections(db: Connection, token: str) -> set[str]:
    """Words of the same stem in one of the languages of its script."""
    languages, _ = _script(token)
    forms: set[str] = set()
    ranges: dict[str, list[str]] = {}
    for language in languages:
        stem = _stemmer(language).stemWord
        own = stem(token)
        if len(own) < MIN_STEM_CHARS or own.isdecimal():
            continue
        shared = next((n for n, pair in enumerate(zip(own, token, strict=False))
                       if pair[0] != pair[1]), min(len(own), len(token)))  # fmt: skip
        beginning = token[: max(MIN_STEM_CHARS, min(shared, len(own) - 1))]
        if beginning not in ranges:
            ranges[beginning] = terms_from(db, beginning, MAX_RANGE)
        words = ranges[beginning]
        forms |= {word for word, other in zip(words, map(stem, words), strict=True) if other == own}
    return _nearest(db, token, forms)


@functools.cache
def _stemmer(language: str) -> Any:
    import Stemmer

    return Stemmer.Stemmer(language)


def _one_error(token: str) -> set[str]:
    """Everything one letter away from a token: one too many, too few, wrong, or two swapped."""
    if len(token) < MIN_TYPO_CHARS or any(letter.isdecimal() for letter in token):
        return set()
    _, letters = _script(token)
    parts = [(token[:place], token[place:]) for place in range(len(token) + 1)]
    return {
        *(left + right[1:] for left, right in parts if right),
        *(left + right[1] + right[0] + right[2:] for left, right in parts if len(right) > 1),
        *(left + letter + right[1:] for left, right in parts if right for letter in letters),
        *(left + letter + right for left, right in parts for letter in letters),
    } - {token}
