"""/v1/responses: the newer way to ask, whole or as events. Nothing is kept from one response to the
next, so a client sends the whole conversation each time."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from model.errors import RecollectError
from web.http.event_streams import HEARTBEAT, EventStream, encode_event
from web.http.openai.bodies import ResponseBody
from web.http.openai.pieces import (
    Cited,
    Delta,
    Ended,
    Models,
    Piece,
    Written,
    collected,
    problem_json,
)
from web.http.pages import JsonAnswer


def response_routes(models: Models) -> APIRouter:
    router = APIRouter(tags=["OpenAI"])

    @router.post("/v1/responses")
    async def respond(body: ResponseBody, request: Request) -> Response:
        """Answers the last message of the input, as /v1/chat/completions does."""
        pieces = await models.write(body.model, body.messages, body.options)
        writing = ResponseEvents(body)
        if body.stream:
            return EventStream(writing.events(pieces))
        return JsonAnswer(writing.response(await collected(pieces, request)))

    return router


class ResponseEvents:
    """One response and the events of its stream, numbered in order."""

    def __init__(self, body: ResponseBody) -> None:
        self._body = body
        self._id = f"resp_{uuid.uuid4().hex}"
        self._message_id = f"msg_{uuid.uuid4().hex}"
        self._created_s = int(time.time())
        self._sent = 0

    def response(self, written: Written | None = None, error: Any = None) -> dict[str, Any]:
        """The response so far: nothing written, all of it, or what went wrong."""
        body = self._body
        status = "failed" if error else _status(written)
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created_s,
            "status": status,
            "model": body.model,
            "output": [] if written is None else [self._message(written)],
            "error": error,
            "incomplete_details": {"reason": "max_output_tokens"}
            if status == "incomplete"
            else None,
            "instructions": body.instructions,
            "max_output_tokens": body.max_output_tokens,
            "metadata": body.metadata or {},
            "parallel_tool_calls": False,
            "previous_response_id": None,
            "store": False,
            "temperature": body.options.temperature,
            "top_p": body.options.top_p,
            "text": {"format": {"type": "text"}},
            "tool_choice": "none",
            "tools": [],
            "truncation": "disabled",
            "usage": None if written is None else _usage(written.ended),
        }

    async def events(self, pieces: AsyncGenerator[Piece | None, None]) -> AsyncIterator[bytes]:
        """All events of the stream, the last one `response.completed` or what took its place."""
        texts: list[str] = []
        annotations: list[dict[str, Any]] = []
        yield self._event("response.created", response=self.response())
        yield self._event("response.in_progress", response=self.response())
        yield self._event("response.output_item.added", output_index=0, item=self._message(None))
        yield self._part_event("response.content_part.added", part=_part("", []))
        async with aclosing(pieces):
            try:
                async for piece in pieces:
                    match piece:
                        case None:
                            yield HEARTBEAT
                        case Delta(text):
                            texts.append(text)
                            yield self._part_event(
                                "response.output_text.delta", delta=text, logprobs=[]
                            )
                        case Cited(citation):
                            annotations.append(citation)
                            yield self._part_event(
                                "response.output_text.annotation.added",
                                annotation=_annotation(citation),
                                annotation_index=len(annotations) - 1,
                            )
                        case Ended():
                            written = Written("".join(texts), annotations, piece)
                            for event in self._last_events(written):
                                yield event
            except RecollectError as problem:
                error = problem_json(problem)
                failure = {"code": "server_error", "message": error["message"]}
                yield self._event("response.failed", response=self.response(error=failure))

    def _last_events(self, written: Written) -> list[bytes]:
        response = self.response(written)
        part = _part(written.text, written.annotations)
        return [
            self._part_event("response.output_text.done", text=written.text, logprobs=[]),
            self._part_event("response.content_part.done", part=part),
            self._event("response.output_item.done", output_index=0, item=self._message(written)),
            self._event(f"response.{response['status']}", response=response),
        ]

    def _message(self, written: Written | None) -> dict[str, Any]:
        return {
            "id": self._message_id,
            "type": "message",
            "role": "assistant",
            "status": _status(written),
            "content": [] if written is None else [_part(written.text, written.annotations)],
        }

    def _part_event(self, kind: str, **data: Any) -> bytes:
        return self._event(kind, item_id=self._message_id, output_index=0, content_index=0, **data)

    def _event(self, kind: str, **data: Any) -> bytes:
        number, self._sent = self._sent, self._sent + 1
        return encode_event(kind, {"type": kind, "sequence_number": number, **data})


def _status(written: Written | None) -> str:
    if written is None:
        return "in_progress"
    return "incomplete" if written.ended.cut else "completed"


def _part(text: str, annotations: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "output_text",
        "text": text,
        "annotations": [_annotation(citation) for citation in annotations],
        "logprobs": [],
    }


def _annotation(citation: dict[str, Any]) -> dict[str, Any]:
    return {"type": "url_citation", **citation}


def _usage(ended: Ended) -> dict[str, Any]:
    return {
        "input_tokens": ended.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": ended.tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": ended.prompt_tokens + ended.tokens,
    }
