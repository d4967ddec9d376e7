"""What a person types, understood: words, and filters among them.

    "exact words"  -word  type:photo  ext:pdf  in:Invoices  from:anna  after:2024-03
    before:"last month"
    photos of ...  in March 2024  since last week  (English and German)

Filters of the first line are taken out of the words; those of the second are guessed, and each is
told with the words that search for it literally.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from indexer.types.formats import kind_by_name
from indexer.types.places import Kind
from indexer.types.scope import Scope
from indexer.types.text.tokens import tokens
from model.interface import Image, Sound
from retriever.queries.guessed_filters import KIND_OF, guess_kind, guess_periods
from retriever.queries.periods import Period, parse_period, unix_s
from retriever.queries.query import Query

_KIND_NAMES = {Kind.PHOTO: "photos", Kind.RECORDING: "recordings", Kind.DOCUMENT: "documents"}
_MAILS = frozenset({".eml", ".mbox", ".msg"})
_MAIL_WORDS = frozenset("mail mails email emails e-mail e-mails".split())

_OPERATORS = "type kind ext in folder from after since before until on date"
_PIECE = re.compile(
    rf"""(?<!\S)
    (?P<sign>-?)(?:(?P<name>{"|".join(_OPERATORS.split())}):(?P<value>"[^"]*"?|[^\s"]+)
    |(?P<bare>"[^"]*"|(?<=-)[^\W\d_][^\s"]*))""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TypedFilter:
    """A filter as it was typed, and in plain words. `literal` searches for it as words, where it
    was guessed; `problem` says why it could not be understood, and that it is left out."""

    text: str
    label: str
    literal: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class TypedQuery:
    """What is left to be searched for, and what was understood. A file has to hold each of the
    `required` and none of the `excluded`; one that holds a text of `dated` may be of any date."""

    words: str
    scope: Scope = field(default_factory=Scope)
    required: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    dated: tuple[str, ...] = ()
    filters: tuple[TypedFilter, ...] = ()

    def query(
        self,
        scope: Scope,
        *,
        like: Image | Sound | None,
        limit: int,
        offset: int = 0,
        by: Literal["words", "all"],
    ) -> Query:
        """The search for this, within a scope that was chosen besides. Raises QueryError."""
        return Query(
            self.words,
            like,
            self.scope.within(scope),
            self.required,
            self.excluded,
            self.dated,
            limit,
            offset,
            by,
        )


def parse_typed(
    text: str,
    now: datetime,
    has_folder: Callable[[str], bool] = lambda _: True,
    has_sender: Callable[[str], bool] = lambda _: True,
) -> TypedQuery:
    """`now` is a local time without a zone; `has_folder` tells whether the library has a folder of
    a name, `has_sender` whether it has a mail of somebody. Any text is valid; one without filters
    is its own words."""
    return _Reader(now, has_folder, has_sender).read(text)


