"""Quotes: whatever a model would like to write, a citation holds words of its source alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.answers.quote_constraint import MOST_CITATIONS, QuotableText, QuoteConstraint
from model.decoding.token_bytes import TokenBytes
from model.interface import AnswerCitation, AnswerText
from tests.golden import take

GOLDEN = Path(take.__file__).parent
SOURCES = {
    1: "The red bicycle costs 3.5 euro, they said. It stands\nin  the garden.",
    2: 'He wrote "yes" and "no"] and left; the bicycle is red.',
    12: "Zażółć gęślą jaźń 🚲 now",
}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(GOLDEN / "tokenizer")


@pytest.fixture(scope="module")
def spelling(tokenizer: Any) -> TokenBytes:
    return TokenBytes(tokenizer)


def written(quotes: QuoteConstraint, tokenizer: Any, text: str) -> tuple[str, list[AnswerCitation]]:
    """Push `text` token by token, each of which has to be allowed."""
    for token in tokenizer(text, add_special_tokens=False)["input_ids"]:
        allowed = quotes.allowed()
        assert allowed is not None
        ids, may = allowed
        assert (token in ids) is may, tokenizer.decode([token])
        quotes.push(token)
    events = quotes.take()
    shown = "".join(event.text for event in events if isinstance(event, AnswerText))
    return shown, [event for event in events if isinstance(event, AnswerCitation)]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_a_true_quote_may_be_written(spelling: TokenBytes, tokenizer: Any) -> None:
    quotes = QuoteConstraint(spelling, SOURCES)
    text = 'It is dear [1: "costs 3.5 euro"]. And red [2: "the bicycle is red."]!'
    shown, cited = written(quotes, tokenizer, text)
    assert shown == "It is dear [1]. And red [2]!"
    assert cited == [AnswerCitation(1, "costs 3.5 euro"), AnswerCitation(2, "the bicycle is red.")]


@pytest.mark.parametrize(
    "false",
    [
        '[1: "costs 4',  # other words
        '[1: "costs 3"',  # half a number
        '[1: "ed bicycle',  # not from the start of a word
        '[1: "bicycle"',  # one word alone
        "[3",  # no such source
        "[1]",  # no quote
        "[see",  # a bracket that is no citation
        '[1: "the garden. The red',  # over the end
    ],
)
def test_a_false_one_cannot(spelling: TokenBytes, tokenizer: Any, false: str) -> None:
    with pytest.raises(AssertionError):
        written(QuoteConstraint(spelling, SOURCES), tokenizer, false)


def test_white_space_is_evened_out_and_told_as_it_stands(
    spelling: TokenBytes, tokenizer: Any
) -> None:
    shown, cited = written(
        QuoteConstraint(spelling, SOURCES), tokenizer, '[1: "It stands in the garden"]'
    )
    assert shown == "[1]"
    assert cited == [AnswerCitation(1, "It stands\nin  the garden")]


def test_a_source_may_hold_quotation_marks(spelling: TokenBytes, tokenizer: Any) -> None:
    text = '[2: "He wrote "yes""] [2: "and "no"]'
    _, cited = written(QuoteConstraint(spelling, SOURCES), tokenizer, text)
    assert cited == [AnswerCitation(2, 'He wrote "yes"'), AnswerCitation(2, 'and "no')]


def test_letters_of_several_bytes(spelling: TokenBytes, tokenizer: Any) -> None:
    _, cited = written(QuoteConstraint(spelling, SOURCES), tokenizer, 'ż [12: "gęślą jaźń 🚲"] ż')
    assert cited == [AnswerCitation(12, "gęślą jaźń 🚲")]


def test_half_a_citation_is_never_told(spelling: TokenBytes, tokenizer: Any) -> None:
    quotes = QuoteConstraint(spelling, SOURCES)
    shown, cited = written(quotes, tokenizer, 'Well [1: "The red bic')
    assert (shown, cited, quotes.open) == ("Well ", [], True)


def test_a_fork_looks_ahead_and_leaves_no_trace(spelling: TokenBytes, tokenizer: Any) -> None:
    quotes = QuoteConstraint(spelling, SOURCES)
    written(quotes, tokenizer, 'A [1: "The red')
    ahead = quotes.fork()
    for token in tokenizer(' bicycle costs"] b', add_special_tokens=False)["input_ids"]:
        ahead.push(token)
    assert (ahead.open, ahead.cited) == (False, 1)
    assert (quotes.open, quotes.cited) == (True, 0)
    _, cited = written(quotes, tokenizer, ' bicycle"]')
    assert cited == [AnswerCitation(1, "The red bicycle")]


def test_without_words_there_is_nothing_to_cite(spelling: TokenBytes, tokenizer: Any) -> None:
    quotes = QuoteConstraint(spelling, {1: "", 2: " \n"})
    assert not quotes.quotable
    with pytest.raises(AssertionError):
        written(quotes, tokenizer, "[")


def test_citations_come_to_an_end(spelling: TokenBytes, tokenizer: Any) -> None:
    quotes = QuoteConstraint(spelling, SOURCES)
    written(quotes, tokenizer, '[1: "The red"]' * MOST_CITATIONS)
    with pytest.raises(AssertionError):
        written(quotes, tokenizer, "[")


def test_thoughts_and_control_tokens_are_not_said(spelling: TokenBytes, tokenizer: Any) -> None:
    quotes = QuoteConstraint(spelling, SOURCES)
    text = '<|channel>thought\n[1: "nonsense<channel|>It<eos> is\x07 so.'
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    for token in tokens:
        quotes.push(token)
    assert "".join(e.text for e in quotes.take() if isinstance(e, AnswerText)) == "It is so."
    assert spelling.text(tokens) == "It is so."


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=80),
        min_size=1,
        max_size=3,
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_walk_through_the_grammar_quotes_truly(
    spelling: TokenBytes, words: list[str], seed: int
) -> None:
    """A model that writes at random, within what is allowed, still cites truly, and always can go
    on: byte-level vocabularies leave no dead ends."""
    rng = np.random.default_rng(seed)
    sources = dict(enumerate(words, start=1))
    quotes = QuoteConstraint(spelling, sources)
    if not quotes.quotable:
        return
    bracket = spelling.of.index(b"[")
    quotes.push(bracket)
    for _ in range(600):
        if not quotes.open:
            break
        allowed = quotes.allowed()
        assert allowed is not None
        ids, may = allowed
        assert may
        assert len(ids)
        quotes.push(int(rng.choice(ids)))
    cited = [event for event in quotes.take() if isinstance(event, AnswerCitation)]
    assert len(cited) == 1
    assert cited[0].quote in sources[cited[0].n]
    assert squeezed(cited[0].quote)


def test_a_quote_is_of_bounded_length() -> None:
    source = QuotableText("word " * 500)
    assert max(end - start for start, end in source.last.items()) <= 400
    assert all(source.count(start, end) <= 40 for start, end in source.last.items())


def test_scripts_without_spaces_can_be_quoted() -> None:
    source = QuotableText("東京都は大きいです")
    start = len("東京都は".encode())
    assert source.may_close(start, len("東京都は大きい".encode()))
    assert source.quote(start, len("東京都は大きい".encode())) == "大きい"
