"""What each patch of a picture shows: letters, things, colours, as labels for training.

The world drew the picture and knows. Labelled patches train the first layers long before a whole
caption can be written, as frames labelled with their sound do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from training.world.kinds import KINDS
from training.world.lettering import Glyph
from training.world.plans import Thing
from training.world.words import COLOURS

# A patch is asked five things: the letters in its left, middle and right third, then the kind and
# the colour of what stands in its middle. Answer 0 is "nothing of that sort".
THIRDS = 3
KIND, COLOUR = THIRDS, THIRDS + 1
ASKED = THIRDS + 2
LETTERS = " abcdefghijklmnopqrstuvwxyz0123456789:"
ANSWERS = max(len(LETTERS), len(KINDS) + 1, len(COLOURS) + 1)

_KINDS = {kind: number for number, kind in enumerate(KINDS, start=1)}
_COLOURS = {colour: number for number, colour in enumerate(COLOURS, start=1)}
ALIKE = 0.75  # letters narrower than a third of a patch may not show
COVERED = 0.4  # of a patch's or a letter's height, for the letter to be seen there


@dataclass(frozen=True, slots=True)
class Grid:
    """How a picture is cut into patches."""

    columns: int
    rows: int


Shown = tuple[int, int, int]  # patch, which of the questions, the answer
Box = tuple[float, float, float, float]  # left, top, right, bottom, in parts of the picture


def letters(glyphs: Iterable[Glyph], grid: Grid) -> Iterator[Shown]:
    """The letters of a written picture; every third without one says so."""
    answers: dict[tuple[int, int], int] = {}
    for glyph in glyphs:
        answer = LETTERS.find(glyph.letter.lower())
        if answer < 0:
            continue
        top, bottom = glyph.top * grid.rows, glyph.bottom * grid.rows
        for row in range(max(0, int(top)), min(grid.rows, int(bottom) + 1)):
            covered = min(bottom, row + 1) - max(top, row)
            if covered < COVERED * min(1.0, bottom - top):
                continue
            for third in range(grid.columns * THIRDS):
                if glyph.left <= (third + 0.5) / (grid.columns * THIRDS) < glyph.right:
                    answers[row * grid.columns + third // THIRDS, third % THIRDS] = answer
    for patch in range(grid.columns * grid.rows):
        for third in range(THIRDS):
            yield patch, third, answers.get((patch, third), 0)


def things(boxes: Iterable[tuple[Thing, Box]], grid: Grid) -> Iterator[Shown]:
    """Kind and colour of the thing in the middle of each patch; those in front come last and
    count. Small things are seen by the patch they are in."""
    by_patch: dict[int, Thing] = {}
    for thing, (left, top, right, bottom) in boxes:
        middle = (int((left + right) / 2 * grid.columns), int((top + bottom) / 2 * grid.rows))
        for x in range(grid.columns):
            for y in range(grid.rows):
                across, down = (x + 0.5) / grid.columns, (y + 0.5) / grid.rows
                if (x, y) == middle or (left < across < right and top < down < bottom):
                    by_patch[y * grid.columns + x] = thing
    for patch in range(grid.columns * grid.rows):
        seen = by_patch.get(patch)
        yield patch, KIND, _KINDS[seen.kind] if seen else 0
        yield patch, COLOUR, _COLOURS[seen.colour] if seen else 0


def named(shown: Sequence[Shown], columns: int, caption: str) -> Iterator[tuple[int, str]]:
    """Patches and the word for what they show: a thing's kind or colour in turn, like a chess
    board; of a written picture a word of its caption where it ends."""
    for patch, asked, answer in shown:
        if answer and asked >= KIND and (sum(divmod(patch, columns)) % 2) == (asked == COLOUR):
            yield patch, (list(COLOURS) if asked == COLOUR else list(KINDS))[answer - 1]
    caption_words = [word for word in re.findall(r"[a-z]+", caption.lower()) if len(word) > 1]
    yield from _ends(shown, columns, caption_words)


def _ends(
    shown: Iterable[Shown], columns: int, caption_words: Sequence[str]
) -> Iterator[tuple[int, str]]:
    """The patch in which each of the words `said` ends, as often as its letters show."""
    rows: dict[int, list[str]] = {}
    for patch, asked, answer in shown:
        if asked < THIRDS:
            thirds = rows.setdefault(patch // columns, [" "] * columns * THIRDS)
            thirds[patch % columns * THIRDS + asked] = LETTERS[answer]
    known = {_narrow(word): word for word in caption_words}
    for row, thirds in rows.items():
        line, end = "".join(thirds), 0
        for run in line.split():
            end = line.index(run, end) + len(run)
            near = difflib.get_close_matches(_narrow(run), known, n=1, cutoff=ALIKE)
            if near:
                yield row * columns + (end - 1) // THIRDS, known[near[0]]


def _narrow(word: str) -> str:
    """Each run of a letter once: a wide letter shows several times."""
    return "".join(
        letter for letter, before in zip(word, " " + word, strict=False) if letter != before
    )
