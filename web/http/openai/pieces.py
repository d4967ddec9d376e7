"""An answer in pieces, whoever writes it: the library with citations, or the model alone."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request

from model.errors import RecollectError
from model.interface import AnswerEnd, AnswerText, ChatEvent, WritingOptions
from web.http.event_streams import AnswerStreams, present
from web.http.openai.bodies import Message
from web.http.openai.citations import annotation, source_list
from web.http.openai.conversation import prompt_of, question_of, require_question, turns_of
from web.library.errors import LibraryError
from web.library.protocol import ServableLibrary
from web.library.schemas.answers import AskEvent, CitationJson, DoneJson, ProblemJson, TokenJson
from web.library.serializers.answers import problem_error

LIBRARY_MODEL = "recollect"


@dataclass(frozen=True, slots=True)
class Delta:
    """Some more text."""

    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """One more citation, as an annotation of the text."""

    annotation: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """The last piece. `cut` says that the text ended for want of room or time."""

    cut: bool
    prompt_tokens: int
    tokens: int


Piece = Delta | Cited | Ended


class Models:
    """The two models that a client may name: the library, and its model alone. `server` is the
    address that opens cited places."""

    def __init__(self, library: ServableLibrary, answers: AnswerStreams, server: str) -> None:
        self.created_s = int(time.time())
        self._library = library
        self._answers = answers
        self._server = server

    @property
    def names(self) -> list[str]:
        """The library first."""
        return [LIBRARY_MODEL, self._library.bare_model.name]

    def require(self, name: str) -> None:
        """Raises LibraryError where there is no such model."""
        if name not in self.names:
            library, bare = self.names
            sentence = (
                f"“{name}” is no model here; use “{library}” for answers from the library, "
                f"or “{bare}” for the model alone."
            )
            raise LibraryError("model_not_found", sentence, 404)

    async def write(
        self, name: str, messages: Sequence[Message], options: WritingOptions
    ) -> AsyncGenerator[Piece | None, None]:
        """The pieces of one answer, None where none came for a while. Raises RecollectError, also
        in the middle."""
        self.require(name)
        require_question(messages)
        if name == LIBRARY_MODEL:
            events = await self._answers.begin(
                lambda cancelled: self._ask(messages, options, cancelled)
            )
            return _library_pieces(events, self._server)
        spoken = await self._answers.begin(
            lambda cancelled: self._chat(messages, options, cancelled)
        )
        return _model_pieces(spoken)

    def _ask(
        self, messages: Sequence[Message], options: WritingOptions, cancelled: Callable[[], bool]
    ) -> Iterator[AskEvent]:
        question = question_of(messages, self._library.bare_model)
        yield from self._library.ask(
            question, history=turns_of(messages), cancelled=cancelled, options=options
        )

    def _chat(
        self, messages: Sequence[Message], options: WritingOptions, cancelled: Callable[[], bool]
    ) -> Iterator[ChatEvent]:
        model = self._library.bare_model
        yield from model.chat(prompt_of(messages, model), options, cancelled)


async def _library_pieces(
    events: AsyncGenerator[AskEvent | None, None], server: str
) -> AsyncGenerator[Piece | None, None]:
    text = ""
    async with aclosing(events):
        async for event in events:
            if event is None:
                yield None
                continue
            data = event["data"]
            match event["event"]:
                case "token":
                    piece = cast(TokenJson, data)["text"]
                    text += piece
                    yield Delta(piece)
                case "citation":
                    yield Cited(annotation(cast(CitationJson, data), text, server))
                case "error":
                    problem = cast(ProblemJson, data)
                    raise problem_error(problem)
                case "done":
                    done = cast(DoneJson, data)
                    if sources := source_list(done["citations"], server):
                        yield Delta(sources)
                    speed = done["speed"]
                    cut = done["reason"] in ("length", "time")
                    yield Ended(cut, speed["prompt_tokens"], speed["tokens"])


async def _model_pieces(
    events: AsyncGenerator[ChatEvent | None, None],
) -> AsyncGenerator[Piece | None, None]:
    async with aclosing(events):
        async for event in events:
            match event:
                case None:
                    yield None
                case AnswerText(text):
                    yield Delta(text)
                case AnswerEnd():
                    cut = event.reason in ("length", "time")
                    yield Ended(cut, event.prompt_tokens, event.tokens)


@dataclass(frozen=True, slots=True)
class Written:
    """A whole answer."""

    text: str
    annotations: list[dict[str, Any]]
    ended: Ended


async def collected(pieces: AsyncGenerator[Piece | None, None], request: Request) -> Written:
    """All pieces of an answer in one, for whoever still waits. Raises RecollectError."""
    texts: list[str] = []
    annotations: list[dict[str, Any]] = []
    ended = Ended(True, 0, 0)
    async for piece in present(pieces, request):
        match piece:
            case Delta(text):
                texts.append(text)
            case Cited(found):
                annotations.append(found)
            case Ended():
                ended = piece
    return Written("".join(texts), annotations, ended)


def problem_json(problem: RecollectError) -> dict[str, Any]:
    """A problem as OpenAI's API writes it."""
    kind = "invalid_request_error" if problem.status < 500 else "server_error"
    return {"message": problem.sentence, "type": kind, "param": None, "code": problem.code}
