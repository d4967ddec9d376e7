"""Files and sounds over HTTP, whole or the range of bytes that a player asks for (RFC 9110, 14)."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import BinaryIO

from fastapi import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from indexer.types.pieces import UnreadableError
from model.errors import RecollectError
from web.http.admission import run_in_thread
from web.http.pages import unchanged
from web.library.attachment_bytes import AttachmentBytes
from web.library.wav import WavFile

GeneratedBytes = WavFile | AttachmentBytes  # what is no file, and comes some bytes at a time

CHUNK_BYTES = 256 * 1024
REVALIDATE = "private, no-cache"

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class RangeError(RecollectError):
    """A range of bytes begins behind the end of its file."""

    code, status = "range", 416

    def __init__(self) -> None:
        super().__init__("The bytes that were asked for lie behind the end of the file.")


class FileStream(StreamingResponse):
    """A stretch of an open file, which it closes."""

    def __init__(self, file: BinaryIO, start: int, length: int, status: int, kind: str) -> None:
        super().__init__(self._chunks(), status, media_type=kind)
        self._file, self._start, self._length = file, start, length
        self.headers["content-length"] = str(length)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "HEAD":
                self._length = 0
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()

    async def _chunks(self) -> AsyncIterator[bytes]:
        self._file.seek(self._start)
        left = self._length
        while left:
            chunk = await run_in_thread(partial(self._file.read, min(left, CHUNK_BYTES)))
            if not chunk:  # shortened meanwhile; the connection then ends early, as it must
                return
            left -= len(chunk)
            yield chunk


class GeneratedStream(StreamingResponse):
    """A stretch of what is decoded as it is sent."""

    def __init__(
        self, made: GeneratedBytes, start: int, length: int, status: int, kind: str
    ) -> None:
        super().__init__(self._chunks(), status, media_type=kind)
        self._parts = made.read(start, length)
        self.headers["content-length"] = str(length)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            self._parts = iter(())
        await super().__call__(scope, receive, send)

    async def _chunks(self) -> AsyncIterator[bytes]:
        # Where it cannot be decoded any more, the connection ends early, as it must.
        with contextlib.suppress(UnreadableError):
            while chunk := await run_in_thread(lambda: next(self._parts, b"")):
                yield chunk


def generated_response(request: Request, made: GeneratedBytes, etag: str, kind: str) -> Response:
    """What is asked for of something that is decoded as it is sent."""
    return _ranged(
        request,
        etag,
        made.size_bytes,
        lambda start, length, status: GeneratedStream(made, start, length, status, kind),
    )


def file_response(request: Request, file: BinaryIO, item_id: str, kind: str) -> Response:
    """What is asked for of an open file, which the answer closes."""
    found = os.fstat(file.fileno())
    response = _ranged(
        request,
        f'"{item_id}-{found.st_size:x}-{found.st_mtime_ns:x}"',
        found.st_size,
        lambda start, length, status: FileStream(file, start, length, status, kind),
    )
    if not isinstance(response, FileStream):
        file.close()
    return response


def _ranged(
    request: Request, etag: str, size: int, send: Callable[[int, int, int], Response]
) -> Response:
    """`send` takes where to begin, how many bytes, and the status."""
    headers = {"etag": etag, "accept-ranges": "bytes", "cache-control": REVALIDATE}
    if unchanged(request, etag):
        return not_modified(etag, REVALIDATE)
    try:
        part = _wanted(request, etag, size)
    except RangeError:
        headers["content-range"] = f"bytes */{size}"
        return Response(status_code=416, headers=headers)
    if part is None:
        response = send(0, size, 200)
    else:
        start, length = part
        headers["content-range"] = f"bytes {start}-{start + length - 1}/{size}"
        response = send(start, length, 206)
    response.headers.update(headers)
    return response


def _wanted(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    said = request.headers.get("range")
    if said is None or request.method != "GET" or request.headers.get("if-range", etag) != etag:
        return None
    return parse_range(said, size)


def parse_range(wanted: str, size: int) -> tuple[int, int] | None:
    """(start, length) of a Range header over `size` bytes (RFC 9110, 14.1.2). None, the whole, for
    what is not one plain range of bytes. Raises RangeError when nothing of it is there."""
    found = _RANGE.fullmatch(wanted)
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    elif last and int(last) < int(first):
        return None
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
    if start >= end:
        raise RangeError
    return start, end - start


def not_modified(etag: str, keep: str) -> Response:
    """The browser has it already."""
    return Response(status_code=304, headers={"etag": etag, "cache-control": keep})
