"""The place that a match opens: in a transcript the sentence that holds most of the words."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.types.passages import Passage
from indexer.types.places import Place
from retriever.marks.snippets import matches


def matching_place(passage: Passage, wanted: Sequence[str]) -> Place:
    """The place of the sentence with the most different words of `wanted`, of equal ones the first;
    that of the whole passage where none has any, or none has its own seconds."""
    if len(passage.sentences) < 2:
        return passage.place
    best, most = None, 0
    for sentence in passage.sentences:
        text = passage.text[sentence.start : sentence.end]
        count = len({text[a:b].casefold() for a, b in matches(text, list(wanted))})
        if count > most:
            best, most = sentence, count
    return passage.place if best is None else passage.place_of(best.start)


def quoted_place(passage: Passage, quote: str) -> Place:
    """The place where a quote begins, white space apart; that of the whole passage where the quote
    does not stand in it."""
    words = quote.split()
    if not words or not passage.sentences:
        return passage.place
    text, at = passage.text, -1
    squeezed = " ".join(text.split())
    position = squeezed.find(" ".join(words))
    if position >= 0:  # as many letters before it as there
        letters = len(squeezed[:position].replace(" ", ""))
        at = _after_letters(text, letters)
    return passage.place if at < 0 else passage.place_of(at)


def _after_letters(text: str, count: int) -> int:
    """The index of the character with so many others before it, white space not counted."""
    for index, character in enumerate(text):
        if not character.isspace():
            if count == 0:
                return index
            count -= 1
    return -1
