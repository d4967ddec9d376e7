"""Tokens: words as they are compared. Texts and queries are folded by the same function.

A token is a run of letters and digits, so `RE-2024-0117` is three tokens in a row, found as a
phrase. Case, accents, ligatures and width do not count (`Grüße` = `GRUSSE`, `ﬁ` = `fi`); nothing
is stemmed and no word is too common, so a number, a name or an error code is found literally.
Scripts written without spaces are one token a character, and their words phrases.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator

from indexer.types.text.characters import INVISIBLE, JOINERS

MAX_TOKEN_CHARS = 64
MAX_TERMS = 64

# Han, kana, Thai, Lao, Burmese, Khmer: scripts without spaces between words.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff" + (
    "\U00020000-\U0003ffff"
)
# Accents, and the points of Hebrew and Arabic with the stroke that only stretches a word.
_ACCENTS = dict.fromkeys(
    code
    for first, last in (
        *((0x0300, 0x036F), (0x0591, 0x05BD), (0x05BF, 0x05BF), (0x05C1, 0x05C2)),
        *((0x05C4, 0x05C5), (0x05C7, 0x05C7), (0x0610, 0x061A), (0x0640, 0x0640)),
        *((0x064B, 0x065F), (0x0670, 0x0670), (0x06D6, 0x06DC), (0x06DF, 0x06E8)),
        (0x06EA, 0x06ED),
    )
    for code in range(first, last + 1)
)
_INVISIBLE = re.compile(f"[{INVISIBLE}{JOINERS}]")


@functools.cache
def _token() -> re.Pattern[str]:
    """The pattern of one token. Combining vowels, as of Indic scripts, belong to the letter before
    them."""
    marks = "".join(
        chr(code) for code in range(0x0370, 0xAC00) if unicodedata.category(chr(code))[0] == "M"
    )
    mark = f"[{re.escape(marks)}]"
    return re.compile(f"[{UNSPACED}]{mark}*|(?:[^\\W_{UNSPACED}]{mark}*)+")


_ASCII = bytes(ord(chr(c).lower()) if c < 128 and chr(c).isalnum() else 32 for c in range(256))

_NEITHER = bytes(c for c in range(128) if not chr(c).isalnum())  # a letter nor a digit


def _ascii_tokens(text: str) -> list[str]:
    """The tokens of a text in ASCII: twenty times as fast as any pattern."""
    return text.encode("ascii").translate(_ASCII).decode("ascii").split()


@functools.cache
def _separators() -> re.Pattern[str]:
    """Dashes, quotation marks, bullets and what else parts words: most texts of European languages
    that are not in ASCII have nothing but these."""
    parting = "".join(
        chr(code) for code in range(0x80, 0x3000) if _word_tokens(f"a{chr(code)}b") == ("a", "b")
    )
    return re.compile(f"[{re.escape(parting)}]")


def tokens(text: str) -> list[str]:
    """The folded tokens of `text`, in order."""
    if not text.isascii():
        text = _separators().sub(" ", text)
    if text.isascii():
        folded = _ascii_tokens(text)
    else:
        folded, plain = [], []
        for word in text.split():
            if word.isascii():
                plain.append(word)
            else:
                folded += [*_ascii_tokens(" ".join(plain)), *_word_tokens(word)]
                plain.clear()
        folded += _ascii_tokens(" ".join(plain))
    if max(map(len, folded), default=0) > MAX_TOKEN_CHARS:
        return [token[:MAX_TOKEN_CHARS] for token in folded]
    return folded


@functools.lru_cache(maxsize=4096)
def _word_tokens(word: str) -> tuple[str, ...]:
    """The tokens of what stands between two blanks; no token contains a blank."""
    folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", word)).casefold()
    folded = unicodedata.normalize("NFD", folded).translate(_ACCENTS)
    return tuple(_token().findall(unicodedata.normalize("NFC", folded)))


_TERM = re.compile(r'"([^"]*)"|(\S+)')


def terms(query: str) -> list[tuple[str, ...]]:
    """The terms of a query, once each and in order: every term is one token, or several that have
    to follow each other (`1,850`, a hyphenated name, words between double quotes)."""
    return [term for term, _ in query_terms(query)]


def query_terms(query: str) -> list[tuple[tuple[str, ...], bool]]:
    """The terms of a query, each with whether it stands between double quotes."""
    quoted_by_term: dict[tuple[str, ...], bool] = {}
    for quoted, bare in _TERM.findall(query):
        if term := tuple(tokens(quoted or bare)):
            quoted_by_term[term] = quoted_by_term.get(term, False) or bool(quoted)
    return list(quoted_by_term.items())[:MAX_TERMS]


# Groups of digits, some with letters, as in an IBAN, a telephone number, an ISBN or an article
# number; and words with a hyphen, an apostrophe or a cut at the end of a line.
_GROUPS = re.compile(
    r"(?<![\w.,])\+?\(?[A-Za-z]{0,4}\d[\dA-Za-z]*+"
    r"(?:[ \u00a0./()\u2010-\u2013-]{1,3}[A-Za-z]{0,2}\d[\dA-Za-z]*+)++(?!\w)"
)
_HYPHENED = re.compile(
    r"(?<![^\W_])[^\W\d_]++(?:(?:[-\u2010\u2011'’]|[-\u2010\u00ad][^\S\n]*+\n\s*+)[^\W\d_]++)++"
)
# The seam that every such group, or hyphened word, has after its first part: to look for it and
# go back to where the part begins is four times as fast as to look for the whole.
_GROUP_SEAM = re.compile(r"\d[A-Za-z]*+[ \u00a0./()\u2010-\u2013-]{1,3}(?=[A-Za-z]{0,2}\d)")
_HYPHEN_SEAM = re.compile(r"[-\u00ad\u2010\u2011'’]\s*(?=[^\W\d_])")
_MAX_WRITTEN_CHARS = 60  # with its separators; what is longer is a row of a table
MIN_JOINED_CHARS, MAX_JOINED_CHARS = 4, 34


def join_separated(text: str) -> list[str]:
    """What stands in a text with separators between its parts, as single tokens without them."""
    joined: dict[str, None] = {}
    for number in _groups(text):
        if len(number) > _MAX_WRITTEN_CHARS:
            continue
        for spelling in {number, number.replace("(0)", "")}:
            joined[_in_one(spelling)] = None
    for word in _hyphened(text):
        joined[_in_one(word)] = None
    return [word for word in joined if MIN_JOINED_CHARS <= len(word) <= MAX_JOINED_CHARS]


def _in_one(text: str) -> str:
    """The tokens of a text as one."""
    if text.isascii():  # the same, five times as fast
        return text.encode("ascii").translate(_ASCII, _NEITHER).decode("ascii")
    return "".join(tokens(text))


def _groups(text: str) -> Iterator[str]:
    """What `_GROUPS` finds in a text."""
    end = 0
    for seam in _GROUP_SEAM.finditer(text):
        start = seam.start()
        if start < end:
            continue
        while start > end and text[start - 1].isalnum():
            start -= 1
        starts = [start]
        for sign in "(+":
            if start > end and text[start - 1] == sign:
                start -= 1
                starts.insert(0, start)
        for start in starts:
            if match := _GROUPS.match(text, start):
                end = match.end()
                yield match.group()
                break


def _hyphened(text: str) -> Iterator[str]:
    """What `_HYPHENED` finds in a text."""
    end = 0
    for seam in _HYPHEN_SEAM.finditer(text):
        start = seam.start()
        if start < end:
            continue
        while start > end and (letter := text[start - 1]).isalnum() and not letter.isdecimal():
            start -= 1
        if match := _HYPHENED.match(text, start):
            end = match.end()
            yield match.group()
