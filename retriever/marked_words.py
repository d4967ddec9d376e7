"""Which words to mark in one content: those of the query, and the forms that a search found."""

from __future__ import annotations

from indexer.catalog.words.index import PassageIndex
from retriever.search import CANDIDATES_A_HIT
from retriever.snippets import words_to_mark

LISTED = 60  # hits in the browser's list


def marked_words(passages: PassageIndex, content: str, query: str) -> list[str]:
    """The words of `query` as `matches` compares them. Other forms are those that a search without
    filters marks, or else, where a filter left this content without one that holds the words as
    they were typed, those that this content is found by."""
    words = words_to_mark(query)
    if not words:
        return []
    whole = passages.search(query, LISTED * CANDIDATES_A_HIT, forms_below=LISTED)
    variants = whole.variants or passages.search(query, 1, None, {content}, forms_below=1).variants
    return [*words, *sorted(variants)]
