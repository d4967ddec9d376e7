"""Which words to mark in one content: those of the query, and the forms that a search found."""

from __future__ import annotations

from indexer.catalog.words.index import PassageIndex
from retriever.marks.snippets import words_to_mark


def marked_words(passages: PassageIndex, content: str, query: str) -> list[str]:
    """The words of `query` as `matches` compares them. Other forms are those that a search without
    filters marks, or else, where a filter left this content without one that holds the words as
    they were typed, those that this content is found by."""
    query = passages.content_words(query)
    words = words_to_mark(query)
    if not words:
        return []
    variants = passages.ranked(query).variants or passages.ranked(query, None, {content}).variants
    return [*words, *sorted(variants)]
