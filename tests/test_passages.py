from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.extract.process.cuts import with_cuts
from indexer.extract.process.messages import message_from_piece, piece_from_message
from indexer.ingest.read import passages_of
from indexer.types.passages import LONGEST_WORDS, split
from indexer.types.pieces import MediaPart, MemberPiece, PageText
from indexer.types.places import Page, Span, place_json
from indexer.types.text.tokens import join_separated


def sentences(count: int, words: int = 12) -> str:
    return " ".join(
        f"Sentence {n} " + " ".join(["word"] * (words - 3)) + " end." for n in range(count)
    )


def test_short_text_is_one_passage() -> None:
    assert split("One line.\n\nAnother.") == ["One line.\n\nAnother."]
    assert split("") == split(" \n\n ") == []


def test_passages_are_about_120_words_and_end_with_sentences() -> None:
    passages = split(sentences(100))
    assert all(passage.startswith("Sentence") and passage.endswith("end.") for passage in passages)
    assert {len(passage.split()) for passage in passages[:-1]} == {120}


def test_a_small_rest_goes_with_the_last_passage() -> None:
    assert len(split(sentences(12))) == 1


def test_a_text_without_sentences_is_cut_at_words() -> None:
    passages = split("word " * 1000)
    assert sum(len(passage.split()) for passage in passages) == 1000
    assert max(len(passage.split()) for passage in passages) <= LONGEST_WORDS


def test_scripts_without_spaces_are_cut_too() -> None:
    assert len(split("東京都庁は新宿にある。" * 500)) > 3
    assert len(split("東" * 20_000)) > 3


@given(st.text("ab .!?\n。東", max_size=600).map(lambda text: text * 5))
def test_nothing_but_white_space_is_lost(text: str) -> None:
    passages = split(text)
    assert re.sub(r"\s+", "", "".join(passages)) == re.sub(r"\s+", "", text)
    at = 0
    for passage in passages:
        at = text.index(passage, at) + len(passage)


@pytest.mark.parametrize("text", ["x" * 100_000, "x " * 50_000, "\n" * 50_000, ". " * 20_000])
def test_odd_texts_are_cut_in_time(text: str) -> None:
    assert len(split(text)) < 2000


def test_place_json() -> None:
    assert place_json(Page(3)) == {"page": 3}
    assert place_json(Span(1.23456, 2)) == {"start_s": 1.235, "end_s": 2}
    assert place_json(None) is None


def test_rows_of_a_table_are_not_cut_apart() -> None:
    rows = [
        f"Person number {n} | {n * 13}.50 euro | paid in the year {1990 + n}" for n in range(60)
    ]
    passages = split("\n".join(rows))
    assert len(passages) > 3
    assert [line for passage in passages for line in passage.split("\n")] == rows


@given(st.text(max_size=300), st.integers(0, 30))
def test_passages_are_the_same_in_whatever_process_the_text_is_cut(text: str, count: int) -> None:
    words = PageText(f"{text}\n\n{sentences(count)} {text}", Page(1))
    received = piece_from_message(message_from_piece(with_cuts(words)))
    assert isinstance(received, PageText)
    assert received.cuts is not None
    assert passages_of([received]) == passages_of([words])
    assert [passage.text for passage in passages_of([received])] == split(words.text)
    for passage in passages_of([received]):
        assert passage.joined == tuple(join_separated(passage.text))


def test_the_words_of_a_member_are_cut_as_well() -> None:
    words = PageText(sentences(30), Page(1))
    received = piece_from_message(message_from_piece(with_cuts(MemberPiece(1, words))))
    assert isinstance(received, MemberPiece)
    assert received.piece == words
    assert passages_of([received.piece]) == passages_of([words])
    assert isinstance(received.piece, PageText)
    assert received.piece.cuts is not None
    assert with_cuts(MediaPart(None)) == MediaPart(None)
