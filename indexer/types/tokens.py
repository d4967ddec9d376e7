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

from indexer.types.characters import INVISIBLE, JOINERS

MAX_TOKEN_CHARS = 64
MAX_TERMS = 64

# Han, kana, Thai, Lao, Burmese, Khmer: scripts without spaces between words.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff" + (
    "\U00020000-\U0003ffff"
)
_ACCENTS = dict.fromkeys(range(0x0300, 0x0370))
_INVISIBLE = re.compile(f"[{INVISIBLE}{JOINERS}]")


@functools.cache
def _token() -> re.Pattern[str]:
    """The pattern of one token. Combining vowels, as of Indic scripts, belong to the letter before
    them."""
    marks = "".join(
        chr(code) for code in range(0x0370, 0xAC00) if unicodedata.category(chr(code))[0] == "M"
    )
    mark = f"[{re.escape(marks)}]"
    return re.compile(f"[{_UNSPACED}]{mark}*|(?:[^\\W_{_UNSPACED}]{mark}*)+")


_ASCII = bytes(ord(chr(c).lower()) if c < 128 and chr(c).isalnum() else 32 for c in range(256))


def _ascii_tokens(text: str) -> list[str]:
    """The tokens of a text in ASCII: twenty times as fast as any pattern."""
    return text.encode("ascii").translate(_ASCII).decode("ascii").split()


def tokens(text: str) -> list[str]:
    """The folded tokens of `text`, in order."""
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
    candidates = (tuple(tokens(quoted or bare)) for quoted, bare in _TERM.findall(query))
    return list(dict.fromkeys(filter(None, candidates)))[:MAX_TERMS]
