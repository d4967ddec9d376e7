"""Pictures, sounds and files of one item. Items are asked for by id; no address holds a path."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, BinaryIO, TypeVar
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
from web.library.display import display_text
from web.library.errors import LibraryError
from web.library.items.presenter import ItemPresenter, OriginalFile
from web.library.items.wav import WavFile

T = TypeVar("T")

LARGEST_PX = 4_000
# An id names a content, so a picture of it never changes. Pages and sounds may: a new version may
# lay out a text differently, a file may be gone. The browser asks again whether those are current.
IMMUTABLE = "private, max-age=31536000, immutable"
Track = Annotated[int | None, Query(ge=1, le=LAST_TRACK)]
READ_METHODS = ["GET", "HEAD"]
AskedWords = Annotated[str, Query(max_length=2_000)]


class NotFoundError(LibraryError):
    """There is no such item, or it has no such part."""

    def __init__(self) -> None:
        super().__init__("not_found", "This is not in the library, or not any more.", 404)


def require_item_id(item_id: str) -> str:
    if not ITEM.fullmatch(item_id):
        raise NotFoundError
    return item_id


def media_routes(items: ItemPresenter) -> APIRouter:
    """Everything below /api/items/{id}."""
    router = APIRouter(prefix="/api/items/{item_id}")
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

    @router.api_route("", methods=READ_METHODS)
    async def facts(item_id: str) -> Response:
        return JsonAnswer(await item_part(item_id, items.facts))

    @router.api_route("/text", methods=READ_METHODS)
    async def text(item_id: str, q: AskedWords = "") -> Response:
        return JsonAnswer(await item_part(item_id, lambda known_id: items.text(known_id, q)))

    @router.api_route("/peaks", methods=READ_METHODS)
    async def peaks(item_id: str, track: Track = None) -> Response:
        return JsonAnswer(await item_part(item_id, lambda known_id: items.peaks(known_id, track)))

    @router.api_route("/page/{n}", methods=READ_METHODS)
    async def page(
        request: Request,
        item_id: str,
        n: int,
        w: Annotated[int, Query(ge=50, le=LARGEST_PX)] = 900,
    ) -> Response:
        await item_part(item_id, items.original)  # not even 304 for a forgotten item
        etag = f'"{item_id}-{n}-{w}-{EXTRACTOR_VERSION}"'
        if unchanged(request, etag):
            return not_modified(etag, REVALIDATE)
        image = await item_part(item_id, lambda known_id: items.page(known_id, n, w))
        return _image_response(image, etag, REVALIDATE)

    @router.api_route("/page/{n}/words", methods=READ_METHODS)
    async def page_words(item_id: str, n: int, q: AskedWords = "") -> Response:
        return JsonAnswer(
            await item_part(item_id, lambda known_id: items.page_words(known_id, n, q))
        )

    @router.api_route("/thumb", methods=READ_METHODS)
    async def thumb(request: Request, item_id: str) -> Response:
        etag = f'"{item_id}-thumb"'
        image = await item_part(item_id, items.thumb)
        if unchanged(request, etag):
            return not_modified(etag, IMMUTABLE)
        return _image_response(image, etag, IMMUTABLE)

    @router.api_route("/picture", methods=READ_METHODS)
    async def picture(
        request: Request,
        item_id: str,
        px: Annotated[int, Query(ge=50, le=LARGEST_PX)] = 1_600,
        at: Annotated[float | None, Query(ge=0, le=1e6, allow_inf_nan=False)] = None,
    ) -> Response:
        await item_part(item_id, items.original)
        etag = f'"{item_id}-{px}-{at}-{EXTRACTOR_VERSION}"'
        if unchanged(request, etag):
            return not_modified(etag, IMMUTABLE)
        image = await item_part(item_id, lambda known_id: items.picture(known_id, px, at))
        return _image_response(image, etag, IMMUTABLE)

    @router.api_route("/audio", methods=READ_METHODS)
    async def audio(request: Request, item_id: str, track: Track = None) -> Response:
        sound: OriginalFile | WavFile = await item_part(
            item_id, lambda known_id: items.sound(known_id, track)
        )
        if isinstance(sound, WavFile):
            etag = f'"{item_id}-wave-{track or 0}-{sound.size_bytes:x}-{EXTRACTOR_VERSION}"'
            return generated_response(request, sound, etag, "audio/wav")
        return await send(request, item_id, sound)

    @router.api_route("/original", methods=READ_METHODS)
    async def original(request: Request, item_id: str) -> Response:
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
