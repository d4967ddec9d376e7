"""Messages between a process and its child: a JSON head and raw bytes, each after its length.

Nothing is unpickled, so whatever a hostile file made of the child can send us only data.
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
_AT_ONCE_BYTES = 1 << 16

Message = tuple[dict[str, Any], bytes]


def encode_message(head: dict[str, Any], body: bytes = b"") -> bytes:
    """One message. Raises MemoryError for one that `unpacked` would refuse for its size."""
    said = json.dumps(head).encode("ascii")
    if len(said) > MAX_HEAD_BYTES or len(body) > MAX_BODY_BYTES:
        raise MemoryError("a message larger than any of ours")
    return _LENGTHS.pack(len(said), len(body)) + said + body


def decode_message(read: Callable[[int], bytes]) -> Message:
    """The next message; `read(n)` gives exactly n bytes. Raises ValueError for no message of ours,
    and whatever `read` raises."""
    head_bytes, body_bytes = _LENGTHS.unpack(read(_LENGTHS.size))
    if head_bytes > MAX_HEAD_BYTES or body_bytes > MAX_BODY_BYTES:
        raise ValueError("a message larger than any of ours")
    head = json.loads(read(head_bytes))
    if not isinstance(head, dict):
        raise ValueError("a message without a head")
    return head, read(body_bytes)


class PipeReader:
    """What comes in over a pipe. It is read as it comes and handed out as it is asked for: a small
    file's messages cost one turn with the system, and one with Python's other threads."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._poll = select.poll()
        self._poll.register(source, select.POLLIN)
        self._held = bytearray()

    def take(self, count: int, until: float) -> bytes:
        """`count` bytes. Raises EOFError when the pipe ends, TimeoutError when it is late."""
        while (missing := count - len(self._held)) > 0:
            left = until - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise TimeoutError
            some = os.read(self._source, min(1 << 20, max(missing, _AT_ONCE_BYTES)))
            if not some:
                raise EOFError
            self._held += some
        data = bytes(self._held[:count])
        del self._held[:count]
        return data
