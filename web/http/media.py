"""Pictures, sounds and files of one item. Items are asked for by id; no address holds a path."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from indexer.catalog.records import ITEM
from indexer.files.opening import open_without_links
from indexer.types.pieces import EXTRACTOR_VERSION
from indexer.types.places import LAST_TRACK
from web.http.admission import WorkerPool, run_in_thread
from web.http.byte_ranges import REVALIDATE, file_response, generated_response, not_modified
from web.http.pages import JsonAnswer, unchanged
from web.http.requests import read_route
from web.library.display import display_text
from web.library.errors import NotFoundError
from web.library.items.presenter import ItemPresenter, OriginalFile
from web.library.items.wav import WavFile
from web.library.schemas.items import MAX_PASSAGES, ItemJson, PageWordsJson, PeaksJson, TextJson

T = TypeVar("T")

LARGEST_PX = 4_000
# An id names a content, so a picture of it never changes. Pages and sounds may: a new version may
# lay out a text differently, a file may be gone. The browser asks again whether those are current.
IMMUTABLE = "private, max-age=31536000, immutable"
Track = Annotated[int | None, Query(ge=1, le=LAST_TRACK)]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/webp": _BINARY, "image/png": _BINARY}},
    304: {"description": "The picture has not changed."},
}
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"*/*": _BINARY}},
    206: {"description": "The range that was asked for.", "content": {"*/*": _BINARY}},
    304: {"description": "The file has not changed."},
}
AskedWords = Annotated[str, Query(max_length=2_000)]


def require_item_id(item_id: str) -> str:
    if not ITEM.fullmatch(item_id):
        raise NotFoundError
    return item_id


def media_routes(items: ItemPresenter) -> APIRouter:
    """Everything below /api/items/{id}."""
    router = APIRouter(prefix="/api/items/{item_id}", tags=["items"])
    workers = WorkerPool(at_once=6, in_line=100)

    async def item_part(item_id: str, call: Callable[[str], T | None]) -> T:
        known_id = require_item_id(item_id)
        part = await workers.run(lambda: call(known_id))
        if part is None:
            raise NotFoundError
        return part

    async def send(request: Request, item_id: str, original: OriginalFile) -> Response:
        source = original.source
        if isinstance(source, Path):
            file = await run_in_thread(lambda: open_regular_file(source))
            return file_response(request, file, item_id, original.kind)
        await workers.run(source.require_readable)
        return generated_response(
            request, source, f'"{item_id}-{source.size_bytes:x}"', original.kind
        )

    @read_route(router, "", response_model=ItemJson)
    async def facts(item_id: str) -> Response:
        """What is known of an item."""
        return JsonAnswer(await item_part(item_id, items.facts))

    @read_route(router, "/text", response_model=TextJson)
    async def text(
        item_id: str,
        q: AskedWords = "",
        offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_PASSAGES)] = MAX_PASSAGES,
    ) -> Response:
        """The words of an item, one page of its passages, and where the words of `q` stand."""
        return JsonAnswer(
            await item_part(item_id, lambda known_id: items.text(known_id, q, offset, limit))
        )

    @read_route(router, "/peaks", response_model=PeaksJson)
    async def peaks(item_id: str, track: Track = None) -> Response:
        """How loud a recording is along its length."""
        return JsonAnswer(await item_part(item_id, lambda known_id: items.peaks(known_id, track)))

    @read_route(router, "/page/{n}", responses=PICTURE)
    async def page(
        request: Request,
        item_id: str,
        n: int,
        w: Annotated[int, Query(ge=50, le=LARGEST_PX)] = 900,
    ) -> Response:
        """A page of a document as a picture, `w` pixels wide."""
        await item_part(item_id, items.original)  # not even 304 for a forgotten item
        etag = f'"{item_id}-{n}-{w}-{EXTRACTOR_VERSION}"'
        if unchanged(request, etag):
            return not_modified(etag, REVALIDATE)
        image = await item_part(item_id, lambda known_id: items.page(known_id, n, w))
        return _image_response(image, etag, REVALIDATE)

    @read_route(router, "/page/{n}/words", response_model=PageWordsJson)
    async def page_words(item_id: str, n: int, q: AskedWords = "") -> Response:
        """The words of a page with their boxes."""
        return JsonAnswer(
            await item_part(item_id, lambda known_id: items.page_words(known_id, n, q))
        )

    @read_route(router, "/thumb", responses=PICTURE)
    async def thumb(request: Request, item_id: str) -> Response:
        """A small picture of an item."""
        etag = f'"{item_id}-thumb"'
        image = await item_part(item_id, items.thumb)
        if unchanged(request, etag):
            return not_modified(etag, IMMUTABLE)
        return _image_response(image, etag, IMMUTABLE)

    @read_route(router, "/picture", responses=PICTURE)
    async def picture(
        request: Request,
        item_id: str,
        px: Annotated[int, Query(ge=50, le=LARGEST_PX)] = 1_600,
        at: Annotated[float | None, Query(ge=0, le=1e6, allow_inf_nan=False)] = None,
    ) -> Response:
        """A photo, or a film at its second `at`, at most `px` pixels long."""
        await item_part(item_id, items.original)
        etag = f'"{item_id}-{px}-{at}-{EXTRACTOR_VERSION}"'
        if unchanged(request, etag):
            return not_modified(etag, IMMUTABLE)
        image = await item_part(item_id, lambda known_id: items.picture(known_id, px, at))
        return _image_response(image, etag, IMMUTABLE)

    @read_route(router, "/audio", responses=FILE)
    async def audio(request: Request, item_id: str, track: Track = None) -> Response:
        """The sound of a recording, whole or a range of bytes."""
        sound: OriginalFile | WavFile = await item_part(
            item_id, lambda known_id: items.sound(known_id, track)
        )
        if isinstance(sound, WavFile):
            etag = f'"{item_id}-wave-{track or 0}-{sound.size_bytes:x}-{EXTRACTOR_VERSION}"'
            return generated_response(request, sound, etag, "audio/wav")
        return await send(request, item_id, sound)

    @read_route(router, "/original", responses=FILE)
    async def original(request: Request, item_id: str) -> Response:
        """The file itself, whole or a range of bytes."""
        file = await item_part(item_id, items.original)
        response = await send(request, item_id, file)
        response.headers["content-disposition"] = content_disposition(file.name)
        # In whatever way a browser opens it, a file of unknown origin may run nothing.
        response.headers["content-security-policy"] = "default-src 'none'; sandbox"
        return response

    return router


def open_regular_file(path: Path) -> BinaryIO:
    """Opens a regular file for reading, following no link in any part of its path: a folder or file
    that was swapped for a link since it was read opens nothing. Raises NotFoundError."""
    try:
        file = open_without_links(path)
    except OSError as problem:
        raise NotFoundError from problem
    return open(file, "rb", buffering=0)  # the response closes it


def content_disposition(name: str) -> str:
    """Has the file saved under its own name, whatever bytes are in that (RFC 6266)."""
    name = display_text(name)
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"


def _image_response(data: bytes, etag: str, cache_control: str) -> Response:
    kind = "image/png" if data.startswith(b"\x89PNG") else "image/webp"
    return Response(data, media_type=kind, headers={"etag": etag, "cache-control": cache_control})
