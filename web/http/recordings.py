"""The addresses of a recording as a meeting: its minutes, its files, and what people correct."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from web.http.admission import WorkerPool
from web.http.media import content_disposition, require_item_id
from web.http.pages import JsonAnswer
from web.http.requests import Body, read_route
from web.library.items.recordings import MAX_NAME_CHARS, MAX_SENTENCE_CHARS
from web.library.protocol import ServableLibrary
from web.library.schemas.recordings import RecordingJson
from web.library.serializers.recording_files import MEDIA_TYPES, recording_file


class SpeakerBody(Body):
    speaker: Annotated[int, Field(ge=1, le=10_000)]
    name: Annotated[str, Field(max_length=MAX_NAME_CHARS)]


class SentenceBody(Body):
    at_s: Annotated[float, Field(ge=0, le=1e7, strict=False, allow_inf_nan=False)]
    text: Annotated[str, Field(max_length=MAX_SENTENCE_CHARS)]


def recording_routes(library: ServableLibrary) -> APIRouter:
    """Everything below /api/items/{id}/recording."""
    router = APIRouter(prefix="/api/items/{item_id}/recording", tags=["items"])
    workers = WorkerPool(at_once=4, in_line=60)

    @read_route(router, "", response_model=RecordingJson)
    async def recording(
        item_id: str, format: Annotated[Literal["md", "srt", "vtt"] | None, Query()] = None
    ) -> Response:
        """Who speaks, and the minutes; with a `format`, as a file to keep."""
        known = require_item_id(item_id)
        shown = await workers.run(lambda: library.recording(known))
        if format is None:
            return JsonAnswer(shown)
        response = Response(recording_file(shown, format), media_type=MEDIA_TYPES[format])
        response.headers["content-disposition"] = content_disposition(f"{shown['title']}.{format}")
        return response

    @router.post("/speaker", response_model=RecordingJson)
    async def name_speaker(item_id: str, body: SpeakerBody) -> Response:
        """Calls a speaker so from now on; an empty name takes that back."""
        known = require_item_id(item_id)
        named = await workers.run(lambda: library.name_speaker(known, body.speaker, body.name))
        return JsonAnswer(named)

    @router.post("/sentence", response_model=RecordingJson)
    async def correct(item_id: str, body: SentenceBody) -> Response:
        """Keeps what is said in the sentence at a second, in place of the transcript."""
        known = require_item_id(item_id)
        return JsonAnswer(await workers.run(lambda: library.correct(known, body.at_s, body.text)))

    return router
