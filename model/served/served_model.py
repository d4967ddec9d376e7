"""`interface.Model` over an engine. Any thread may call; `served_runtime` decides whose turn it is.

Where an engine gives no hidden states, the vector of a text comes from its embeddings endpoint, for
gist and body alike, and a picture or a sound has the vector of its words.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from model.answers.stopped_answer import until_stop
from model.decoding.repetition import trim_repetition
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
from model.prompt import prompts
from model.prompt.fitting import fitted
from model.served.address import EngineAddress
from model.served.capabilities import (
    PLAIN_ANSWERS,
    QUESTION,
    Capabilities,
    RememberedCapabilities,
    answer_text,
    find_capabilities,
    probe,
)
from model.served.connection import Connection
from model.served.errors import ContentRefusedError, EngineError
from model.served.judging import match_chance
from model.served.messages import chat_messages
from model.served.served_answer import ServedAnswer
from model.served.served_chat import ServedChat
from model.served.text_vectors import TextVectors
from model.wordless import near_nothing

MOST_CHARACTERS = 8_000
CAPTION_TOKENS = 256
TRANSCRIPT_TOKENS_A_SECOND = 8
# After a failure everybody is told the same at once, for so long.
TRY_AGAIN_S = 2.0
# The length of the vectors of an engine that gives none, whose rows then hold words alone.
NO_VECTORS_DIM = 64


class ServedModel:
    """The model behind `address`. `remembered` is the file that keeps what was found out of it.
    `problem` says why the last call failed, None where it did not; `calls` counts contents and
    questions."""

    def __init__(self, address: EngineAddress, remembered: Path | None = None) -> None:
        self.problem: str | None = None
        self.calls = 0
        self._address = address
        self._chat = Connection(address.url, address.key)
        self._second = (
            Connection(address.embeddings_url, address.embeddings_key)
            if address.embeddings_url
            else None
        )
        self._vectors = TextVectors(self._second or self._chat, address.embeddings_name)
        self._remembered = RememberedCapabilities(remembered, address)
        self._last_known = self._remembered.load()
        self._current: Capabilities | None = None  # found out since the engine was last away
        self._finding = threading.Lock()
        self._try_again_at = 0.0

    @property
    def loaded(self) -> bool:
        return self._current is not None

    @property
    def refuses(self) -> bool:
        return self.problem is not None

    @property
    def card(self) -> ModelCard:
        known = self._current or self._last_known
        return ModelCard(
            name=Path(known.name).name if known is not None else self._address.label,
            device="engine",
            dtype="none",
            reason=self.problem or f"Served by {self._address.url}.",
            resident_bytes=0,
            drafter=False,
            demonstration=False,
            engine=self._address.url,
            remote_hosts=self._address.remote_hosts,
            limits=known.sentences if known is not None else (),
            least_cosine=known.least_cosine if known is not None else 0.0,
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """By the names of both models, what the engine says of them, and what the chat model takes:
        the words of a photo, and so its vector, are the chat model's. Never raises: of an engine
        that was never reached it names none."""
        try:
            known = self.capabilities()
        except ModelError:
            known = self._last_known or Capabilities(name=self._address.label)
        makes = [known.name, known.identity, known.embedding_name, known.pictures, known.sounds]
        return Fingerprint(
            checkpoint="served-" + hashlib.sha256(repr(makes).encode()).hexdigest()[:32],
            layers="gist=words,body=embeddings" if known.dim else "none",
            prompts=prompts.PROMPT_VERSION,
            matrices="none-1",
            dim=known.dim or NO_VECTORS_DIM,
        )

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        """Texts are embedded, pictures and sounds described and their words embedded. Raises
        ModelError for a query where the engine gives no vectors."""
        with self._reported() as known, self._one_content(known):
            if role == "query":
                _check_query(contents, known)
            texts = [
                content.text if isinstance(content, Text) else self._words(content, known)
                for content in contents
            ]
            if role == "query" and not all(text.strip() for text in texts):
                raise ModelError("The model finds nothing in this example; give another one.")
            vectors = self._text_vectors(texts, role, known)
        self.calls += len(contents)
        return [
            Vectors(vector, vector if isinstance(content, Text) or text else None)
            for content, text, vector in zip(contents, texts, vectors, strict=True)
        ]

    def describe(self, content: Image | Sound) -> Description:
        """What the engine takes is described; what it does not has no words."""
        with self._reported() as known, self._one_content(known):
            words = self._words(content, known)
            [vector] = self._text_vectors([words], "item", known)
        self.calls += 1
        return Description(words, vector, vector if words else None)

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        """By the chances of the two letters where the engine tells them, else by the letter that it
        writes; in both orders, averaged."""
        with self._reported() as known:
            chances = [
                (match_chance(self._chat, question, candidate, False, known)
                 + match_chance(self._chat, question, candidate, True, known)) / 2
                for candidate in candidates
            ]  # fmt: skip
        self.calls += len(candidates)
        return chances

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        """A quote that is no run of its source's words is among the events without its mark, to be
        counted and dropped."""
        with self._reported() as known:
            shown = [known.shown(source) for source in evidence]

            def write(stopped: Callable[[], bool]) -> Iterator[AnswerEvent]:
                answer = ServedAnswer(self._chat, known, shown, stopped, options)
                return answer.events(question, history)

            yield from until_stop(write, options.stop, cancelled)
        self.calls += 1

    def chat(
        self,
        prompt: Prompt,
        options: WritingOptions = DEFAULT_WRITING,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[ChatEvent]:
        """Raises ModelError for a picture or a sound that the engine does not take."""
        with self._reported() as known:
            _check_media(prompt, known)
            yield from ServedChat(self._chat, known, options, cancelled).events(prompt)
        self.calls += 1

    def count_tokens(self, texts: Sequence[str]) -> int:
        return 0  # engines do not say it without being asked to write

    def close(self) -> None:
        self._chat.close()
        if self._second is not None:
            self._second.close()

    def capabilities(self) -> Capabilities:
        """What the engine can do, found out where it is not known or the engine was away. Raises
        ModelError where it cannot be asked."""
        if self._current is not None:
            return self._current
        with self._finding:
            if self._current is not None:
                return self._current
            if self.problem is not None and time.monotonic() < self._try_again_at:
                raise ModelError(self.problem)
            try:
                capabilities = find_capabilities(self._address, self._chat, self._vectors)
            except ModelError as problem:
                self._fail(problem)
                raise
            self._remembered.save(capabilities)
            self._current = self._last_known = capabilities
            self.problem = None
        return capabilities

    @contextmanager
    def _reported(self) -> Iterator[Capabilities]:
        """What the engine can do, for one use of it; keeps `problem` true."""
        known = self.capabilities()
        try:
            yield known
        except EngineError as problem:
            if not problem.too_long:
                self._fail(problem)
            raise
        self.problem = None

    def _fail(self, problem: ModelError) -> None:
        """The engine could not be used: it is asked anew what it can do before the next use."""
        self.problem = problem.sentence
        self._current = None
        self._try_again_at = time.monotonic() + TRY_AGAIN_S

    @contextmanager
    def _one_content(self, known: Capabilities) -> Iterator[None]:
        """For one content among many. Where the engine refuses it and yet answers, that is the
        content's fault: raises ContentRefusedError, so that the others go on."""
        try:
            yield
        except EngineError as problem:
            if problem.http_status not in (400, 413, 422, 500):
                raise
            self._chat.post("/chat/completions", probe(known.name, (QUESTION,)))
            raise ContentRefusedError(problem.sentence) from problem

    def _words(self, content: Content, known: Capabilities) -> str:
        """The caption or the transcript; empty for what the engine does not take."""
        if isinstance(content, Text) or not (
            known.pictures if isinstance(content, Image) else known.sounds
        ):
            return ""
        tokens = CAPTION_TOKENS
        if isinstance(content, Sound):
            content = fitted(content)
            tokens = 16 + int(content.duration_s * TRANSCRIPT_TOKENS_A_SECOND)
        body: dict[str, Any] = {
            "model": known.name,
            "messages": chat_messages(prompts.description_prompt(content)),
            "max_tokens": tokens,
            "temperature": 0,
        }
        body |= PLAIN_ANSWERS if known.plain_answers else {}
        answer = self._chat.post("/chat/completions", body)
        written = "".join(map(chr, trim_repetition([*map(ord, answer_text(answer))])))
        return prompts.without_instructions(written).strip()

    def _text_vectors(self, texts: Sequence[str], role: Role, known: Capabilities) -> list[Float32]:
        """What has no words, and all there is where the engine gives no vectors, has the vector
        that is near to no text."""
        if not known.dim:
            return [near_nothing(NO_VECTORS_DIM) for _ in texts]
        written = [text[:MOST_CHARACTERS] for text in texts if text.strip()]
        vectors = iter(self._vectors.of(written, role) if written else [])
        result = [next(vectors) if text.strip() else near_nothing(known.dim) for text in texts]
        if any(vector.shape != (known.dim,) for vector in result):
            raise EngineError(
                f"The engine at {self._address.embeddings_url or self._address.url} gives vectors "
                "of another length than before, so another model is loaded; it is asked anew."
            )
        return result


def _check_query(contents: Sequence[Content], known: Capabilities) -> None:
    """Raises ModelError where there can be no vector for one of these."""
    takes = {Text: bool(known.dim), Image: known.pictures, Sound: known.sounds}
    if not known.dim or not all(takes[type(content)] for content in contents):
        raise ModelError(" ".join(known.sentences))


def _check_media(prompt: Prompt, known: Capabilities) -> None:
    """Raises ModelError where a message has a picture or a sound that the engine does not take."""
    parts = [part for message in prompt for part in message.parts]
    pictures = any(isinstance(part, Image) for part in parts) and not known.pictures
    sounds = any(isinstance(part, Sound) for part in parts) and not known.sounds
    if pictures or sounds:
        raise ModelError(" ".join(known.sentences))
