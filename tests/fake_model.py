"""A model that a person can check by eye: vectors count words, captions name the mean colour.

It keeps every promise of `model.interface.Model` without a weight, so that tests of files, crashes
and searches can tell right from wrong. `gist` and `body` have one number for each word of WORDS and
a last one for all other words; "a red boat" lies where a red picture of a boat would.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from model.interface import (
    DEFAULT_WRITING,
    AnswerCitation,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    ChatEvent,
    Content,
    ConversationTurn,
    Description,
    Evidence,
    Fingerprint,
    FinishReason,
    Float32,
    Image,
    ModelCard,
    Prompt,
    Role,
    Sound,
    Text,
    Vectors,
    WritingOptions,
)

COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}
WORDS = (*COLOURS, "loud", "quiet", "high", "low", "boat", "garden", "money", "meeting", "river")
DIM = len(WORDS) + 1


class FakeModel:
    """Deterministic. `calls` counts the items it was given; a text that holds `broken` raises, one
    that holds `empty` gets a vector of zeros, and `version` changes the fingerprint."""

    def __init__(self, version: str = "1", broken: str = "", empty: str = "") -> None:
        self.calls = 0
        self.version = version
        self._broken = broken
        self._empty = empty

    @property
    def card(self) -> ModelCard:
        return ModelCard("fake", "cpu", "float32", "it has no weights", 0, False, True)

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint("fake", "counts", "1", self.version, DIM)

    def release_caches(self) -> None:
        """It keeps nothing to be quicker."""

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        self.calls += len(contents)
        return [self._vectors(content) for content in contents]

    def describe(self, content: Image | Sound) -> Description:
        self.calls += 1
        words = _words_of(content)
        return Description(words, counts(words), counts(words) if words else None)

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        asked = set(_split(question))
        return [
            len(asked & set(_split(f"{candidate.title} {candidate.words}"))) / max(len(asked), 1)
            for candidate in candidates
        ]

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        scores = self.judge(question, evidence)
        matches = [source for source, score in zip(evidence, scores, strict=True) if score > 0][:2]
        for source in matches:
            if cancelled():
                yield AnswerEnd("cancelled", 1.0, 0, 1.0, None)
                return
            quote = re.split(r"(?<=[.!?])\s", source.words)[0]
            yield AnswerText(f"{source.title} says so [{source.n}]. ")
            yield AnswerCitation(source.n, quote)
        if not matches:
            yield AnswerText("That is not in your library.")
        yield AnswerEnd("stop", 1.0, len(matches), 1.0, None)

    def chat(
        self,
        prompt: Prompt,
        options: WritingOptions = DEFAULT_WRITING,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[ChatEvent]:
        """Says again what was said last, words and what it sees and hears, word by word."""
        parts = prompt[-1].parts
        text = " ".join(part if isinstance(part, str) else _words_of(part) for part in parts)
        words = text.split()[: options.max_tokens]
        for word in words:
            yield AnswerText(f"{word} ")
        reason: FinishReason = "stop" if len(words) == len(text.split()) else "length"
        yield AnswerEnd(reason, 1.0, len(words), 1.0, None, self.count_tokens([text]))

    def count_tokens(self, texts: Sequence[str]) -> int:
        return sum(len(_split(text)) for text in texts)

    def _vectors(self, content: Content) -> Vectors:
        words = content.text if isinstance(content, Text) else _words_of(content)
        if self._broken and self._broken in words:
            raise RuntimeError("the model was told to fail")
        if self._empty and self._empty in words:
            nothing = np.zeros(DIM, dtype=np.float32)
            return Vectors(nothing, nothing)
        vector = counts(words)
        return Vectors(vector, vector if isinstance(content, Text) else None)


class Patient(FakeModel):
    """Understands one content each time it is told to (`turn`); says which it was `given`."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = threading.Semaphore(0)
        self.asked = threading.Event()
        self.given: list[str] = []

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        if role == "item":
            self.asked.set()
            self.turn.acquire()
            self.given += [str(getattr(content, "text", ""))[:7] for content in contents]
        return super().embed(contents, role)


def counts(words: str) -> Float32:
    """How often each of WORDS occurs, and how many other words there are, as a unit vector; the
    quarter keeps a content without words from having none."""
    tokens = _split(words)
    known = [float(tokens.count(word)) for word in WORDS]
    vector = np.array([*known, 0.25 + len(tokens) - sum(known)], dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def _words_of(content: Image | Sound) -> str:
    if isinstance(content, Image):
        mean = content.pixels.reshape(-1, 3).mean(axis=0)
        nearest = min(COLOURS, key=lambda name: float(np.abs(mean - COLOURS[name]).sum()))
        return f"A {nearest} picture."
    loudness = float(np.sqrt(np.mean(content.samples**2)))
    if loudness < 1e-4:
        return ""
    crossings = np.count_nonzero(np.diff(np.signbit(content.samples))) / content.duration_s
    pitch = "high" if crossings / 2 > 500 else "low"
    return f"A {'loud' if loudness > 0.1 else 'quiet'} {pitch} sound."


def _split(words: str) -> list[str]:
    return re.findall(r"\w+", words.lower())
