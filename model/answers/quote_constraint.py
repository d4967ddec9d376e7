"""Quotes that cannot be invented: the grammar of a citation, held while the model writes.

An answer cites as `[n: "quote"]`. As soon as the model opens a bracket, every next token must
continue that form: `n` is the number of an existing source, and the quote is a run of whole words
of that very source, at least two of them (or all it has) and not without end. Everywhere else the
model is free. The grammar works on bytes, whatever the tokens are, so a token may end the quote
and begin the next sentence.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from model.decoding.token_bytes import Detokenizer, TokenBytes
from model.interface import AnswerCitation, AnswerText

LEAST_WORDS, MOST_WORDS, MOST_QUOTE_BYTES = 2, 40, 400
MOST_CITATIONS = 8

# A word keeps its inner points and hyphens: "3.5" must not be quoted as "3". Scripts that write
# no spaces count letter by letter.
_DENSE = r"\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_DENSE}]|[^\W{_DENSE}]+(?:[.,:/@'’_-][^\W{_DENSE}]+)*")

HEAD, QUOTE, CLOSE = 0, 1, 2
State = tuple[int, int, int, int]  # stage, source number, start of the quote, place
States = tuple[State, ...]
FREE: States = ()


class QuotableText:
    """The words of one source with white space evened out, and where a quote may begin and end."""

    def __init__(self, words: str) -> None:
        # A person is shown the words as they stand, so every byte remembers its character.
        self.words = words
        runs = list(re.finditer(r"\S+", words))
        letters: list[tuple[str, int]] = []
        for run in runs:
            if letters:
                letters.append((" ", run.start()))
            letters += [(letter, run.start() + at) for at, letter in enumerate(run[0])]
        even = "".join(letter for letter, _ in letters)
        self.text = even.encode(errors="replace")
        sizes = [len(letter.encode(errors="replace")) for letter in even]
        byte_at = [0, *accumulate(sizes)]
        self._origin = [origin for (_, origin), size in zip(letters, sizes, strict=True)
                        for _ in range(size)]  # fmt: skip
        found = [(byte_at[word.start()], byte_at[word.end()]) for word in _WORD.finditer(even)]
        spans = [(byte_at[run.start()], byte_at[run.end()]) for run in re.finditer(r"\S+", even)]
        self._word_starts = [start for start, _ in found]
        self.ends = {end for _, end in found + spans}
        self._ordered_ends = sorted(self.ends)
        self._least = min(LEAST_WORDS, len(found))
        self.last: dict[int, int] = {}  # start -> the furthest end
        for start in sorted({start for start, _ in found + spans}):
            end = self._furthest(start)
            if end is not None:
                self.last[start] = end

    def count(self, start: int, end: int) -> int:
        """How many words begin in these bytes."""
        return bisect_left(self._word_starts, end) - bisect_left(self._word_starts, start)

    def may_close(self, start: int, end: int) -> bool:
        return end in self.ends and self.count(start, end) >= self._least

    def quote(self, start: int, end: int) -> str:
        """The words of these bytes exactly as the source has them."""
        return self.words[self._origin[start] : self._origin[end - 1] + 1]

    def _furthest(self, start: int) -> int | None:
        for end in reversed(
            self._ordered_ends[: bisect_right(self._ordered_ends, start + MOST_QUOTE_BYTES)]
        ):
            if end <= start:
                return None
            if self._least <= self.count(start, end) <= MOST_WORDS:
                return end
        return None


@functools.lru_cache(maxsize=32)
def _quotable_text(words: str) -> QuotableText:
    """The next question is often about the same sources."""
    return QuotableText(words)


class QuoteConstraint:
    """The grammar as a `decode.Constraint`, and what was written as events. `take()` hands out the
    pieces and citations completed since it was last asked; half a citation is never among them."""

    def __init__(self, spelling: TokenBytes, words: Mapping[int, str]) -> None:
        quotable = {n: _quotable_text(text) for n, text in words.items()}
        self._sources = {n: source for n, source in quotable.items() if source.last}
        self._heads = {n: f'[{n}: "'.encode() for n in self._sources}
        self._spelling = spelling
        self._voice = Detokenizer(spelling)
        self._states = FREE
        self._cited = 0
        self._events: list[AnswerText | AnswerCitation] | None = []
        self._known: dict[States, tuple[NDArray[np.int64], bool]] = {}

    @property
    def open(self) -> bool:
        """Whether a citation has been begun and not closed."""
        return self._states != FREE

    @property
    def thinking(self) -> bool:
        """Whether a thought was begun and not ended."""
        return self._voice.thinking

    @property
    def cited(self) -> int:
        return self._cited

    @property
    def quotable(self) -> bool:
        """Whether any source has words to quote."""
        return bool(self._sources)

    def take(self) -> list[AnswerText | AnswerCitation]:
        events, self._events = self._events or [], []
        return events

    def fork(self) -> QuoteConstraint:
        """The same place in the grammar, to look ahead from; it tells no events."""
        other = object.__new__(QuoteConstraint)
        other.__dict__.update(self.__dict__)
        other._voice = Detokenizer(self._spelling, self._voice.thinking)
        other._events = None
        return other

    def push(self, token: int) -> None:
        """`token` was written."""
        free = bytearray()
        for byte in self._voice.spoken(token):
            before = self._states
            if before == FREE and byte != ord("["):
                free.append(byte)
                continue
            self._states, closed = self._step(before, byte)
            if closed is not None:
                self._cited += 1
                self._say(bytes(free))
                free.clear()
                self._tell(closed)
        self._say(bytes(free))

    def allowed(self) -> tuple[NDArray[np.int64], bool] | None:
        """See `decode.Constraint`. Where no token fits, none is allowed but the end."""
        if self._voice.thinking:
            return None
        if self._states == FREE:
            return self._brackets()
        known = self._known.get(self._states)
        if known is None:
            ids = self._fitting(self._states)
            known = self._known[self._states] = (np.array(sorted(ids), dtype=np.int64), True)
        return known

    def _brackets(self) -> tuple[NDArray[np.int64], bool]:
        """In free text only tokens that begin a citation may hold a bracket."""
        full = self._cited >= MOST_CITATIONS or not self._sources
        key: States = ((CLOSE, -1, int(full), 0),)  # no real state looks like this
        if key not in self._known:
            bad = [
                token
                for token, text in self._spelling.brackets
                if full or not self._survives(FREE, text)
            ]
            self._known[key] = (np.array(bad, dtype=np.int64), False)
        return self._known[key]

    def _survives(self, states: States, text: bytes) -> bool:
        for byte in text:
            if states == FREE and byte != ord("["):
                continue
            states, closed = self._step(states, byte)
            if states == FREE and closed is None:
                return False
        return True

    def _fitting(self, states: States) -> set[int]:
        """All tokens the grammar can take from here: a walk through the vocabulary in byte order,
        following only bytes that some state can take."""
        texts, tokens = self._spelling.ordered
        found: set[int] = set()
        waiting = [(b"", states, 0, len(texts))]
        while waiting:
            prefix, here, low, high = waiting.pop()
            if prefix:
                ends = bisect_right(texts, prefix, low, high)
                found.update(tokens[low:ends])
            for byte in self._bytes(here):
                longer = prefix + bytes([byte])
                left = bisect_left(texts, longer, low, high)
                right = bisect_left(texts, prefix + bytes([byte + 1]), left, high)
                if left == right:
                    continue
                after, _ = self._step(here, byte)
                if after != FREE:
                    waiting.append((longer, after, left, right))
                    continue
                for place in range(left, right):  # the citation is closed; what follows is free
                    if b"[" not in texts[place][len(longer) :]:
                        found.add(tokens[place])
        return found

    def _bytes(self, states: States) -> set[int]:
        """Every byte that may come next."""
        may: set[int] = set()
        for stage, n, start, place in states:
            if stage == HEAD:
                may.add(self._heads[n][place])
            elif stage == CLOSE:
                may.add(ord("]"))
            else:
                source = self._sources[n]
                if place < source.last[start]:
                    may.add(source.text[place])
                if source.may_close(start, place):
                    may.add(ord('"'))
        return may

    def _step(self, states: States, byte: int) -> tuple[States, tuple[int, int, int] | None]:
        """The states after `byte`, and the source, start and end of a citation it closed."""
        if states == FREE:
            states = tuple((HEAD, n, 0, 0) for n in self._sources)
        after: list[State] = []
        for stage, n, start, place in states:
            if stage == HEAD:
                if self._heads[n][place] != byte:
                    continue
                if place + 1 < len(self._heads[n]):
                    after.append((HEAD, n, 0, place + 1))
                else:
                    after += [(QUOTE, n, begin, begin) for begin in self._sources[n].last]
            elif stage == CLOSE:
                if byte == ord("]"):
                    return FREE, (n, start, place)
            else:
                source = self._sources[n]
                if place < source.last[start] and source.text[place] == byte:
                    after.append((QUOTE, n, start, place + 1))
                if byte == ord('"') and source.may_close(start, place):
                    after.append((CLOSE, n, start, place))
        return tuple(after), None

    def _say(self, text: bytes) -> None:
        if self._events is not None and text:
            said = self._voice.read(text)
            if said:
                self._events.append(AnswerText(said))

    def _tell(self, closed: tuple[int, int, int]) -> None:
        if self._events is not None:
            n, start, end = closed
            quote = self._sources[n].quote(start, end)
            self._events += [AnswerText(f"[{n}]"), AnswerCitation(n, quote)]