class _Reader:
    """Reads one text."""

    def __init__(
        self, now: datetime, has_folder: Callable[[str], bool], has_sender: Callable[[str], bool]
    ) -> None:
        self._now = now
        self._has_folder = has_folder
        self._has_sender = has_sender
        self._scope = Scope()
        self._required: list[str] = []
        self._excluded: list[str] = []
        self._dated: list[str] = []
        self._filters: list[TypedFilter] = []

    def read(self, text: str) -> TypedQuery:
        words = "".join(self._parts(text))
        return TypedQuery(
            words.strip(),
            self._scope,
            tuple(self._required),
            tuple(self._excluded),
            tuple(self._dated),
            tuple(self._filters),
        )

    def _parts(self, text: str) -> Iterator[str]:
        """The words that are no filters, piece by piece."""
        end = 0
        for piece in _PIECE.finditer(text):
            yield self._plain(text[end : piece.start()], is_first=not text[: piece.start()].strip())
            end = piece.end()
            sign, name, bare = piece["sign"], piece["name"], piece["bare"]
            if name is not None:
                yield self._operator(piece.group(), bool(sign), name.lower(), piece["value"])
            elif not tokens(inner := bare.strip('"').strip()):
                yield piece.group()
            elif sign:
                self._excluded.append(inner)
                self._filters.append(TypedFilter(piece.group(), f"without “{inner}”"))
            else:
                self._required.append(inner)
                yield piece.group()
        yield self._plain(text[end:], is_first=end == 0)

    # -- operators -----------------------------------------------------------------------------

    def _operator(self, text: str, is_negated: bool, name: str, quoted: str) -> str:
        """Takes a filter; what is left of it as words."""
        value = quoted.strip('"').strip()
        if not value:
            return text
        match name:
            case "type" | "kind":
                problem = self._narrow_type(text, value, is_negated)
            case "ext":
                self._narrow_extension(text, re.split(r"[,;]", value), is_negated)
                problem = None
            case "in" | "folder":
                problem = self._narrow_folder(text, value, is_negated)
            case "from":
                problem = self._narrow_sender(text, value, is_negated)
            case _:
                problem = self._narrow_time(text, value, is_negated, name)
        if problem is not None:
            self._filters.append(TypedFilter(text, text, problem=problem))
        return ""

    def _narrow_type(self, text: str, value: str, is_negated: bool) -> str | None:
        word = value.lower()
        if word in _MAIL_WORDS:
            self._narrow_extension(text, sorted(_MAILS), is_negated, "mails")
        elif (kind := KIND_OF.get(word)) is not None:
            self._narrow_kind(TypedFilter(text, _KIND_NAMES[kind]), kind, is_negated)
        elif kind_by_name(f"a.{word}".encode()) is not None:
            self._narrow_extension(text, [word], is_negated)
        else:
            return (
                f"“{value}” is not a type; there are document, photo, recording, mail, and endings "
                "of names such as pdf."
            )
        return None

    def _narrow_kind(self, typed: TypedFilter, kind: Kind, is_negated: bool = False) -> None:
        before = self._scope.kinds
        if is_negated:
            kinds = (before if before is not None else frozenset(Kind)) - {kind}
            typed = replace(typed, label=f"no {typed.label}")
        else:
            kinds = (before or frozenset()) | {kind}
        self._scope = replace(self._scope, kinds=kinds)
        self._filters.append(typed)

    def _narrow_extension(
        self, text: str, values: list[str], is_negated: bool, label: str = ""
    ) -> None:
        extensions = frozenset(f".{value.strip().lstrip('.').lower()}" for value in values) - {"."}
        label = label or " or ".join(sorted(extensions))
        if is_negated:
            every = self._scope.not_extensions | extensions
            self._scope = replace(self._scope, not_extensions=every)
        else:
            self._scope = replace(self._scope, extensions=self._scope.extensions | extensions)
        self._filters.append(TypedFilter(text, f"no {label}" if is_negated else label))

    def _narrow_folder(self, text: str, value: str, is_negated: bool) -> str | None:
        if value.startswith(("/", "~")):
            if is_negated:
                return "A whole path cannot be left out; give the name of the folder alone."
            try:
                folder = Path(value).expanduser().absolute()
                folder.resolve()
            except (RuntimeError, ValueError, OSError):  # no such user, no such path, a circle
                return f"“{value}” cannot be a folder; check the path."
            self._scope = replace(self._scope, folders=self._scope.folders | {folder})
        elif not self._has_folder(value):
            return f"No folder of the library is called “{value}”."
        elif is_negated:
            names = self._scope.not_folder_names | {value}
            self._scope = replace(self._scope, not_folder_names=names)
        else:
            self._scope = replace(self._scope, folder_names=self._scope.folder_names | {value})
        self._filters.append(TypedFilter(text, f"not in {value}" if is_negated else f"in {value}"))
        return None

    def _narrow_sender(self, text: str, value: str, is_negated: bool) -> str | None:
        if not self._has_sender(value):
            return f"No mail of the library is from “{value}”."
        if is_negated:
            senders = self._scope.not_senders | {value}
            self._scope = replace(self._scope, not_senders=senders)
        else:
            self._scope = replace(self._scope, senders=self._scope.senders | {value})
        label = f"not from {value}" if is_negated else f"mail from {value}"
        self._filters.append(TypedFilter(text, label))
        return None

    def _narrow_time(self, text: str, value: str, is_negated: bool, name: str) -> str | None:
        period = parse_period(value, self._now)
        if period is None:
            return (
                f"“{value}” is not a date; write it like 2024-03-14, 2024-03, 2024 or “last month”."
            )
        if is_negated:
            return "A date cannot be left out; use before: and after:."
        border = {"on": "in", "date": "in", "after": "since"}.get(name, name)
        self._narrow_period(TypedFilter(text, ""), border, period)
        return None

    def _narrow_period(self, typed: TypedFilter, border: str, period: Period) -> None:
        after = before = None
        match border:
            case "since":
                after, label = period.start, f"since {period.start:%Y-%m-%d}"
            case "after":
                after, label = period.end, f"since {period.end:%Y-%m-%d}"
            case "before":
                before, label = period.start, f"before {period.start:%Y-%m-%d}"
            case "until":
                before, label = period.end, f"before {period.end:%Y-%m-%d}"
            case _:
                after, before, label = period.start, period.end, str(period)
        if after is not None and (moment := unix_s(after)) is not None:
            known = self._scope.after
            self._scope = replace(self._scope, after=max(moment, known or moment))
        if before is not None and (moment := unix_s(before)) is not None:
            known = self._scope.before
            self._scope = replace(self._scope, before=min(moment, known or moment))
        self._filters.append(replace(typed, label=label))

    # -- guesses -------------------------------------------------------------------------------

    def _plain(self, text: str, is_first: bool) -> str:
        """Takes the filters that are meant by plain words; the words that are left."""
        if is_first and (guess := guess_kind(text)):
            kind, end = guess
            guessed = text[:end].strip()
            self._narrow_kind(TypedFilter(guessed, _KIND_NAMES[kind], f'"{guessed}"'), kind)
            text = text[end:]
        left, end = [], 0
        for period in guess_periods(text, self._now):
            left.append(text[end : period.begin])
            end = period.end
            guessed = text[period.begin : end]
            typed = TypedFilter(guessed, "", f'"{guessed}"')
            self._narrow_period(typed, period.border, period.period)
            self._dated.append(period.name)
        return "".join([*left, text[end:]])
