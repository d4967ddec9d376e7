"""Our own words on a page that MuPDF lays out from HTML, each with its box.

The words do not come from the finished page: a PDF has glyphs, from which Arabic, Hindi or Khmer
cannot be read back. Each word is an element of its own, whose place MuPDF tells.
"""

from __future__ import annotations

import collections
import html
import unicodedata
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Literal

from indexer.types.pieces import PageWords
from indexer.types.text.characters import clean
from indexer.types.text.graphemes import part_ranges

_INLINE = frozenset(["a", "b", "code", "em", "i", "s", "span", "strong", "sub", "sup"])
# MuPDF breaks a line at blanks alone: between these parts it is told that it may.
_BREAK = "\u200b"
# No line of a page has room for more characters without a blank.
LONGEST_PART = 40
# A box reaches from the base line 0.8 of the type size up and 0.2 down: letters of some scripts
# reach further, as far as the line does.
_REACH = 0.25

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Part:
    """A word, or a part of one. `after` is what parts it from the one before: nothing, a blank or a
    place where a line may end, or the end of a block."""

    text: str
    after: Literal["nothing", "break", "block"]


class WordMarker(HTMLParser):
    """HTML with an element around each word: `marked` is the HTML, `parts` are the words, whose
    numbers are the ids of their elements."""

    def __init__(self, body: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[_Part] = []
        self._output: list[str] = []
        self._after: Literal["nothing", "break", "block"] = "block"
        self.feed(body)
        self.close()
        self.marked = "".join(self._output)
        if _is_right_to_left("".join(part.text for part in self.parts)):
            # else MuPDF begins at the left, and parts a line at each full stop or joiner
            self.marked = f'<div dir="rtl">{self.marked}</div>'

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._output.append(self.get_starttag_text() or "")
        if tag not in _INLINE:
            self._after = "block"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._output.append(f"</{tag}>")
        if tag not in _INLINE:
            self._after = "block"

    def handle_data(self, data: str) -> None:
        end = 0
        was_letter = False
        for start, stop, is_letter in part_ranges(data, LONGEST_PART):
            if start > end:
                self._output.append(html.escape(data[end:start]))
                self._separate()
            elif end:
                self._output.append(_BREAK)
                if is_letter or was_letter:
                    self._separate()
            part = data[start:stop]
            self._output.append(f'<span id="{len(self.parts)}">{html.escape(part)}</span>')
            self.parts.append(_Part(part, self._after))
            self._after = "nothing"
            end, was_letter = stop, is_letter
        if end < len(data):
            self._output.append(html.escape(data[end:]))
            self._separate()

    def _separate(self) -> None:
        if self._after == "nothing":
            self._after = "break"


def _is_right_to_left(text: str) -> bool:
    """Whether most letters of a text are of scripts that run from right to left."""
    if text.isascii():
        return False
    directions = collections.Counter(map(unicodedata.bidirectional, text))
    return directions["R"] + directions["AL"] > directions["L"]


def story_words(story: Any, parts: list[_Part], width_pt: float, height_pt: float) -> PageWords:
    """The words of a pymupdf Story that was placed on a page of this size."""
    boxes: list[list[Box]] = [[] for _ in parts]

    def note(position: Any) -> None:
        x0, y0, x1, y1 = position.rect
        if position.id and x1 > x0:
            boxes[int(position.id)].append((x0, y0, x1, y1))

    story.element_positions(note)
    words: list[tuple[float, float, float, float, str, int]] = []
    line = -1
    last_top = float("-inf")
    for part, part_boxes in zip(parts, boxes, strict=True):
        for number, (text, (x0, y0, x1, y1)) in enumerate(_by_line(part.text, part_boxes)):
            size = y1 - y0
            is_new_line = abs(y0 - last_top) > size / 2
            line += is_new_line or (part.after == "block" and number == 0)
            last_top = y0
            top, bottom = max(0.0, y0 - _REACH * size), min(height_pt, y1 + _REACH * size)
            if part.after == "nothing" and words and words[-1][5] == line and not number:
                left, above, right, below, start, _ = words.pop()
                box = min(left, x0), min(above, top), max(right, x1), max(below, bottom)
                text = start + text
            else:
                box = x0, top, x1, bottom
            shown = clean(text)
            if shown:
                left, above, right, below = (round(side, 2) for side in box)
                words.append((left, above, right, below, shown, line))
    return {"width": round(width_pt, 2), "height": round(height_pt, 2), "words": words}


def _by_line(text: str, boxes: list[Box]) -> list[tuple[str, Box]]:
    """The text and its box, or its share of text and a box for each line that it stands on."""
    lines: list[Box] = []
    for x0, y0, x1, y1 in boxes:
        if lines and abs(lines[-1][1] - y0) < (y1 - y0) / 2:
            left, top, right, bottom = lines[-1]
            if x0 - right < y1 - y0 and left - x1 < y1 - y0:
                lines[-1] = min(left, x0), min(top, y0), max(right, x1), max(bottom, y1)
            elif x1 - x0 > right - left:  # punctuation may stand at the other end of the line
                lines[-1] = x0, y0, x1, y1
        else:
            lines.append((x0, y0, x1, y1))
    width = sum(x1 - x0 for x0, _, x1, _ in lines)
    shares: list[tuple[str, Box]] = []
    start = 0
    reached = 0.0
    for box in lines:
        reached += box[2] - box[0]
        end = len(text) if box is lines[-1] else round(len(text) * reached / width)
        shares.append((text[start:end], box))
        start = end
    return shares
