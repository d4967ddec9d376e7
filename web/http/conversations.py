"""The addresses of the conversations that are kept: listed, opened, renamed, deleted."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from retriever.queries.query import MAX_QUERY_CHARS
from web.http.admission import WorkerPool
from web.http.media import content_disposition
from web.http.pages import JsonAnswer
from web.http.requests import Body, EmptyBody, read_route
from web.library.conversations.conversations import MAX_TITLE_CHARS
from web.library.protocol import ServableLibrary
from web.library.schemas.conversations import (
    ConversationJson,
    ConversationsJson,
    ConversationSummaryJson,
)
from web.library.schemas.replies import DeletedJson
from web.library.serializers.conversation_file import conversation_file


class TitleBody(Body):
    title: Annotated[str, Field(max_length=MAX_TITLE_CHARS)]


def conversation_routes(library: ServableLibrary) -> APIRouter:
    """Everything below /api/conversations; questions are asked at /api/ask."""
    router = APIRouter(prefix="/api/conversations", tags=["conversations"])
    workers = WorkerPool(at_once=4, in_line=60)

    @read_route(router, "", response_model=ConversationsJson)
    async def conversations(
        q: Annotated[str, Query(max_length=MAX_QUERY_CHARS)] = "",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        """Those in which all words of `q` begin a word, the last changed first; one page."""
        page = await workers.run(lambda: library.conversations.page(q, offset, limit))
        return JsonAnswer(page)

    @read_route(router, "/{conversation}", response_model=ConversationJson)
    async def conversation(
        conversation: str, format: Annotated[Literal["md"] | None, Query()] = None
    ) -> Response:
        """One conversation with its questions and answers; with a `format`, as a file to keep."""
        kept = await workers.run(lambda: library.conversations.get(conversation))
        if format is None:
            return JsonAnswer(kept)
        text = conversation_file(kept).encode("utf-8", "backslashreplace")
        response = Response(text, media_type="text/markdown; charset=utf-8")
        response.headers["content-disposition"] = content_disposition(f"{kept['title']}.md")
        return response

    @router.post("/{conversation}", response_model=ConversationSummaryJson)
    async def rename(conversation: str, body: TitleBody) -> Response:
        """Gives a conversation another title."""
        renamed = await workers.run(lambda: library.conversations.rename(conversation, body.title))
        return JsonAnswer(renamed)

    @router.delete("/{conversation}", response_model=DeletedJson)
    async def delete(conversation: str, body: EmptyBody) -> Response:
        """Deletes a conversation; no byte of it stays."""
        await workers.run(lambda: library.conversations.delete(conversation))
        return JsonAnswer({"deleted": conversation})

    return router
