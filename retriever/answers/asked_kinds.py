"""The kind of value a question asks for, in English and German: a time, a length, an amount."""

from __future__ import annotations

import re
from collections.abc import Callable

from indexer.types.text.tokens import tokens
from retriever.answers.values import NUMBER_WORDS, figures

_DAYS_AND_MONTHS = (
    "monday tuesday wednesday thursday friday saturday sunday january february march april may"
    " june july august september october november december today tomorrow yesterday noon midnight"
    " morning evening afternoon montag dienstag mittwoch donnerstag freitag samstag sonntag"
    " januar februar märz mai juni juli oktober dezember heute morgen gestern mittag abend"
    " spring summer autumn winter week month year woche monat jahr o'clock uhr am pm"
)
_DURATIONS = (
    "second seconds minute minutes hour hours day days week weeks month months year years sekunden"
    " minute minuten stunde stunden tag tage tagen woche wochen monat monate monaten jahr jahre"
)
_AMOUNTS = (
    "euro euros eur dollar dollars usd pound pounds cent cents franc francs chf percent prozent"
    " kilo kilos kg gram grams gramm g litre litres liter l ml metre metres meter m km cm mm"
)
_CLOCK_OR_DATE = re.compile(
    r"\b(\d{1,2}[:.]\d\d|\d{1,2}[./]\d{1,2}[./]?(\d{2,4})?|(19|20)\d\d)\b|\b\d{1,2}\s?[ap]\.?m\b"
)
_TIME_TOKENS = frozenset(tokens(_DAYS_AND_MONTHS))
_DURATION_TOKENS = frozenset(tokens(_DURATIONS))
_AMOUNT_TOKENS = frozenset(tokens(_AMOUNTS))
_MEASURED = re.compile(
    r"\d+(?:[.,:]\d+)*\s?(?:[€$£%]|(?:"
    + "|".join(map(re.escape, sorted(_DURATION_TOKENS | _AMOUNT_TOKENS)))
    + r")\b)",
    re.IGNORECASE,
)


def asked_kind(question: str) -> Callable[[str], bool] | None:
    """What tells whether a text has a value of the kind that is asked for; None where any text may
    have one."""
    return next((kind for asked, kind in _KINDS if asked.search(question)), None)


def has_time(text: str) -> bool:
    """Whether it names a time, a day or a part of the year."""
    return bool(_CLOCK_OR_DATE.search(text)) or not _TIME_TOKENS.isdisjoint(tokens(text))


def _has_duration(text: str) -> bool:
    words = set(tokens(text))
    return _has_number(text) and not words.isdisjoint(_DURATION_TOKENS | _AMOUNT_TOKENS)


def _has_amount(text: str) -> bool:
    return _has_number(text) and (
        re.search("[€$£%]", text) is not None or not _AMOUNT_TOKENS.isdisjoint(tokens(text))
    )


def _has_count(text: str) -> bool:
    """A number that is not a sum of money, a length or a time alone."""
    return _has_number(_MEASURED.sub(" ", text))


def _has_number(text: str) -> bool:
    return bool(figures(text)) or not NUMBER_WORDS.keys().isdisjoint(tokens(text))


_KINDS: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = tuple(
    (re.compile(asked, re.IGNORECASE), kind)
    for asked, kind in (
        (
            r"^\W*(when|wann)\b"
            r"|\b(which|what|welche[mnrs]?) (day|date|time|month|year|tag|datum|monat)\b",
            has_time,
        ),
        (r"\b(how long|wie ?lange?)\b", _has_duration),
        (
            r"\b(how many) (?!euros|dollars|pounds|minutes|hours|days|weeks|months|years)",
            _has_count,
        ),
        (r"\b(how much (is|are|was|does|do|did|will)|wie ?teuer)\b", _has_amount),
        (r"\b(how (much|many|old|far)|wie ?(viele?|alt|weit))\b", _has_number),
    )
)
