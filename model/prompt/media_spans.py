"""The media in a prompt's inputs: where they lie, where inputs may be cut, what two share.

The tokens of one picture attend to each other, so a picture is never cut. Two prompts share a
medium only where its pixels or samples are the same: every picture has the same token ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.interface import Float32
from model.prompt.inputs import IMAGE_TOKEN, Inputs, Patches


@dataclass(frozen=True, slots=True, eq=False)
class MediaSpan:
    """The tokens `start` to `stop` stand for `content`."""

    start: int
    stop: int
    content: Patches | Float32

    def same(self, other: MediaSpan) -> bool:
        if (self.start, self.stop) != (other.start, other.stop):
            return False
        content, compared = self.content, other.content
        if isinstance(content, Patches) and isinstance(compared, Patches):
            return np.array_equal(content.positions, compared.positions) and np.array_equal(
                content.values, compared.values
            )
        if isinstance(content, Patches) or isinstance(compared, Patches):
            return False
        return np.array_equal(content, compared)


def media_spans(row: Inputs) -> list[MediaSpan]:
    """The media of a prompt, in order."""
    pictures, sounds = iter(row.pictures), iter(row.sounds)
    spans: list[MediaSpan] = []
    stop = 0
    for start in np.flatnonzero(row.kinds).tolist():
        if start < stop:
            continue
        content: Patches | Float32
        if row.kinds[start] == IMAGE_TOKEN:
            content = next(pictures)
            stop = start + len(content.values)
        else:
            content = next(sounds)
            stop = start + len(content)
        spans.append(MediaSpan(start, stop, content))
    return spans


def inputs_part(row: Inputs, start: int, stop: int) -> Inputs:
    """The tokens `start` to `stop` with their media. A sound may be cut between two frames;
    raises ValueError where a picture would be."""
    pictures: list[Patches] = []
    sounds: list[Float32] = []
    for span in media_spans(row):
        first, last = max(span.start, start), min(span.stop, stop)
        if first >= last:
            continue
        if not isinstance(span.content, Patches):
            sounds.append(span.content[first - span.start : last - span.start])
        elif (first, last) == (span.start, span.stop):
            pictures.append(span.content)
        else:
            raise ValueError("a picture cannot be cut: its tokens attend to each other")
    return Inputs(row.ids[start:stop], row.kinds[start:stop], tuple(pictures), tuple(sounds))


def part_bounds(row: Inputs, size: int) -> Iterator[tuple[int, int]]:
    """Where to cut inputs into parts of at most `size` tokens; a part with a picture may be
    longer where the picture is."""
    pictures = [span for span in media_spans(row) if isinstance(span.content, Patches)]
    start = 0
    while start < len(row):
        stop = min(start + size, len(row))
        for span in pictures:
            if span.start < stop < span.stop:
                stop = span.start if span.start > start else span.stop
        yield start, stop
        start = stop


def shared_prefix_length(
    row: Inputs, media: Sequence[MediaSpan], ids: Sequence[int], known: Sequence[MediaSpan]
) -> int:
    """How many tokens at the beginning of `row` (with its `media`) equal those of `ids` (with its
    media `known`); never part of a medium."""
    most = min(len(row), len(ids))
    different = np.flatnonzero(row.ids[:most] != np.asarray(ids[:most], dtype=np.int64))
    count = int(different[0]) if different.size else most
    for index, span in enumerate(media):
        if span.start >= count:
            break
        if span.stop > count or index >= len(known) or not span.same(known[index]):
            return span.start
    for span in known:
        if span.start < count < span.stop:
            return span.start
    return count


def picture_numbers(row: Inputs) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
    """(n,) the number of the picture each token belongs to, -1 elsewhere; None without pictures."""
    if not row.pictures:
        return None
    numbers = np.full(len(row), -1, dtype=np.int64)
    for number, span in enumerate(media_spans(row)):
        if isinstance(span.content, Patches):
            numbers[span.start : span.stop] = number
    return numbers
