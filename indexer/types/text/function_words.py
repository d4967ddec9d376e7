"""Function words: those of a query that stand in nearly every text of its language, as `the`."""

from __future__ import annotations

import functools
from collections.abc import Collection

# What the lists leave out and questions are full of.
_ALSO_ENGLISH = frozenset("also could may might must shall us would".split())


@functools.cache
def _lists() -> dict[str, frozenset[str]]:
    """For each language its function words, as tokens. They are those of the Snowball stemmers."""
    from whoosh.lang.stopwords import stoplists

    from indexer.types.text.tokens import tokens

    lists = {
        language: frozenset(token for word in words for token in tokens(word))
        for language, words in stoplists.items()
    }
    return lists | {"en": lists["en"] | _ALSO_ENGLISH}


def function_words(tokens: Collection[str]) -> frozenset[str]:
    """Those of the tokens that are function words of the language which has most of them; of
    several, if they have equally many."""
    shared = [listed.intersection(tokens) for listed in _lists().values()]
    most = max(map(len, shared))
    return frozenset().union(*(words for words in shared if len(words) == most))
