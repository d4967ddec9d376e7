"""Messages between a process and its child: a JSON head and raw bytes, after their two lengths.

Nothing is unpickled: a child that a hostile file has taken over can send data only.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from collections.abc import Callable
from typing import Any

_LENGTHS = struct.Struct(">IQ")
MAX_HEAD_BYTES = 8 << 20
MAX_BODY_BYTES = 64 << 20
_BLOCK_BYTES = 1 << 16

Message = tuple[dict[str, Any], bytes]


def encode_message(head: dict[str, Any], body: bytes = b"") -> bytes:
    """One message. Raises MemoryError for one that `decode_message` would refuse for its size."""
    head_json = json.dumps(head).encode("ascii")
    if len(head_json) > MAX_HEAD_BYTES or len(body) > MAX_BODY_BYTES:
        raise MemoryError("a message larger than is allowed")
    return _LENGTHS.pack(len(head_json), len(body)) + head_json + body


def decode_message(read: Callable[[int], bytes]) -> Message:
    """The next message; `read(n)` gives exactly n bytes. Raises ValueError where it is none, and
    whatever `read` raises."""
    head_bytes, body_bytes = _LENGTHS.unpack(read(_LENGTHS.size))
    if head_bytes > MAX_HEAD_BYTES or body_bytes > MAX_BODY_BYTES:
        raise ValueError("a message larger than is allowed")
    head = json.loads(read(head_bytes))
    if not isinstance(head, dict):
        raise ValueError("a message without a head")
    return head, read(body_bytes)


class PipeReader:
    """The reading end of a pipe, buffered: the messages of a small file cost one system call, and
    the interpreter's lock is given up once."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._poll = select.poll()
        self._poll.register(source, select.POLLIN)
        self._buffer = bytearray()

    def take(self, count: int, until: float) -> bytes:
        """`count` bytes. Raises EOFError at its end, TimeoutError at `until` (monotonic s)."""
        while (missing := count - len(self._buffer)) > 0:
            left = until - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise TimeoutError
            block = os.read(self._source, min(1 << 20, max(missing, _BLOCK_BYTES)))
            if not block:
                raise EOFError
            self._buffer += block
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data
