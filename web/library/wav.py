"""The sound of a film, or of a recording no browser plays, as a WAV file that is nowhere.

Its samples are mono with 16 bits at 24 kHz, so that every byte belongs to a known moment: a browser
asks for a range, and just that stretch is decoded. Nothing is written, nothing has to be waited
for, and seeking is exact.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from indexer.types.pieces import Member

RATE_HZ = 24_000  # a day of it still fits into the four gigabytes a WAV can have
HEADER_BYTES = 44
STRETCH_S = 5.0
SAMPLE_BYTES = 2


class AudioDecoder(Protocol):
    """The child that opens files."""

    def pcm(
        self, path: Path, start_s: float, length_s: float, rate_hz: int, member: Member | None
    ) -> bytes: ...


@dataclass(frozen=True, slots=True)
class WavFile:
    """A recording of `duration_s`, a file or a `member` of one, as the bytes of a WAV file."""

    path: Path
    duration_s: float
    decoder: AudioDecoder
    member: Member | None = None

    @property
    def samples(self) -> int:
        return max(0, round(self.duration_s * RATE_HZ))

    @property
    def size_bytes(self) -> int:
        return HEADER_BYTES + SAMPLE_BYTES * self.samples

    def read(self, start: int, length: int) -> Iterator[bytes]:
        """The bytes from `start` on, `length` of them, a few seconds of sound at a time. Raises
        UnreadableError where the file cannot be decoded any more."""
        end = min(start + length, self.size_bytes)
        if start < HEADER_BYTES:
            yield self._header()[start : min(end, HEADER_BYTES)]
        at = max(start, HEADER_BYTES) - HEADER_BYTES
        left = end - HEADER_BYTES - at
        stretch = round(STRETCH_S * RATE_HZ)
        while left > 0:
            first, odd = divmod(at, SAMPLE_BYTES)
            count = min(stretch, self.samples - first)
            start_s, length_s = first / RATE_HZ, count / RATE_HZ
            sound = self.decoder.pcm(self.path, start_s, length_s, RATE_HZ, self.member)
            part = sound[odd : odd + left]
            if not part:
                return
            yield part
            at, left = at + len(part), left - len(part)

    def _header(self) -> bytes:
        data = SAMPLE_BYTES * self.samples
        riff = struct.pack("<4sI4s", b"RIFF", HEADER_BYTES - 8 + data, b"WAVE")
        rate = (RATE_HZ, RATE_HZ * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES)
        form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, *rate)
        return riff + form + struct.pack("<4sI", b"data", data)
