"""What goes through the pipes between the model and the process of the readers.

A message is a JSON object and some bytes: the lengths of both, then both. Nothing is unpickled.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

Message = tuple[dict[str, Any], bytes]

_LENGTHS = struct.Struct("<IQ")
# More than any medium takes: a picture of 1,600 x 1,600 pixels, a minute of samples.
MOST_BYTES = 64 << 20


def write_message(pipe: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    """Raises OSError where the other side is gone."""
    written = json.dumps(head).encode()
    pipe.write(_LENGTHS.pack(len(written), len(body)) + written)
    pipe.write(body)
    pipe.flush()


def read_message(pipe: BinaryIO) -> Message:
    """Raises EOFError where the other side is gone, ValueError for what is no message."""
    head_bytes, body_bytes = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    if max(head_bytes, body_bytes) > MOST_BYTES:
        raise ValueError("a message that is too long")
    head = json.loads(_exactly(pipe, head_bytes))
    if not isinstance(head, dict):
        raise ValueError("a message that is no object")
    return head, _exactly(pipe, body_bytes)


def _exactly(pipe: BinaryIO, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = pipe.read(count - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
