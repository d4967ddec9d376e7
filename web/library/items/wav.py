"""The sound of a film, or of a recording no browser plays, as a WAV file that is never stored.

Its samples are mono with 16 bits at 24 kHz, so that every byte belongs to a known moment: a browser
asks for a range, and only that range is decoded. Nothing has to be waited for, and seeking is
exact.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from indexer.types.pieces import Member

RATE_HZ = 24_000  # a day of it still fits into the four gigabytes a WAV can have
HEADER_BYTES = 44
DECODED_AT_ONCE_S = 5.0
SAMPLE_BYTES = 2


class AudioDecoder(Protocol):
    """The child that opens files."""

    def pcm(
        self,
        path: Path,
        start_s: float,
        length_s: float,
        rate_hz: int,
        member: Member | None,
        track: int | None,
    ) -> bytes: ...


@dataclass(frozen=True, slots=True)
class WavFile:
    """A recording of `duration_s`, a file or a `member` of one, or one `track` of it, as the bytes
    of a WAV file."""

    path: Path
    duration_s: float
    decoder: AudioDecoder
    member: Member | None = None
    track: int | None = None

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
        offset = max(start, HEADER_BYTES) - HEADER_BYTES
        left = end - HEADER_BYTES - offset
        while left > 0:
            first, odd = divmod(offset, SAMPLE_BYTES)
            count = min(round(DECODED_AT_ONCE_S * RATE_HZ), self.samples - first)
            start_s, length_s = first / RATE_HZ, count / RATE_HZ
            samples = self.decoder.pcm(
                self.path, start_s, length_s, RATE_HZ, self.member, self.track
            )
            part = samples[odd : odd + left]
            if not part:
                return
            yield part
            offset, left = offset + len(part), left - len(part)

    def _header(self) -> bytes:
        # The module writes a file from its beginning to its end, so only the header is its work.
        header = io.BytesIO()
        with wave.open(header, "wb") as writer:
            writer.setparams((1, SAMPLE_BYTES, RATE_HZ, self.samples, "NONE", ""))
            writer.writeframesraw(b"")
            return header.getvalue()  # closing would correct the length to what was written
