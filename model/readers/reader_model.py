"""`interface.Model` over the readers: one model made of three, that does not write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from model.interface import (
    DEFAULT_WRITING,
    AnswerEvent,
    ChatEvent,
    Content,
    ConversationTurn,
    Description,
    Evidence,
    Fingerprint,
    Float32,
    Image,
    ModelCard,
    ModelError,
    Prompt,
    Role,
    Sound,
    Text,
    Vectors,
    WritingOptions,
)
from model.readers.process import ReadersProcess, ReadingError
from model.readers.speech import RATE_HZ
from model.readers.text_vectors import DIM
from model.wordless import near_nothing

INSTALL = "pip install 'recollect[readers]'"
WRITES_NOTHING = (
    "The readers write nothing; bring a model that does with: recollect model pull, then use it."
)


class Composition(Protocol):
    """Which readers there are."""

    @property
    def prints(self) -> bool: ...

    @property
    def speech(self) -> bool: ...

    @property
    def fingerprint(self) -> Fingerprint: ...

    @property
    def unloaded(self) -> ModelCard: ...


class ReadersModel:
    """`calls` counts contents. Texts have a body alone. The vector of a picture or a sound is that
    of its words; what has none is near to nothing."""

    def __init__(
        self, readers: Composition, threads: int, yield_turn: Callable[[], None] = lambda: None
    ) -> None:
        self.calls = 0
        self._readers = readers
        self._process = ReadersProcess(threads)
        self._yield_turn = yield_turn
        try:
            self._text_vectors(["They are tried before they count as loaded."], "query")
        except ReadingError as problem:
            raise ModelError(
                f"The readers do not start; install them again: {INSTALL}"
            ) from problem

    @property
    def card(self) -> ModelCard:
        return replace(
            self._readers.unloaded,
            reason="They run in a process of their own.",
            resident_bytes=self._process.resident_bytes(),
        )

    @property
    def fingerprint(self) -> Fingerprint:
        return self._readers.fingerprint

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        """Raises ModelError for an example in which nothing is read or heard."""
        texts = [
            content.text if isinstance(content, Text) else self._words(content)
            for content in contents
        ]
        if role == "query" and not all(text.strip() for text in texts):
            raise ModelError("The model finds nothing in this example; give another one.")
        vectors = self._text_vectors(texts, role)
        self.calls += len(contents)
        return [
            Vectors(
                None if isinstance(content, Text) and role == "item" else vector,
                vector if text or isinstance(content, Text) else None,
            )
            for content, text, vector in zip(contents, texts, vectors, strict=True)
        ]

    def describe(self, content: Image | Sound) -> Description:
        """The printed text of a picture, the words of a sound; empty without, and where the reader
        of it is not here."""
        words = self._words(content)
        self._yield_turn()
        [vector] = self._text_vectors([words], "item")
        self.calls += 1
        return Description(words, vector, vector if words else None)

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        raise ModelError(WRITES_NOTHING)

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        raise ModelError(WRITES_NOTHING)

    def chat(
        self,
        prompt: Prompt,
        options: WritingOptions = DEFAULT_WRITING,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[ChatEvent]:
        raise ModelError(WRITES_NOTHING)

    def count_tokens(self, texts: Sequence[str]) -> int:
        head, _ = self._process.ask({"job": "count", "texts": list(texts)})
        return int(head["tokens"])

    def release_caches(self) -> None:
        self._process.end()

    def _words(self, content: Image | Sound) -> str:
        if isinstance(content, Image):
            if not self._readers.prints:
                return ""
            height_px, width_px, _ = content.pixels.shape
            job = {"job": "read", "height_px": height_px, "width_px": width_px}
            head, _ = self._process.ask(job, content.pixels.tobytes())
        else:
            if not self._readers.speech:
                return ""
            if content.rate_hz != RATE_HZ:
                raise ValueError(f"a sound is {RATE_HZ} samples a second, not {content.rate_hz}")
            samples = content.samples.astype(np.float32, copy=False)
            head, _ = self._process.ask({"job": "hear"}, samples.tobytes())
        return str(head["words"]).strip()

    def _text_vectors(self, texts: Sequence[str], role: Role) -> list[Float32]:
        written = [text for text in texts if text.strip()]
        rows = iter(())
        if written:
            head, body = self._process.ask({"job": "embed", "texts": written, "role": role})
            rows = iter(np.frombuffer(body, np.float32).reshape(head["rows"], DIM).copy())
        return [next(rows) if text.strip() else near_nothing(DIM) for text in texts]
