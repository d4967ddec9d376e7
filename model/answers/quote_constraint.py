"""Quotes that cannot be invented: the grammar of a citation, enforced while the model writes.

An answer cites in the form of `answer_format`. As soon as the model opens a bracket, every next
token must continue that form: `n` is the number of an existing source, and the quote is a run of
whole words of that source, between LEAST_WORDS (or all it has) and MOST_WORDS of them. Everywhere
else the model is free. The grammar works on bytes, so a token may end the quote and begin the next
sentence.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from model import answer_format
from model.answer_format import mark, opening
from model.decoding.token_bytes import Detokenizer, TokenBytes
from model.interface import AnswerCitation, AnswerText

LEAST_WORDS, MOST_WORDS, MOST_QUOTE_BYTES = 2, 40, 400
MOST_CITATIONS = 8

# A word keeps its inner points and hyphens: "3.5" must not be quoted as "3". Scripts that write
# no spaces count letter by letter.
_DENSE = r"\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_DENSE}]|[^\W{_DENSE}]+(?:[.,:/@'’_-][^\W{_DENSE}]+)*")

BRACKET_BYTES = answer_format.BRACKET.encode()
BRACKET, QUOTE_END, CITATION_END = map(
    ord, (answer_format.BRACKET, answer_format.QUOTE_END, answer_format.CITATION_END)
)

OPENING, QUOTE, CLOSING = 0, 1, 2
# Stage, source number, start of the quote, position in the opening or in the source's text.
State = tuple[int, int, int, int]
States = tuple[State, ...]
FREE: States = ()


class QuotableText:
    """The words of one source with white space normalised, and where a quote may begin and end."""

    def __init__(self, words: str) -> None:
        # A person is shown the words as they stand, so every byte keeps the index of its character.
        self.words = words
        runs = list(re.finditer(r"\S+", words))
        letters: list[tuple[str, int]] = []
        for run in runs:
            if letters:
                letters.append((" ", run.start()))
            letters += [(letter, run.start() + at) for at, letter in enumerate(run[0])]
        normalised = "".join(letter for letter, _ in letters)
        self.text = normalised.encode(errors="replace")
        sizes = [len(letter.encode(errors="replace")) for letter in normalised]
        byte_at = [0, *accumulate(sizes)]
        self._origin = [origin for (_, origin), size in zip(letters, sizes, strict=True)
                        for _ in range(size)]  # fmt: skip
        word_spans = [
            (byte_at[word.start()], byte_at[word.end()]) for word in _WORD.finditer(normalised)
        ]
        run_spans = [
            (byte_at[run.start()], byte_at[run.end()]) for run in re.finditer(r"\S+", normalised)
        ]
        self._word_starts = [start for start, _ in word_spans]
        self.ends = {end for _, end in word_spans + run_spans}
        self._ordered_ends = sorted(self.ends)
        self._least = min(LEAST_WORDS, len(word_spans))
        self.last: dict[int, int] = {}  # start -> the furthest end
        for start in sorted({start for start, _ in word_spans + run_spans}):
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
    """The grammar as a `Constraint`, and the written text as events. `take()` returns the texts and
    citations completed since its last call; half a citation is never among them."""

    def __init__(self, vocabulary: TokenBytes, words: Mapping[int, str]) -> None:
        quotable = {n: _quotable_text(text) for n, text in words.items()}
        self._sources = {n: source for n, source in quotable.items() if source.last}
        self._openings = {n: opening(n).encode() for n in self._sources}
        self._vocabulary = vocabulary
        self._detokenizer = Detokenizer(vocabulary)
        self._states = FREE
        self._cited = 0
        self._events: list[AnswerText | AnswerCitation] | None = []
        self._allowed_in: dict[States, tuple[NDArray[np.int64], bool]] = {}

    @property
    def open(self) -> bool:
        """Whether a citation has been begun and not closed."""
        return self._states != FREE

    @property
    def thinking(self) -> bool:
        """Whether a thought was begun and not ended."""
        return self._detokenizer.thinking

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
        """The same place in the grammar, to look ahead from; it collects no events."""
        other = object.__new__(QuoteConstraint)
        other.__dict__.update(self.__dict__)
        other._detokenizer = Detokenizer(self._vocabulary, self._detokenizer.thinking)
        other._events = None
        return other

    def push(self, token: int) -> None:
        """`token` was written."""
        free = bytearray()
        for byte in self._detokenizer.visible_bytes(token):
            before = self._states
            if before == FREE and byte != BRACKET:
                free.append(byte)
                continue
            self._states, closed = self._step(before, byte)
            if closed is not None:
                self._cited += 1
                self._add_text(bytes(free))
                free.clear()
                self._cite(closed)
        self._add_text(bytes(free))

    def allowed(self) -> tuple[NDArray[np.int64], bool] | None:
        """Where no token fits, none is allowed but the end."""
        if self._detokenizer.thinking:
            return None
        if self._states == FREE:
            return self._brackets()
        allowed = self._allowed_in.get(self._states)
        if allowed is None:
            ids = self._fitting(self._states)
            allowed = np.array(sorted(ids), dtype=np.int64), True
            self._allowed_in[self._states] = allowed
        return allowed

    def _brackets(self) -> tuple[NDArray[np.int64], bool]:
        """In free text only tokens that begin a citation may hold a bracket."""
        full = self._cited >= MOST_CITATIONS or not self._sources
        key: States = ((CLOSING, -1, int(full), 0),)  # no real state looks like this
        if key not in self._allowed_in:
            bad = [
                token
                for token, text in self._vocabulary.brackets
                if full or not self._survives(FREE, text)
            ]
            self._allowed_in[key] = (np.array(bad, dtype=np.int64), False)
        return self._allowed_in[key]

    def _survives(self, states: States, text: bytes) -> bool:
        for byte in text:
            if states == FREE and byte != BRACKET:
                continue
            states, closed = self._step(states, byte)
            if states == FREE and closed is None:
                return False
        return True

    def _fitting(self, states: States) -> set[int]:
        """All tokens the grammar can take from here: a walk through the vocabulary in byte order,
        following only bytes that some state can take."""
        texts, tokens = self._vocabulary.ordered
        fitting: set[int] = set()
        waiting = [(b"", states, 0, len(texts))]
        while waiting:
            prefix, reached, low, high = waiting.pop()
            if prefix:
                ends = bisect_right(texts, prefix, low, high)
                fitting.update(tokens[low:ends])
            for byte in self._next_bytes(reached):
                longer = prefix + bytes([byte])
                left = bisect_left(texts, longer, low, high)
                right = bisect_left(texts, prefix + bytes([byte + 1]), left, high)
                if left == right:
                    continue
                after, _ = self._step(reached, byte)
                if after != FREE:
                    waiting.append((longer, after, left, right))
                    continue
                for index in range(left, right):  # the citation is closed; what follows is free
                    if BRACKET_BYTES not in texts[index][len(longer) :]:
                        fitting.add(tokens[index])
        return fitting

    def _next_bytes(self, states: States) -> set[int]:
        """Every byte that may come next."""
        may: set[int] = set()
        for stage, n, start, place in states:
            if stage == OPENING:
                may.add(self._openings[n][place])
            elif stage == CLOSING:
                may.add(CITATION_END)
            else:
                source = self._sources[n]
                if place < source.last[start]:
                    may.add(source.text[place])
                if source.may_close(start, place):
                    may.add(QUOTE_END)
        return may

    def _step(self, states: States, byte: int) -> tuple[States, tuple[int, int, int] | None]:
        """The states after `byte`, and the source, start and end of a citation it closed."""
        if states == FREE:
            states = tuple((OPENING, n, 0, 0) for n in self._sources)
        after: list[State] = []
        for stage, n, start, place in states:
            if stage == OPENING:
                if self._openings[n][place] != byte:
                    continue
                if place + 1 < len(self._openings[n]):
                    after.append((OPENING, n, 0, place + 1))
                else:
                    after += [(QUOTE, n, begin, begin) for begin in self._sources[n].last]
            elif stage == CLOSING:
                if byte == CITATION_END:
                    return FREE, (n, start, place)
            else:
                source = self._sources[n]
                if place < source.last[start] and source.text[place] == byte:
                    after.append((QUOTE, n, start, place + 1))
                if byte == QUOTE_END and source.may_close(start, place):
                    after.append((CLOSING, n, start, place))
        return tuple(after), None

    def _add_text(self, text: bytes) -> None:
        if self._events is not None and text:
            visible = self._detokenizer.decode_bytes(text)
            if visible:
                self._events.append(AnswerText(visible))

    def _cite(self, closed: tuple[int, int, int]) -> None:
        if self._events is not None:
            n, start, end = closed
            quote = self._sources[n].quote(start, end)
            self._events += [AnswerText(mark(n)), AnswerCitation(n, quote)]
