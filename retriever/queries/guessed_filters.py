"""Filters that are meant by plain words, in English and German: photos of ..., since last week."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from indexer.types.places import Kind
from retriever.queries.periods import Period, parse_period

_KIND_WORDS: dict[Kind, str] = {
    Kind.PHOTO: "photo photos picture pictures image images foto fotos bild bilder",
    Kind.RECORDING: "recording recordings audio sound sounds video videos film films voice memo "
    "aufnahme aufnahmen ton",
    Kind.DOCUMENT: "document documents doc docs text texts dokument dokumente",
}
KIND_OF = {word: kind for kind, words in _KIND_WORDS.items() for word in words.split()}
_UNITS = "days?|weeks?|months?|years?|tagen?|wochen?|monaten?|jahren?"
_MONTHS = (
    "jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz|apr(?:il)?|may|mai|june?|juni|july?|juli|"
    "aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|okt(?:ober)?|nov(?:ember)?|dec(?:ember)?|"
    "dez(?:ember)?"
)
_RELATIVE = (
    r"today|yesterday|heute|gestern|(?:this|last|previous) (?:week|month|year)|"
    r"(?:diese|letzte|vorige)[nrsm]? (?:woche|monat|jahr)"
)
_SPAN = rf"(?:in |within )?(?:the )?(?:past|last) (?:(?P<count>\d{{1,3}}) )?(?P<unit>{_UNITS})"
_NAMED = rf"(?:\d{{1,2}}\.? )?(?:{_MONTHS})\.?,? (?:19|20)\d\d|(?:19|20)\d\d(?:-\d\d)?(?:-\d\d)?"
_BORDERS = {
    "since": "since", "seit": "since", "after": "after", "nach": "after",
    "before": "before", "vor": "before", "until": "until", "bis": "until",
}  # fmt: skip
_BORDER = "since|after|before|until|seit|nach|vor|bis|in|from|on|during|im|am|vom|aus"
_PERIOD = (
    rf"(?:(?P<border>{_BORDER}) )?(?P<relative>{_RELATIVE})|"
    rf"(?P<named_border>{_BORDER}) (?:the year |dem jahr |jahr )?(?P<named>{_NAMED})|{_SPAN}"
)
_GUESSED_PERIOD = re.compile(rf"(?<![\w'’-])(?:{_PERIOD})(?![\w'’-])", re.IGNORECASE)
_GUESSED_KIND = re.compile(
    r"\s*(?P<kind>photos|pictures|images|recordings|videos|fotos|bilder|aufnahmen)\s+"
    rf"(?:(?:of|from|with|about|von|mit|vom|aus)(?!\S)|(?=(?:{_PERIOD})(?![\w'’-])))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class GuessedPeriod:
    """A time that a text speaks of from character `begin` to `end`; `border` is `in`, `since`,
    `after`, `before` or `until` it. `name` is what it is called, without the border."""

    begin: int
    end: int
    border: str
    period: Period
    name: str


def guess_kind(text: str) -> tuple[Kind, int] | None:
    """The kind of files that a text begins to ask for, and where the rest of it begins."""
    match = _GUESSED_KIND.match(text)
    return (KIND_OF[match["kind"].lower()], match.end()) if match else None


def guess_periods(text: str, now: datetime) -> Iterator[GuessedPeriod]:
    """The times that a text speaks of, in order."""
    for match in _GUESSED_PERIOD.finditer(text):
        name = match["relative"] or match["named"]
        if name is not None:
            period = parse_period(name, now)
        else:
            name = match.group()
            period = parse_period(f"{match['count'] or 1} {match['unit']} ago", now)
            if period is not None:
                midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
                period = Period(period.start, midnight + timedelta(days=1))
        if period is not None:
            border = _BORDERS.get((match["border"] or match["named_border"] or "").lower(), "in")
            yield GuessedPeriod(*match.span(), border, period, name)
