"""/v1/chat/completions: an answer whole, or in chunks while it is written."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from model.errors import RecollectError
from web.http.event_streams import HEARTBEAT, EventStream, encode_data
from web.http.openai.bodies import ChatBody
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


def chat_routes(models: Models) -> APIRouter:
    router = APIRouter(tags=["OpenAI"])

    @router.post("/v1/chat/completions")
    async def chat(body: ChatBody, request: Request) -> Response:
        """Answers the last message. The model “recollect” answers from the library, with citations
        as annotations and in a list behind the text; the other one is the model alone."""
        pieces = await models.write(body.model, body.messages, body.options)
        head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": body.model,
        }
        if not body.stream:
            return JsonAnswer(_completion(head, await collected(pieces, request)))
        with_usage = body.stream_options is not None and body.stream_options.include_usage
        return EventStream(_chunks(head, pieces, with_usage))

    return router


def _completion(head: dict[str, Any], written: Written) -> dict[str, Any]:
    message = {
        "role": "assistant",
        "content": written.text,
        "refusal": None,
        "annotations": [_annotation(citation) for citation in written.annotations],
    }
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": _finish_reason(written.ended),
    }
    return {
        **head,
        "object": "chat.completion",
        "choices": [choice],
        "usage": _usage(written.ended),
    }


async def _chunks(
    head: dict[str, Any], pieces: AsyncGenerator[Piece | None, None], with_usage: bool
) -> AsyncIterator[bytes]:
    head = {**head, "object": "chat.completion.chunk"}
    yield _chunk(head, {"role": "assistant", "content": ""})
    async with aclosing(pieces):
        try:
            async for piece in pieces:
                match piece:
                    case None:
                        yield HEARTBEAT
                    case Delta(text):
                        yield _chunk(head, {"content": text})
                    case Cited(citation):
                        yield _chunk(head, {"annotations": [_annotation(citation)]})
                    case Ended():
                        yield _chunk(head, {}, _finish_reason(piece))
                        if with_usage:
                            yield encode_data({**head, "choices": [], "usage": _usage(piece)})
        except RecollectError as problem:
            yield encode_data({"error": problem_json(problem)})
            return
    yield b"data: [DONE]\n\n"


def _chunk(head: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return encode_data({**head, "choices": [choice]})


def _annotation(citation: dict[str, Any]) -> dict[str, Any]:
    return {"type": "url_citation", "url_citation": citation}


def _finish_reason(ended: Ended) -> str:
    return "length" if ended.cut else "stop"


def _usage(ended: Ended) -> dict[str, int]:
    return {
        "prompt_tokens": ended.prompt_tokens,
        "completion_tokens": ended.tokens,
        "total_tokens": ended.prompt_tokens + ended.tokens,
    }
