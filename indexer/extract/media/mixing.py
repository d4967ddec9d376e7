"""Sounds brought together: channels as one, rates as one, blocks as longer ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from model.interface import Float32

SampleBlock = tuple[int, Float32]  # rate in Hz, and mono samples (n,) in [-1, 1]

BLOCK_SAMPLES = 1 << 14
# Channels whose mean has less than this share of their own power cancel each other.
CANCELLED_SHARE = 0.1


def to_mono(channels: Float32) -> Float32:
    """The mean of channels (c, n), (n,) in [-1, 1]; the loudest of them where they cancel each
    other, as they do when one was recorded in antiphase. Values that are no numbers are 0."""
    numbers = np.nan_to_num(channels, nan=0.0, posinf=0.0, neginf=0.0).clip(-1.0, 1.0)
    mono: Float32 = numbers.mean(axis=0, dtype=np.float32)
    if len(numbers) > 1:
        powers = np.einsum("cn,cn->c", numbers, numbers)
        if np.dot(mono, mono) < CANCELLED_SHARE * powers.mean():
            mono = np.ascontiguousarray(numbers[int(powers.argmax())], np.float32)
    return mono


def resample(blocks: Iterator[SampleBlock], rate_hz: int) -> Iterator[Float32]:
    """The same sound at one rate; the blocks may change theirs on the way."""
    stream, own_hz = None, rate_hz
    for hz, block in blocks:
        if hz != own_hz:
            if stream is not None:
                yield stream.resample_chunk(block[:0], last=True)
            own_hz, stream = hz, None
            if hz != rate_hz:
                import soxr

                stream = soxr.ResampleStream(hz, rate_hz, 1, dtype="float32", quality="HQ")
        yield block if stream is None else stream.resample_chunk(block).clip(-1.0, 1.0)
    if stream is not None:
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def join_blocks(blocks: Iterator[SampleBlock]) -> Iterator[SampleBlock]:
    """The same sound in blocks that are long enough to be worth their handling."""
    waiting: list[Float32] = []
    size, own_hz = 0, 0
    for hz, block in blocks:
        if waiting and (hz != own_hz or size >= BLOCK_SAMPLES):
            yield own_hz, np.concatenate(waiting)
            waiting, size = [], 0
        own_hz = hz
        waiting.append(block)
        size += block.size
    if waiting:
        yield own_hz, np.concatenate(waiting)
