"""The model by itself: it answers from what it was trained on, and nothing is cited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from indexer.extract.process.reader import ReaderProcess
from model.interface import (
    ChatEvent,
    Float32,
    Image,
    ModelError,
    ModelRuntime,
    Prompt,
    Sound,
    Text,
    WritingOptions,
)
from web.library.arguments.examples import load_example, temporary_example


class BareModel:
    """For programs that know how to use a model. People go before files here, too. Media are
    decoded by `reader`, in a child process."""

    def __init__(self, runtime: ModelRuntime, reader: ReaderProcess) -> None:
        self._runtime = runtime
        self._reader = reader

    @property
    def name(self) -> str:
        return self._runtime.card.name

    def chat(
        self, prompt: Prompt, options: WritingOptions, cancelled: Callable[[], bool]
    ) -> Iterator[ChatEvent]:
        """What the model says next. Raises ModelError."""
        with self._runtime.hold_background():
            yield from self._runtime.people.chat(prompt, options, cancelled)

    def embed(self, texts: Sequence[str]) -> tuple[list[Float32], int]:
        """For each text a unit vector (D,) of its content, and how many tokens they were, 0 where
        that is not known. Raises ModelError."""
        people = self._runtime.people
        if people.fingerprint.layers == "none":
            raise ModelError(" ".join(people.card.limits) or "This model gives no vectors.")
        with self._runtime.hold_background():
            vectors = people.embed([Text(text) for text in texts])
            tokens = people.count_tokens(texts)
        of_texts = (row.gist if row.body is None else row.body for row in vectors)
        return [vector for vector in of_texts if vector is not None], tokens

    def decode(self, content: bytes, media_type: str) -> Image | Sound:
        """A picture, or the first seconds of a sound, from the bytes of a file. Raises
        LibraryError."""
        with temporary_example(content, media_type) as file:
            return load_example(self._reader, file)

    def describe(self, medium: Image | Sound) -> str:
        """What a picture shows, or what is said in a sound; may be empty. Raises ModelError."""
        with self._runtime.hold_background():
            return self._runtime.people.describe(medium).words
