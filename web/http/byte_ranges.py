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
from web.library.items.attachment_bytes import AttachmentBytes
from web.library.items.wav import WavFile

GeneratedBytes = WavFile | AttachmentBytes  # no file; decoded while it is sent

CHUNK_BYTES = 256 * 1024
REVALIDATE = "private, no-cache"

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class RangeError(RecollectError):
    """A range of bytes begins behind the end of its file."""

    code, status = "range", 416

    def __init__(self) -> None:
        super().__init__("The bytes that were asked for lie behind the end of the file.")


class FileStream(StreamingResponse):
    """A range of an open file, which it closes."""

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
            if not chunk:  # the file is shorter now; the connection has to end early
                return
            left -= len(chunk)
            yield chunk


class GeneratedStream(StreamingResponse):
    """A range of what is decoded while it is sent."""

    def __init__(
        self, content: GeneratedBytes, start: int, length: int, status: int, kind: str
    ) -> None:
        super().__init__(self._chunks(), status, media_type=kind)
        self._parts = content.read(start, length)
        self.headers["content-length"] = str(length)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            self._parts = iter(())
        await super().__call__(scope, receive, send)

    async def _chunks(self) -> AsyncIterator[bytes]:
        # Where it cannot be decoded any more, the connection has to end early.
        with contextlib.suppress(UnreadableError):
            while chunk := await run_in_thread(lambda: next(self._parts, b"")):
                yield chunk


def generated_response(request: Request, content: GeneratedBytes, etag: str, kind: str) -> Response:
    """The whole of what is decoded while it is sent, or the range that the request names."""
    return _range_response(
        request,
        etag,
        content.size_bytes,
        lambda start, length, status: GeneratedStream(content, start, length, status, kind),
    )


def file_response(request: Request, file: BinaryIO, item_id: str, kind: str) -> Response:
    """The whole of an open file, or the range that the request names. The response closes it."""
    status = os.fstat(file.fileno())
    response = _range_response(
        request,
        f'"{item_id}-{status.st_size:x}-{status.st_mtime_ns:x}"',
        status.st_size,
        lambda start, length, code: FileStream(file, start, length, code, kind),
    )
    if not isinstance(response, FileStream):
        file.close()
    return response


def _range_response(
    request: Request, etag: str, size: int, send: Callable[[int, int, int], Response]
) -> Response:
    """`send` takes the first byte, the number of bytes, and the status code."""
    headers = {"etag": etag, "accept-ranges": "bytes", "cache-control": REVALIDATE}
    if unchanged(request, etag):
        return not_modified(etag, REVALIDATE)
    try:
        part = _requested_range(request, etag, size)
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


def _requested_range(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    header = request.headers.get("range")
    if header is None or request.method != "GET" or request.headers.get("if-range", etag) != etag:
        return None
    return parse_range(header, size)


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """(start, length) of a Range header over `size` bytes (RFC 9110, 14.1.2). None, the whole, for
    what is not one plain range of bytes. Raises RangeError when nothing of it is there."""
    match = _RANGE.fullmatch(header)
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    elif last and int(last) < int(first):
        return None
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
    if start >= end:
        raise RangeError
    return start, end - start


def not_modified(etag: str, cache_control: str) -> Response:
    """The browser has this version already."""
    return Response(status_code=304, headers={"etag": etag, "cache-control": cache_control})
