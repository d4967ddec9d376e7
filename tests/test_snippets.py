"""Snippets show why a passage was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.types.text.graphemes import word_ranges
from retriever.marks.snippets import distinct_tokens, matches, snippet


def _marked(text: str, query: str, length: int = 240) -> list[str]:
    extract = snippet(text, distinct_tokens(query), length)
    return [extract.text[start:end] for start, end in extract.marks]


def test_whole_words_are_marked_whatever_their_case_and_accents() -> None:
    assert _marked("The Deposit: a deposit, deposits. Dépôsit.", "deposit") == [
        "Deposit",
        "deposit",
        "Dépôsit",
    ]


def test_the_window_holds_the_most_different_words() -> None:
    text = "rent " * 30 + "filler " * 60 + "the deposit and the rent are due " + "filler " * 60
    extract = snippet(text, distinct_tokens("deposit rent due"), 120)
    assert {"deposit", "rent", "due"} <= set(_marked(text, "deposit rent due", 120))
    assert extract.text.startswith("… ")
    assert extract.text.endswith(" …")


@given(st.text(st.characters(max_codepoint=0x2070), max_size=40))
def test_words_of_plain_text_end_where_those_of_any_text_do(text: str) -> None:
    """What only letters of other scripts need is left out for texts without them."""
    marked = f"{text}\u0301"  # a combining mark, so that nothing is left out
    ranges = word_ranges(marked)
    if ranges and ranges[-1][1] == len(marked):
        start, end = ranges.pop()
        ranges += [(start, end - 1)] if start < end - 1 else []
    assert word_ranges(text) == ranges


def test_white_space_is_one_space() -> None:
    assert snippet("a\n\n b\tc", []).text == "a b c"


@given(
    st.text(alphabet="ab éß\n.中", max_size=400),
    st.text(alphabet="ab é", max_size=12),
    st.integers(20, 120),
)
def test_marks_lie_inside_and_match(text: str, query: str, length: int) -> None:
    wanted = distinct_tokens(query)
    extract = snippet(text, wanted, length)
    assert len(extract.text) <= length + 4
    for start, end in extract.marks:
        assert 0 <= start < end <= len(extract.text)
        assert set(distinct_tokens(extract.text[start:end])) & set(wanted)


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("an e-mail of Wi-Fi", "wifi", ["Wi-Fi"]),
        ("IBAN DE89 3704 0044 0532 0130 00 here", "de89370400440532013000",
         ["DE89 3704 0044 0532 0130 00"]),
        ("it was wonder-\nful", "wonderful", ["wonder-\nful"]),
        ("call 030 123", "0301234", []),
        ("e mail", "email", []),
    ],
)  # fmt: skip
def test_what_is_written_with_separators_is_marked_whole(
    text: str, word: str, expected: list[str]
) -> None:
    assert [text[start:end] for start, end in matches(text, [word])] == expected
