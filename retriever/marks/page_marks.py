"""Which words of a page to mark: words of the query, also where a line or a hyphen parts them."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.types.text.graphemes import is_unspaced
from retriever.marks.snippets import matches

PageWord = tuple[float, float, float, float, str, int]  # as in PageWords

_HYPHENS = ("-", "\u2010", "\u00ad")


def page_marks(words: Sequence[PageWord], wanted: list[str]) -> list[int]:
    """The indices of the `words` that match one of the `wanted`, in order. A word that is
    hyphenated at the end of a line matches with its hyphen and without."""
    if not wanted:
        return []
    marked = _matching(words, wanted, drop_hyphens=False)
    if any(_is_hyphenated(words, i) for i in range(len(words) - 1)):
        marked |= _matching(words, wanted, drop_hyphens=True)
    return sorted(marked)


def _matching(words: Sequence[PageWord], wanted: list[str], *, drop_hyphens: bool) -> set[int]:
    parts: list[str] = []
    owners: list[int] = []  # of each character the index of its word
    for i, (*_, word, _) in enumerate(words):
        if i and not _is_continued(words[i - 1][4], word, is_joined=owners[-1] == -1):
            parts.append(" ")
            owners.append(i)
        is_broken = drop_hyphens and _is_hyphenated(words, i)
        parts.append(word[:-1] if is_broken else word)
        owners += [i] * len(parts[-1])
        if is_broken:
            owners.append(-1)
            parts.append("\u200d")  # a joiner: no part of any token
    ranges = matches("".join(parts), wanted)
    return {owner for start, end in ranges for owner in owners[start:end] if owner >= 0}


def _is_continued(word: str, following: str, *, is_joined: bool) -> bool:
    return is_joined or (is_unspaced(word[-1]) and is_unspaced(following[0]))


def _is_hyphenated(words: Sequence[PageWord], i: int) -> bool:
    """Whether word `i` is the first part of a word that goes on in the next line."""
    if i + 1 >= len(words) or words[i][5] == words[i + 1][5]:
        return False
    word, following = words[i][4], words[i + 1][4]
    return len(word) > 1 and word.endswith(_HYPHENS) and following[0].islower()
