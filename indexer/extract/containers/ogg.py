"""The pages of an Ogg file (RFC 3533): several streams in it, beside or after each other."""

from __future__ import annotations

from typing import IO

BLOCK_BYTES = 1 << 20
_PAGE = b"OggS\0"
_FLAGS_BYTES = len(_PAGE) + 1
_BEGINS_STREAM = 2


def is_chained(file: IO[bytes]) -> bool:
    """Whether a stream begins in an open Ogg after the pages of another one. Nothing is decoded."""
    file.seek(0)
    has_content, rest = False, b""
    while block := file.read(BLOCK_BYTES):
        pages, at = rest + block, 0
        while 0 <= (at := pages.find(_PAGE, at)) <= len(pages) - _FLAGS_BYTES:
            begins = bool(pages[at + len(_PAGE)] & _BEGINS_STREAM)
            if begins and has_content:
                return True
            has_content = has_content or not begins
            at += _FLAGS_BYTES
        rest = pages[-len(_PAGE) :]
    return False


def is_multiplexed(file: IO[bytes]) -> bool:
    """Whether an open Ogg begins with several streams at once, such as two sound tracks."""
    file.seek(0)
    head, at, begun = file.read(BLOCK_BYTES), 0, 0
    while 0 <= (at := head.find(_PAGE, at)) <= len(head) - _FLAGS_BYTES:
        if not head[at + len(_PAGE)] & _BEGINS_STREAM:
            break
        begun += 1
        at += _FLAGS_BYTES
    return begun > 1
